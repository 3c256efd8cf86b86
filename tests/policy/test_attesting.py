"""Attestations answer what could not be measured, by the people who may; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.vocabulary import Role
from dubgate.certificate.statements import Attestation
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.attesting import Attested, apply_attestations
from dubgate.policy.checks import CHECKS, said
from dubgate.policy.findings import Finding, Outcome

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOUND = "1" * 64
VOICES = {"ADA": ("v-ada",), "BO": ("v-bo",)}
OPEN = said("CON-031", Subject(Scope.CHARACTER, "ADA"), Outcome.UNKNOWN, "it cannot be told", "不明")


def answer(by: str, role: Role, *, vendors: bool = False, speaks_for: tuple[str, ...] = (), **changes: Any) -> Attested:
    said_of: dict[str, Any] = {
        "attestation_id": f"at-{by}",
        "by": by,
        "rule": "CON-031",
        "subject": "ADA",
        "answer": True,
        "packets_sha256": SOUND,
        "signed_at": NOW - timedelta(days=1),
        "expires_at": NOW + timedelta(days=29),
    }
    return Attested(Attestation(**(said_of | changes)), frozenset({role}), vendors, frozenset(speaks_for))


OWNER = answer("p-ada", Role.PERFORMER, speaks_for=("v-ada",))
AGENT = answer("agency", Role.AGENT, speaks_for=("v-ada",))
OUTSIDE = answer("r-1", Role.REVIEWER)
VENDORS = answer("r-2", Role.REVIEWER, vendors=True)


def outcome(*attested: Attested, finding: Finding = OPEN, at: datetime = NOW) -> Outcome:
    [found] = apply_attestations([finding], attested, packets_sha256=SOUND, voices_of=VOICES, at=at)
    return found.outcome


@pytest.mark.parametrize("who", [[OWNER], [AGENT], [OUTSIDE, VENDORS], [OUTSIDE, answer("r-3", Role.REVIEWER)]])
def test_the_owner_or_agent_or_two_reviewers_answer(who: list[Attested]) -> None:
    assert outcome(*who) is Outcome.PASS


@pytest.mark.parametrize(
    "who",
    [
        [],
        [OUTSIDE],
        [VENDORS],
        [VENDORS, answer("r-3", Role.REVIEWER, vendors=True)],
        [OUTSIDE, OUTSIDE],
        [OUTSIDE, answer("r-1", Role.REVIEWER, attestation_id="at-again")],
        [answer("p-bo", Role.PERFORMER, speaks_for=("v-bo",))],
        [answer("p-ada", Role.DUBBING_DIRECTOR, speaks_for=("v-ada",))],
        [OUTSIDE, answer("p-bo", Role.PERFORMER, speaks_for=("v-bo",))],
    ],
    ids=[
        "nobody",
        "one",
        "one vendor's",
        "two vendor's",
        "one twice",
        "one in two files",
        "other's voice",
        "role",
        "mixed",
    ],
)
def test_too_few_or_the_wrong_people_leave_it_unknown(who: list[Attested]) -> None:
    assert outcome(*who) is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "changes",
    [
        {"packets_sha256": "2" * 64},
        {"rule": "CON-030"},
        {"subject": "BO"},
        {"subject": ""},
        {"expires_at": NOW},
        {"signed_at": NOW + timedelta(seconds=1)},
    ],
    ids=["sound", "rule", "subject", "programme", "expired", "future"],
)
def test_an_answer_to_another_question_does_not_count(changes: dict[str, Any]) -> None:
    assert outcome(answer("p-ada", Role.PERFORMER, speaks_for=("v-ada",), **changes)) is Outcome.UNKNOWN


@pytest.mark.parametrize("who", [OWNER, OUTSIDE, VENDORS])
def test_a_no_by_anybody_who_may_answer_outweighs_every_yes(who: Attested) -> None:
    no = replace(who, attestation=who.attestation.model_copy(update={"answer": False, "by": "another"}))
    assert outcome(OWNER, OUTSIDE, VENDORS, no) is Outcome.BLOCK


def test_a_no_where_the_check_itself_only_asks_holds() -> None:
    asks = replace(OPEN, rule="CON-034")
    no = answer("p-ada", Role.PERFORMER, speaks_for=("v-ada",), rule="CON-034", answer=False)
    assert outcome(no, finding=asks) is Outcome.HOLD


@pytest.mark.parametrize("measured", [o for o in Outcome if o is not Outcome.UNKNOWN])
def test_what_was_measured_is_never_touched(measured: Outcome) -> None:
    finding = replace(OPEN, outcome=measured)
    told = apply_attestations([finding], [OWNER, OUTSIDE, VENDORS], packets_sha256=SOUND, voices_of=VOICES, at=NOW)
    assert told == (finding,)


@pytest.mark.parametrize("rule", sorted(c.id for c in CHECKS.values() if not c.attestable_by))
def test_a_check_that_no_ear_can_answer_stays_as_it_is(rule: str) -> None:
    yes = [replace(a, attestation=a.attestation.model_copy(update={"rule": rule})) for a in (OWNER, OUTSIDE, VENDORS)]
    assert outcome(*yes, finding=replace(OPEN, rule=rule)) is Outcome.UNKNOWN


def test_a_rule_that_the_program_does_not_know_stays_unknown() -> None:
    yes = [
        replace(a, attestation=a.attestation.model_copy(update={"rule": "HOU-X"})) for a in (OWNER, OUTSIDE, VENDORS)
    ]
    assert outcome(*yes, finding=replace(OPEN, rule="HOU-X")) is Outcome.UNKNOWN


def test_who_answered_is_written_down() -> None:
    [found] = apply_attestations([OPEN], [OUTSIDE, VENDORS], packets_sha256=SOUND, voices_of=VOICES, at=NOW)
    assert "r-1, r-2" in found.text.en
    assert "r-1、r-2" in found.text.ja or "r-1, r-2" in found.text.ja


@given(st.lists(st.sampled_from([OWNER, AGENT, OUTSIDE, VENDORS]), max_size=6), st.randoms(use_true_random=False))
def test_order_and_repetition_of_answers_do_not_matter(who: Sequence[Attested], rng: Any) -> None:
    shuffled = [*who, *who]
    rng.shuffle(shuffled)
    assert outcome(*who) is outcome(*shuffled)
