"""Speech in a rendition that its master does not hold, under sound that is louder.

Music keeps its waveform to within the bounds of a comparison while somebody speaks 8 dB under it, and so does speech. What no filter
makes of the master is what was added to it, and is listened to by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from dubgate.features import Floats
from dubgate.meter.unheard import (
    AUDIBLE_DBFS,
    BLOCK_S,
    MASKED_DB,
    STEP,
    SpeechProb,
    long_enough,
    unheard,
)
from dubgate.spans import Span


class Sound(Protocol):
    """Mono sound at 16 kHz."""

    @property
    def duration_s(self) -> float: ...

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        """Exactly the span's samples, zeros where there are none."""
        ...


TAPS = 129  # 8 ms at 16 kHz: what codecs and resamplers do to a spectrum, and delays between samples
FITTED_S = 3.0
_WHITER = 1e-6  # of the power: what keeps a pure tone's equations solvable


def added_speech(master: Sound, rendition: Sound, offset_s: float, speech_prob: SpeechProb) -> tuple[Span, ...]:
    """Where a rendition, which starts `offset_s` later, speaks beside its master; in seconds of the master."""
    found: list[Span] = []
    for start_s in map(float, np.arange(0.0, master.duration_s, BLOCK_S)):
        end_s = min(start_s + BLOCK_S, master.duration_s)
        ours = master.read_padded(start_s, end_s)
        theirs = rendition.read_padded(start_s + offset_s, end_s + offset_s)
        left = left_over(ours, theirs)
        if audible(ours, left):
            found += unheard(ours, [left], speech_prob, start_s=start_s, apart=True)
    return long_enough(found)


def left_over(master: Floats, rendition: Floats) -> Floats:
    """The rendition [shape=(n,), 16 kHz] without whatever a short filter makes of the master, fitted anew every 3 s."""
    n = round(FITTED_S * 16_000)
    parts = [_left(master[k : k + n], rendition[k : k + n]) for k in range(0, len(master), n)]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _left(ours: Floats, theirs: Floats) -> Floats:
    """Least squares over `TAPS` taps, half of them ahead (Wiener's filter, by its Toeplitz equations)."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import fftconvolve

    half = TAPS // 2
    power = float(np.sum(np.square(ours, dtype=np.float64)))
    if power <= 0 or len(ours) < 4 * TAPS:
        return theirs
    size = 1 << (2 * len(ours)).bit_length()
    a, b = np.fft.rfft(ours, size), np.fft.rfft(theirs, size)
    own = np.fft.irfft(np.abs(a) ** 2, size)[:TAPS]
    both = np.fft.irfft(np.conj(a) * b, size)
    own[0] += _WHITER * power
    taps = solve_toeplitz(own, np.concatenate([both[-half:], both[: half + 1]]))
    made = fftconvolve(ours.astype(np.float64), taps)[half : half + len(ours)]
    return np.asarray(theirs - made, dtype=np.float32)


def audible(judged: Floats, left: Floats) -> bool:
    """Whether any step of what is left [of the same length, 16 kHz] stands out so far that somebody may hear it."""
    ours, rest = _powers(judged), _powers(left)
    return bool((rest > np.maximum(10 ** (AUDIBLE_DBFS / 10), ours * 10 ** (MASKED_DB / 10))).any())


def _powers(sound: Sequence[float] | Floats) -> Floats:
    steps = np.asarray(sound, dtype=np.float64)[: len(sound) // STEP * STEP].reshape(-1, STEP)
    return np.asarray(np.mean(np.square(steps), axis=1), dtype=np.float32)
