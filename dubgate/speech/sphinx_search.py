"""The likeliest way through sound: of a line's graph, and of free phones, as PocketSphinx's searches find them.

A state's score and who came into its word with it are one whole number, so that the larger of two brings its past along.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span
from dubgate.speech.sphinx_lines import LANGUAGE_WEIGHT, Graph
from dubgate.speech.sphinx_weights import SCORE_NATS, Ints, Phones

FRAME_S = 0.01
_PAST_BITS = 26
_PAST = (1 << _PAST_BITS) - 1
_NEVER = -(1 << 56)
_UNREACHED = -(1 << 29)  # in scores
_BEAM = math.floor(math.log(1e-48) / SCORE_NATS)  # free phones this far under the best one are given up
_INSERTED = math.log(0.65) / math.log(1.0001)  # a free phone, in steps of the log base


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a decoding: frames `first` to `last`, inclusive; `score_nats` is its acoustic log-likelihood."""

    name: str
    first: int
    last: int
    score_nats: float
    prob: float = 1.0

    @property
    def span(self) -> Span:
        return Span(self.first * FRAME_S, (self.last + 1) * FRAME_S)

    @property
    def is_word(self) -> bool:
        return self.name[0] not in "<[~"


@dataclass(frozen=True, eq=False)
class _Costs:
    """What a node's states cost to stay in, to go on from, and to leave [shape=(n_nodes,)], ready to be added."""

    stays: tuple[Ints, Ints, Ints]
    goes_on: tuple[Ints, Ints]
    leaves: Ints

    @classmethod
    def of(cls, moves: Ints) -> _Costs:
        """From [shape=(n_nodes, 3, 4)]."""
        cost = moves << _PAST_BITS
        return cls((cost[:, 0, 0], cost[:, 1, 1], cost[:, 2, 2]), (cost[:, 0, 1], cost[:, 1, 2]), cost[:, 2, 3])

    def step(self, states: Sequence[Ints], heard: Sequence[Ints]) -> tuple[list[Ints], Ints]:
        """States after a frame that costs `heard`, and what leaves them."""
        first, middle, last = (state - cost for state, cost in zip(states, heard, strict=True))
        after = [
            first - self.stays[0],
            np.maximum(middle - self.stays[1], first - self.goes_on[0]),
            np.maximum(last - self.stays[2], middle - self.goes_on[1]),
        ]
        return after, last - self.leaves


def line_path(graph: Graph, costs: NDArray[np.int32], columns: Ints, moves: Ints) -> list[Stretch]:
    """The words of a line, and what lies around them; empty where the sound is too short for them.

    Args:
        costs: of senones in each frame [shape=(n_frames, n_columns)].
        columns: of each node's states [shape=(n_nodes, 3)].
        moves: see read_moves; of each node.
    """
    n_frames, n_ways = len(costs), len(graph.names)
    node = _Costs.of(moves)
    states = [np.full(len(columns), _NEVER) for _ in range(3)]
    states[0][graph.first] = graph.first_cost << _PAST_BITS
    of_way, of_root, of_inner = (_starts(each) for each in (graph.way_of_leaf, graph.root_to, graph.inner_to))
    roots, inner = graph.root_to[of_root], graph.inner_to[of_inner]
    root_cost, ways = graph.root_cost << _PAST_BITS, np.arange(n_ways)
    scores, pasts = np.zeros((2, n_frames, n_ways), dtype=np.int64)
    heard, state_of = costs.astype(np.int64) << _PAST_BITS, columns.T
    for t in range(n_frames):
        states, out = node.step(states, heard[t][state_of])
        if len(inner):
            states[0][inner] = np.maximum(states[0][inner], np.maximum.reduceat(out[graph.inner_from], of_inner))
        left = np.maximum.reduceat(out[graph.leaves], of_way)
        scores[t], pasts[t] = left >> _PAST_BITS, left & _PAST
        into = (left & ~_PAST) | (1 + t * n_ways + ways)
        states[0][roots] = np.maximum(states[0][roots], np.maximum.reduceat(into[graph.root_from] + root_cost, of_root))
    last = int(graph.final[np.argmax(scores[-1][graph.final])]) if n_frames else 0
    if n_frames == 0 or scores[-1, last] < _UNREACHED:
        return []
    return _traced(graph.names, graph.link, scores, pasts, last)


def _starts(sorted_numbers: Ints) -> Ints:
    return np.flatnonzero(np.diff(sorted_numbers, prepend=-1))


def _traced(names: Sequence[str], link: Ints, scores: Ints, pasts: Ints, last: int) -> list[Stretch]:
    """The stretches that lead to the way out `last` in the last frame, in order."""
    found: list[Stretch] = []
    t, way = len(scores) - 1, last
    while True:
        before = int(pasts[t, way])
        at, came = divmod(before - 1, len(names)) if before else (-1, 0)
        score = int(scores[t, way]) - (int(scores[at, came]) if before else 0) - int(link[way])
        found.append(Stretch(names[way], at + 1, t, score * SCORE_NATS))
        if not before:
            return found[::-1]
        t, way = at, came


class FreePhones:
    """What sound is heard as where no text is told: any phones, as likely after one another as a model of phones says."""

    def __init__(self, phones: Phones, moves: Ints, phone_model: Path) -> None:
        self._names, self._silence = phones.names, phones.silence
        self._node = _Costs.of(moves[: len(phones.names)])
        self.senones = phones.senones[phones.triple[: len(phones.names)]]
        self._follows = _follows(phones, phone_model)

    def scores(self, costs: NDArray[np.int32], columns: Ints) -> NDArray[np.float64]:
        """Log-likelihood of each frame [shape=(n_frames,)] in nats, spread evenly over each phone that is heard.

        Args:
            costs, columns: see line_path; the nodes are the phones.
        """
        n, n_frames = len(self._names), len(costs)
        states = [np.full(n, _NEVER) for _ in range(3)]
        states[0][self._silence] = 0
        scores, pasts = np.zeros((2, n_frames, n), dtype=np.int64)
        heard = (costs.astype(np.int64) << _PAST_BITS)[:, columns.T]
        every, table = np.arange(n), self._follows << _PAST_BITS
        for t in range(n_frames):
            states, out = self._node.step(states, heard[t])
            best = np.maximum(np.maximum(states[0], states[1]), np.maximum(states[2], out)) >> _PAST_BITS
            given_up = best < best.max() + _BEAM
            for state in (*states, out):
                state[given_up] = _NEVER
            scores[t], pasts[t] = out >> _PAST_BITS, out & _PAST
            before = np.where(pasts[t] > 0, (pasts[t] - 1) % n, n)
            into = ((out & ~_PAST) | (1 + t * n + every))[:, None] + table[before, every]
            entering = into.max(axis=0)
            near = entering >> _PAST_BITS > best.max() + _BEAM
            states[0] = np.where(near, np.maximum(states[0], entering), states[0])
        return self._spread(scores, pasts)

    def _spread(self, scores: Ints, pasts: Ints) -> NDArray[np.float64]:
        out = np.zeros(len(scores))
        if not len(scores) or scores[-1].max() < _UNREACHED:
            return out
        n = len(self._names)
        t, phone = len(scores) - 1, int(np.argmax(scores[-1]))
        while True:
            before = int(pasts[t, phone])
            at, came = divmod(before - 1, n) if before else (-1, 0)
            told = 0
            if before:
                # The package looks the phone before up twice where it means the two before; scores were fitted with that.
                told = int(self._follows[came if pasts[at, came] else n, came, phone])
            score = int(scores[t, phone]) - (int(scores[at, came]) if before else 0) - told
            out[at + 1 : t + 1] = score * SCORE_NATS / (t - at)
            if not before:
                return out
            t, phone = at, came


def _follows(phones: Phones, phone_model: Path) -> Ints:
    """What a phone costs after two others [shape=(n + 1, n, n)]; the last row of the first is for one other alone."""
    from pocketsphinx import NGramModel

    model = NGramModel.readfile(str(phone_model))
    known = ["SIL" if filler else name for name, filler in zip(phones.names, phones.filler, strict=True)]
    distinct = sorted(set(known))
    pairs = {(a, b): model.prob([a, b]) for a in distinct for b in distinct}
    triples = {(a, b, c): model.prob([a, b, c]) for a in distinct for b in distinct for c in distinct}
    rows = [[[triples[a, b, c] for c in known] for b in known] for a in known]
    rows.append([[pairs[b, c] for c in known] for b in known])
    return np.floor((np.array(rows) * LANGUAGE_WEIGHT + _INSERTED) / 1024).astype(np.int64)
