"""Matches the words of a whole script with the words heard: edit distance in a band that follows time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span

_IMPOSSIBLE = 1e6
_NEARER_IS_BETTER = 1e-3  # of an edit, at the edge of reach: parts equal matches by time
_DELETE, _PAIR, _INSERT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Placed:
    """A word at a time: a script word carries its cue's span, a heard word its own."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pair:
    """A step of the match: `script` and `heard` are indices; one of them is None for a word left out or put in."""

    script: int | None
    heard: int | None


def match_words(
    script: Sequence[Placed], heard: Sequence[Placed], *, reach_s: float, misheard_reach_s: float
) -> tuple[Pair, ...]:
    """The cheapest way from script to heard (Levenshtein, every edit costs 1), in order.

    Equal words pair up to `reach_s` outside the cue, so that a late dub is still understood; unequal ones only up to
    `misheard_reach_s`, so that a sentence elsewhere is not taken for this one misheard. Both lists are in order of
    time; what is not takes part in the order of the script. Time and memory grow with the words times those in reach.
    """
    if not script or not heard:
        return tuple(Pair(i, None) for i in range(len(script))) + tuple(Pair(None, j) for j in range(len(heard)))
    costs = _Costs(script, heard, reach_s, misheard_reach_s)
    steps: list[NDArray[np.int8]] = []
    row = np.arange(costs.high[0] + 1, dtype=np.float64)  # before any script word, heard ones can only be put in
    low = 0
    for i in range(len(script)):
        row, step = _next_row(row, low, costs, i)
        low = int(costs.low[i])
        steps.append(step)
    return _trace(steps, costs.low, len(heard))


class _Costs:
    """The band of heard positions for each script word, and what pairing costs in it."""

    def __init__(self, script: Sequence[Placed], heard: Sequence[Placed], reach_s: float, misheard_s: float) -> None:
        names = {text: k for k, text in enumerate({w.text for w in (*script, *heard)})}
        self.heard_ids = np.array([names[w.text] for w in heard])
        self.script_ids = np.array([names[w.text] for w in script])
        self.middles = np.array([(w.span.start_s + w.span.end_s) / 2 for w in heard])
        self.starts = np.array([w.span.start_s for w in script])
        self.ends = np.array([w.span.end_s for w in script])
        self.reach_s, self.misheard_s = reach_s, misheard_s
        ordered = np.maximum.accumulate(self.middles)
        first = np.searchsorted(ordered, self.starts - reach_s, side="left")
        last = np.searchsorted(ordered, self.ends + reach_s, side="right")
        self.low = np.minimum.accumulate(first[::-1])[::-1]
        self.high = np.maximum.accumulate(np.maximum(last, self.low))
        # Neighbouring bands must meet, and the last must reach the end, or there is no way through.
        self.high[:-1] = np.maximum(self.high[:-1], self.low[1:])
        self.high[-1] = len(heard)

    def pairing(self, i: int, first: int, last: int) -> NDArray[np.float64]:
        """The cost of pairing script word i with heard words first..last-1."""
        middles = self.middles[first:last]
        away_s = np.maximum(0.0, np.maximum(self.starts[i] - middles, middles - self.ends[i]))
        equal = self.heard_ids[first:last] == self.script_ids[i]
        limit = np.where(equal, self.reach_s, self.misheard_s)
        nearness = _NEARER_IS_BETTER * away_s / max(self.reach_s, 1e-9)
        return np.where(away_s > limit, _IMPOSSIBLE, np.where(equal, 0.0, 1.0) + nearness)


def _next_row(
    row: NDArray[np.float64], before: int, costs: _Costs, i: int
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Edit costs after script word i, for positions low[i]..high[i]; `row` starts at position `before`."""
    low, high = int(costs.low[i]), int(costs.high[i])
    above = np.full(high - low + 2, _IMPOSSIBLE)  # positions low-1 .. high of the row before
    first, last = max(low - 1, before), min(high, before + len(row) - 1)
    above[first - low + 1 : last - low + 2] = row[first - before : last - before + 1]
    delete = above[1:] + 1.0
    pair = np.full(high - low + 1, _IMPOSSIBLE)
    start = max(low, 1)
    pair[start - low :] = above[start - low : -1] + costs.pairing(i, start - 1, high)
    best = np.minimum(delete, pair)
    index = np.arange(len(best))
    through: NDArray[np.float64] = np.minimum.accumulate(best - index) + index
    step = np.where(through < best - 1e-9, _INSERT, np.where(pair <= delete, _PAIR, _DELETE)).astype(np.int8)
    return through, step


def _trace(steps: Sequence[NDArray[np.int8]], low: NDArray[np.int64], n_heard: int) -> tuple[Pair, ...]:
    out: list[Pair] = []
    i, j = len(steps) - 1, n_heard
    while i >= 0:
        step = steps[i][j - low[i]]
        if step == _INSERT:
            j -= 1
            out.append(Pair(None, j))
            continue
        if step == _PAIR:
            j -= 1
        out.append(Pair(i, j if step == _PAIR else None))
        i -= 1
    out += [Pair(None, k) for k in range(j - 1, -1, -1)]
    return tuple(reversed(out))
