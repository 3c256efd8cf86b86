"""Spans of time on the programme timeline, and the set algebra over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, order=True, slots=True)
class Span:
    """A half-open stretch of the programme, `start_s` to `end_s` in seconds; `end_s >= start_s`."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.end_s >= self.start_s:  # NaN fails too
            raise ValueError(f"a span ends before it starts: {self.start_s} to {self.end_s}")

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s

    def overlap_s(self, other: Span) -> float:
        """Seconds shared with `other`; 0 when apart."""
        return max(0.0, min(self.end_s, other.end_s) - max(self.start_s, other.start_s))

    def shifted(self, by_s: float) -> Span:
        return Span(self.start_s + by_s, self.end_s + by_s)

    def padded(self, by_s: float) -> Span:
        """Grown by `by_s` on both sides, never before zero."""
        return Span(max(0.0, self.start_s - by_s), self.end_s + by_s)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans merged where they touch or overlap, in order."""
    ordered = tuple(spans)
    if all(a.end_s < b.start_s for a, b in pairwise(ordered)):  # as most come
        return ordered
    merged: list[Span] = []
    for span in sorted(ordered):
        if merged and span.start_s <= merged[-1].end_s:
            merged[-1] = Span(merged[-1].start_s, max(merged[-1].end_s, span.end_s))
        else:
            merged.append(span)
    return tuple(merged)


def intersection(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """Where both hold, in order; empty overlaps are dropped."""
    a, b = union(left), union(right)
    out: list[Span] = []
    i = j = 0
    while i < len(a) and j < len(b):
        start, end = max(a[i].start_s, b[j].start_s), min(a[i].end_s, b[j].end_s)
        if end > start:
            out.append(Span(start, end))
        if a[i].end_s <= b[j].end_s:
            i += 1
        else:
            j += 1
    return tuple(out)


def difference(left: Iterable[Span], right: Iterable[Span]) -> tuple[Span, ...]:
    """Where `left` holds and `right` does not, in order."""
    cuts = union(right)
    out: list[Span] = []
    for span in union(left):
        start = span.start_s
        for cut in cuts:
            if cut.end_s <= start or cut.start_s >= span.end_s:
                continue
            if cut.start_s > start:
                out.append(Span(start, cut.start_s))
            start = max(start, cut.end_s)
        if start < span.end_s:
            out.append(Span(start, span.end_s))
    return tuple(out)


def total_s(spans: Iterable[Span]) -> float:
    """Seconds covered, overlaps counted once."""
    return float(sum(s.duration_s for s in union(spans)))


def mask(spans: Iterable[Span], hop_s: float, n: int) -> NDArray[np.bool_]:
    """Boolean series [shape=(n,)]: sample k is true where its centre `(k + 0.5) * hop_s` lies in a span."""
    out = np.zeros(n, dtype=np.bool_)
    for span in spans:
        first = max(0, int(np.ceil(span.start_s / hop_s - 0.5)))
        last = max(0, int(np.ceil(span.end_s / hop_s - 0.5)))
        out[first:last] = True
    return out


def spans_of(flags: NDArray[np.bool_], hop_s: float) -> tuple[Span, ...]:
    """The runs of true in a boolean series [shape=(n,)] as spans."""
    if flags.ndim != 1:
        raise ValueError(f"a mask has one dimension, not {flags.ndim}")
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return tuple(Span(float(a) * hop_s, float(b) * hop_s) for a, b in zip(edges[::2], edges[1::2], strict=True))
