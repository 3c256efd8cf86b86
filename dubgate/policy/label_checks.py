"""What the labels that were read say against the checks LAB-*: each entry of the dub, one by one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)


def label_findings(labels: Labels, *, synthetic: bool | Unmeasured) -> tuple[Finding, ...]:
    """Whether each entry of a dub with any synthetic voice is labelled, readable, and plays what was heard.

    Where it is not known whether a machine made a voice, a missing label is unknown too.
    """
    return tuple(_findings(labels, synthetic))


def _findings(labels: Labels, synthetic: bool | Unmeasured) -> Iterator[Finding]:
    for problem in labels.unreadable:
        yield failed("LAB-010", PROGRAMME, f"a label could not be read: {problem}", f"表示を読み取れません: {problem}")
    if not labels.tracks and not labels.unreadable:
        yield failed("LAB-001", PROGRAMME, "the deliverable has no entry for the dub", "納品物に吹替の項目がありません")
    for track in labels.tracks:
        yield from _playing(track)
        if isinstance(synthetic, Unmeasured):
            yield _undecided(track, synthetic)
        else:
            yield from _of_synthetic(track) if synthetic else _of_human(track)


def _playing(track: LabelledTrack) -> Iterator[Finding]:
    if track.is_what_was_heard is True:
        yield passed("LAB-009", PROGRAMME, f"{track.where} plays what was heard", "項目の音声は判定した音声です")
    else:
        yield failed(
            "LAB-009",
            PROGRAMME,
            f"{track.where} does not play the sound that was judged",
            "項目の音声が判定した音声と異なります",
        )


def _of_synthetic(track: LabelledTrack) -> Iterator[Finding]:
    if track.problem is not None:
        yield failed(
            "LAB-010",
            PROGRAMME,
            f"the name of {track.where} cannot be trusted: {track.problem}",
            "表示に不可視文字等が含まれます",
        )
    name = f"“{track.name}”" if track.name else "no name"
    if track.human_readable:
        yield passed("LAB-001", PROGRAMME, f"{track.where} is labelled {name}", f"AI表示があります: {track.name}")
    else:
        yield failed(
            "LAB-001",
            PROGRAMME,
            f"{track.where} has {name}, which does not tell that AI made it",
            "AI表示がありません",
            value=track.name or "",
        )
    if track.machine_readable:
        yield passed(
            "LAB-002", PROGRAMME, f"{track.where} carries the machine-readable token", "機械可読の表示があります"
        )
    else:
        yield said(
            "LAB-002",
            PROGRAMME,
            Outcome.WARN,
            f"{track.where} carries no machine-readable token",
            "機械可読の表示がありません",
        )


def _of_human(track: LabelledTrack) -> Iterator[Finding]:
    if track.human_readable or track.machine_readable:
        yield said(
            "LAB-001",
            PROGRAMME,
            Outcome.HOLD,
            f"{track.where} is labelled as AI, and the cast is declared as human",
            "人の吹替と申告されていますがAI表示があります",
        )
    else:
        yield said(
            "LAB-001", PROGRAMME, Outcome.NOT_APPLICABLE, "a human dub needs no AI label", "人の吹替にAI表示は不要です"
        )


def _undecided(track: LabelledTrack, why: Unmeasured) -> Finding:
    en = f"whether {track.where} needs a label is not known: {why.reason}"
    return said("LAB-001", PROGRAMME, Outcome.UNKNOWN, en, "AI表示が必要か判定できません")
