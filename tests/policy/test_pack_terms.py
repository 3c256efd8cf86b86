"""Dates, status, counsel, exemptions and what brings a pack in: every version of the schema loads, and nothing half-said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from pack_texts import HEAD, condition, text

from dubgate.delivery.script import Style
from dubgate.errors import InputError
from dubgate.policy import facts as catalogue
from dubgate.policy.choosing import Destination, choose
from dubgate.policy.expression_types import check_condition
from dubgate.policy.expressions import ExpressionError
from dubgate.policy.facts import FACTS, facts_from
from dubgate.policy.findings import Outcome
from dubgate.policy.judge import judge_conditions
from dubgate.policy.pack_cases import run_cases
from dubgate.policy.pack_sources import ChosenBy, Effective, Status
from dubgate.policy.pack_terms import NOBODY, brought_in_by, counsel_of, dates_of
from dubgate.policy.packs import read_pack
from dubgate.policy.when import When

STORED = Path(__file__).with_name("stored")
NEW = HEAD.replace("pack/1.0", "pack/1.1")
VERIFIED = NEW + "status: verified\n"
UNVERIFIED = NEW + "status: unverified\n"
EXEMPT = (
    '    exemptions:\n      - {id: redub, when: \'delivery.translates\', because: {en: "so it is", ja: "適用除外"}}\n'
)
CASES = (
    "      - {facts: {label.planned: true}, outcome: pass}\n      - {facts: {label.planned: false}, outcome: hold}\n"
)
OF_IT = "      - {facts: {label.planned: false, delivery.translates: true}, outcome: not_applicable, exempt: redub}\n"


def asked(extra: str = "", cases: str = CASES, severity: str = "hold") -> str:
    plain = condition("label.planned", severity=severity)
    return plain[: plain.index("    tests:")] + extra + "    tests:\n" + cases


def test_every_version_of_the_schema_that_was_released_still_loads() -> None:
    old = read_pack((STORED / "pack-1.0.yaml").read_bytes(), "pack-1.0.yaml")
    assert (old.status, old.effective, old.review_by, old.chosen_by) == (Status.VERIFIED, None, None, None)
    new = read_pack((STORED / "pack-1.1.yaml").read_bytes(), "pack-1.1.yaml")
    [rule] = new.rules
    assert isinstance(new.chosen_by, ChosenBy)
    assert (new.small_team, new.jurisdictions) == (True, ("EU", "US-CA"))
    assert str(new.effective_of(rule)) == "from 2026-06-01"
    assert (new.as_of_of(rule), new.review_by_of(rule)) == ("2026-11-27", "2027-01-31")
    assert counsel_of(rule, new) == NOBODY
    assert counsel_of(rule.model_copy(update={"counsel": None}), new) == (
        "wording and severity confirmed by Example LLP on 2026-11-27"
    )
    assert "review by 2027-01-31" in dates_of(rule, new)
    assert brought_in_by(new).startswith("territories: EU; channels: svod; partners: netflix, x-our-own")
    assert brought_in_by(old) == "asking for it"
    assert all(result.passed for result in run_cases(new))
    newest = read_pack((STORED / "pack-1.2.yaml").read_bytes(), "pack-1.2.yaml")
    assert [rule.why.ja, newest.rules[0].why.ja] == [None, "人に伝えなければなりません"]
    assert newest.rules[0].why.en == rule.why.en


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (text(asked(), head=NEW), "status is missing"),
        (text(asked(), head=HEAD + "status: verified\n"), "status came with pack/1.1"),
        (text(asked('    review_by: "2027-01-01"\n'), head=HEAD), "review_by came with pack/1.1"),
        (text(asked(), head=UNVERIFIED), "can only warn"),
        (text(asked("    status: unverified\n"), head=VERIFIED), "can only warn"),
        (
            text(asked(severity="warn", cases=CASES.replace("hold", "warn")), head=UNVERIFIED + "sign_offs: [legal]\n"),
            "no sign-offs",
        ),
        (text(asked(), head=VERIFIED + 'review_by: "2027-02-30"\n'), "day"),
        (text(asked(), head=VERIFIED + "effective: {}\n"), "from, until or both"),
        (
            text(asked(), head=VERIFIED + 'effective: {from: "2027-01-01", until: "2027-01-01"}\n'),
            "ends before it begins",
        ),
        (text(asked(), head=VERIFIED + "chosen_by: {}\n"), "chosen_by needs"),
        (text(asked(), head=VERIFIED + "chosen_by: sometimes\n"), "chosen_by"),
        (text(asked(), head=VERIFIED + "chosen_by: {territories: [UK]}\n"), "GB"),
        (text(asked(), head=VERIFIED + "chosen_by: {partners: [netflicks]}\n"), "unknown partner"),
        (text(asked(), head=VERIFIED + "counsel: [{by: us, on: today, confirms: [wording]}]\n"), "counsel"),
        (text(asked(), head=VERIFIED + "jurisdictions: [California]\n"), "jurisdictions"),
        (text(asked(EXEMPT), head=VERIFIED), "no case is exempt by redub"),
        (text(asked(cases=CASES + OF_IT), head=VERIFIED), "not there: redub"),
        (text(asked(EXEMPT, CASES + OF_IT.replace("not_applicable", "pass")), head=VERIFIED), "not_applicable"),
        (
            text(asked(EXEMPT.replace("delivery.translates", "delivery.nothing"), CASES + OF_IT), head=VERIFIED),
            "exemption redub",
        ),
        (text(asked(EXEMPT + EXEMPT.split("\n", 1)[1], CASES + OF_IT), head=VERIFIED), "one id"),
        (text(asked(EXEMPT.replace("so it is", "{value}"), CASES + OF_IT), head=VERIFIED), "no value or bound"),
    ],
)
def test_a_pack_that_says_half_of_where_it_comes_from_does_not_load(data: bytes, why: str) -> None:
    with pytest.raises(InputError) as refusal:
        read_pack(data, "house.yaml")
    assert why in str(refusal.value), refusal.value


def test_a_case_that_is_exempt_for_another_reason_than_it_says_fails() -> None:
    unconcerned = OF_IT.replace("delivery.translates: true", "delivery.translates: false")
    pack = read_pack(text(asked(EXEMPT, CASES + OF_IT + unconcerned), head=VERIFIED), "house.yaml")
    results = run_cases(pack)
    assert [r.passed for r in results] == [True, True, True, False]
    assert results[3].got == "hold"


def test_an_exemption_gives_its_reason_in_both_languages() -> None:
    pack = read_pack(text(asked(EXEMPT, CASES + OF_IT), head=VERIFIED), "house.yaml")
    facts = facts_from({"label.planned": False, "delivery.translates": True})
    [found] = judge_conditions([pack], facts, style=Style.LIPSYNC)
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.text.en.endswith("so it is")
    assert found.text.ja.endswith("適用除外")


def test_a_fact_that_no_stage_fills_stops_a_pack_from_loading() -> None:
    unfilled = replace(FACTS["label.planned"], filled_by=None)
    check_condition.cache_clear()
    try:
        with patch.dict(catalogue.FACTS, {"label.planned": unfilled}):
            with pytest.raises(ExpressionError, match=r"no stage fills the fact 'label\.planned'"):
                check_condition("label.planned")
            with pytest.raises(InputError, match="no stage fills"):
                read_pack(text(asked(), head=VERIFIED) + b"# once\n", "house.yaml")
    finally:
        check_condition.cache_clear()


def test_an_unverified_source_is_told_with_its_date_and_a_verified_one_as_it_is() -> None:
    warned = asked(severity="warn", cases=CASES.replace("hold", "warn"))
    facts = facts_from({"label.planned": False})
    for head, source in (
        (VERIFIED, "a test"),
        (UNVERIFIED, "a test (as of 2026-11-20, not verified in the primary text)"),
    ):
        [found] = judge_conditions([read_pack(text(warned, head=head), "house.yaml")], facts, style=Style.LIPSYNC)
        assert (found.outcome, found.source) == (Outcome.WARN, source)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "start", "end", "meets"),
    [
        ({"from": "2026-12-02"}, "2026-11-01", "2026-12-01T10:00", False),
        ({"from": "2026-12-02"}, "2026-11-01", "2026-12-01T10:01", True),
        ({"from": "2026-12-02"}, "2026-11-01", None, True),
        ({"from": "2026-12-02"}, "2026-12-01T10:00", "2026-12-01T10:00", True),
        ({"from": "2026-12-02"}, "2026-12-01T09:59", "2026-12-01T09:59", False),
        ({"until": "2026-12-02"}, "2026-12-02T11:59", None, True),
        ({"until": "2026-12-02"}, "2026-12-02T12:00", None, False),
        ({"from": "2026-01-01", "until": "2026-12-02"}, "2025-01-01", None, True),
        ({"from": "2026-01-01", "until": "2026-12-02"}, "2027-01-01", None, False),
        ({"from": "2026-01-01", "until": "2026-12-02"}, "2025-01-01", "2025-06-01", False),
    ],
)
def test_a_rule_is_in_force_where_any_moment_of_the_release_is(
    dates: dict[str, str], start: str, end: str | None, meets: bool
) -> None:
    effective = Effective.model_validate(dates)
    assert effective.meets(_day(start), None if end is None else _day(end)) is meets


def test_what_is_over_by_now_does_not_count_to_the_release() -> None:
    at = _day("2026-11-28")
    when = When(at, (_day("2026-01-01"), _day("2027-01-01")))
    assert (when.start, when.end) == (at, _day("2027-01-01"))
    assert (When(at, (_day("2026-01-01"), _day("2026-02-01"))).end, When(at).end) == (at, at)
    assert When(at, (_day("2027-01-01"), None)).start == _day("2027-01-01")
    assert When(at, (_day("2027-01-01"), None)).end is None


def test_a_pack_for_every_delivery_is_brought_in_by_each_and_one_without_a_word_by_none() -> None:
    everywhere = read_pack(text(asked(), head=VERIFIED + "chosen_by: everywhere\n"), "house.yaml")
    silent = read_pack(text(asked(), head=VERIFIED), "house.yaml")
    nowhere = Destination((), (), (), ())
    assert [c.applies for c in choose([everywhere, silent], nowhere)] == [True, False]
    assert [(c.applies, c.asked_for) for c in choose([silent], nowhere, ["house"])] == [(True, True)]
    assert brought_in_by(everywhere) == "every delivery"


def test_a_pack_that_names_two_kinds_needs_both() -> None:
    both = read_pack(
        text(asked(), head=VERIFIED + "chosen_by: {territories: [EU], channels: [social]}\n"), "house.yaml"
    )

    def applies(territory: str, channel: str) -> bool:
        return choose([both], Destination((territory,), (channel,), (), ()))[0].applies

    assert applies("DE", "social")
    assert not applies("DE", "svod")
    assert not applies("US", "social")
