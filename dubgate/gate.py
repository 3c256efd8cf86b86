"""The whole flow in order: delivery, features, measurements, findings, verdict. Read this first.

`quality` is what `dubgate qc` does: it hears and measures and judges by the quality packs, and never is a release.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dubgate.delivery.script import Cue, CueSheet, Style
from dubgate.features import ProgrammeFeatures, VoiceSegment
from dubgate.judgement import Clock, Judgement, PackRef
from dubgate.measure.measurement import Measurement
from dubgate.policy.verdict import Verdict
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.delivery.manifest import Delivery
    from dubgate.policy.facts import Facts
    from dubgate.policy.packs import Pack

Progress = Callable[[str, float], None]

DEFAULT_PACKS = {
    Style.LIPSYNC: ("quality-lipsync",),
    Style.VOICEOVER: ("quality-voiceover",),
    Style.LECTOR: ("quality-voiceover",),
}


@dataclass(frozen=True, slots=True)
class Track:
    """A track to judge: a file, which of its audio streams (by index, by language, or the only one), and the language
    spoken in it where the caller knows (BCP-47)."""

    path: Path
    stream: int | None = None
    language: str | None = None
    spoken: str | None = None


@dataclass(frozen=True, slots=True)
class QualityRequest:
    """What `quality` judges. `dub` is what is published; `stem` and `music_and_effects` let hearing use clean speech."""

    original: Track
    dub: Track
    script: Path | None = None
    stem: Track | None = None
    music_and_effects: Track | None = None
    style: Style | None = None
    packs: tuple[str, ...] = ()
    models: str = "auto"
    device: str = "auto"
    clock: Clock | None = None
    title: str = ""
    characters: tuple[str, ...] = ()  # names the script may use, where they are known
    cue_start_s: float = 0.0  # what the script's clock shows at the programme's start
    cue_frame_rate: str | None = None


def quality(request: QualityRequest, *, at: datetime, progress: Progress) -> Judgement:
    """Hear, measure and judge a dub; quality only.

    Raises:
        InputError: a file handed in cannot be used as it stands.
        ModelError, ChildError: hearing could not be done.
    """
    from dubgate import kept_measures
    from dubgate.listening import asked_of, hear, heard_before

    packs_of(request, request.style)  # a pack that does not load must not cost minutes of hearing
    progress("reading", 0.0)
    asked = asked_of(request)
    heard, style = heard_before(asked), style_of(request, asked.planned.sheet)
    key = kept_measures.quality_key(style)
    kept = None if heard is None else kept_measures.load(kept_measures.Measures, asked.key, key)
    if heard is None or kept is None:
        heard = hear(request, progress, asked)
    measurements = None if kept is None else kept.measurements
    judged = judge_quality(
        request,
        heard.features,
        heard.sheet,
        at=at,
        clock=heard.clock,
        streams=heard.streams,
        measurements=measurements,
    )
    if kept is None:
        kept_measures.keep(asked.key, key, kept_measures.Measures(judged.measurements))
    return judged


def style_of(request: QualityRequest | Delivery, script: CueSheet | None) -> Style:
    """The style asked for, else the script's, else lip-sync."""
    return request.style or (script.style if script is not None else None) or Style.LIPSYNC


@contextmanager
def _no_cycles() -> Iterator[None]:
    """Judging makes hundreds of thousands of small values and no cycles; looking for some takes a sixth of its time."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


@_no_cycles()
def judge_quality(
    request: QualityRequest,
    features: ProgrammeFeatures,
    script: CueSheet | None,
    *,
    at: datetime,
    clock: Clock,
    streams: tuple[int, int],
    facts: Facts | None = None,
    measurements: tuple[Measurement, ...] | None = None,
    packs: tuple[Pack, ...] | None = None,
    window: tuple[datetime, datetime | None] | None = None,
) -> Judgement:
    """Judge what was heard; pure but for reading the packs. `facts` are a delivery's, None in `qc`. `script` None: lines are those that voice activity found.

    `measurements` are what was measured of the same features before, None to measure now. `packs` None: those of the
    request. `window` is when it is to be released: a rule that is in force at any time of it counts.
    """
    from dubgate.policy.judge import judge
    from dubgate.policy.mix_checks import mix_findings
    from dubgate.policy.model_checks import model_findings
    from dubgate.policy.when import When
    from dubgate.slips import slips

    sheet, features = lines_of(features, script)
    style = style_of(request, sheet)
    packs = packs_of(request, style) if packs is None else packs
    measurements = measure(features, sheet, style) if measurements is None else measurements
    findings = judge(
        measurements,
        packs,
        style=style,
        lines=[cue.id for cue in sheet.cues],
        embedded=[m.kind for m in features.models if m.embedded],
        facts=facts,
        when=When(at, window),
    )
    found = (*mix_findings(features, has_stem=request.stem is not None), *model_findings(features.models))
    return Judgement(
        title=request.title or request.dub.path.stem,
        judged_at=at,
        original_media=request.original.path,
        dub_media=request.dub.path,
        original_stream=streams[0],
        dub_stream=streams[1],
        features=features,
        sheet=sheet,
        scripted=script is not None,
        style=style,
        measurements=measurements,
        verdict=Verdict((*findings, *found), quality_only=True),
        packs=tuple(PackRef(p.name, p.version, p.sha256, p.data) for p in packs),
        clock=clock,
        facts=facts,
        notes=(*slips(features, script, measurements, streams), *notes(features)),
    )


def packs_of(request: QualityRequest, style: Style | None) -> tuple[Pack, ...]:
    """The packs that judge: those asked for, else those of the style.

    Raises:
        PackError: one of them is unknown or cannot be used.
    """
    from dubgate.policy.packs import load_packs

    return load_packs(pack_names(request, style))


def pack_names(request: QualityRequest, style: Style | None) -> tuple[str, ...]:
    """The names (or paths) of the packs asked for, else of those of the style."""
    return request.packs or DEFAULT_PACKS[style or Style.LIPSYNC]


def measure(features: ProgrammeFeatures, sheet: CueSheet, style: Style) -> tuple[Measurement, ...]:
    """Every metric of every subject, as value or Unmeasured; pure."""
    from dubgate.measure.content import measure_content
    from dubgate.measure.glitch import measure_glitch
    from dubgate.measure.level import measure_level
    from dubgate.measure.prosody import measure_prosody
    from dubgate.measure.timing import measure_timing
    from dubgate.measure.voice import measure_voice

    return (
        *measure_timing(features, sheet, style),
        *measure_prosody(features, sheet),
        *measure_voice(features, sheet),
        *measure_content(features, sheet),
        *measure_level(features),
        *measure_glitch(features, sheet),
    )


def lines_of(features: ProgrammeFeatures, script: CueSheet | None) -> tuple[CueSheet, ProgrammeFeatures]:
    """The lines that are judged, and the features whose voices they claim: the script's, else those that voice activity found."""
    if script is not None:
        return script, features
    sheet = lines_from_speech(features)
    return sheet, with_lines(features, sheet)


def lines_from_speech(features: ProgrammeFeatures) -> CueSheet:
    """A stand-in script: one line per stretch of original speech, its character the dub's speaker in it."""
    slots = features.original.speech or features.dub.speech
    cues = tuple(
        Cue(id=f"#{k + 1}", span=span, text="", character=_speaker_within(features, span))
        for k, span in enumerate(slots)
    )
    return CueSheet(name="(lines found by voice activity)", cues=cues, language=features.dub.language)


def _speaker_within(features: ProgrammeFeatures, span: object) -> str:
    from dubgate.spans import Span

    assert isinstance(span, Span)
    voices = features.dub.voices
    overlaps = [] if isinstance(voices, Unmeasured) else [(v.span.overlap_s(span), v.cluster) for v in voices]
    best = max((o for o in overlaps if o[1] is not None), default=(0.0, None), key=lambda o: o[0])
    return f"Speaker {best[1].removeprefix('S')}" if best[1] is not None and best[0] > 0 else "Speaker 1"


def with_lines(features: ProgrammeFeatures, sheet: CueSheet) -> ProgrammeFeatures:
    """The same features, each voice segment claimed by the stand-in line that it overlaps most."""

    def claimed(voices: tuple[VoiceSegment, ...] | Unmeasured) -> tuple[VoiceSegment, ...] | Unmeasured:
        return voices if isinstance(voices, Unmeasured) else tuple(_claimed(v, sheet.cues) for v in voices)

    return replace(
        features,
        original=replace(features.original, voices=claimed(features.original.voices)),
        dub=replace(features.dub, voices=claimed(features.dub.voices)),
    )


def _claimed(voice: VoiceSegment, cues: Sequence[Cue]) -> VoiceSegment:
    best = max(cues, key=lambda c: c.span.overlap_s(voice.span), default=None)
    if best is None or best.span.overlap_s(voice.span) <= 0:
        return voice
    return replace(voice, cue_id=best.id, character=best.character)


def notes(features: ProgrammeFeatures) -> tuple[str, ...]:
    """What the first page must say about how this was heard."""
    embedded = sorted({m.name for m in features.models if m.embedded})
    told = []
    if embedded:
        told.append(f"heard with the models that came inside the installed packages: {', '.join(embedded)}")
    if isinstance(features.dub.words, Unmeasured):
        told.append(f"words were not heard: {features.dub.words.reason}")
    if isinstance(features.dub.voices, Unmeasured):
        told.append(f"voices were not compared: {features.dub.voices.reason}")
    return tuple(told)
