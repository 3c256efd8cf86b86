"""The label checks: every entry of the dub labelled, readable, and playing what was heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.policy.findings import Outcome
from dubgate.policy.label_checks import label_findings
from dubgate.policy.verdict import Decision, decide
from dubgate.unmeasured import Unmeasured

TRACK = LabelledTrack("dub.m4a: stream 1", "English [AI]", "en", machine_readable=True, is_what_was_heard=True)
UNPROVED = Unmeasured("no statement")


def judged(*tracks: LabelledTrack, synthetic: bool | Unmeasured = True, unreadable: tuple[str, ...] = ()) -> Decision:
    return decide(label_findings(Labels(tracks, unreadable), synthetic=synthetic))


def outcome(rule: str, track: LabelledTrack, synthetic: bool | Unmeasured = True) -> Outcome:
    return max(f.outcome for f in label_findings(Labels((track,)), synthetic=synthetic) if f.rule == rule)


def test_a_labelled_entry_that_plays_what_was_heard_passes_every_check() -> None:
    found = label_findings(Labels((TRACK,)), synthetic=True)
    assert {(f.rule, f.outcome) for f in found} == {(r, Outcome.PASS) for r in ("LAB-001", "LAB-002", "LAB-009")}


@pytest.mark.parametrize("synthetic", [True, False, UNPROVED])
def test_no_entry_at_all_blocks(synthetic: bool | Unmeasured) -> None:
    assert judged(synthetic=synthetic) is Decision.BLOCK


@pytest.mark.parametrize("synthetic", [True, False, UNPROVED])
def test_a_label_that_cannot_be_read_blocks(synthetic: bool | Unmeasured) -> None:
    assert judged(TRACK, synthetic=synthetic, unreadable=("cut off",)) is Decision.BLOCK
    assert judged(synthetic=synthetic, unreadable=("cut off",)) is Decision.BLOCK


@pytest.mark.parametrize("heard", [False, None])
@pytest.mark.parametrize("synthetic", [True, False, UNPROVED])
def test_an_entry_that_does_not_play_what_was_heard_blocks(heard: bool | None, synthetic: bool | Unmeasured) -> None:
    assert judged(replace(TRACK, is_what_was_heard=heard), synthetic=synthetic) is Decision.BLOCK


@pytest.mark.parametrize("name", [None, "", "English", "Air", "MAID", "English (ai)", "Al"])
def test_a_name_that_does_not_tell_of_a_machine_blocks(name: str | None) -> None:
    assert outcome("LAB-001", replace(TRACK, name=name)) is Outcome.BLOCK


@pytest.mark.parametrize("name", ["English [\u0410I]", "English [A\u200bI]", "\u202eIA\u202c"])
def test_a_look_alike_or_something_invisible_blocks(name: str) -> None:
    assert outcome("LAB-010", replace(TRACK, name=name)) is Outcome.BLOCK
    assert outcome("LAB-001", replace(TRACK, name=name)) is Outcome.BLOCK


def test_one_entry_without_a_label_blocks_whatever_the_others_say() -> None:
    assert judged(TRACK, replace(TRACK, name="English"), TRACK) is Decision.BLOCK


def test_a_missing_token_warns_and_releases() -> None:
    assert outcome("LAB-002", replace(TRACK, machine_readable=False)) is Outcome.WARN
    assert judged(replace(TRACK, machine_readable=False)) is Decision.RELEASE


def test_a_human_dub_needs_no_label() -> None:
    plain = replace(TRACK, name="English", machine_readable=False)
    assert outcome("LAB-001", plain, synthetic=False) is Outcome.NOT_APPLICABLE
    assert judged(plain, synthetic=False) is Decision.RELEASE


@pytest.mark.parametrize("track", [TRACK, replace(TRACK, name="English"), replace(TRACK, machine_readable=False)])
def test_a_human_dub_that_is_labelled_as_ai_holds(track: LabelledTrack) -> None:
    assert judged(track, synthetic=False) is Decision.HOLD


@pytest.mark.parametrize("name", ["English", "English [AI]"])
def test_where_nobody_proved_who_spoke_the_label_stays_open(name: str) -> None:
    assert outcome("LAB-001", replace(TRACK, name=name), UNPROVED) is Outcome.UNKNOWN
