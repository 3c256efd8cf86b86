"""Nothing stripped between input and output: file to file by every standard, master to package by the package's own token."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import label_files as files
import pytest
from label_files import AIGC, LABEL

from dubgate.cli.main import run
from dubgate.labels.applying import apply_label
from dubgate.labels.plan import LabelPlan
from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.stripped import Lost, lost_labels
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.policy.label_checks import since_findings
from dubgate.policy.verdict import Decision, decide

TRACK = LabelledTrack("dub.m4a: stream 1", LABEL, "en", machine_readable=True, is_what_was_heard=True)
FULL = Labels((TRACK,), places=(Place("WAV AIGC", AIGC, token="AIGC"), Place(C2PA_PLACE, "uuid box")))
BARE = Labels((replace(TRACK, name="English", machine_readable=False),))


def lost(after: Labels, *, package: bool = False) -> set[Lost]:
    return set(lost_labels(FULL, after, package=package))


def test_what_is_still_there_is_not_lost() -> None:
    assert lost(FULL) == set()
    assert set(lost_labels(BARE, BARE, package=False)) == set()
    assert set(lost_labels(BARE, FULL, package=False)) == set()


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (replace(FULL, places=FULL.places[1:]), "the AIGC label"),
        (replace(FULL, places=FULL.places[:1]), "the C2PA manifest"),
        (replace(FULL, tracks=(replace(TRACK, name="English"),)), "the label that viewers read"),
        (replace(FULL, tracks=(TRACK, replace(TRACK, name="English"))), "the label that viewers read"),
        (replace(FULL, tracks=(replace(TRACK, machine_readable=False),)), "the machine-readable token"),
        (replace(FULL, tracks=(TRACK, replace(TRACK, machine_readable=False))), "the machine-readable token"),
    ],
)
def test_each_label_that_is_gone_is_named_and_blocks(after: Labels, what: str) -> None:
    assert lost(after) == {Lost(what)}
    assert decide(since_findings(FULL, after, package=False)) is Decision.BLOCK


def test_a_package_may_say_it_by_its_own_token_and_is_warned() -> None:
    entry = Labels((TRACK,))
    assert lost(entry, package=True) == {Lost("the AIGC label", True), Lost("the C2PA manifest", True)}
    assert decide(since_findings(FULL, entry, package=True)) is Decision.RELEASE
    assert decide(since_findings(FULL, entry, package=False)) is Decision.BLOCK
    silent = Labels((replace(TRACK, machine_readable=False),))
    gone = ("the AIGC label", "the C2PA manifest", "the machine-readable token")
    assert lost(silent, package=True) == {Lost(what) for what in gone}
    assert decide(since_findings(FULL, silent, package=True)) is Decision.BLOCK
    assert decide(since_findings(FULL, Labels(()), package=True)) is Decision.BLOCK


def test_an_input_that_cannot_be_read_leaves_it_open() -> None:
    broken = Labels((), ("cut off",))
    assert decide(since_findings(broken, FULL, package=False)) is Decision.HOLD


@pytest.mark.usefixtures("here")
def test_a_plain_re_wrap_that_strips_labels_is_found_by_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = files.made_media.make(tmp_path, "mp4", 0.2)
    master = tmp_path / "master.mp4"
    apply_label(source, master, LabelPlan(LABEL, "en", None, AIGC))
    published = files.copied(master, tmp_path / "published.mp4", "mp4")
    assert run(["label", "check", str(published)]) == 0
    assert run(["label", "check", str(published), "--was", str(master)]) == 1
    told = capsys.readouterr().out
    assert "LAB-011" in told
    assert "the AIGC label that the input carried was stripped" in told
    assert run(["label", "check", str(master), "--was", str(master)]) == 0
