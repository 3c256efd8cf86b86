"""A recording of one voice: heard in the child, pooled, and checked for quality before it may enrol anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.errors import ChildError, InputError
from dubgate.features import Floats, Series
from dubgate.spans import Span
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured

SHORTEST_S = 10.0
CLIP_S = 8.0
MAX_CLIPPED_SHARE = 0.001
QUIETEST_DBFS = -50.0  # speech under it lies close to what 16 bits can hold
NOISIEST_DB = 15.0  # the calibrations hold for noise down to 15 dB under the speech


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A voice as it was recorded: its pooled unit vector [shape=(d,)], net speech, and by which encoder.

    `level_dbfs` is the RMS of the speech; `snr_db` how far the quietest tenth of the recording lies under its loud parts.
    """

    vector: Floats
    speech_s: float
    n_segments: int
    n_voices: int
    clipped_share: float
    encoder_sha256: str
    level_dbfs: float
    snr_db: float | Unmeasured


def hear_recording(path: Path, *, models: str = "auto", device: str = "auto") -> Recording:
    """Hear a recording that is to enrol a voice.

    Raises:
        InputError: under 10 s of speech, too quiet, too noisy, clipped, or more than one voice.
        MediaError, ModelError, ChildError: it could not be heard.
    """
    recording = hear_voice(path, models=models, device=device)
    check_enrolment(recording, str(path))
    return recording


def hear_voice(path: Path, *, models: str = "auto", device: str = "auto") -> Recording:
    """Hear a recording of one voice, whatever its quality.

    Raises:
        MediaError, ModelError, ChildError: it could not be heard.
    """
    from dubgate.sandbox import Limits, run_in_child

    request = {"path": str(path.absolute()), "models": models, "device": device}
    reply = run_in_child("enrol", request, limits=Limits(), inputs=[path])
    try:
        return from_stored(Recording, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the recording came back malformed: {error}", where=str(path)) from None


def check_enrolment(recording: Recording, where: str) -> None:
    """Whether a recording is good enough to know a voice by.

    Raises:
        InputError: what is wrong with it, and how to record it again.
    """
    if recording.speech_s < SHORTEST_S:
        what = f"only {recording.speech_s:.1f} s of speech; an enrolment needs {SHORTEST_S:g} s"
        raise InputError(what, where=where, remedy="hand in a longer recording; pauses do not count")
    if recording.clipped_share > MAX_CLIPPED_SHARE:
        what = f"{recording.clipped_share:.2%} of the samples are clipped"
        raise InputError(what, where=where, remedy="record it again, less loud")
    if recording.n_voices > 1:
        what = f"{recording.n_voices} voices are heard; an enrolment is of one"
        raise InputError(what, where=where, remedy="hand in a recording in which this person alone speaks")
    if recording.level_dbfs < QUIETEST_DBFS:
        what = f"the speech lies at {recording.level_dbfs:.0f} dBFS, under {QUIETEST_DBFS:g} dBFS"
        raise InputError(what, where=where, remedy="record it again, closer to the microphone")
    if isinstance(recording.snr_db, Unmeasured):
        what = f"its noise could not be measured: {recording.snr_db.reason}"
        raise InputError(what, where=where, remedy="record it again, with a second of silence before the first word")
    if recording.snr_db < NOISIEST_DB:
        what = f"noise lies only {recording.snr_db:.0f} dB under the speech; an enrolment needs {NOISIEST_DB:g} dB"
        raise InputError(what, where=where, remedy="record it again in a quiet room")


def level_and_noise(energy: Series, speech: Sequence[Span]) -> tuple[float, float | Unmeasured]:
    """RMS of the speech in dBFS; 80th percentile of its level over the 10th of all, in dB (quality-metrics section 5).

    Args:
        energy: RMS in dBFS of the whole recording, floored at -120.
        speech: where somebody speaks.
    """
    spoken = np.concatenate([np.zeros(0, np.float32), *(energy.within(s) for s in speech)]).astype(np.float64)
    if not len(spoken):
        return -120.0, Unmeasured("nobody speaks in it")
    level = 10 * float(np.log10(np.mean(10 ** (spoken / 10))))
    return level, float(np.percentile(spoken, 80) - np.percentile(energy.values, 10))


def enrol_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `hear_voice`."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.delivery.media import probe, select_stream
    from dubgate.meter import LevelMeter
    from dubgate.speech.activity import speech_spans
    from dubgate.speech.ears import load_ears

    path = Path(request["path"])
    ears = load_ears(request["models"], request["device"], language=None, without=("transcriber", "aligner"))
    stream = select_stream(probe(path))
    meter = LevelMeter(stream.sample_rate_hz, stream.n_channels, stream.layout)
    spool = AudioSpool(path, stream.index, scratch, (lambda _, samples: meter.push(samples),))
    levels, energy = meter.finish()
    speech = speech_spans(ears.voice_activity.speech_prob_blocks(spool.blocks(30.0)))
    clips = [spool.read(s.start_s, s.end_s) for s in speech]
    pieces = [c[k : k + round(CLIP_S * 16_000)] for c in clips for k in range(0, len(c), round(CLIP_S * 16_000))]
    seconds = [len(p) / 16_000 for p in pieces]
    vectors = ears.encoder.embed(pieces)
    voices = {
        c for c, s in zip(ears.diarizer.cluster(vectors, seconds), seconds, strict=True) if c is not None and s >= 1.5
    }
    told = [(v, s) for v, s in zip(vectors, seconds, strict=True) if not isinstance(v, Unmeasured)]
    pooled = (
        np.sum([np.asarray(v, np.float64) * s for v, s in told], axis=0) if told else np.zeros(ears.encoder.dimension)
    )
    length = float(np.linalg.norm(pooled)) or 1.0
    share = levels.clipped_samples / max(levels.total_samples, 1)
    vector = (pooled / length).astype(np.float32)
    sha256, spoken = ears.encoder.info.weights_sha256, sum(s for _, s in told)
    return to_stored(Recording(vector, spoken, len(told), len(voices), share, sha256, *level_and_noise(energy, speech)))
