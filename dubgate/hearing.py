"""The one stage that runs models: from files to features, inside a child process that has no keys and no network.

`hear` is called by the parent; `hear_task` is what the child runs. The parent validates what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dubgate.delivery.script import CueKind, CueSheet
from dubgate.features import (
    LanguageWindow,
    Levels,
    LineAlignment,
    Pitch,
    ProgrammeFeatures,
    Published,
    Series,
    TrackFeatures,
    VoiceSegment,
    Word,
)
from dubgate.mixing import check_mix, without_what_background_spoils
from dubgate.side_by_side import forward, side_by_side
from dubgate.spans import Span, union
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured
from dubgate.voice_segments import PAD_S, lines_of, pieces, voices_of

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.ears import Ears
    from dubgate.speech.protocols import Aligned

PITCH_BLOCK_S = 60.0  # a multiple of 16 ms
PITCH_BLOCKS_AT_ONCE = 32  # on a GPU
PITCH_MARGIN_S = 0.496  # whole frames of 16 ms; the network reaches 0.176 s
ALIGN_PAD_S = 1.0  # a line may lie so far from its cue; what else is said there goes to free phones
ALIGN_AT_ONCE = 64  # lines whose sound is in memory together
LONGEST_CLIP_S = 28.0  # what one transcriber window holds

Progress = Callable[[str, float], None]  # stage, share done of the whole


@dataclass(frozen=True, slots=True)
class Source:
    """A track to hear: the stream of a file."""

    path: str
    stream: int
    name: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class HearingPlan:
    """What the child is asked to hear. `dub` is the stem where one is given; `mix` and `me` then check it."""

    original: Source
    dub: Source
    sheet: CueSheet | None
    models: str = "auto"
    device: str = "auto"
    mix: Source | None = None
    music_and_effects: Source | None = None
    without: tuple[str, ...] = field(default_factory=tuple)  # kinds not to run: "transcriber", "aligner"


def hear_task(request: dict[str, Any], scratch: Path, progress: Progress) -> tuple[Any, Arrays]:
    """The child's entry: a stored HearingPlan in, stored ProgrammeFeatures out."""
    plan = from_stored(HearingPlan, request, {})
    return to_stored(hear_here(plan, scratch, progress))


@dataclass(frozen=True, slots=True)
class VoicesPlan:
    """What is heard again where all else was kept: the voices, in the speech that was found then."""

    plan: HearingPlan
    original_speech: tuple[Span, ...]
    dub_speech: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Voices:
    """The voice segments of both tracks."""

    original: tuple[VoiceSegment, ...]
    dub: tuple[VoiceSegment, ...]


def voices_task(request: dict[str, Any], scratch: Path, progress: Progress) -> tuple[Any, Arrays]:
    """The child's entry for the voices alone: vectors are never kept, so they are taken anew."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.ears import load_voice_models

    wanted = from_stored(VoicesPlan, request, {})
    plan = wanted.plan
    encoder, diarizer = load_voice_models(plan.models, plan.device)
    heard: list[tuple[VoiceSegment, ...]] = []
    for source, speech in ((plan.original, wanted.original_speech), (plan.dub, wanted.dub_speech)):
        progress("voices", 0.2 + 0.4 * len(heard))
        spool = AudioSpool(Path(source.path), source.stream, scratch)
        heard.append(voices_of(encoder, diarizer, spool, lines_of(plan.sheet, speech)))
    return to_stored(Voices(*heard))


def hear_here(plan: HearingPlan, scratch: Path, progress: Progress) -> ProgrammeFeatures:
    """Hear both tracks in this process.

    Raises:
        MediaError: a track cannot be decoded as it stands.
        ModelError: a model is missing, altered, or fails its self-test.
    """
    from dubgate.meter.rhythm import ai_rhythm
    from dubgate.speech.device import choose_device, sharing, tracks_at_once
    from dubgate.speech.ears import load_ears

    progress = forward(progress)
    progress("loading models", 0.0)
    at_once = tracks_at_once(choose_device(plan.device))
    with sharing(at_once):
        ears = load_ears(plan.models, plan.device, language=_language(plan), without=plan.without)
        progress("decoding", 0.03)
        asked = ((plan.original, False, 0.03, 0.4), (plan.dub, True, 0.4 if at_once == 1 else 0.03, 0.97))
        (original, _), (dub, spool) = side_by_side(
            [
                partial(_hear_track, ears, source, scratch, plan.sheet, is_dub, _part(progress, first, last))
                for source, is_dub, first, last in asked
            ],
            at_once=at_once,
        )
    mix, me = (None if s is None else _spool(s, scratch)[0] for s in (plan.mix, plan.music_and_effects))
    check = check_mix(plan.mix is not None, spool, mix, me, dub)
    sold = mix or spool
    published = Published(sold.packet_sha256, sold.pcm_sha256, ai_rhythm(sold.read, sold.duration_s))
    features = ProgrammeFeatures(original, dub, check, ears.infos, published)
    progress("heard", 1.0)
    return features if plan.mix is not None else without_what_background_spoils(features)


def _language(plan: HearingPlan) -> str | None:
    return plan.dub.language or (plan.sheet.language if plan.sheet else None)


def _part(progress: Progress, first: float, last: float) -> Progress:
    return lambda stage, share: progress(stage, first + (last - first) * share)


def _spool(source: Source, scratch: Path) -> tuple[AudioSpool, Levels, Series]:
    """One decode pass: 16 kHz mono on disk, levels and energy on the way."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.delivery.media import probe, select_stream
    from dubgate.meter import LevelMeter

    path = Path(source.path)
    stream = select_stream(probe(path), index=source.stream)
    meter = LevelMeter(stream.sample_rate_hz, stream.n_channels, stream.layout)
    spool = AudioSpool(path, source.stream, scratch, (lambda _, samples: meter.push(samples),))
    return (spool, *meter.finish())


def _hear_track(
    ears: Ears,
    source: Source,
    scratch: Path,
    sheet: CueSheet | None,
    is_dub: bool,
    progress: Progress,
) -> tuple[TrackFeatures, AudioSpool]:
    from dubgate.speech.activity import speech_spans

    which = "dub" if is_dub else "original"
    spool, levels, energy = _spool(source, scratch)
    progress(f"{which}: voice activity", 0.0)
    prob = ears.voice_activity.speech_prob_blocks(spool.blocks(30.0))
    speech = speech_spans(prob)
    progress(f"{which}: pitch", 0.1)
    pitch = _pitch(ears, spool)
    progress(f"{which}: voices", 0.2)
    voices = voices_of(ears.encoder, ears.diarizer, spool, lines_of(sheet, speech))
    words: tuple[Word, ...] | Unmeasured = Unmeasured("only the dub is transcribed")
    languages: tuple[LanguageWindow, ...] | Unmeasured = Unmeasured("only the dub's language is identified")
    alignments: tuple[LineAlignment, ...] | Unmeasured = Unmeasured("only the dub is aligned with the script")
    if is_dub:
        progress(f"{which}: words", 0.3)
        words, languages = _words(ears, spool, speech, source.language, _part(progress, 0.3, 0.8))
        progress(f"{which}: alignment", 0.8)
        alignments = _alignments(ears, spool, sheet, source.language)
    track = TrackFeatures(
        name=source.name,
        language=source.language,
        duration_s=spool.duration_s,
        speech_prob=prob,
        speech=speech,
        pitch=pitch,
        energy_db=energy,
        words=words,
        languages=languages,
        levels=levels,
        voices=voices,
        alignments=alignments,
        pcm_sha256=spool.pcm_sha256,
        packet_sha256=spool.packet_sha256,
    )
    return track, spool


def _pitch(ears: Ears, spool: AudioSpool) -> Pitch:
    """F0 of the whole track, heard in blocks with margins, so that memory does not grow with length."""
    hop = ears.pitch_hop_s
    f0, confidence = [], []
    starts = np.arange(0.0, max(spool.duration_s, hop), PITCH_BLOCK_S)
    at_once = 1 if ears.pitch.info.device == "cpu" else PITCH_BLOCKS_AT_ONCE
    for some in (starts[k : k + at_once] for k in range(0, len(starts), at_once)):
        margins = [PITCH_MARGIN_S if start > 0 else 0.0 for start in some]
        ends = [min(start + PITCH_BLOCK_S, spool.duration_s) for start in some]
        places = zip(some, margins, ends, strict=True)
        clips = [spool.read(s - m, min(e + PITCH_MARGIN_S, spool.duration_s)) for s, m, e in places]
        for start, margin, end, track in zip(some, margins, ends, ears.pitch.pitch(clips), strict=True):
            skip, keep = round(margin / hop), round((end - start) / hop)
            f0.append(track.f0_hz.values[skip : skip + keep])
            confidence.append(track.confidence.values[skip : skip + keep])
    return Pitch(Series(hop, np.concatenate(f0)), Series(hop, np.concatenate(confidence)))


def _clips(speech: Sequence[Span], duration_s: float) -> list[Span]:
    """Speech packed into windows of at most 28 s, cut where nobody speaks."""
    windows: list[Span] = []
    for span in union(s.padded(PAD_S) for s in speech):
        for piece in pieces(Span(span.start_s, min(span.end_s, duration_s)), LONGEST_CLIP_S):
            if windows and piece.end_s - windows[-1].start_s <= LONGEST_CLIP_S:
                windows[-1] = Span(windows[-1].start_s, piece.end_s)
            else:
                windows.append(piece)
    return windows


def _words(
    ears: Ears, spool: AudioSpool, speech: Sequence[Span], language: str | None, progress: Progress
) -> tuple[tuple[Word, ...] | Unmeasured, tuple[LanguageWindow, ...] | Unmeasured]:
    """Words on the programme timeline, and the language of each window of speech."""
    if isinstance(ears.transcriber, Unmeasured):
        return ears.transcriber, ears.transcriber
    windows = _clips(speech, spool.duration_s)
    languages = _window_languages(ears, spool, windows)
    if language is None:
        return Unmeasured("the dub's language is not known; name it with --dub-language"), languages
    words: list[Word] = []
    batch = ears.transcriber_batch
    for k in range(0, len(windows), batch):
        chunk = windows[k : k + batch]
        heard = ears.transcriber.transcribe([spool.read(w.start_s, w.end_s) for w in chunk], language=language)
        for window, clip in zip(chunk, heard, strict=True):
            if isinstance(clip, Unmeasured):
                return clip, languages
            words += [replace(w, span=w.span.shifted(window.start_s)) for w in clip]
        progress("dub: words", min(1.0, (k + batch) / len(windows)))
    return tuple(words), languages


def _window_languages(
    ears: Ears, spool: AudioSpool, windows: Sequence[Span]
) -> tuple[LanguageWindow, ...] | Unmeasured:
    if isinstance(ears.transcriber, Unmeasured):
        return ears.transcriber
    found: list[LanguageWindow] = []
    for piece in (p for w in windows for p in pieces(w, 10.0)):
        [probs] = ears.transcriber.identify_language([spool.read(piece.start_s, piece.end_s)])
        if isinstance(probs, Unmeasured):
            return probs
        found.append(LanguageWindow(piece, probs))
    return tuple(found)


def _alignments(
    ears: Ears, spool: AudioSpool, sheet: CueSheet | None, language: str | None
) -> tuple[LineAlignment, ...] | Unmeasured:
    if isinstance(ears.aligner, Unmeasured):
        return ears.aligner
    if sheet is None or language is None:
        return Unmeasured("no script was given" if sheet is None else "the dub's language is not known")
    cues = [c for c in sheet.cues if c.kind is CueKind.DIALOGUE and c.text]
    spans = [Span(c.span.padded(ALIGN_PAD_S).start_s, min(c.span.end_s + ALIGN_PAD_S, spool.duration_s)) for c in cues]
    placed: list[Aligned | Unmeasured] = []
    for k in range(0, len(cues), ALIGN_AT_ONCE):
        clips = [spool.read(s.start_s, s.end_s) for s in spans[k : k + ALIGN_AT_ONCE]]
        placed += ears.aligner.align(clips, [c.text for c in cues[k : k + ALIGN_AT_ONCE]], language=language)
    out: list[LineAlignment] = []
    for cue, span, aligned in zip(cues, spans, placed, strict=True):
        if not isinstance(aligned, Unmeasured):
            words = tuple(replace(w, span=w.span.shifted(span.start_s)) for w in aligned.words)
            out.append(LineAlignment(cue.id, words, aligned.score))
    return tuple(out)
