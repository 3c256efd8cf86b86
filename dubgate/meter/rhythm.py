"""The rhythm that says AI in Morse code (short-long short-short): found as a clear tone in the sound, at any pitch and speed.

GB 45438-2025, 5.3 c, asks for this rhythm; ITU-R M.1677-1 gives its proportions: a long is three shorts, a gap within a
letter one, a gap between letters three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span

Floats = NDArray[np.float32]

RATE_HZ = 16_000
_WINDOW, _HOP = 256, 128  # samples: 16 ms, 8 ms
_HOP_S = _HOP / RATE_HZ
_LOWEST_HZ, _HIGHEST_HZ = 350.0, 6000.0
_BESIDE = 2  # bins of a Hann window's main lobe on either side of the peak
_TONAL = 0.5  # share of a frame's power that lies in the peak: a tone at 0 dB of signal to noise has so much
_FLOOR = 1e-8  # -80 dBFS mean square: below it nothing is audible
_SHORTEST_FRAMES = 3  # of a beep; what is shorter is noise
_UNIT_S = (0.045, 0.45)  # of a short: 27 to 3 words a minute
_GUARD_UNITS = 4.0  # of no beep at this pitch before and after, so that no longer message is taken for it
_LEVELS_DB = 8.0  # the four beeps are equally loud
_BLOCK_S, _MARGIN_S = 60.0, 12.0


@dataclass(frozen=True, slots=True)
class _Beep:
    """A stretch of frames with one steady tone."""

    start: int
    end: int  # first frame after it
    bin: float
    level_db: float

    @property
    def n(self) -> int:
        return self.end - self.start


def ai_rhythm(read: Callable[[float, float], Floats], duration_s: float) -> tuple[Span, ...]:
    """Every place where the rhythm sounds.

    Args:
        read: samples [shape=(n,)] of 16 kHz mono between two times, cut to the sound's own extent.
    """
    found: list[Span] = []
    for start in np.arange(0.0, max(duration_s, 0.0), _BLOCK_S):
        first = max(0.0, float(start) - _MARGIN_S)
        for span in rhythm_spans(read(first, float(start) + _BLOCK_S + _MARGIN_S)):
            span = span.shifted(first)
            if start <= span.start_s < start + _BLOCK_S and (not found or span.start_s > found[-1].end_s):
                found.append(span)
    return tuple(found)


def rhythm_spans(samples: Floats) -> tuple[Span, ...]:
    """The same for one stretch of sound [shape=(n,)], 16 kHz mono."""
    beeps = list(_beeps(samples))
    found = []
    for k in range(len(beeps) - 3):
        if _is_rhythm(beeps, k):
            found.append(Span(beeps[k].start * _HOP_S, beeps[k + 3].end * _HOP_S + _HOP_S))
    return tuple(found)


def _is_rhythm(beeps: list[_Beep], k: int) -> bool:
    """Whether four beeps from `k` on are one pitch, one loudness, and in proportion, with nothing like them around."""
    four = beeps[k : k + 4]
    pitches, levels = [b.bin for b in four], [b.level_db for b in four]
    if max(pitches) - min(pitches) > 1.0 or max(levels) - min(levels) > _LEVELS_DB:
        return False
    short, long, third, last = (b.n for b in four)
    inner, between, final = (right.start - left.end for left, right in pairwise(four))
    unit = (short + third + last + inner + final) / 5
    if not _UNIT_S[0] <= unit * _HOP_S <= _UNIT_S[1]:
        return False
    ones = all(0.55 <= n / unit <= 1.45 for n in (short, third, last, inner, final))
    in_proportion = ones and 2.3 <= long / unit <= 4.0 and 2.0 <= between / unit <= 6.0
    before = next((b for b in reversed(beeps[:k]) if abs(b.bin - four[0].bin) <= 1.0), None)
    after = next((b for b in beeps[k + 4 :] if abs(b.bin - four[0].bin) <= 1.0), None)
    alone = (before is None or four[0].start - before.end >= _GUARD_UNITS * unit) and (
        after is None or after.start - four[3].end >= _GUARD_UNITS * unit
    )
    return in_proportion and alone


def _beeps(samples: Floats) -> Iterator[_Beep]:
    """Stretches in which most of the power lies in one steady peak."""
    peaks, levels, tonal = _tones(samples)
    tonal[1:-1] |= tonal[:-2] & tonal[2:] & (abs(peaks[:-2] - peaks[2:]) <= 1)  # one frame of noise parts no beep
    edges = np.flatnonzero(np.diff(np.concatenate(([False], tonal, [False])).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        yield from _steady(peaks, levels, int(start), int(end))


def _steady(peaks: NDArray[np.int64], levels: NDArray[np.float64], start: int, end: int) -> Iterator[_Beep]:
    """The beeps of one tonal stretch: parted where the pitch jumps."""
    jumps = start + 1 + np.flatnonzero(abs(np.diff(peaks[start:end])) > 1)
    for first, last in zip((start, *jumps), (*jumps, end), strict=True):
        if last - first >= _SHORTEST_FRAMES:
            yield _Beep(
                int(first), int(last), float(np.median(peaks[first:last])), float(np.median(levels[first:last]))
            )


def _tones(samples: Floats) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """For each frame: the loudest bin, its level in dB, and whether most of the power lies there."""
    if len(samples) < _WINDOW:
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, bool)
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float32), _WINDOW)[::_HOP]
    window = np.hanning(_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 / (window**2).sum() / _WINDOW * 2
    low, high = (round(hz * _WINDOW / RATE_HZ) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    peaks = low + power[:, low:high].argmax(axis=1)
    rows = np.arange(len(peaks))
    around = sum(power[rows, peaks + k] for k in range(-_BESIDE, _BESIDE + 1))
    total = power[:, 1:].sum(axis=1)
    tonal = (around > _TONAL * total) & (total > _FLOOR)
    return peaks, 10 * np.log10(np.maximum(around, 1e-12)), tonal
