"""Damage that is plain in the samples: full scale, holes of digital silence, clicks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats
from dubgate.spans import Span

CLIPPED_AT = 0.999  # of full scale (quality-metrics section 5)
CLIPPED_TOGETHER_S = 0.05  # clipped samples this close make one occurrence
MUTED_BELOW = 1.5 / 32_768  # digital silence, also with the last of 16 bits dithered
SHORTEST_MUTE_S = 0.05
# A click: a second difference that outreaches all others within 20 ms by six times, but for the three samples on each
# side that its own step or spike takes. Pitch pulses come at least every 15 ms (65 Hz), so are measured against one
# another; plosives and the smacking of lips ring on for longer than three samples.
CLICK_FACTOR = 6.0
CLICK_AT_LEAST = 0.04  # of full scale, in the second difference: a lone sample 34 dB under full scale
_OWN_SAMPLES = 3
_CHUNK_S = 0.001
_REACH_CHUNKS = 20

Flags = NDArray[np.bool_]


class Runs:
    """Runs of flagged samples as spans: `join_s` closes gaps, and what is shorter than `at_least_s` is dropped."""

    def __init__(self, rate_hz: int, *, at_least_s: float = 0.0, join_s: float = 0.0) -> None:
        self._rate_hz = rate_hz
        self._at_least, self._join = at_least_s * rate_hz, join_s * rate_hz
        self._runs: list[tuple[int, int]] = []
        self._n = 0

    def push(self, flags: Flags) -> None:
        """Flags [shape=(n,)] of the samples that follow."""
        if flags.any():
            edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).view(np.int8)))
            starts, ends = edges[::2], edges[1::2]
            apart = starts[1:] - ends[:-1] > self._join
            starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
            # A run at an edge of the block may go on beyond it, whatever its length.
            keep = (ends - starts >= self._at_least) | (starts <= self._join) | (ends >= len(flags) - self._join)
            for start, end in zip((starts[keep] + self._n).tolist(), (ends[keep] + self._n).tolist(), strict=True):
                self._add(start, end)
        self._n += len(flags)

    def spans(self) -> tuple[Span, ...]:
        """All runs so far, in order."""
        rate = self._rate_hz
        return tuple(Span(a / rate, b / rate) for a, b in self._runs if b - a >= self._at_least)

    def _add(self, start: int, end: int) -> None:
        if self._runs and start - self._runs[-1][1] <= self._join:
            self._runs[-1] = (self._runs[-1][0], end)
        else:
            self._runs.append((start, end))


class ClickMeter:
    """Times of lone jumps in the waveform of sound pushed block by block; the first and last 20 ms are not judged."""

    def __init__(self, rate_hz: int, n_channels: int) -> None:
        self._rate_hz = rate_hz
        self._chunk = max(2 * _OWN_SAMPLES, round(_CHUNK_S * rate_hz))
        self._tail = np.zeros((n_channels, 0), dtype=np.float32)
        self._jumps = np.zeros(0, dtype=np.float32)  # second differences not yet judged, the largest of all channels
        self._first = 1  # the sample that the first of them is centred on
        self.times_s: list[float] = []

    def push(self, samples: Floats) -> None:
        """Samples [shape=(n_channels, n)]."""
        joined = np.concatenate([self._tail, samples], axis=1)
        self._tail = joined[:, -2:].copy()
        jumps = np.abs(joined[:, 2:] - 2 * joined[:, 1:-1] + joined[:, :-2]).max(axis=0)
        self._jumps = np.concatenate([self._jumps, jumps])
        n_chunks = len(self._jumps) // self._chunk
        n_judged = n_chunks - 2 * _REACH_CHUNKS
        if n_judged > 0:
            self._judge(self._jumps[: n_chunks * self._chunk].reshape(n_chunks, self._chunk))
            self._jumps = self._jumps[n_judged * self._chunk :]
            self._first += n_judged * self._chunk

    def _judge(self, chunks: Floats) -> None:
        """Judge every chunk [shape=(n_chunks, chunk)] that has 20 ms on both sides."""
        tops = np.lib.stride_tricks.sliding_window_view(chunks.max(axis=1), 2 * _REACH_CHUNKS + 1)
        middle = tops[:, _REACH_CHUNKS]
        for k in np.flatnonzero((middle >= CLICK_AT_LEAST) & (middle == tops.max(axis=1))).tolist():
            around = np.concatenate([tops[k, : _REACH_CHUNKS - 1], tops[k, _REACH_CHUNKS + 2 :]])
            if middle[k] < CLICK_FACTOR * around.max():  # cheap, and true of nearly all
                continue
            near = chunks[k : k + 2 * _REACH_CHUNKS + 1].ravel()
            at = _REACH_CHUNKS * self._chunk + int(np.argmax(chunks[k + _REACH_CHUNKS]))
            others = np.concatenate([near[: at - _OWN_SAMPLES], near[at + _OWN_SAMPLES + 1 :]])
            if near[at] >= CLICK_FACTOR * others.max():
                self.times_s.append((self._first + k * self._chunk + at) / self._rate_hz)
