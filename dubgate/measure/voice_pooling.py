"""Speaker vectors pooled by seconds of speech, and each line of a character against its others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats, VoiceSegment
from dubgate.unmeasured import Unmeasured

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """The sum of vectors, each times its seconds, at unit length [shape=(d,)], and the seconds it rests on."""

    vector: Floats
    speech_s: float


def unit_mean(weighted: Sequence[tuple[Floats, float]]) -> Floats | None:
    """The sum of vectors [shape=(d,)], each times its seconds, at unit length; None where they cancel out or are no numbers."""
    total = np.sum([np.asarray(v, dtype=np.float64) * seconds for v, seconds in weighted], axis=0)
    length = float(np.linalg.norm(total))
    return (total / length).astype(np.float32) if np.isfinite(length) and length > 0 else None


def pool(segments: Sequence[VoiceSegment]) -> Pooled | Unmeasured:
    """One voice out of many segments; those whose vector is Unmeasured are left out."""
    rows = [(v, max(s.speech_s, 1e-6)) for s in segments if not isinstance(v := s.vector, Unmeasured)]
    if not rows:
        return Unmeasured("no speech long enough to take a voice from")
    mean = unit_mean(rows)
    if mean is None:
        return Unmeasured("the voices of these segments cancel out")
    return Pooled(mean, float(sum(seconds for _, seconds in rows)))


@dataclass(frozen=True, slots=True, eq=False)
class AgainstOthers:
    """One line's cosine with its character's other lines, pooled [`reference_s` seconds], its own left out."""

    cosine: float
    reference_s: float


def against_others(vectors: Doubles, seconds: Doubles, one_voice_cosine: float) -> list[AgainstOthers]:
    """Each line [shape=(n, d), unit length] against the character's main voice, itself left out.

    The main voice is the heaviest cluster of the lines, so that a second voice in many lines cannot hide by spoiling
    the pool. Of equally heavy clusters the earlier counts.
    """
    main = main_voice(vectors, seconds, one_voice_cosine)
    weighted = vectors * seconds[:, None]
    total, total_s = weighted[main].sum(axis=0), float(seconds[main].sum())
    out = []
    for k in range(len(vectors)):
        rest = total - weighted[k] if main[k] else total
        rest_s = total_s - float(seconds[k]) if main[k] else total_s
        length = float(np.linalg.norm(rest)) if rest_s > 1e-6 else 0.0
        out.append(AgainstOthers(float(vectors[k] @ rest) / length if length > 0 else float("nan"), rest_s))
    return out


def main_voice(vectors: Doubles, seconds: Doubles, one_voice_cosine: float) -> NDArray[np.bool_]:
    """Which lines belong to the heaviest cluster [shape=(n,)]."""
    from dubgate.speech.clustering import agglomerate

    labels = agglomerate(vectors * seconds[:, None], one_voice_cosine)
    weights = np.bincount(labels, weights=seconds)
    return np.asarray(labels == int(weights.argmax()))
