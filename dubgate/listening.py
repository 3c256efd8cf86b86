"""What the parent does around hearing: choose streams, read the script, run the child, check what comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

from dubgate.delivery.cue_clock import fitted
from dubgate.delivery.cues import PAST_END_S, check_against_duration, read_cues
from dubgate.delivery.digests import Seen, seen
from dubgate.delivery.media import MediaInfo, probe_apart, select_stream
from dubgate.delivery.script import CueSheet
from dubgate.errors import MediaError, ModelError
from dubgate.features import ProgrammeFeatures
from dubgate.hearing import HearingPlan, Source, Voices, VoicesPlan
from dubgate.judgement import Clock
from dubgate.kept import keep, key_of, load
from dubgate.pinned import CHANGED, REMEDY, Place, pinned
from dubgate.unmeasured import Unmeasured
from dubgate.word_shares import Child, hear_all

_SURELY_OVER = 1.5  # of a length that a container may only guess; what was heard says exactly
Progress = Callable[[str, float], None]
T = TypeVar("T")


class Track(Protocol):
    """A file, which of its audio streams, and the language spoken in it where that is known."""

    @property
    def path(self) -> Path: ...
    @property
    def stream(self) -> int | None: ...
    @property
    def language(self) -> str | None: ...
    @property
    def spoken(self) -> str | None: ...


class Request(Protocol):
    """What `hear` needs of a request."""

    @property
    def original(self) -> Track: ...
    @property
    def dub(self) -> Track: ...
    @property
    def stem(self) -> Track | None: ...
    @property
    def music_and_effects(self) -> Track | None: ...
    @property
    def script(self) -> Path | None: ...
    @property
    def models(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def clock(self) -> Clock | None: ...
    @property
    def characters(self) -> tuple[str, ...]: ...
    @property
    def cue_start_s(self) -> float: ...
    @property
    def cue_frame_rate(self) -> str | None: ...


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Features, the script where one was given, the clock for timecodes, and the streams of original and dub.

    `key` is what the hearing is kept under.
    """

    features: ProgrammeFeatures
    sheet: CueSheet | None
    clock: Clock
    streams: tuple[int, int]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be heard, and what the parent knows of it without hearing."""

    plan: HearingPlan
    sheet: CueSheet | None
    clock: Clock
    streams: tuple[int, int]
    duration_s: float | None = None  # of the published dub, as its container says


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan, the digests of the files that it names, in their order, what its hearing is kept under, and where the files
    lay when they were digested."""

    planned: Planned
    file_sha256s: tuple[str, ...]
    key: str
    places: tuple[Place, ...] = ()


def asked_of(request: Request) -> Asked:
    """What a request asks to hear; nothing is heard for it.

    Raises:
        InputError: a file handed in cannot be used as it stands.
    """
    planned = plan_of(request)
    found = _seen(planned.plan)
    digests = tuple(s.sha256 for s in found)
    key = key_of(planned.plan, digests, model_digests(planned.plan))
    return Asked(planned, digests, key, tuple(s.place for s in found))


def hear(request: Request, progress: Progress, asked: Asked | None = None) -> Heard:
    """Hear original and dub in a child process; `asked` is what `asked_of` said of the same request, None to ask now.

    Raises:
        InputError: a file handed in cannot be used as it stands, or changed meanwhile.
        ModelError, ChildError: hearing could not be done.
    """
    progress("reading", 0.0)
    asked = asked or asked_of(request)
    return _heard(asked, run_plan(asked, progress))


def heard_before(asked: Asked) -> Heard | None:
    """What was heard of these very bytes, by these models, before; no speaker vector is in it, no model runs. None
    where nothing was kept."""
    kept = load(asked.key)
    return None if kept is None else _heard(asked, kept)


def _heard(asked: Asked, found: ProgrammeFeatures) -> Heard:
    planned, sheet = asked.planned, asked.planned.sheet
    features = with_digests(found, asked.file_sha256s)
    if sheet is not None:
        check_against_duration(sheet, max(features.dub.duration_s, features.original.duration_s))
    return Heard(features, sheet, planned.clock, planned.streams, asked.key)


def plan_of(request: Request) -> Planned:
    """Choose streams and read the script."""
    original, original_info = source_of(request.original, "the original")
    published, published_info = source_of(request.dub, "the dub")
    clock = request.clock or clock_of(published_info, original_info)
    lengths = [i.duration_s for i in (published_info, original_info) if i.duration_s is not None]
    sheet = _sheet(request, clock, max(lengths) if len(lengths) == 2 else None)
    spoken = request.dub.spoken or (sheet.language if sheet else None) or published.language
    stem = _optional(request.stem, spoken, "the stem")
    plan = HearingPlan(
        original=original,
        dub=stem or replace(published, language=spoken),
        sheet=sheet,
        models=request.models,
        device=request.device,
        mix=published if stem else None,
        music_and_effects=_optional(request.music_and_effects, None, "music and effects"),
    )
    return Planned(plan, sheet, clock, (original.stream, published.stream), published_info.duration_s)


def source_of(track: Track, called: str) -> tuple[Source, MediaInfo]:
    """The stream to hear, looked up in a child; what cannot be chosen is told of it by what it is called here.

    Raises:
        MediaError: the file cannot be used, or none or several of its streams fit.
    """
    info = probe_apart(track.path)
    try:
        stream = select_stream(info, index=track.stream, language=track.language)
    except MediaError as error:
        raise MediaError(error.what, where=f"{error.where} ({called})", remedy=error.remedy) from None
    source = Source(str(track.path.absolute()), stream.index, track.path.name, track.spoken or stream.language)
    return source, info


def _optional(track: Track | None, spoken: str | None, called: str) -> Source | None:
    if track is None:
        return None
    source, _ = source_of(track, called)
    return replace(source, language=spoken or source.language)


def _sheet(request: Request, clock: Clock, duration_s: float | None) -> CueSheet | None:
    """The script on the programme's timeline; what does not lie on it is refused before minutes of hearing."""
    if request.script is None:
        return None
    sheet = read_cues(
        request.script,
        language=request.dub.spoken,
        frame_rate=request.cue_frame_rate or clock.frame_rate,
        start_s=request.cue_start_s,
        characters=request.characters,
    )
    sheet = sheet if request.cue_start_s else fitted(sheet, clock, duration_s)
    if duration_s is not None and min(c.span.start_s for c in sheet.cues) > _SURELY_OVER * duration_s + PAST_END_S:
        check_against_duration(sheet, duration_s)
    return sheet


def clock_of(*infos: MediaInfo) -> Clock:
    """Frame rate and start timecode as the first file that has them says."""
    from dubgate.delivery.timecode import start_frames

    rate = next((i.frame_rate for i in infos if i.frame_rate), None) or Fraction(25)
    written = next((i.timecode for i in infos if i.timecode), None)
    if written is None:
        return Clock(frame_rate=rate)
    drop = ";" in written
    return Clock(rate, drop, start_frames(written, rate))


def run_plan(asked: Asked, progress: Progress) -> ProgrammeFeatures:
    """Hear in the child and validate its answer; where all but the voices was kept, hear the voices only.

    Raises:
        MediaError, ChangedError: a file changed while it was heard.
        ChildError: the child crashed, hung, went over a limit, or answered what features cannot be.
    """
    plan = asked.planned.plan
    kept = load(asked.key)
    if kept is not None and not isinstance(kept.dub.voices, Unmeasured):
        wanted = VoicesPlan(plan, kept.original.speech, kept.dub.speech)
        voices = _pinned(asked, lambda child: child("voices", wanted, Voices, progress))
        return replace(
            kept,
            original=replace(kept.original, voices=voices.original),
            dub=replace(kept.dub, voices=voices.dub),
        )
    features = _pinned(asked, lambda child: hear_all(plan, asked.planned.duration_s, child, progress))
    keep(asked.key, features, Path(plan.dub.path).absolute().parent)
    return features


def _pinned(asked: Asked, hear: Callable[[Child], T]) -> T:
    """What children heard in the very files that were digested: nothing is kept or judged under another file's digest."""
    inputs = inputs_of(asked.planned.plan)
    with pinned(dict(zip(map(str, inputs), asked.places, strict=True))):
        found = hear(Child(inputs))
    now = _seen(asked.planned.plan)
    same = tuple(s.place for s in now) == asked.places
    if not same or tuple(s.sha256 for s in now) != asked.file_sha256s:
        raise MediaError(CHANGED, remedy=REMEDY)
    return found


def inputs_of(plan: HearingPlan) -> list[Path]:
    """The files that are heard."""
    return [Path(s.path) for s in (plan.original, plan.dub, plan.mix, plan.music_and_effects) if s is not None]


def _seen(plan: HearingPlan) -> tuple[Seen, ...]:
    """The files' digests, made by this process, and which files they are of: the child is not believed about these."""
    return tuple(seen(p) for p in inputs_of(plan))


def model_digests(plan: HearingPlan) -> list[str]:
    """The weights that would hear this plan, by digest; what cannot be resolved is told by its reason."""
    from dubgate.speech.models import resolve

    found = []
    for kind in ("voice_activity", "pitch", "speaker_encoder", "transcriber", "aligner"):
        try:
            found.append(resolve(kind, plan.models, language=plan.dub.language).sha256)
        except ModelError as error:
            found.append(error.what)
    return found


def with_digests(features: ProgrammeFeatures, file_sha256s: tuple[str, ...]) -> ProgrammeFeatures:
    """The digests of the files that were heard, the original's first, instead of what the child said of them."""
    original, dub = file_sha256s[:2]
    return replace(
        features,
        original=replace(features.original, file_sha256=original),
        dub=replace(features.dub, file_sha256=dub),
    )
