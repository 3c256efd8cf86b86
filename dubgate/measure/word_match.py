"""Matches the words of a whole script with the words heard: edit distance in a band that follows time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span

# Costs are whole numbers of billionths of an edit, so that sums do not depend on their order.
_EDIT = 1_000_000_000
_NEARER_IS_BETTER = _EDIT // 1000  # at the edge of reach: parts equal matches by time
_IMPOSSIBLE = 1 << 60
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
    band = _Band(script, heard, reach_s, misheard_reach_s)
    return _trace(_steps(band, len(heard)), band, len(heard))


class _Band:
    """The heard positions in reach of each script word, `low[i]` to `high[i]`, all in one row after another.

    Position j is reached after j heard words. Word i's positions begin at `offset[i]` of the row.
    """

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
        self.sizes = self.high - self.low + 1
        self.offset = np.concatenate([[0], np.cumsum(self.sizes)])

    def pairing(self) -> NDArray[np.int64]:
        """The cost of coming to each position by pairing the script word with the heard word before it."""
        before = np.arange(self.offset[-1]) + np.repeat(self.low - 1 - self.offset[:-1], self.sizes)
        middles = self.middles[before]  # before the first heard word there is none: made impossible below
        away_s = np.maximum(np.repeat(self.starts, self.sizes) - middles, middles - np.repeat(self.ends, self.sizes))
        np.maximum(away_s, 0.0, out=away_s)
        equal = self.heard_ids[before] == np.repeat(self.script_ids, self.sizes)
        cost: NDArray[np.int64] = (away_s * (_NEARER_IS_BETTER / max(self.reach_s, 1e-9))).astype(np.int64)
        cost[~equal] += _EDIT
        cost[away_s > np.where(equal, self.reach_s, self.misheard_s)] = _IMPOSSIBLE
        cost[before < 0] = _IMPOSSIBLE
        return cost


def _steps(band: _Band, n_heard: int) -> NDArray[np.int8]:
    """The last step of the cheapest way to every position of the band.

    `row[j + 1]` is the cost of position j after the words so far, less j edits: putting a heard word in then costs
    nothing, and a row follows from the one before by two minima.
    """
    pairing = band.pairing()
    delete, pair, through = (np.empty(len(pairing), np.int64) for _ in range(3))
    row = np.full(n_heard + 2, _IMPOSSIBLE)
    row[1 : band.high[0] + 2] = 0  # before any script word, heard ones can only be put in
    for low, high, at in zip(band.low.tolist(), band.high.tolist(), band.offset.tolist(), strict=False):
        to = at + high - low + 1
        above = row[low + 1 : high + 2]
        np.add(above, _EDIT, out=delete[at:to])
        np.add(row[low : high + 1], pairing[at:to] - _EDIT, out=pair[at:to])
        np.minimum(delete[at:to], pair[at:to], out=through[at:to])
        np.minimum.accumulate(through[at:to], out=above)
        row[low] = _IMPOSSIBLE
        through[at:to] = above
    return np.where(through < np.minimum(delete, pair), _INSERT, np.where(pair <= delete, _PAIR, _DELETE)).astype(
        np.int8
    )


def _trace(steps: NDArray[np.int8], band: _Band, n_heard: int) -> tuple[Pair, ...]:
    out: list[Pair] = []
    offset, low, step_of = band.offset.tolist(), band.low.tolist(), steps.tolist()
    i, j = len(low) - 1, n_heard
    while i >= 0:
        step = step_of[offset[i] + j - low[i]]
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
