"""How well each 10 ms of sound fits the states of phones: PocketSphinx's tied phonetic mixtures, for whole clips at once.

Per stream of features only the four Gaussians of a phone's codebook that fit best count, as in the package; their logarithms are
whole scores there, and none lies further under the best of all codebooks than 96.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.sphinx_weights import SCORE_NATS, Ints, Phones, read_gaussians, read_weights

if TYPE_CHECKING:
    import torch

_BEST = 4
_LOWEST = 96  # scores under the best Gaussian of all codebooks
_PIECE = 256  # frames: what fits the processor's cache


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
        self.codebook = phones.codebook
        self.linear = [torch.from_numpy(each) for each in _as_products(means, variances)]
        table = torch.from_numpy(np.exp(-SCORE_NATS * np.arange(256)).astype(np.float32))
        self.shares = [table[torch.from_numpy(each.T.astype(np.int64))] for each in weights]

    def costs(self, features: Floats, wanted: Ints) -> NDArray[np.int32]:
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

        self._model = model
        self._shares = [each[wanted] for each in model.shares]
        books, starts = np.unique(model.codebook[wanted], return_index=True)
        self._bounds = list(zip(books.tolist(), starts.tolist(), [*starts.tolist()[1:], len(wanted)], strict=True))
        n_books, _, n_densities, _ = model.shape
        self._logs = torch.zeros(n_books * n_densities, n)
        self._fits = torch.zeros(n_books, n_densities, n)
        self._dense = torch.zeros(len(wanted), n)

    def costs(self, features: Floats) -> NDArray[np.int32]:
        import torch

        n = len(features)
        if n < self._logs.shape[1]:
            return self._last(features)
        total = np.zeros(self._dense.shape, dtype=np.float32)
        for stream, values in enumerate(np.split(features, self._model.shape[1], axis=1)):
            at = self._fit(values, stream)
            for book, first, last in self._bounds:
                torch.mm(self._shares[stream][first:last], self._fits[book], out=self._dense[first:last])
            self._fits.view(-1).numpy()[at] = 0.0
            total -= np.rint(np.log(self._dense.numpy()) * np.float32(1 / SCORE_NATS))
        return np.asarray(total.T, dtype=np.int32)

    def _last(self, features: Floats) -> NDArray[np.int32]:
        """Fewer frames than there is room for."""
        padded = np.zeros((self._logs.shape[1], features.shape[1]), dtype=np.float32)
        padded[: len(features)] = features
        return self.costs(padded)[: len(features)]

    def _fit(self, frames: Floats, stream: int) -> Ints:
        """Fill in exp of the best Gaussians' scores; say where they are, zeros are all others."""
        import torch

        terms = np.concatenate([np.square(frames), frames, np.ones((len(frames), 1), np.float32)], axis=1)
        torch.mm(self._model.linear[stream], torch.from_numpy(np.ascontiguousarray(terms.T)), out=self._logs)
        logs = self._logs.numpy().reshape(self._fits.shape)
        least, most = _fourth(logs)
        at = np.flatnonzero(logs >= least[:, None])
        best = np.floor(most.max(axis=0))
        scores = np.floor(logs.ravel()[at]) - best[at % len(frames)]
        self._fits.view(-1).numpy()[at] = np.exp(np.maximum(scores, -_LOWEST) * np.float32(SCORE_NATS))
        return at


def _fourth(logs: Floats) -> tuple[Floats, Floats]:
    """The fourth largest of each codebook [shape=(n_codebooks, n_frames)], and the largest, by a network of comparisons."""
    best = [np.full((logs.shape[0], logs.shape[2]), -np.inf, np.float32) for _ in range(_BEST)]
    spare = [np.empty_like(best[0]) for _ in range(2)]
    for k in range(logs.shape[1]):
        falls = logs[:, k]
        for rank, kept in enumerate(best):
            down = spare[rank % 2]
            if rank < _BEST - 1:
                np.minimum(kept, falls, out=down)
            np.maximum(kept, falls, out=kept)
            falls = down
    return best[-1], best[0]


def _as_products(means: Floats, variances: Floats) -> list[Floats]:
    """Each stream's Gaussians as products with squares, values and one, which give their logarithms in scores."""
    m, v = means.astype(np.float64), variances.astype(np.float64)
    constant = -0.5 * (np.log(2 * np.pi * v).sum(axis=-1) + (m * m / v).sum(axis=-1))
    products = np.concatenate([-0.5 / v, m / v, constant[..., None]], axis=-1) / SCORE_NATS
    streams = products.transpose(1, 0, 2, 3).reshape(means.shape[1], -1, products.shape[-1])
    return [np.ascontiguousarray(each, dtype=np.float32) for each in streams]
