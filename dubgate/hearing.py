"""The one stage that runs models: from files to features, inside a child process that has no keys and no network.

`hear` is called by the parent; `hear_task` is what the child runs. The parent validates what comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dubgate.chosen_alone import lost_in_any, presentations_beside, speech_in
from dubgate.delivery.script import CueSheet
from dubgate.features import (
    Floats,
    Levels,
    Pitch,
    ProgrammeFeatures,
    Published,
    Series,
    TrackFeatures,
    VoiceSegment,
)
from dubgate.hearing_words import Alignments, Languages, Words, alignments_of, lines_to_place, windows_of, words_of
from dubgate.mixing import check_mix, without_what_background_spoils
from dubgate.side_by_side import beside, both, forward, side_by_side
from dubgate.spans import Span
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured
from dubgate.voice_segments import lines_of, voices_of

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.ears import Ears

ACTIVITY_BLOCK_S, GPU_ACTIVITY_BLOCK_S = 30.0, 600.0
PITCH_BLOCK_S = 60.0  # a multiple of 16 ms
PITCH_BLOCKS_AT_ONCE = 32  # on a GPU
MEASURES = 4  # of a track's levels, that as many threads beside the decoder's make at once where there are cores for it
PITCH_MARGIN_S = 0.496  # whole frames of 16 ms; the network reaches 0.176 s

Progress = Callable[[str, float], None]  # stage, share done of the whole
Said = tuple[Words, Languages, Alignments]
NOT_DUB: Said = (
    Unmeasured("only the dub is transcribed"),
    Unmeasured("only the dub's language is identified"),
    Unmeasured("only the dub is aligned with the script"),
)


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
    from dubgate.speech.device import sharing, tracks_at_once
    from dubgate.speech.ears import load_ears

    progress = forward(progress)
    progress("loading models", 0.0)
    at_once = tracks_at_once()
    with sharing(at_once):
        ears = load_ears(plan.models, plan.device, language=_language(plan), without=plan.without)
        progress("decoding", 0.03)
        asked = ((plan.original, False, 0.03, 0.4), (plan.dub, True, 0.4 if at_once == 1 else 0.03, 0.97))
        (original, _), (dub, dub_sound) = side_by_side(
            [
                partial(_hear_track, ears, source, scratch, plan, is_dub, _part(progress, first, last))
                for source, is_dub, first, last in asked
            ],
            at_once=at_once,
        )
    mix = None if plan.mix is None else _decoded(plan.mix, scratch, ears)
    effects, alone = plan.music_and_effects, _is_in_published(plan, plan.music_and_effects)
    apart = None if effects is None else _decoded(effects, scratch, ears if alone else None)
    me = None if apart is None else apart.spool
    speech_prob = ears.voice_activity.speech_prob
    check = check_mix(mix is not None, dub_sound.spool, None if mix is None else mix.spool, me, dub, speech_prob)
    sold = mix or dub_sound
    published = Published(
        sold.spool.packet_sha256,
        sold.spool.pcm_sha256,
        ai_rhythm(sold.spool.read, sold.spool.duration_s),
        lost_in_any([t.cancelled for t in (sold, dub_sound, apart) if t is not None and t.is_published]),
        () if me is None else speech_in(me, dub_sound.spool, speech_prob, alone=alone),
        (
            *_streams_beside(plan.mix or plan.dub, (plan.original, plan.dub, plan.mix, plan.music_and_effects)),
            *presentations_beside((plan.mix or plan.dub).stream, sold.spool),
        ),
    )
    features = ProgrammeFeatures(original, dub, check, ears.infos, published)
    progress("heard", 1.0)
    return features if plan.mix is not None else without_what_background_spoils(features)


def _streams_beside(published: Source, known: Sequence[Source | None]) -> tuple[str, ...]:
    """The published file's audio streams that are none of those handed in: whoever plays one hears what nobody judged."""
    from dubgate.delivery.media import sounds_of

    named = {source.stream for source in known if source is not None and source.path == published.path}
    found = (s for s in sounds_of(Path(published.path)) if s[0] not in named)
    return tuple(f"stream {index} ({language or 'no language'})" for index, language in found)


def _is_in_published(plan: HearingPlan, source: Source | None) -> bool:
    """Whether a track is a stream of the published file, which a player may choose by itself."""
    return source is not None and source.path == (plan.mix or plan.dub).path


def _language(plan: HearingPlan) -> str | None:
    return plan.dub.language or (plan.sheet.language if plan.sheet else None)


def _part(progress: Progress, first: float, last: float) -> Progress:
    return lambda stage, share: progress(stage, first + (last - first) * share)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A track decoded once: its sound for hearing, and what was measured of its own samples on the way."""

    spool: AudioSpool
    levels: Levels
    energy_db: Series
    cancelled: tuple[Span, ...] | Unmeasured
    is_published: bool  # listened to for what its mono sum loses


def _decoded(source: Source, scratch: Path, ears: Ears | None = None) -> Decoded:
    """One decode pass: 16 kHz mono on disk, levels and energy; with ears, the speech that the mono sum loses."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.delivery.media import probe, select_stream
    from dubgate.meter import LevelMeter, channels_of
    from dubgate.meter.unheard import CancelledSpeech
    from dubgate.speech.device import n_threads

    path = Path(source.path)
    stream = select_stream(probe(path), index=source.stream)
    meter = LevelMeter(stream.sample_rate_hz, stream.n_channels, stream.layout)
    layout = channels_of(stream.layout, stream.n_channels)
    lost = None
    if ears is not None:
        lost = CancelledSpeech(stream.sample_rate_hz, layout, ears.voice_activity.speech_prob)

    def measure(_: float, second: Floats) -> None:
        meter.push(second)
        if lost is not None:
            lost.push(second)

    many = n_threads() > MEASURES
    with ExitStack() as threads:
        if many:
            threads.enter_context(meter.side_by_side())
        measuring = threads.enter_context(beside(measure, apart=n_threads() > 1))
        spool = AudioSpool(path, source.stream, scratch, (measuring,), apart=many)
    cancelled = Unmeasured("it was not listened for") if lost is None else lost.finish()
    return Decoded(spool, *meter.finish(), cancelled, ears is not None)


def _hear_track(
    ears: Ears,
    source: Source,
    scratch: Path,
    plan: HearingPlan,
    is_dub: bool,
    progress: Progress,
) -> tuple[TrackFeatures, Decoded]:
    from dubgate.speech.activity import speech_spans

    which = "dub" if is_dub else "original"
    on_gpu = ears.pitch.info.device != "cpu"
    sheet = plan.sheet
    decoded = _decoded(source, scratch, ears if is_dub and _is_in_published(plan, source) else None)
    spool = decoded.spool
    progress(f"{which}: voice activity", 0.0)
    prob = ears.voice_activity.speech_prob_blocks(spool.blocks(GPU_ACTIVITY_BLOCK_S if on_gpu else ACTIVITY_BLOCK_S))
    speech = speech_spans(prob)

    def pitch_and_voices() -> tuple[Pitch, tuple[VoiceSegment, ...]]:
        progress(f"{which}: pitch", 0.1)
        pitch = _pitch(ears, spool)
        progress(f"{which}: voices", 0.2)
        return pitch, voices_of(ears.encoder, ears.diarizer, spool, lines_of(sheet, speech))

    def what_is_said() -> Said:
        if not is_dub:
            return NOT_DUB
        progress(f"{which}: words", 0.3)
        spoken = words_of(ears, spool, windows_of(speech, spool.duration_s), source.language, _part(progress, 0.3, 0.8))
        progress(f"{which}: alignment", 0.8)
        return *spoken, alignments_of(ears, spool, lines_to_place(sheet), source.language)

    # Beside a GPU's transcriber, which takes longest, the rest is hidden; cores are busy with either.
    (pitch, voices), (words, languages, alignments) = both(pitch_and_voices, what_is_said, at_once=2 if on_gpu else 1)
    track = TrackFeatures(
        name=source.name,
        language=source.language,
        duration_s=spool.duration_s,
        speech_prob=prob,
        speech=speech,
        pitch=pitch,
        energy_db=decoded.energy_db,
        words=words,
        languages=languages,
        levels=decoded.levels,
        voices=voices,
        alignments=alignments,
        pcm_sha256=spool.pcm_sha256,
        packet_sha256=spool.packet_sha256,
    )
    return track, decoded


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
