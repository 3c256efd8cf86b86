"""How well each 10 ms of sound fits the states of phones: PocketSphinx's tied phonetic mixtures, for whole clips at once.

In the package's own whole numbers: per stream of features only the four Gaussians of a phone's codebook that fit best count,
none lies further under the best of all codebooks than 96, and sums are looked up. Its scores come out, but where a
float rounds to the other side.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.sphinx_weights import SCORE_NATS, Ints, Phones, read_gaussians, read_weights

_BEST = 4
_LOWEST = 96  # scores under the best Gaussian of all codebooks
_STEPS_PER_NAT = 1 / math.log(1.0001)
_STEP_BITS = 10  # steps of the log base that make a score
_FARTHEST = -(1 << 23)  # steps; what fits worse fits no worse
_PIECE = 256  # frames: what fits the processor's cache

Whole = NDArray[np.int32]


class Senones:
    """Scores of states from features; `phones` says which codebook each has.

    Raises:
        ModelError: the files do not belong together.
    """

    def __init__(self, folder: Path, phones: Phones) -> None:
        import torch

        means, variances = read_gaussians(folder)
        self.shape = means.shape
        weights = read_weights(folder / "sendump", means.shape[1])
        if weights.shape[1:] != (means.shape[2], len(phones.codebook)) or len(means) != len(phones.names):
            raise ModelError("its Gaussians, weights and phones do not belong together", where=folder.name)
        self.codebook, self.weights = phones.codebook, weights
        self.linear = [torch.from_numpy(each) for each in _as_products(means, variances)]

    def costs(self, features: Floats, wanted: Ints) -> Whole:
        """What each wanted senone costs in each frame [shape=(n_frames, n_wanted)], in scores, up to a constant of the frame."""
        from dubgate.speech.device import exactly, one_thread

        order = np.argsort(self.codebook[wanted], kind="stable")
        costs = np.zeros((len(features), len(wanted)), dtype=np.int32)
        with exactly("cpu"), one_thread():  # the same answer whatever the number of threads
            room = _Room(self, wanted[order], min(_PIECE, len(features)))
            for k in range(0, len(features), _PIECE):
                costs[k : k + _PIECE, order] = room.costs(features[k : k + _PIECE])
        return costs


class _Room:
    """Arrays that are written again and again for up to `n` frames: new ones would cost more than what is computed in them."""

    def __init__(self, model: Senones, wanted: Ints, n: int) -> None:
        import torch

        self._model, self._n = model, n
        self._weights = model.weights[:, :, wanted].astype(np.int16)
        books, starts = np.unique(model.codebook[wanted], return_index=True)
        self._bounds = list(zip(books.tolist(), starts.tolist(), [*starts.tolist()[1:], len(wanted)], strict=True))
        n_books, _, n_densities, _ = model.shape
        self._logs = torch.zeros(n_books * n_densities, n)
        self._packed = np.zeros((n_books, n_densities, n), dtype=np.int32)
        self._mixed = np.zeros((_BEST, n, len(wanted)), dtype=np.int16)
        self._sums = np.rint(np.log1p(np.exp(-SCORE_NATS * np.arange(512))) / SCORE_NATS).astype(np.int16)

    def costs(self, features: Floats) -> NDArray[np.int16]:
        """Of `n` frames, or of the fewer ones at the end."""
        if len(features) < self._n:
            padded = np.zeros((self._n, features.shape[1]), dtype=np.float32)
            padded[: len(features)] = features
            return self.costs(padded)[: len(features)]
        total = np.zeros(self._mixed.shape[1:], dtype=np.int16)
        for stream, values in enumerate(np.split(features, self._model.shape[1], axis=1)):
            which, far = self._best(values, stream)
            for book, first, last in self._bounds:
                own = self._weights[stream][:, first:last][which[:, book]]
                own += far[:, book, :, None]
                self._mixed[:, :, first:last] = own
            total += self._added()
        return total

    def _best(self, frames: Floats, stream: int) -> tuple[Whole, NDArray[np.int16]]:
        """The Gaussians that fit best, best first, and how far they lie under the best of all [shape=(4, n_codebooks, n)]."""
        import torch

        terms = np.concatenate([np.square(frames), frames, np.ones((len(frames), 1), np.float32)], axis=1)
        torch.mm(self._model.linear[stream], torch.from_numpy(np.ascontiguousarray(terms.T)), out=self._logs)
        self._logs.clamp_(min=_FARTHEST)
        # A Gaussian's number lies under its fit, so that the larger of two brings it along.
        n_densities = self._packed.shape[1]
        np.copyto(self._packed, self._logs.numpy().reshape(self._packed.shape), casting="unsafe")
        np.multiply(self._packed, n_densities, out=self._packed)
        np.add(self._packed, np.arange(n_densities, dtype=np.int32)[None, :, None], out=self._packed)
        best = _largest(self._packed)
        fits = (best // n_densities) >> _STEP_BITS
        far = np.minimum(fits[0].max(axis=0) - fits, _LOWEST)
        return best % n_densities, far.astype(np.int16)

    def _added(self) -> NDArray[np.int16]:
        """The costs of four Gaussians as one: the logarithm of their sum, looked up pair by pair."""
        total: NDArray[np.int16] = self._mixed[0]
        for other in self._mixed[1:]:
            total = np.minimum(total, other) - self._sums[np.abs(total - other)]
        return total


def _largest(values: Whole) -> Whole:
    """The four largest along the middle axis [shape=(4, first, last)], the largest first, by a network of comparisons."""
    best = np.full((_BEST, values.shape[0], values.shape[2]), np.iinfo(np.int32).min, dtype=np.int32)
    spare = np.empty((2, *best.shape[1:]), dtype=np.int32)
    for k in range(values.shape[1]):
        falls = values[:, k]
        for rank in range(_BEST):
            down = spare[rank % 2]
            if rank < _BEST - 1:
                np.minimum(best[rank], falls, out=down)
            np.maximum(best[rank], falls, out=best[rank])
            falls = down
    return best


def _as_products(means: Floats, variances: Floats) -> list[Floats]:
    """Each stream's Gaussians as products with squares, values and one, which give their logarithms in steps; as whole as the
    package has them."""
    m, v = means.astype(np.float64), variances.astype(np.float64)
    narrow = np.trunc(_STEPS_PER_NAT / (2 * v))
    constant = np.trunc(-0.5 * np.log(2 * np.pi * v) * _STEPS_PER_NAT).sum(axis=-1) - (m * m * narrow).sum(axis=-1)
    products = np.concatenate([-narrow, 2 * m * narrow, constant[..., None]], axis=-1)
    streams = products.transpose(1, 0, 2, 3).reshape(means.shape[1], -1, products.shape[-1])
    return [np.ascontiguousarray(each, dtype=np.float32) for each in streams]
