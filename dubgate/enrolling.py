"""Enrolment of a voice from a recording: heard in the child, checked for quality, handed to the registry sealed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.errors import ChildError, InputError
from dubgate.features import Floats
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured

SHORTEST_S = 10.0
CLIP_S = 8.0
MAX_CLIPPED_SHARE = 0.001


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """A voice as it was recorded: its pooled unit vector [shape=(d,)], net speech, and by which encoder."""

    vector: Floats
    speech_s: float
    n_segments: int
    n_voices: int
    clipped_share: float
    encoder_sha256: str


def hear_recording(path: Path, *, models: str = "auto", device: str = "auto") -> Recording:
    """Hear a recording of one voice.

    Raises:
        InputError: under 10 s of speech, clipped, or more than one voice.
        MediaError, ModelError, ChildError: it could not be heard.
    """
    from dubgate.sandbox import Limits, run_in_child

    request = {"path": str(path.absolute()), "models": models, "device": device}
    reply = run_in_child("enrol", request, limits=Limits(), inputs=[path])
    try:
        recording = from_stored(Recording, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the recording came back malformed: {error}", where=str(path)) from None
    _check(recording, path)
    return recording


def _check(recording: Recording, path: Path) -> None:
    if recording.speech_s < SHORTEST_S:
        raise InputError(
            f"only {recording.speech_s:.1f} s of speech; an enrolment needs {SHORTEST_S:g} s", where=str(path)
        )
    if recording.clipped_share > MAX_CLIPPED_SHARE:
        raise InputError(
            f"{recording.clipped_share:.2%} of the samples are clipped",
            where=str(path),
            remedy="record it again, less loud",
        )
    if recording.n_voices > 1:
        raise InputError(f"{recording.n_voices} voices are heard; an enrolment is of one", where=str(path))


def enrol_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `hear_recording`."""
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
    levels, _ = meter.finish()
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
    info = ears.encoder.info
    return to_stored(Recording(vector, sum(s for _, s in told), len(told), len(voices), share, info.weights_sha256))
