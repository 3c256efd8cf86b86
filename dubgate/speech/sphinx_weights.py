"""The files of a PocketSphinx model of tied phonetic mixtures, read into arrays: phones in context, Gaussians, weights, words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError
from dubgate.features import Floats

Ints = NDArray[np.int64]

# Scores are whole numbers of this many nats, as in PocketSphinx: 1,024 steps of log base 1.0001.
SCORE_NATS = 1024 * math.log(1.0001)
INSIDE, BEGINS, ENDS, ALONE = range(4)  # where a phone stands in its word
N_STATES = 3
_LEAST_VARIANCE, _LEAST_TRANSITION, _NEVER = 1e-4, 1e-4, 255


@dataclass(frozen=True, eq=False)
class Phones:
    """The phones of a model: `names` in order; each in context has a number of a triple of states, and of transitions."""

    names: tuple[str, ...]
    filler: NDArray[np.bool_]  # of each name
    senones: Ints  # [shape=(n_triples, 3)]
    triple: Ints  # of each phone, in context or not
    codebook: Ints  # of each senone: the phone that it belongs to
    keys: Ints  # of those in context, sorted; see `_key`
    of_key: Ints

    @cached_property
    def number(self) -> dict[str, int]:
        return {name: k for k, name in enumerate(self.names)}

    @cached_property
    def silence(self) -> int:
        return self.number["SIL"]

    def in_context(self, phone: int, left: int, right: int, where: int) -> int:
        """The triple of a phone between two others; where the model lacks it, of the nearest that it has."""
        places = (where, *(p for p in range(4) if p != where))
        contexts = [(left, right)]
        quiet_left = self.silence if self.filler[left] or where in (BEGINS, ALONE) else left
        quiet_right = self.silence if self.filler[right] or where in (ENDS, ALONE) else right
        if (quiet_left, quiet_right) != (left, right):
            contexts.append((quiet_left, quiet_right))
        for near in contexts:
            for place in places:
                found = self._find(phone, *near, place)
                if found is not None:
                    return found
        return int(self.triple[phone])

    def _find(self, phone: int, left: int, right: int, where: int) -> int | None:
        sides = (self.silence if self.filler[side] else side for side in (left, right))
        key = _key(where, phone, *sides)
        at = int(np.searchsorted(self.keys, key))
        return int(self.triple[self.of_key[at]]) if at < len(self.keys) and self.keys[at] == key else None


def _key(where: int, phone: int, left: int, right: int) -> int:
    return ((where * 256 + phone) * 256 + left) * 256 + right


def read_phones(path: Path) -> Phones:
    """A binary model definition.

    Raises:
        ModelError: it is none, or of phones with another number of states.
    """
    data = path.read_bytes()
    start = 12 + int(_ints(data, 8, 1)[0]) if data[:4] == b"BMDF" else len(data)
    try:
        n_base, n_phones, n_states, _, n_senones, _, n_triples, _, n_tree, _ = _ints(data, start, 10).tolist()
        names = tuple(data[start + 40 : start + 40 + 64 * n_base].split(b"\0")[:n_base])
        at = start + 40 + sum(len(name) + 1 for name in names)
        at += -at % 4 + 8 * n_tree
        rows = np.frombuffer(data, [("triple", "<i4"), ("moves", "<i4"), ("where", "u1", 4)], n_phones, at)
        at += 12 * n_phones + 4
        senones = np.frombuffer(data, "<u2", N_STATES * n_triples, at).reshape(-1, N_STATES).astype(np.int64)
    except ValueError as error:
        raise ModelError("this is no binary model definition of PocketSphinx", where=path.name) from error
    if n_states != N_STATES:
        raise ModelError(f"its phones have {n_states} states, not {N_STATES}", where=path.name)
    triple, told = rows["triple"].astype(np.int64), rows["where"].astype(np.int64)
    base = np.concatenate([np.arange(n_base), told[n_base:, 1]])
    codebook = np.zeros(n_senones, dtype=np.int64)
    codebook[senones[triple]] = base[:, None]
    keys = ((told[n_base:, 0] * 256 + told[n_base:, 1]) * 256 + told[n_base:, 2]) * 256 + told[n_base:, 3]
    order = np.argsort(keys, kind="stable")
    return Phones(
        tuple(name.decode() for name in names),
        told[:n_base, 0].astype(bool),
        senones,
        triple,
        codebook,
        keys[order],
        n_base + order,
    )


def _ints(data: bytes, at: int, n: int) -> Ints:
    return np.frombuffer(data, "<i4", n, at).astype(np.int64)


def read_gaussians(folder: Path) -> tuple[Floats, Floats]:
    """Means and variances [shape=(n_codebooks, n_streams, n_densities, n_dimensions)]."""
    means, variances = (_s3_floats(folder / name, 3) for name in ("means", "variances"))
    shape = means[0][:3]
    out = [values.reshape(*shape, -1) for _, values in (means, variances)]
    return out[0], np.maximum(out[1], np.float32(_LEAST_VARIANCE))


def read_moves(path: Path) -> Ints:
    """What leaving a state for another costs, in scores [shape=(n_phones, 3, 4)], the last one the phone's end; 255 is never."""
    (n, rows, columns), values = _s3_floats(path, 3, ahead=0)
    shares = values.reshape(n, rows, columns).astype(np.float64)
    shares /= np.maximum(shares.sum(axis=2, keepdims=True), 1e-30)
    never = shares <= 0
    shares = np.maximum(shares, _LEAST_TRANSITION)
    shares = np.where(never, 0.0, shares)
    shares /= np.maximum(shares.sum(axis=2, keepdims=True), 1e-30)
    with np.errstate(divide="ignore"):
        cost = np.floor(-np.log(shares) / SCORE_NATS + 1e-9)
    return np.where(never, _NEVER, np.minimum(cost, _NEVER)).astype(np.int64)


def _s3_floats(path: Path, n_dimensions: int, *, ahead: int = 1) -> tuple[tuple[int, ...], Floats]:
    """A Sphinx 3 file of floats: its leading dimensions and its values."""
    data = path.read_bytes()
    at = data.find(b"endhdr\n") + 7
    if not data.startswith(b"s3\n") or at < 7 or int(_ints(data, at, 1)[0]) != 0x11223344:
        raise ModelError("this is no little-endian Sphinx 3 file", where=path.name)
    shape = tuple(_ints(data, at + 4, n_dimensions).tolist())
    at += 4 * (1 + n_dimensions) + 4 * (shape[1] if ahead else 0)
    n = int(_ints(data, at, 1)[0])
    return shape, np.frombuffer(data, "<f4", n, at + 4)


def read_weights(path: Path, n_streams: int) -> NDArray[np.uint8]:
    """Mixture weights [shape=(n_streams, n_densities, n_senones)] as costs in scores."""
    data = path.read_bytes()
    at = 0
    while (n := int(_ints(data, at, 1)[0])) != 0:
        at += 4 + n
    n_densities, n_senones = _ints(data, at + 4, 2).tolist()
    if len(data) - at - 12 != n_streams * n_densities * n_senones:
        raise ModelError("its mixture weights are not one byte each", where=path.name)
    return np.frombuffer(data, np.uint8, offset=at + 12).reshape(n_streams, n_densities, n_senones)


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Words and how they are said; further pronunciations are entries of their own, "read(2)"."""

    entries: dict[str, str]

    def first(self, word: str) -> str | None:
        """A word's first pronunciation, phones apart."""
        return self.entries.get(word)

    def all(self, word: str) -> tuple[tuple[str, ...], ...]:
        """All pronunciations of a word; none where it is not listed."""
        found, spelt = [], word
        while (said := self.entries.get(spelt)) is not None:
            found.append(tuple(said.split()))
            spelt = f"{word}({len(found) + 1})"
        return tuple(found)


def read_words(path: Path) -> Dictionary:
    """A dictionary of one entry a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    parted = (line.partition(" ") for line in lines if line and not line.startswith(("##", ";;")))
    return Dictionary({word: said for word, _, said in parted})
