"""Packs of laws, partners, unions and channels: what brings them in, when they hold, and that none asks more than it may."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from functools import cache
from unittest.mock import patch

import pytest
from law_packs import BROUGHT_BY, RULES, SIGN_OFFS

from dubgate.delivery.script import Style
from dubgate.policy.choosing import Choice, Destination, choose
from dubgate.policy.facts import facts_from
from dubgate.policy.findings import Outcome, Severity
from dubgate.policy.judge import judge, judge_conditions
from dubgate.policy.pack_cases import run_cases
from dubgate.policy.pack_schema import ConditionRule
from dubgate.policy.pack_sources import EVERYWHERE, Status
from dubgate.policy.packs import CORE, Pack, choosable, load_packs
from dubgate.policy.when import REVIEW_DUE, When
from dubgate.unmeasured import Unmeasured

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
NOWHERE: dict[str, tuple[str, ...]] = {"territories": (), "channels": (), "partners": (), "agreements": ()}


@cache
def shipped(name: str) -> Pack:
    return load_packs([name])[-1]


def chosen(where: dict[str, object]) -> dict[str, Choice]:
    destination = Destination(**{**NOWHERE, **where})  # type: ignore[arg-type]
    return {choice.pack.name: choice for choice in choose(choosable(), destination)}


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_pack_has_exactly_these_rules_with_these_terms(name: str) -> None:
    pack = shipped(name)
    terms = {
        rule.id: (
            str(rule.severity),
            str(pack.status_of(rule)),
            str(pack.effective_of(rule) or "always"),
            tuple(e.id for e in rule.exemptions) if isinstance(rule, ConditionRule) else (),
        )
        for rule in pack.rules
    }
    assert terms == RULES[name]
    assert tuple(map(str, pack.sign_offs)) == SIGN_OFFS.get(name, ())


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_passes_its_own_cases_the_exempt_ones_too(name: str) -> None:
    results = run_cases(shipped(name))
    assert results
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_delivery_brings_in_the_pack_of_its_place_and_no_other_delivery_does(name: str) -> None:
    if shipped(name).chosen_by == EVERYWHERE:
        assert chosen({})[name].applies
        return
    into, elsewhere = BROUGHT_BY[name]
    assert chosen(dict(into))[name].applies
    assert chosen(dict(into))[name].why.en
    assert not chosen(dict(elsewhere))[name].applies
    assert not chosen({})[name].applies


@pytest.mark.parametrize("name", sorted(RULES))
def test_what_is_not_known_of_a_delivery_leaves_no_pack_out(name: str) -> None:
    unknown = dict.fromkeys(NOWHERE, Unmeasured("nobody said"))
    found = chosen(dict(unknown))[name]
    assert found.applies
    assert found.missing or shipped(name).chosen_by == EVERYWHERE


def test_the_packs_that_a_delivery_can_bring_in_are_the_ones_tested() -> None:
    assert {pack.name for pack in choosable()} == set(RULES)


def test_what_nobody_verified_only_warns_and_demands_nothing() -> None:
    for pack in choosable():
        for rule in pack.rules:
            assert pack.status_of(rule) is Status.VERIFIED or rule.severity is Severity.WARN
        assert pack.status is Status.VERIFIED or not pack.sign_offs


def test_every_rule_says_by_when_its_source_is_read_again() -> None:
    for pack in (*choosable(), shipped(CORE)):
        assert all(pack.review_by_of(rule) for rule in pack.rules), pack.name


def test_a_rule_in_force_from_a_day_inside_the_release_window_holds_for_the_whole_release() -> None:
    """The Code's grace for older systems ends on 2026-12-02: a window that only ends before is free of it."""
    facts = facts_from(
        {
            "delivery.synthetic": True,
            "delivery.techniques": ("voice_clone_tts",),
            "label.c2pa_trusted": False,
            "label.c2pa_says_ai": False,
        }
    )

    def outcome(start: datetime, end: datetime | None) -> Outcome:
        found = judge_conditions([shipped("eu-ai-act")], facts, style=Style.LIPSYNC, when=When(AT, (start, end)))
        return next(f.outcome for f in found if f.rule == "EUA-SIGNED")

    november, december = datetime(2026, 11, 28, tzinfo=UTC), datetime(2026, 12, 24, tzinfo=UTC)
    assert outcome(november, december) is Outcome.WARN
    assert outcome(november, None) is Outcome.WARN
    assert outcome(november, datetime(2026, 12, 1, 9, tzinfo=UTC)) is Outcome.NOT_APPLICABLE
    assert outcome(november, datetime(2026, 12, 1, 11, tzinfo=UTC)) is Outcome.WARN  # the second has begun at UTC+14


def test_a_pack_past_its_review_warns_in_every_verdict_and_not_a_day_before() -> None:
    pack = shipped("partner-netflix")

    def due(day: datetime) -> list[Outcome]:
        found = judge([], [pack], style=Style.LIPSYNC, when=When(day))
        return [f.outcome for f in found if f.rule == REVIEW_DUE]

    assert due(datetime(2027, 2, 28, 23, tzinfo=UTC)) == []
    assert due(datetime(2027, 3, 1, tzinfo=UTC)) == [Outcome.WARN]


def test_an_exemption_that_cannot_be_told_exempts_nobody() -> None:
    facts = facts_from({"delivery.synthetic": True, "partner.approved": ()})
    found = judge_conditions([shipped("partner-netflix")], facts, style=Style.LIPSYNC)
    assert next(f.outcome for f in found if f.rule == "NFX-APPROVED") is Outcome.BLOCK


def test_all_packs_are_asked_in_one_child() -> None:
    """Starting the evaluator costs a quarter of a second; every condition of every pack shares one."""
    with patch("dubgate.policy.conditions.subprocess.Popen", wraps=subprocess.Popen) as started:
        found = judge_conditions([*choosable(), shipped(CORE)], facts_from({}), style=Style.LIPSYNC)
    assert len(found) > 50
    assert started.call_count <= 1


def test_nothing_known_never_passes_a_rule() -> None:
    """What a delivery does not answer is open: it holds where the rule could hold, and warns where it could only warn."""
    for pack in choosable():
        for rule, finding in zip(
            pack.conditions, judge_conditions([pack], facts_from({}), style=Style.LIPSYNC), strict=True
        ):
            expected = Outcome.WARN if rule.severity is Severity.WARN else Outcome.UNKNOWN
            assert finding.outcome is expected, rule.id
