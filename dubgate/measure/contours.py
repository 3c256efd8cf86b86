"""The melody of lines: F0 in semitones, one contour a line, and how alike two melodies are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Pitch, TrackFeatures
from dubgate.measure.lines import Line
from dubgate.spans import Span, mask

Doubles = NDArray[np.float64]

VOICED_CONFIDENCE = 0.5
OCTAVE_ST = 12.0  # further from a voice's median lie tracking errors and what else sounds in a mix
LEAST_VOICED_S = 0.25  # for a contour
POINTS = 40
_AT = np.arange(POINTS)
_REFERENCE_HZ = 100.0
_WARP = 8  # points that one contour may run ahead of the other: a fifth
_SMOOTHING = np.hanning(9)[1:-1] / 4.0  # over a sixth of the line: melody, without what single sounds do to F0
_LARGEST_STEP_ST = 3.0  # between frames 16 ms apart; more is an octave jump


@dataclass(frozen=True, slots=True, eq=False)
class Melody:
    """F0 of a track in semitones over 100 Hz [shape=(n,)], NaN where unvoiced, unsure or outside speech."""

    hop_s: float
    semitones: Doubles

    def within(self, span: Span) -> Doubles:
        """The frames centred in the span, NaN where unvoiced; frame k is centred at k hops."""
        first = max(0, int(np.ceil(span.start_s / self.hop_s)))
        return self.semitones[first : max(first, int(np.ceil(span.end_s / self.hop_s)))]


def melody(track: TrackFeatures, pitch: Pitch) -> Melody:
    """The melody of a track's speech."""
    f0 = pitch.f0_hz.values.astype(np.float64)
    spoken = mask(track.speech, pitch.f0_hz.hop_s, len(f0))
    known = spoken & np.isfinite(f0) & (f0 > 0) & (pitch.confidence.values >= VOICED_CONFIDENCE)
    semitones = np.full(len(f0), np.nan)
    semitones[known] = 12 * np.log2(f0[known] / _REFERENCE_HZ)
    return Melody(pitch.f0_hz.hop_s, semitones)


def line_frames(sound: Melody, lines: Sequence[Line]) -> list[Doubles]:
    """The frames of each line, NaN where unvoiced; a line whose ends could not be told gives those of its cue."""
    return [sound.within(line.extent or line.cue.span) for line in lines]


def centred(frames: Sequence[Doubles]) -> tuple[list[Doubles], float]:
    """One voice's lines relative to their common median, outliers removed; and that median (NaN where unvoiced)."""
    voiced = np.concatenate([np.zeros(0), *(f[np.isfinite(f)] for f in frames)])
    if not len(voiced):
        return [np.full(len(f), np.nan) for f in frames], float("nan")
    middle = _median(voiced)
    return [np.where(np.abs(f - middle) <= OCTAVE_ST, f - middle, np.nan) for f in frames], middle


def voiced_of(frames: Sequence[Doubles]) -> Doubles:
    """All voiced values of some lines [shape=(n,)]."""
    return np.concatenate([np.zeros(0), *(f[np.isfinite(f)] for f in frames)])


def spread_st(values: Doubles) -> float:
    """Median absolute deviation; 0 for nothing."""
    return _median(np.abs(values - _median(values))) if len(values) else 0.0


def _median(values: Doubles) -> float:
    """np.median without its checks, which cost more than a line's values."""
    middle = len(values) // 2
    ordered = np.partition(values, (middle - 1, middle) if len(values) % 2 == 0 else middle)
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def span_st(values: Doubles) -> float:
    """From the 5th to the 95th percentile; 0 for nothing."""
    low, high = np.percentile(values, [5, 95]) if len(values) else (0.0, 0.0)
    return float(high - low)


def movement_st_per_s(frames: Sequence[Doubles], hop_s: float) -> float:
    """Mean change of F0 from frame to frame within voiced stretches; octave jumps left out."""
    steps = np.concatenate([np.zeros(0), *(np.abs(np.diff(f)) for f in frames)])
    steps = steps[steps <= _LARGEST_STEP_ST]  # NaN, beside an unvoiced frame, compares false
    return float(steps.mean() / hop_s) if len(steps) else 0.0


def contours(lines: Sequence[Doubles], hop_s: float) -> list[Doubles | None]:
    """Each line's melody at 40 points from its first voiced frame to its last, mean 0, power 1; None with too few."""
    raw = [_stretched(frames, hop_s) for frames in lines]
    known = [k for k, line in enumerate(raw) if line is not None]
    out: list[Doubles | None] = [None] * len(raw)
    if not known:
        return out
    wide = np.pad(np.array([raw[k] for k in known]), ((0, 0), (len(_SMOOTHING) // 2, len(_SMOOTHING) // 2)), "edge")
    smooth = sum(weight * wide[:, k : k + POINTS] for k, weight in enumerate(_SMOOTHING))
    smooth = smooth - smooth.mean(axis=1, keepdims=True)
    power = smooth.std(axis=1, keepdims=True)
    for k, line in zip(known, np.where(power > 1e-3, smooth / np.maximum(power, 1e-3), 0.0), strict=True):
        out[k] = line
    return out


def _stretched(frames: Doubles, hop_s: float) -> Doubles | None:
    voiced = np.flatnonzero(np.isfinite(frames))
    if len(voiced) * hop_s < LEAST_VOICED_S:
        return None
    step = (voiced[-1] - voiced[0]) / (POINTS - 1)
    return np.asarray(np.interp(voiced[0] + step * _AT, voiced, frames[voiced]))


def correlation(a: Doubles, b: Doubles) -> Doubles:
    """Correlation of contours [shape=(n, 40)] pair by pair, at equal shares of the line [shape=(n,)]."""
    return np.asarray((a * b).mean(axis=1))


def warped_correlation(a: Doubles, b: Doubles) -> Doubles:
    """The same after dynamic time warping within a fifth of the line [shape=(n,)].

    For contours of mean 0 and power 1 the correlation is 1 - D / 2, D their mean squared distance; here D is that
    of the cheapest path, a diagonal step counting twice, over the path's constant weight of 80.
    """
    n = len(a)
    far = np.full((n, POINTS + 1), np.inf)
    before = far.copy()
    before[:, 0] = 0.0
    for i in range(1, POINTS + 1):
        row = far.copy()
        for j in range(max(1, i - _WARP), min(POINTS, i + _WARP) + 1):
            cost = np.square(a[:, i - 1] - b[:, j - 1])
            row[:, j] = np.minimum(np.minimum(before[:, j], row[:, j - 1]) + cost, before[:, j - 1] + 2 * cost)
        before = row
    return 1 - before[:, POINTS] / (2 * POINTS) / 2
