"""Who speaks when, from speaker vectors alone: agglomerative clustering by cosine, weighted by seconds of speech.

The embedded diarizer. A cluster is the sum of its vectors, each times its seconds; the two closest clusters are
joined until no two are as alike as one voice is with itself. Segments too short to tell a voice join the nearest
cluster at the end and never found one, unless there is nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dubgate.features import BackendInfo, Floats
from dubgate.unmeasured import Unmeasured

FOUNDING_S = 1.5  # shorter segments tell a voice too badly to start a cluster

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


class ClusteringDiarizer:
    """Clusters the vectors of one track.

    Args:
        threshold_cosine: clusters at least this alike are one voice; from the encoder's calibration.
        founding_s: seconds from which a segment may start a cluster.
    """

    def __init__(self, threshold_cosine: float, *, founding_s: float = FOUNDING_S, name: str = "clustering") -> None:
        if not -1.0 <= threshold_cosine <= 1.0:
            raise ValueError(f"not a cosine: {threshold_cosine}")
        self._threshold, self._founding_s = threshold_cosine, founding_s
        identity = f"{name} cosine {threshold_cosine:.6f} founding {founding_s:.3f} s"
        digest = hashlib.sha256(identity.encode()).hexdigest()
        self.info = BackendInfo("diarizer", name, digest, embedded=True)

    def cluster(self, vectors: Sequence[Floats | Unmeasured], weights_s: Sequence[float]) -> list[str | None]:
        """A speaker per segment, "S1", "S2"… in order of first appearance; None where the vector is Unmeasured."""
        if len(vectors) != len(weights_s):
            raise ValueError(f"{len(vectors)} vectors with {len(weights_s)} weights")
        heard = [k for k, v in enumerate(vectors) if not isinstance(v, Unmeasured)]
        if not heard:
            return [None] * len(vectors)
        rows = np.array([vectors[k] for k in heard], dtype=np.float64)
        labels = self._labels(rows, np.array([max(weights_s[k], 1e-6) for k in heard]))
        names: dict[int, str] = {}
        out: list[str | None] = [None] * len(vectors)
        for k, label in zip(heard, labels.tolist(), strict=True):
            out[k] = names.setdefault(label, f"S{len(names) + 1}")
        return out

    def _labels(self, rows: Doubles, seconds: Doubles) -> Ints:
        founding = seconds >= self._founding_s
        if not founding.any():
            founding = np.ones_like(founding)
        weighted = rows * seconds[:, None]
        labels = np.full(len(rows), -1, dtype=np.int64)
        labels[founding] = agglomerate(weighted[founding], self._threshold)
        members = [np.flatnonzero(labels == label) for label in range(int(labels.max()) + 1)]
        centres = _unit(np.array([weighted[own].sum(axis=0) for own in members]))
        labels[~founding] = np.argmax(rows[~founding] @ centres.T, axis=1)
        return labels


def agglomerate(weighted: Doubles, threshold_cosine: float) -> Ints:
    """Cluster number of each row [shape=(n,)], from 0 without gaps, of vectors times their weight [shape=(n, d)].

    Joins the most alike pair of cluster sums first (of equals the earliest), so that the answer does not depend on
    chance. Time is about n² where clusters are few.
    """
    n = len(weighted)
    sums, centres = weighted.copy(), _unit(weighted)
    owner = np.arange(n)
    alike = centres @ centres.T
    np.fill_diagonal(alike, -np.inf)
    alive = np.ones(n, dtype=np.bool_)
    best = alike.argmax(axis=1) if n else np.zeros(0, dtype=np.int64)
    while True:
        scores = np.where(alive, alike[np.arange(n), best], -np.inf) if n else np.zeros(0)
        a = int(scores.argmax()) if n else 0
        if n < 2 or scores[a] < threshold_cosine:
            return np.unique(owner, return_inverse=True)[1].astype(np.int64)
        a, b = sorted((a, int(best[a])))
        _join(a, b, sums, centres, alike, alive, owner)
        stale = alive & ((best == a) | (best == b))
        stale[a] = True
        best[stale] = alike[stale].argmax(axis=1)  # a pair that became the best is seen from its new cluster's row


def _join(
    a: int, b: int, sums: Doubles, centres: Doubles, alike: Doubles, alive: NDArray[np.bool_], owner: Ints
) -> None:
    """Cluster b becomes part of a; every array is updated in place."""
    sums[a] += sums[b]
    centres[a] = _unit(sums[a : a + 1])[0]
    owner[owner == b] = a
    alive[b] = False
    new = np.where(alive, centres @ centres[a], -np.inf)
    new[a] = -np.inf
    alike[a, :] = alike[:, a] = new
    alike[b, :] = alike[:, b] = -np.inf


def _unit(rows: Doubles) -> Doubles:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12))
