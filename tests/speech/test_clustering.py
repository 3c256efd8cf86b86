"""Clustering of speaker vectors: known voices, weights, order, and the laws of a diarizer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.features import Floats
from dubgate.speech.clustering import ClusteringDiarizer, agglomerate
from dubgate.unmeasured import Unmeasured


def around(centre: int, n: int, spread: float, seed: int = 0, d: int = 32) -> list[Floats]:
    """n unit vectors about one axis of a space."""
    rng = np.random.default_rng(seed + centre)
    rows = spread * rng.standard_normal((n, d)) / np.sqrt(d)
    rows[:, centre] += 1.0
    return [(r / np.linalg.norm(r)).astype(np.float32) for r in rows]


def test_three_voices_are_three_speakers_in_order_of_appearance() -> None:
    a, b, c = (around(k, 5, 0.4) for k in range(3))
    vectors = [v for trio in zip(a, b, c, strict=True) for v in trio]
    assert ClusteringDiarizer(0.6).cluster(vectors, [3.0] * 15) == ["S1", "S2", "S3"] * 5


def test_an_unmeasured_vector_has_no_speaker() -> None:
    vectors = [around(0, 1, 0.1)[0], Unmeasured("silence"), around(0, 1, 0.1, 1)[0]]
    assert ClusteringDiarizer(0.6).cluster(vectors, [2.0, 2.0, 2.0]) == ["S1", None, "S1"]
    assert ClusteringDiarizer(0.6).cluster([Unmeasured("silence")], [2.0]) == [None]
    assert ClusteringDiarizer(0.6).cluster([], []) == []


def test_short_segments_join_and_never_found_a_speaker() -> None:
    long, odd = around(0, 3, 0.2), around(1, 1, 0.2)
    assert ClusteringDiarizer(0.6).cluster([*long, *odd], [4.0, 4.0, 4.0, 0.6]) == ["S1"] * 4
    assert ClusteringDiarizer(0.6).cluster([*long, *odd], [4.0, 4.0, 4.0, 2.0]) == ["S1"] * 3 + ["S2"]


def test_only_short_segments_are_clustered_all_the_same() -> None:
    vectors = [around(0, 1, 0.1)[0], around(1, 1, 0.1)[0]]
    assert ClusteringDiarizer(0.6).cluster(vectors, [0.6, 0.6]) == ["S1", "S2"]


def test_seconds_decide_where_a_cluster_lies() -> None:
    x, y, between = (np.array(v, dtype=np.float32) for v in ([1, 0], [0, 1], [0.8, 0.6]))
    assert agglomerate(np.array([10 * x, 1 * between, 10 * y], dtype=np.float64), 0.7).tolist() == [0, 0, 1]


def test_against_a_plain_second_implementation() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        rows = rng.standard_normal((12, 4)) * rng.uniform(0.5, 5, (12, 1))
        threshold = float(rng.uniform(0.2, 0.9))
        assert _same_partition(agglomerate(rows, threshold).tolist(), plain(rows, threshold))


def plain(rows: np.ndarray, threshold: float) -> list[int]:
    """The same rule, every pair compared anew after every merge."""
    groups = [[k] for k in range(len(rows))]
    while len(groups) > 1:
        sums = [rows[g].sum(axis=0) for g in groups]
        pairs = [
            (float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), -i, -j)
            for i, a in enumerate(sums) for j, b in enumerate(sums) if i < j
        ]  # fmt: skip
        best, i, j = max(pairs)
        if best < threshold:
            break
        groups[-i] += groups.pop(-j)
    label = {k: n for n, g in enumerate(groups) for k in g}
    return [label[k] for k in range(len(rows))]


def _same_partition(left: list[int], right: list[int]) -> bool:
    return len(set(zip(left, right, strict=True))) == len(set(left)) == len(set(right))


@given(st.permutations(range(9)))
def test_the_order_of_segments_changes_names_not_speakers(order: list[int]) -> None:
    vectors = [v for k in range(3) for v in around(k, 3, 0.3)]
    shuffled = ClusteringDiarizer(0.6).cluster([vectors[k] for k in order], [2.0] * 9)
    groups = {name: {order[i] // 3 for i, n in enumerate(shuffled) if n == name} for name in set(shuffled)}
    assert sorted(groups.values(), key=sorted) == [{0}, {1}, {2}]
    assert shuffled[0] == "S1"


def test_the_digest_names_the_threshold() -> None:
    one, other = ClusteringDiarizer(0.6).info, ClusteringDiarizer(0.7).info
    assert one.weights_sha256 != other.weights_sha256
    assert one == ClusteringDiarizer(0.6).info
    with pytest.raises(ValueError, match="cosine"):
        ClusteringDiarizer(1.5)
