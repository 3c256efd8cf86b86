"""How fast a dub runs away from the picture, and which frame-rate conversion that looks like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Series, TrackFeatures
from dubgate.measure.offset import (
    LARGEST_OFFSET_S,
    Lag,
    best_lag,
    grid_s,
    is_plain,
    log_odds,
    read_at,
    speech_evidence,
    too_little_speech,
    vertex,
)
from dubgate.measure.pauses import Speech
from dubgate.spans import Span, total_s
from dubgate.unmeasured import Unmeasured

Doubles = NDArray[np.float64]

_NTSC = Fraction(1000, 1001)
_RATES = {"23.976": 24 * _NTSC, "24": Fraction(24), "25": Fraction(25), "29.97": 30 * _NTSC, "30": Fraction(30)}
UNCHANGED = "unchanged"
WIDEST = 0.06  # stretches searched: 24 against 25 is 4.2 %
_EXCERPT_S, _SEARCHED_S = 300.0, 1200.0
_SMEAR_S = 0.3  # by how much the two ends of a stretch may miss each other and still fall together
_KERNEL = np.array([0.25, 0.5, 0.25])  # over 32 ms hops
_WINDOW_S = 12.0
_WINDOW_REACH_S = 0.6
_WINDOW_STEP_S = 0.016
_LEAST_WINDOW_SPEECH_S = 2.0
_LEAST_SPREAD_S = 0.03
_USUAL_SPREAD_S = 0.1  # of the offsets of 12 s windows in real dubs, where there are too few windows to tell
_LEAST_WINDOWS = 6
# The search over all windows at once errs less than their spread says: by 0.45 of it on 70 joined real dubs of 163 s and
# more, while with few windows it is as uncertain as they are (tests/bench/real_dubs.py).
_MANY_WINDOWS, _JOINT_GAIN = 12, 0.6
_POSSIBLE, _CERTAIN = 3.0, 2.5  # standard errors
_AS_LIKELY = 4.0  # of squared standard errors behind the nearest: a likelihood ratio of 7


def _conversions() -> dict[str, float]:
    """Stretch of the dub by name: "24 played at 25" makes it shorter. Different pairs with one ratio share an entry."""
    by_ratio: dict[Fraction, list[str]] = {}
    for made, a in _RATES.items():
        for played, b in _RATES.items():
            if a != b and abs(a / b - 1) <= WIDEST:
                by_ratio.setdefault(a / b, []).append(f"{made} played at {played}")
    return {UNCHANGED: 1.0} | {" or ".join(names): float(ratio) for ratio, names in by_ratio.items()}


CONVERSIONS = _conversions()


@dataclass(frozen=True, slots=True)
class Drift:
    """The dub runs `stretch` times as long as the original, give or take `error` (one standard error).

    `candidates` are the conversions that the evidence allows, likeliest first.
    """

    stretch: float
    error: float
    candidates: tuple[str, ...]

    @property
    def ms_per_min(self) -> float:
        """0 where an unchanged speed is among the candidates: a drift is claimed only when it is certain."""
        return 0.0 if UNCHANGED in self.candidates else self.fitted_ms_per_min

    @property
    def fitted_ms_per_min(self) -> float:
        return (self.stretch - 1) * 60_000

    @property
    def certain_stretch(self) -> float:
        return 1.0 if UNCHANGED in self.candidates else self.stretch


def fit_drift(original: TrackFeatures, dub: TrackFeatures) -> Drift | Unmeasured:
    """The stretch at which original and dub fall together best, by search over stretch and offset together.

    A long programme is searched over its first minutes of speech, then over twice as much, and so on up to 20 minutes;
    from there the offsets of its windows lead on to its end.
    """
    missing = too_little_speech(original, dub)
    if missing is not None:
        return missing
    whole_s = min(original.duration_s, max(_SEARCHED_S, _excerpt_end(original)))
    until_s = min(_excerpt_end(original), whole_s)
    search = _Search(original.speech_prob, dub.speech_prob, until_s)
    stretch = search.best(_dense(until_s))
    while until_s < whole_s:
        until_s = min(2 * until_s, whole_s)
        search = _Search(original.speech_prob, dub.speech_prob, until_s)
        stretch = search.best(stretch + k * _SMEAR_S / until_s for k in range(-3, 4))
    stretch = search.refined(stretch, until_s)
    lag = _lag(original.speech_prob, dub.speech_prob, stretch, until_s)
    if lag is None or not is_plain(lag):
        return Unmeasured("the dub's speech does not follow the original's at any speed")
    windows = _windows(original, dub, stretch, lag.lag_s)
    if until_s < original.duration_s:
        stretch *= 1 + _slope(windows)
    error = _standard_error(windows, original.duration_s)
    return Drift(stretch, error, conversions_near(stretch, error))


def _excerpt_end(original: TrackFeatures) -> float:
    """When a minute of speech has been heard, but not before five minutes."""
    speech_s = 0.0
    for span in original.speech:
        speech_s += span.duration_s
        if speech_s >= 60.0:
            return min(max(span.end_s, _EXCERPT_S), original.duration_s)
    return original.duration_s


def _dense(until_s: float) -> list[float]:
    step = _SMEAR_S / max(until_s, 5.0)
    n = int(np.ceil(WIDEST / step))
    return sorted({*(1 + k * step for k in range(-n, n + 1)), *CONVERSIONS.values()})


class _Search:
    """The share of speech evidence that falls together at a stretch and its best offset, over the first `until_s`."""

    def __init__(self, original: Series, dub: Series, until_s: float) -> None:
        self._step_s = float(np.clip(until_s / 10_000, 0.016, 0.032))
        self._reach = round(LARGEST_OFFSET_S / self._step_s)
        self._hop_s, self._dub = dub.hop_s, _smooth(log_odds(dub))
        n = round(until_s / self._step_s)
        self._n_dub = n + self._reach
        a = read_at(_smooth(log_odds(original)), original.hop_s, self._step_s, n)
        self._n_fft = 1 << int(np.ceil(np.log2(n + 2 * self._reach + 1)))
        self._spectrum = np.conj(np.fft.rfft(a, self._n_fft))
        self._energy = float(np.square(a).sum())

    def score(self, stretch: float) -> float:
        b = read_at(self._dub, self._hop_s, self._step_s * stretch, self._n_dub)
        energy = float(np.sqrt(self._energy * np.square(b).sum()))
        if energy <= 0:
            return 0.0
        product = np.fft.irfft(self._spectrum * np.fft.rfft(b, self._n_fft), self._n_fft)
        together = np.concatenate([product[-self._reach :], product[: self._reach + 1]])
        return vertex(together, int(np.argmax(together)))[1] / energy

    def best(self, stretches: Iterable[float]) -> float:
        return max(stretches, key=self.score)

    def refined(self, stretch: float, until_s: float) -> float:
        """The highest point of the score around a stretch, by halving steps."""
        step, best = _SMEAR_S / until_s, self.score(stretch)
        while step * until_s > 0.004:
            step /= 2
            scores = {s: self.score(s) for s in (stretch - step, stretch + step)}
            top = max(scores, key=scores.__getitem__)
            stretch, best = (top, scores[top]) if scores[top] > best else (stretch, best)
        return stretch


def _lag(original: Series, dub: Series, stretch: float, until_s: float) -> Lag | None:
    step_s = grid_s(until_s)
    a = speech_evidence(original, step_s, n=round(until_s / step_s))
    b = speech_evidence(dub, step_s, stretch=stretch, n=round((until_s + LARGEST_OFFSET_S) / step_s))
    return best_lag(a, b, step_s, LARGEST_OFFSET_S)


def _smooth(values: Doubles) -> Doubles:
    return np.convolve(values, _KERNEL, "same") if len(values) else values


def _windows(original: TrackFeatures, dub: TrackFeatures, stretch: float, lag_s: float) -> Doubles:
    """When, and by how much the best lag of each 12 s with 2 s of speech or more differs from the whole's [(n, 2)]."""
    width, reach, shift = (round(x / _WINDOW_STEP_S) for x in (_WINDOW_S, _WINDOW_REACH_S, lag_s))
    a = speech_evidence(original.speech_prob, _WINDOW_STEP_S)
    b = speech_evidence(dub.speech_prob, _WINDOW_STEP_S, stretch=stretch, n=len(a) + reach + abs(shift))
    b = np.concatenate([np.zeros(reach + max(0, -shift)), b[max(0, shift) :], np.zeros(reach)])
    speech = Speech(original.speech)
    found: list[tuple[float, float]] = []
    for first in range(0, len(a) - width // 2, width):
        window = a[first : first + width]
        span = Span(first * _WINDOW_STEP_S, (first + len(window)) * _WINDOW_STEP_S)
        if total_s(speech.within(span)) < _LEAST_WINDOW_SPEECH_S:
            continue
        score = np.correlate(b[first : first + len(window) + 2 * reach], window, "valid")
        k = int(np.argmax(score))
        if 0 < k < len(score) - 1:
            found.append((span.start_s, (k - reach) * _WINDOW_STEP_S))
    return np.array(found).reshape(-1, 2)


def _slope(windows: Doubles) -> float:
    """Theil and Sen's slope of the windows' offsets, in s per s; every fourth window of a very long programme."""
    thinned = windows[:: max(1, len(windows) // 250)]
    i, j = np.triu_indices(len(thinned), 1)
    if not len(i):
        return 0.0
    return float(np.median((thinned[j, 1] - thinned[i, 1]) / (thinned[j, 0] - thinned[i, 0])))


def _standard_error(windows: Doubles, duration_s: float) -> float:
    """Of the stretch, from how far the offsets of single windows lie from one another."""
    spread_s, n = _USUAL_SPREAD_S, max(1, len(windows))
    if n >= _LEAST_WINDOWS:
        away = np.abs(windows[:, 1] - np.median(windows[:, 1]))
        spread_s = max(_LEAST_SPREAD_S, 1.4826 * float(np.median(away)))
    gain = _JOINT_GAIN if n >= _MANY_WINDOWS else 1.0
    return gain * spread_s * float(np.sqrt(12.0 / n)) / max(duration_s, 1.0)


def conversions_near(stretch: float, error: float) -> tuple[str, ...]:
    """The conversions that the evidence allows, nearest first but for an unchanged speed, which has the first claim."""
    away = {name: abs(stretch - ratio) / error for name, ratio in CONVERSIONS.items()}
    nearest = min(away.values())

    def allowed(name: str) -> bool:
        z = away[name]
        return (z <= _POSSIBLE and z * z - nearest * nearest <= _AS_LIKELY) or (name == UNCHANGED and z <= _CERTAIN)

    return tuple(name for name in sorted(away, key=lambda n: (n != UNCHANGED, away[n])) if allowed(name))
