"""What the labels that were read say against the checks LAB-*: each entry of the dub, one by one and together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dubgate.japanese.telling import in_japanese
from dubgate.labels.stripped import Lost, lost_labels
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.labels.wording import language_named, only_looks_like_ai, speak_alike
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.media_label_checks import disagree, media_findings
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
# What a reader of labels advises, it advises in English, file by file; these say the same in general.
_WRITE_AGAIN = "ファイルを書き出し直し、表示（来歴情報の場合は署名）を付け直してください"
_HAND_IN = "検証に必要なもの（来歴情報の場合は認証局の証明書）を指定してください"


def label_findings(labels: Labels, *, synthetic: bool | Unmeasured) -> tuple[Finding, ...]:
    """Whether each entry of a dub with any synthetic voice is labelled, readable, and plays what was heard.

    Where it is not known whether a machine made a voice, a missing label is unknown too.
    """
    playing = (f for track in labels.tracks for f in _playing(track))
    return (*playing, *_wording(labels, synthetic))


def wording_findings(labels: Labels) -> tuple[Finding, ...]:
    """The same for a dub that a machine made and that nobody heard: what the labels say, not what they play."""
    return tuple(_wording(labels, True))


def since_findings(before: Labels, after: Labels, *, package: bool) -> tuple[Finding, ...]:
    """Whether what was made of something carries its labels; what cannot be read of it leaves that open."""
    unread = tuple(_unverified(f"the input's labels: {why}") for why in before.unreadable)
    return (*unread, *stripped_findings(lost_labels(before, after, package=package)))


def stripped_findings(lost: Sequence[Lost]) -> tuple[Finding, ...]:
    """Whether the output carries what its input did."""
    if not lost:
        return (passed("LAB-011", PROGRAMME, "no label of the input was stripped", "入力の表示は失われていません"),)
    return tuple(map(_stripped, lost))


def _stripped(lost: Lost) -> Finding:
    if not lost.replaced:
        en, ja = (
            f"{lost.what} that the input carried was stripped",
            f"入力にあった表示（{lost.what}）が出力から失われました",
        )
        return failed("LAB-011", PROGRAMME, en, ja)
    en = f"{lost.what} of the master is not in the package; the package's own token says the same"
    return said(
        "LAB-011",
        PROGRAMME,
        Outcome.WARN,
        en,
        f"マスターの表示（{lost.what}）はパッケージにありません。独自の表示で代替されています",
    )


def _wording(labels: Labels, synthetic: bool | Unmeasured) -> Iterator[Finding]:
    for problem in labels.unreadable:
        yield _unreadable(problem)
    if not labels.tracks and not labels.unreadable:
        yield failed("LAB-001", PROGRAMME, "the deliverable has no entry for the dub", "納品物に吹替の項目がありません")
    for reason in labels.unmeasured:
        yield _unverified(reason)
    yield from _consistency(labels, synthetic)
    for track in labels.tracks:
        if isinstance(synthetic, Unmeasured):
            yield _undecided(track, synthetic)
        else:
            yield from _of_synthetic(track) if synthetic else _of_human(track)


def _playing(track: LabelledTrack) -> Iterator[Finding]:
    if track.is_what_was_heard is True:
        yield passed(
            "LAB-009", PROGRAMME, f"{track.where} plays what was heard", f"{track.where}の音声は判定した音声です"
        )
    else:
        yield failed(
            "LAB-009",
            PROGRAMME,
            f"{track.where} does not play the sound that was judged",
            f"{track.where}の音声が判定した音声と異なります",
        )


def _unreadable(problem: str) -> Finding:
    """Why a label could not be read, and what its own error says to do about it."""
    what, _, remedy = problem.partition("\n")
    found = failed("LAB-010", PROGRAMME, f"a label could not be read: {what}", f"表示を読み取れません: {what}")
    return replace(found, remedy=Text(remedy.strip(), _WRITE_AGAIN) if remedy.strip() else found.remedy)


def _unverified(reason: str) -> Finding:
    """What could have been read with more at hand; the reason says with what."""
    what, _, remedy = reason.partition(": ")
    en = f"a label was not verified: {what}"
    found = said("LAB-010", PROGRAMME, Outcome.UNKNOWN, en, f"検証できない表示があります（{in_japanese(reason)}）")
    return replace(found, remedy=Text(remedy, _HAND_IN) if remedy else found.remedy)


def _consistency(labels: Labels, synthetic: bool | Unmeasured) -> Iterator[Finding]:
    """Label against language, tracks against each other, a human claim against a signed manifest."""
    if synthetic is not True:
        for place in labels.says_ai:
            en = f"the dub is declared as human, and a signed manifest says otherwise: {place.text}"
            yield disagree(en, f"人の吹替と申告されていますが署名済みの来歴はAIと述べています: {place.text}")
    for told in dict.fromkeys(replace(m, entry=None) for m in labels.manifests):  # entries may repeat one
        if synthetic is True and not told.says_ai and not told.tracks:
            what = ", ".join(told.sources) or "no digital source type"
            en = f"a machine made voices of the dub, and the signed manifest of {told.signer} tells of {what}"
            yield disagree(en, "AIの音声がありますが署名済みの来歴にAIの記載がありません")
    for place in labels.places:
        if place.place.endswith("C2PA actions") and place.language:
            yield from _spoken(place.language, labels)
    for track in labels.tracks:
        if labels.language and track.language and not speak_alike(track.language, labels.language):
            en = f"{track.where} is marked as {track.language}, and the dub speaks {labels.language}"
            yield disagree(en, f"{track.where}の表示の言語{track.language}と吹替の言語{labels.language}が異なります")
        named = language_named(track.name or "")
        if named and track.language and not speak_alike(named, track.language):
            en = f"{track.where} is called “{track.name}” and marked as {track.language}"
            yield disagree(en, f"{track.where}の名称「{track.name}」と言語{track.language}が異なります")
    marked = {t.machine_readable for t in labels.tracks if _is_of_dub(t, labels)}
    if len(marked) > 1:
        yield disagree(
            "some entries of the dub carry the machine-readable token and others do not",
            "機械可読の表示が項目間で異なります",
        )
    yield from _names_in_one_track(labels)
    yield from media_findings(labels, synthetic)


def _spoken(target: str, labels: Labels) -> Iterator[Finding]:
    """A manifest's `c2pa.translated` target language against what is spoken."""
    spoken = {labels.language} if labels.language else {t.language for t in labels.tracks if t.language}
    if spoken and not any(speak_alike(target, language) for language in spoken if language):
        en = f"a signed manifest tells of a translation into {target}, and the sound is in {', '.join(sorted(map(str, spoken)))}"
        yield disagree(en, f"署名済みの来歴の言語{target}と吹替の言語が異なります")


def _is_of_dub(track: LabelledTrack, labels: Labels) -> bool:
    """An entry that is to be the dub: what was heard, or, where nothing was heard, what calls itself AI."""
    return track.is_what_was_heard is not False and (labels.language is not None or track.human_readable)


def _names_in_one_track(labels: Labels) -> Iterator[Finding]:
    """A track has names in several places; players choose among them, so all must say the same of the machine."""
    names = [p for p in labels.places if p.names_track and p.track is not None and not p.in_media]
    for track in sorted({_track_of(p) for p in names}, key=str):
        own = [p for p in names if _track_of(p) == track]
        if len({p.human_readable for p in own}) > 1:
            told = "; ".join(f"{p.place} “{p.text}”" for p in own)
            yield disagree(
                f"one track has names that contradict each other: {told}", f"同じトラックの名称が矛盾しています: {told}"
            )


def _track_of(place: Place) -> tuple[str, int | None]:
    """Which track a name is of: entries are counted manifest by manifest, a file's tracks once, whatever tag names them."""
    manifest = place.place.partition(" ")[0]
    return manifest if manifest in ("HLS", "DASH") else "", place.track


def _of_synthetic(track: LabelledTrack) -> Iterator[Finding]:
    if track.problem is not None:
        yield failed(
            "LAB-010",
            PROGRAMME,
            f"the name of {track.where} cannot be trusted: {track.problem}",
            f"{track.where}の表示に不可視文字等が含まれます",
        )
    name = f"“{track.name}”" if track.name else "no name"
    if track.human_readable:
        yield passed(
            "LAB-001", PROGRAMME, f"{track.where} is labelled {name}", f"{track.where}にAI表示があります: {track.name}"
        )
    else:
        yield failed(
            "LAB-001",
            PROGRAMME,
            f"{track.where} has {name}, which {_fails_to_tell(track.name or '')}",
            f"{track.where}にAI表示がありません（名称: {track.name or 'なし'}）",
            value=track.name or "",
        )
    if track.machine_readable:
        yield passed(
            "LAB-002",
            PROGRAMME,
            f"{track.where} carries the machine-readable token",
            f"{track.where}に機械可読の表示があります",
        )
    else:
        yield said(
            "LAB-002",
            PROGRAMME,
            Outcome.WARN,
            f"{track.where} carries no machine-readable token",
            f"{track.where}に機械可読の表示がありません",
        )


def _fails_to_tell(name: str) -> str:
    if only_looks_like_ai(name):
        return "looks like AI and is written with other characters"
    return "does not tell that AI made it"


def _of_human(track: LabelledTrack) -> Iterator[Finding]:
    if track.human_readable or track.machine_readable:
        yield said(
            "LAB-001",
            PROGRAMME,
            Outcome.HOLD,
            f"{track.where} is labelled as AI, and the cast is declared as human",
            f"人の吹替と申告されていますが{track.where}にAI表示があります",
        )
    else:
        yield said(
            "LAB-001", PROGRAMME, Outcome.NOT_APPLICABLE, "a human dub needs no AI label", "人の吹替にAI表示は不要です"
        )


def _undecided(track: LabelledTrack, why: Unmeasured) -> Finding:
    en = f"whether {track.where} needs a label is not known: {why.reason}"
    ja = f"{track.where}にAI表示が必要か判定できません（{in_japanese(why.reason)}）"
    return said("LAB-001", PROGRAMME, Outcome.UNKNOWN, en, ja)
