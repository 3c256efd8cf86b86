"""Graphs of phones for one line each: free phones, the line's words, free phones; silence may lie anywhere between words.

As PocketSphinx builds it from a grammar: a phone's states depend on its neighbours, also across words. A graph is arrays: nodes
are phones in one context; whoever leaves the last phone of a word belongs to a way out, and ways out lead to first phones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dubgate.speech.sphinx_weights import ALONE, BEGINS, ENDS, INSIDE, SCORE_NATS, Ints, Phones

LANGUAGE_WEIGHT = 6.5
WORD_COST = math.floor(math.log(0.65) * LANGUAGE_WEIGHT / SCORE_NATS)  # of starting one
GARBAGE_PROB = 0.05  # of all free phones together
_FILLERS = (("<sil>", "SIL", 0.005), ("[NOISE]", "+NSN+", 1e-8), ("[SPEECH]", "+SPN+", 1e-8))

Spelt = tuple[str, Sequence[Sequence[str]]]  # its name and pronunciations


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, ways out and what joins them.

    Args:
        triples, phones: of each node.
        inner_to, inner_from: a phone after another inside a word; sorted by `inner_to`.
        leaves, way_of_leaf: nodes that end a word, sorted by their way out.
        names: of each way out, the word that it ends.
        link: what its word costs to be said, in scores, which is no part of how well it fits the sound.
        final: ways out that end the line.
        root_to, root_from, root_cost: from ways out into first phones; sorted by `root_to`.
        first: nodes that the clip may start with, and what they cost.
    """

    triples: Ints
    phones: Ints
    inner_to: Ints
    inner_from: Ints
    leaves: Ints
    way_of_leaf: Ints
    names: tuple[str, ...]
    link: Ints
    final: Ints
    root_to: Ints
    root_from: Ints
    root_cost: Ints
    first: Ints
    first_cost: Ints


@dataclass(frozen=True, slots=True)
class _Way:
    """A way out: its word, what saying it costs, the state it leads to, the phone it ends with, and what may follow (None: all)."""

    name: str
    link: int
    state: int
    phone: int
    after: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class _Root:
    """A first phone: its node, the state it starts from, its phone as neighbours see it, what may come before, its cost."""

    node: int
    state: int
    phone: int
    before: frozenset[int] | None
    cost: int


@dataclass(eq=False)
class _Growing:
    triples: list[int] = field(default_factory=list)
    phones: list[int] = field(default_factory=list)
    inner: list[tuple[int, int]] = field(default_factory=list)  # node, the one before it
    leaves: list[tuple[int, int]] = field(default_factory=list)  # way, node
    ways: list[_Way] = field(default_factory=list)
    roots: list[_Root] = field(default_factory=list)

    def node(self, triple: int, phone: int) -> int:
        self.triples.append(triple)
        self.phones.append(phone)
        return len(self.triples) - 1

    def leaf(self, node: int, way: _Way) -> None:
        self.leaves.append((len(self.ways), node))
        self.ways.append(way)


class LineGraphs:
    """Makes graphs over one model's phones."""

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._free = [k for k, filler in enumerate(phones.filler) if not filler]
        self._garbage = _arc(GARBAGE_PROB / len(self._free))
        self._alike = lru_cache(4096)(self._look_alike)

    def graph(self, words: Sequence[Spelt]) -> Graph:
        """The graph of a line of at least one word."""
        growing, end = _Growing(), len(words)
        said = [[[self._phones.number[p] for p in way] for way in ways] for _, ways in words]
        before = [self._free, *([way[-1] for way in ways] for ways in said)]
        behind = [*([way[0] for way in ways] for ways in said), self._free]
        before[end] = behind[0] = self._free
        silence = {self._phones.silence}
        for state in range(end + 1):
            lefts = frozenset(before[state]) | silence
            self._between(growing, state, lefts, free=state in (0, end))
            for way in said[state] if state < end else ():
                rights = frozenset(behind[state + 1]) | silence
                self._word(growing, words[state][0], way, state, lefts, rights)
        return _joined(growing, end, self._phones)

    def _between(self, growing: _Growing, state: int, lefts: frozenset[int], *, free: bool) -> None:
        """What may be heard between words: silence, noise; free phones where the line has not begun or is over."""
        silence = self._phones.silence
        for name, filler, prob in _FILLERS:
            phone, link = self._phones.number[filler], _weighted(prob)
            node = growing.node(int(self._phones.triple[phone]), phone)
            growing.leaf(node, _Way(name, link, state, silence, None))
            growing.roots.append(_Root(node, state, silence, None, link + WORD_COST))
        for phone in self._free if free else ():
            self._alone(growing, f"~{self._phones.names[phone]}", phone, (state, state), lefts, self._garbage)

    def _word(
        self,
        growing: _Growing,
        name: str,
        said: Sequence[int],
        state: int,
        lefts: frozenset[int],
        rights: frozenset[int],
    ) -> None:
        if len(said) == 1:
            self._alone(growing, name, said[0], (state, state + 1), lefts, 0)
            return
        # The package takes the first of all left neighbours for every one; scores were fitted with that.
        before = growing.node(self._phones.in_context(said[0], min(lefts), said[1], BEGINS), said[0])
        growing.roots.append(_Root(before, state, said[0], lefts, WORD_COST))
        for left, phone, right in zip(said, said[1:], said[2:], strict=False):
            node = growing.node(self._phones.in_context(phone, left, right, INSIDE), phone)
            growing.inner.append((node, before))
            before = node
        for triple, some in self._alike(said[-1], said[-2], None, ENDS, rights):
            node = growing.node(triple, said[-1])
            growing.inner.append((node, before))
            growing.leaf(node, _Way(name, 0, state + 1, said[-1], some))

    def _alone(
        self, growing: _Growing, name: str, phone: int, states: tuple[int, int], lefts: frozenset[int], link: int
    ) -> None:
        """A word of one phone: a node for all left neighbours after which it looks alike; whatever may follow."""
        way = _Way(name, link, states[1], phone, None)
        number = len(growing.ways)
        growing.ways.append(way)
        for triple, some in self._alike(phone, None, self._phones.silence, ALONE, lefts):
            node = growing.node(triple, phone)
            growing.leaves.append((number, node))
            growing.roots.append(_Root(node, states[0], phone, some, link + WORD_COST))

    def _look_alike(
        self, phone: int, left: int | None, right: int | None, where: int, others: frozenset[int]
    ) -> tuple[tuple[int, frozenset[int]], ...]:
        """A phone's triples where one neighbour is any of `others`, and which of them give each."""
        found: dict[int, set[int]] = {}
        for other in sorted(others):
            sides = (other if left is None else left, other if right is None else right)
            found.setdefault(self._phones.in_context(phone, *sides, where), set()).add(other)
        return tuple((triple, frozenset(some)) for triple, some in found.items())


def _weighted(prob: float) -> int:
    return math.floor(math.log(prob) * LANGUAGE_WEIGHT / SCORE_NATS)


def _arc(prob: float) -> int:
    return math.floor(math.log(prob) / SCORE_NATS)


def _joined(growing: _Growing, end: int, phones: Phones) -> Graph:
    leaves = np.array(sorted(growing.leaves), dtype=np.int64)
    inner = np.array(sorted(growing.inner), dtype=np.int64).reshape(-1, 2)
    roots, ways = growing.roots, growing.ways
    may_follow = _allowed([w.after for w in ways], len(phones.names))[:, [r.phone for r in roots]]
    may_precede = _allowed([r.before for r in roots], len(phones.names))[:, [w.phone for w in ways]]
    meet = np.array([r.state for r in roots])[:, None] == np.array([w.state for w in ways])
    root, way = np.nonzero(meet & may_follow.T & may_precede)
    node, cost = (np.array([getattr(r, name) for r in roots]) for name in ("node", "cost"))
    order = np.argsort(node[root], kind="stable")
    start = [k for k, r in enumerate(roots) if r.state == 0 and (r.before is None or phones.silence in r.before)]
    return Graph(
        triples=np.array(growing.triples),
        phones=np.array(growing.phones),
        inner_to=inner[:, 0],
        inner_from=inner[:, 1],
        leaves=leaves[:, 1],
        way_of_leaf=leaves[:, 0],
        names=tuple(w.name for w in ways),
        link=np.array([w.link for w in ways]),
        final=np.array([k for k, w in enumerate(ways) if w.state == end]),
        root_to=node[root][order],
        root_from=way[order],
        root_cost=cost[root][order],
        first=node[start],
        first_cost=cost[start],
    )


def _allowed(sets: Sequence[frozenset[int] | None], n: int) -> NDArray[np.bool_]:
    """Which phones each set holds [shape=(n_sets, n)]; None holds all."""
    out = np.zeros((len(sets), n), dtype=np.bool_)
    for row, some in zip(out, sets, strict=True):
        row[slice(None) if some is None else list(some)] = True
    return out
