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
MOST_PLACES = _PAST  # ways out times frames of what is searched at once: as many pasts have numbers
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


@dataclass(frozen=True, eq=False)
class Heard:
    """A line's graph and the clip that it is looked for in.

    Args:
        costs: of senones in each frame [shape=(n_frames, n_columns)].
        columns: of each node's states [shape=(n_nodes, 3)].
        moves: see read_moves; of each node.
    """

    graph: Graph
    costs: NDArray[np.int32]
    columns: Ints
    moves: Ints


def line_paths(lines: Sequence[Heard]) -> list[list[Stretch]]:
    """The words of each line, and what lies around them; nothing where the sound is too short for them.

    All lines are searched side by side, frame by frame: a line gives the same alone.

    Raises:
        ValueError: a line has more than MOST_PLACES.
    """
    if not lines:
        return []
    n_frames = max(len(line.costs) for line in lines)
    if n_frames * sum(len(line.graph.names) for line in lines) > MOST_PLACES:
        if len(lines) == 1:
            raise ValueError("a line of so many ways out and frames cannot be traced back")
        half = len(lines) // 2
        return line_paths(lines[:half]) + line_paths(lines[half:])
    graph = _side_by_side([line.graph for line in lines])
    node = _Costs.of(np.concatenate([line.moves for line in lines]))
    heard, state_of = _costs_side_by_side(lines, n_frames)
    states = [np.full(len(graph.triples), _NEVER) for _ in range(3)]
    states[0][graph.first] = graph.first_cost << _PAST_BITS
    of_way, of_root, of_inner = (_starts(each) for each in (graph.way_of_leaf, graph.root_to, graph.inner_to))
    roots, inner = graph.root_to[of_root], graph.inner_to[of_inner]
    root_cost, ways = graph.root_cost << _PAST_BITS, np.arange(len(graph.names))
    scores, pasts = np.zeros((2, n_frames, len(ways)), dtype=np.int32)
    for t in range(n_frames):
        states, out = node.step(states, (heard[t].astype(np.int64) << _PAST_BITS)[state_of])
        if len(inner):
            states[0][inner] = _entered(states[0][inner], np.maximum.reduceat(out[graph.inner_from], of_inner))
        left = np.maximum.reduceat(out[graph.leaves], of_way)
        scores[t], pasts[t] = left >> _PAST_BITS, left & _PAST
        into = (left & ~_PAST) | (1 + t * len(ways) + ways)
        states[0][roots] = _entered(states[0][roots], np.maximum.reduceat(into[graph.root_from] + root_cost, of_root))
    found, first = [], 0
    for line in lines:
        last = first + len(line.graph.names)
        mine = (scores[: len(line.costs), first:last], pasts[: len(line.costs), first:last])
        found.append(_traced(line.graph, *mine, (first, len(ways))))
        first = last
    return found


def _side_by_side(graphs: Sequence[Graph]) -> Graph:
    """Several graphs as one without a way from one into another."""
    nodes = np.cumsum([0, *(len(g.triples) for g in graphs)])[:-1]
    ways = np.cumsum([0, *(len(g.names) for g in graphs)])[:-1]

    def joined(name: str, beyond: Ints | None = None) -> Ints:
        moved = ((getattr(g, name), 0 if beyond is None else beyond[k]) for k, g in enumerate(graphs))
        return np.concatenate([values + by for values, by in moved])

    return Graph(
        triples=joined("triples"),
        phones=joined("phones"),
        inner_to=joined("inner_to", nodes),
        inner_from=joined("inner_from", nodes),
        leaves=joined("leaves", nodes),
        way_of_leaf=joined("way_of_leaf", ways),
        names=tuple(name for g in graphs for name in g.names),
        link=joined("link"),
        final=joined("final", ways),
        root_to=joined("root_to", nodes),
        root_from=joined("root_from", ways),
        root_cost=joined("root_cost"),
        first=joined("first", nodes),
        first_cost=joined("first_cost"),
    )


def _costs_side_by_side(lines: Sequence[Heard], n_frames: int) -> tuple[NDArray[np.int32], Ints]:
    """Costs of all clips in a row [shape=(n_frames, n_columns)], and the columns of all nodes' states [shape=(3, n_nodes)]."""
    widths = np.cumsum([0, *(line.costs.shape[1] for line in lines)])
    heard = np.zeros((n_frames, widths[-1]), dtype=np.int32)
    for line, at in zip(lines, widths[:-1], strict=True):
        heard[: len(line.costs), at : at + line.costs.shape[1]] = line.costs
    return heard, np.concatenate([line.columns.T + at for line, at in zip(lines, widths[:-1], strict=True)], axis=1)


def _starts(sorted_numbers: Ints) -> Ints:
    return np.flatnonzero(np.diff(sorted_numbers, prepend=-1))


def _entered(there: Ints, entering: Ints) -> Ints:
    """Who is in a phone's first state: whoever was there, unless who enters scores higher."""
    return np.where(entering > there | _PAST, entering, there)


def _traced(graph: Graph, scores: NDArray[np.int32], pasts: NDArray[np.int32], place: tuple[int, int]) -> list[Stretch]:
    """The best way of a line to its end, in order.

    Args:
        scores, pasts: of its ways out in each frame of its clip.
        place: the number of its first way out among all lines', and how many all are.
    """
    first, n = place
    found: list[Stretch] = []
    t, way = len(scores) - 1, int(graph.final[np.argmax(scores[-1][graph.final])])
    if scores[t, way] < _UNREACHED:
        return []
    while True:
        before = int(pasts[t, way])
        at, came = divmod(before - 1, n) if before else (-1, first)
        score = int(scores[t, way]) - (int(scores[at, came - first]) if before else 0) - int(graph.link[way])
        found.append(Stretch(graph.names[way], at + 1, t, score * SCORE_NATS))
        if not before:
            return found[::-1]
        t, way = at, came - first


class FreePhones:
    """What sound is heard as where no text is told: any phones, as likely after one another as a model of phones says."""

    def __init__(self, phones: Phones, moves: Ints, phone_model: Path) -> None:
        self._names, self._silence = phones.names, phones.silence
        self._node = _Costs.of(moves[: len(phones.names)])
        self.senones = phones.senones[phones.triple[: len(phones.names)]]
        self._follows = _follows(phones, phone_model)

    def scores(self, clips: Sequence[NDArray[np.int32]]) -> list[NDArray[np.float64]]:
        """Log-likelihood of each clip's frames [shape=(n_frames,)] in nats, spread evenly over each phone that is heard.

        Args:
            clips: what the phones' own states cost in each frame [shape=(n_frames, n_phones, 3)].
        """
        n, n_frames, n_clips = len(self._names), max(map(len, clips), default=0), len(clips)
        heard = np.zeros((n_frames, 3, n_clips, n), dtype=np.int64)
        for k, clip in enumerate(clips):
            heard[: len(clip), :, k] = clip.transpose(0, 2, 1)
        heard <<= _PAST_BITS
        states = [np.full((n_clips, n), _NEVER) for _ in range(3)]
        states[0][:, self._silence] = 0
        scores, pasts = np.zeros((2, n_frames, n_clips, n), dtype=np.int32)
        every, table = np.arange(n), self._follows << _PAST_BITS
        told = every[::-1]  # of two that score alike the first phone is believed: its number is the larger
        for t in range(n_frames):
            states, out = self._node.step(states, heard[t])
            best = np.maximum(np.maximum(states[0], states[1]), np.maximum(states[2], out)) >> _PAST_BITS
            least = best.max(axis=1, keepdims=True) + _BEAM
            for state in (*states, out):
                state[best < least] = _NEVER
            scores[t], pasts[t] = out >> _PAST_BITS, out & _PAST
            before = np.where(pasts[t] > 0, n - 1 - (pasts[t] - 1) % n, n)
            into = ((out & ~_PAST) | (1 + t * n + told))[:, :, None] + table[before, every]
            entering = into.max(axis=1)
            entering[entering >> _PAST_BITS <= least] = _NEVER
            states[0] = _entered(states[0], entering)
        return [self._spread(scores[: len(clip), k], pasts[: len(clip), k]) for k, clip in enumerate(clips)]

    def _spread(self, scores: NDArray[np.int32], pasts: NDArray[np.int32]) -> NDArray[np.float64]:
        out = np.zeros(len(scores))
        if scores[-1].max() < _UNREACHED:
            return out
        n = len(self._names)
        t, phone = len(scores) - 1, int(np.argmax(scores[-1]))
        while True:
            before = int(pasts[t, phone])
            at, came = (before - 1) // n if before else -1, n - 1 - (before - 1) % n
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
