"""How late a whole dub is: cross-correlation of speech evidence, which keeps what a mask of speech rounds away.

A 10 ms mask errs by 50 to 60 ms on real dubs; the probabilities behind it, 32 ms apart, by a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Series, TrackFeatures
from dubgate.spans import total_s
from dubgate.unmeasured import Unmeasured

Doubles = NDArray[np.float64]

LARGEST_OFFSET_S = 5.0
LEAST_SPEECH_S = 3.0
LEAST_ONSETS = 3  # with fewer, the length of a line and its place cannot be told apart
_SMOOTHING_S = 0.1
_SUREST = 0.99  # probabilities nearer to 0 or 1 say no more than this
# A real dub agrees with its original by 0.76 or more at the right lag, and 0.32 better than 0.75 s away; unrelated
# speech of 27 s by 0.32 (p90) and 0.25 better than elsewhere (tests/bench/real_dubs.py).
_LEAST_AGREEMENT, _LEAST_PROMINENCE = 0.4, 0.1
_APART_S = 0.75


@dataclass(frozen=True, slots=True)
class Lag:
    """Dub minus original, late is positive.

    `score` is the share of evidence that falls together, 0..1; `agreement` its correlation, -1..1; `prominence` is
    by how much that is better than at every lag 0.75 s away or more.
    """

    lag_s: float
    score: float
    agreement: float
    prominence: float


def log_odds(prob: Series) -> Doubles:
    """Log-odds of speech above those of certain silence [shape=(n,)]: 0 for silence, 9.2 for certain speech."""
    p = np.clip(prob.values.astype(np.float64), 1 - _SUREST, _SUREST)
    return np.asarray(np.log(p / (1 - p)) + np.log(_SUREST / (1 - _SUREST)))


def speech_evidence(prob: Series, step_s: float, *, stretch: float = 1.0, n: int | None = None) -> Doubles:
    """Log-odds of speech every `step_s`, smoothed over 0.1 s [shape=(n,)]; silence beyond the end.

    With `stretch` s the series is read s times as fast: a track that runs s times too long comes out right.
    """
    if n is None:
        n = int(np.ceil(len(prob.values) * prob.hop_s / stretch / step_s))
    if not n or not len(prob.values):
        return np.zeros(n)
    window = np.hanning(2 * round(_SMOOTHING_S / step_s) + 3)
    return np.convolve(read_at(log_odds(prob), prob.hop_s, step_s * stretch, n), window / window.sum(), "same")


def read_at(values: Doubles, hop_s: float, step_s: float, n: int) -> Doubles:
    """A series of values centred in their hops, read every `step_s` from 0 [shape=(n,)]; 0 beyond both ends."""
    at = np.arange(n) * (step_s / hop_s) - 0.5
    return np.asarray(np.interp(at, np.arange(len(values)), values, left=0.0, right=0.0))


def best_lag(original: Doubles, dub: Doubles, step_s: float, max_lag_s: float) -> Lag | None:
    """The lag of `dub` at which the two fall together best; None where one of them is silent.

    Beyond both ends there is silence, so that a lag costs nothing for moving quiet edges apart.
    """
    energy = float(np.sqrt(np.square(original).sum() * np.square(dub).sum()))
    if energy <= 0:
        return None
    reach = round(max_lag_s / step_s)
    together = _together(original, dub, reach)
    k = int(np.argmax(together))
    # Pearson's correlation, both tracks as long as the longer one.
    n = max(len(original), len(dub))
    means = original.sum() / n, dub.sum() / n
    spreads = [np.sqrt(max(np.square(x).sum() / n - m * m, 1e-12)) for x, m in zip((original, dub), means, strict=True)]
    agreement = (together / n - means[0] * means[1]) / (spreads[0] * spreads[1])
    far = agreement[np.abs(np.arange(len(agreement)) - k) > _APART_S / step_s]
    prominence = float(agreement[k] - far.max()) if len(far) else 0.0
    at, height = vertex(together, k)
    return Lag((k - reach + at) * step_s, height / energy, float(agreement[k]), prominence)


def global_offset(original: TrackFeatures, dub: TrackFeatures, *, stretch: float = 1.0) -> float | Unmeasured:
    """Seconds by which the dub is late as a whole, where it runs `stretch` times as long as the original."""
    missing = too_little_speech(original, dub)
    if missing is not None:
        return missing
    step_s = grid_s(original.duration_s)
    a = speech_evidence(original.speech_prob, step_s)
    b = speech_evidence(dub.speech_prob, step_s, stretch=stretch)
    lag = best_lag(a, b, step_s, LARGEST_OFFSET_S)
    if lag is None or not is_plain(lag):
        return Unmeasured("the dub's speech does not follow the original's at any offset up to 5 s")
    return lag.lag_s * stretch


def grid_s(duration_s: float) -> float:
    """Fine for short programmes; for long ones the parabola over 32 ms is as exact, and ten times as fast."""
    return float(np.clip(duration_s / 50_000, 0.004, 0.032))


def is_plain(lag: Lag) -> bool:
    """Whether the two tracks fall together at this lag clearly better than elsewhere."""
    inside = abs(lag.lag_s) < LARGEST_OFFSET_S
    return inside and lag.agreement >= _LEAST_AGREEMENT and lag.prominence >= _LEAST_PROMINENCE


def too_little_speech(original: TrackFeatures, dub: TrackFeatures) -> Unmeasured | None:
    """Why no offset can be told, if so."""
    for track, which in ((original, "original"), (dub, "dub")):
        if total_s(track.speech) < LEAST_SPEECH_S or len(track.speech) < LEAST_ONSETS:
            return Unmeasured(
                f"the {which} has less than {LEAST_SPEECH_S:g} s of speech or fewer than {LEAST_ONSETS} phrases"
            )
    return None


def _together(original: Doubles, dub: Doubles, reach: int) -> Doubles:
    """Sum over t of original(t) * dub(t + lag) for lags -reach..reach [shape=(2 * reach + 1,)]."""
    n = 1 << int(np.ceil(np.log2(max(len(original), len(dub)) + reach + 1)))
    product = np.fft.irfft(np.conj(np.fft.rfft(original, n)) * np.fft.rfft(dub, n), n)
    return np.concatenate([product[n - reach :], product[: reach + 1]])


def vertex(values: Doubles, k: int) -> tuple[float, float]:
    """The highest point of the parabola through three values around k: where it lies relative to k, and its height."""
    if not 0 < k < len(values) - 1:
        return 0.0, float(values[k])
    left, middle, right = values[k - 1 : k + 2]
    bend = left - 2 * middle + right
    if bend >= 0:
        return 0.0, float(middle)
    at = float((left - right) / (2 * bend))
    return at, float(middle - (left - right) * at / 4)
