"""The verdict is the worst finding: another finding never improves it, order is nothing, nothing judged is no release."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.verdict import Decision, Verdict, decide

OUTCOMES = st.lists(st.sampled_from(list(Outcome)), max_size=12)
JUDGED = [Outcome.PASS, Outcome.WARN, Outcome.UNKNOWN, Outcome.HOLD, Outcome.BLOCK]


def finding(outcome: Outcome, group: Group = Group.QUALITY) -> Finding:
    return Finding("R-1", "p", group, Subject(Scope.PROGRAMME), outcome, Text("x", "x"))


@pytest.mark.parametrize(
    ("outcome", "decision", "exit_code"),
    [
        (Outcome.PASS, Decision.RELEASE, 0),
        (Outcome.WARN, Decision.RELEASE, 0),
        (Outcome.UNKNOWN, Decision.HOLD, 3),
        (Outcome.HOLD, Decision.HOLD, 3),
        (Outcome.BLOCK, Decision.BLOCK, 1),
        (Outcome.NOT_APPLICABLE, Decision.HOLD, 3),
        (Outcome.WAIVED, Decision.HOLD, 3),
    ],
)
def test_one_finding_alone_decides(outcome: Outcome, decision: Decision, exit_code: int) -> None:
    assert decide([finding(outcome)]) is decision
    assert decide([finding(outcome)]).exit_code == exit_code


@given(OUTCOMES, st.sampled_from(list(Outcome)))
def test_another_finding_never_improves_a_verdict_on_what_was_judged(before: list[Outcome], more: Outcome) -> None:
    assume(any(o in JUDGED for o in before))
    assert decide(map(finding, [*before, more])) >= decide(map(finding, before))


@given(OUTCOMES, st.sampled_from(list(Outcome)))
def test_another_finding_never_lifts_a_hold_or_block_that_a_finding_made(before: list[Outcome], more: Outcome) -> None:
    assume(any(o >= Outcome.UNKNOWN for o in before))
    assert decide(map(finding, [*before, more])) >= decide(map(finding, before)) >= Decision.HOLD


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_findings_is_nothing(outcomes: list[Outcome], random: object) -> None:
    shuffled = list(outcomes)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(map(finding, shuffled)) is decide(map(finding, outcomes))


@given(st.lists(st.sampled_from([Outcome.NOT_APPLICABLE, Outcome.WAIVED]), max_size=8))
def test_nothing_that_was_really_judged_is_never_a_release(outcomes: list[Outcome]) -> None:
    assert decide(map(finding, outcomes)) is Decision.HOLD


@given(OUTCOMES)
def test_a_release_has_something_judged_and_nothing_open(outcomes: list[Outcome]) -> None:
    if decide(map(finding, outcomes)) is Decision.RELEASE:
        assert max(outcomes) < Outcome.UNKNOWN
        assert {Outcome.PASS, Outcome.WARN} & set(outcomes)


def test_a_group_in_which_nothing_was_judged_holds() -> None:
    verdict = Verdict((finding(Outcome.PASS),))
    assert verdict.of(Group.QUALITY) is Decision.RELEASE
    assert verdict.of(Group.CONSENT) is Decision.HOLD


@pytest.mark.parametrize("value", [Decision.RELEASE, Decision.BLOCK, Verdict(())])
def test_neither_a_decision_nor_a_verdict_has_a_truth_value(value: object) -> None:
    with pytest.raises(TypeError):
        bool(value)
