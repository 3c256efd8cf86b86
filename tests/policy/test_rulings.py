"""Counsel's rulings: what they raise and lower, for whom, and everything that makes one count for nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pack_texts import HEAD, band, condition, pack
from pydantic import ValidationError

from consent.vocabulary import Role
from dubgate.delivery.script import Style
from dubgate.policy.facts import facts_from
from dubgate.policy.findings import Finding, Outcome, Severity
from dubgate.policy.judge import judge_conditions
from dubgate.policy.packs import Pack, load_packs
from dubgate.policy.rulings import Ruling, told_of_rulings, with_rulings
from dubgate.policy.signed_objects import VerifiedStatement

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
SUBMITTERS = frozenset({"clerk", "vendor"})
HOUSE = pack(
    condition("label.planned", severity="hold"),
    condition("label.planned", severity="warn", rule_id="HOU-WARNS"),
    band(rule_id="HOU-BAND"),
    head=HEAD,
)


def ruling(
    party: str = "counsel", *, house: str = "studio", roles: tuple[Role, ...] = (Role.LEGAL,), **changes: Any
) -> VerifiedStatement[Ruling]:
    fields: dict[str, Any] = {
        "ruling_id": f"ru-{party}",
        "by": party,
        "pack": "house",
        "pack_sha256": HOUSE.sha256,
        "rule": "HOU-ASKS",
        "severity": Severity.BLOCK,
        "reason": "our insurer wants it",
        "signed_at": AT - timedelta(days=1),
        "expires_at": AT + timedelta(days=30),
        **changes,
    }
    return VerifiedStatement(Ruling(**fields), party, house, frozenset(roles), f"key-of-{party}")


def judged(*rulings: VerifiedStatement[Ruling], planned: bool | None = False, packs: Any = None) -> tuple[Finding, ...]:
    ruled = with_rulings(packs or [HOUSE], rulings, at=AT, submitters=SUBMITTERS)
    facts = facts_from({} if planned is None else {"label.planned": planned})
    return told_of_rulings(judge_conditions(ruled.packs, facts, style=Style.LIPSYNC), ruled)


def outcome(*rulings: VerifiedStatement[Ruling], rule: str = "HOU-ASKS", planned: bool | None = False) -> Outcome:
    return next(f.outcome for f in judged(*rulings, planned=planned) if f.rule == rule)


def test_counsel_raises_and_lowers_a_rule_and_it_is_told_with_the_reason() -> None:
    assert outcome() is Outcome.HOLD
    assert outcome(ruling()) is Outcome.BLOCK
    assert outcome(ruling(severity=Severity.WARN)) is Outcome.WARN
    assert outcome(ruling(rule="HOU-WARNS", severity=Severity.HOLD), rule="HOU-WARNS") is Outcome.HOLD
    found = next(f for f in judged(ruling()) if f.rule == "HOU-ASKS")
    assert (found.was, found.decided_by) == (Outcome.HOLD, ("ruling ru-counsel by counsel",))
    for part in ("counsel", "block", "not hold", "2026-12-28", "our insurer wants it"):
        assert part in found.text.en
    assert "2026-12-28" in found.text.ja


def test_a_question_that_stays_open_holds_where_counsel_raised_the_rule_and_warns_where_it_was_lowered() -> None:
    assert outcome(planned=None) is Outcome.UNKNOWN
    assert outcome(ruling(severity=Severity.WARN), planned=None) is Outcome.WARN
    assert outcome(rule="HOU-WARNS", planned=None) is Outcome.WARN
    raised = ruling(rule="HOU-WARNS", severity=Severity.BLOCK)
    assert outcome(raised, rule="HOU-WARNS", planned=None) is Outcome.UNKNOWN


def test_a_rule_that_passes_passes_and_the_ruling_is_shown_all_the_same() -> None:
    found = next(f for f in judged(ruling(), planned=True) if f.rule == "HOU-ASKS")
    assert (found.outcome, found.was) == (Outcome.PASS, None)
    assert found.decided_by == ("ruling ru-counsel by counsel",)


def test_of_two_rulings_the_stricter_counts_in_any_order() -> None:
    softer = ruling("second", severity=Severity.WARN)
    assert outcome(ruling(), softer) is outcome(softer, ruling()) is Outcome.BLOCK
    assert "stricter" in next(f for f in judged(softer, ruling()) if f.rule == "SIG-RULING").text.en


def test_a_ruling_that_says_what_the_pack_says_keeps_a_milder_one_from_counting() -> None:
    as_it_is, softer = ruling("first", severity=Severity.HOLD), ruling("second", severity=Severity.WARN)
    assert outcome(softer) is Outcome.WARN
    assert outcome(as_it_is, softer) is outcome(softer, as_it_is) is outcome() is Outcome.HOLD
    said = [f.text.en for f in judged(softer, as_it_is) if f.rule == "SIG-RULING"]
    assert [w for w in ("does that already", "stricter") if any(w in s for s in said)] == [
        "does that already",
        "stricter",
    ]
    assert "Counsel" not in next(f for f in judged(as_it_is) if f.rule == "HOU-ASKS").text.en


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": "somebody"}, "speaks for somebody"),
        ({"roles": (Role.PRODUCTION, Role.RIGHTS_HOLDER)}, "may not sign as legal"),
        ({"house": "vendor"}, "house that submitted"),
        ({"party": "clerk"}, "house that submitted"),
        ({"signed_at": AT + timedelta(seconds=1)}, "2026-11-28"),
        ({"expires_at": AT}, "2026-11-28"),
        ({"pack_sha256": "0" * 64}, "other bytes"),
        ({"pack": "elsewhere"}, "no pack that judges"),
        ({"rule": "HOU-NONE"}, "no pack that judges"),
        ({"rule": "HOU-BAND"}, "judges a measurement"),
        ({"severity": Severity.HOLD}, "does that already"),
        ({"rule": "CON-001"}, "the program's own"),
        ({"rule": "LAB-EU"}, "the program's own"),
        ({"pack": "core", "rule": "REC-PRODUCTION"}, "the program's own"),
    ],
)
def test_a_ruling_that_does_not_fit_changes_nothing_and_is_shown(changes: dict[str, Any], why: str) -> None:
    with_it, plain = judged(ruling(**changes)), judged()
    assert [f for f in with_it if f.rule != "SIG-RULING"] == list(plain)
    [shown] = [f for f in with_it if f.rule == "SIG-RULING"]
    assert shown.outcome is Outcome.NOT_APPLICABLE
    assert why in shown.text.en


def test_nobody_rules_where_it_is_not_known_who_submitted() -> None:
    ruled = with_rulings([HOUSE], [ruling()], at=AT, submitters=frozenset())
    assert ruled.packs == (HOUSE,)


@pytest.mark.parametrize("rule", ["LAB-EU", "LAB-C2PA", "REC-PRODUCTION"])
def test_no_ruling_touches_the_programs_own_pack(rule: str) -> None:
    core: Pack = load_packs([])[0]
    said = ruling(pack="core", pack_sha256=core.sha256, rule=rule, severity=Severity.WARN)
    again = ruling("b", pack="core", pack_sha256=core.sha256, rule=rule, severity=Severity.HOLD)
    ruled = with_rulings([core], [said, again], at=AT, submitters=SUBMITTERS)
    assert ruled.packs == (core,)
    assert len(ruled.idle) == 2


def test_a_pack_keeps_its_digest_whatever_counsel_rules() -> None:
    ruled = with_rulings([HOUSE], [ruling()], at=AT, submitters=SUBMITTERS)
    assert [p.sha256 for p in ruled.packs] == [HOUSE.sha256]


def test_a_ruling_has_an_end_and_no_field_that_nobody_knows() -> None:
    with pytest.raises(ValidationError, match="expires before"):
        ruling(expires_at=AT - timedelta(days=2))
    with pytest.raises(ValidationError):
        ruling(sound="a" * 64)
