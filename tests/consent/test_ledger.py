"""The Merkle tree against an independent one: recursion over the definition of RFC 9162, with no stored subtree."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest

from consent.ledger import (
    EMPTY_ROOT,
    completed_by,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

N = 70
DATA = [f"entry {k}".encode() for k in range(N)]


@cache
def naive_root(start: int, end: int) -> bytes:
    """MTH of RFC 9162, 2.1.1, written from the definition."""
    if start == end:
        return hashlib.sha256(b"").digest()
    if end - start == 1:
        return hashlib.sha256(b"\x00" + DATA[start]).digest()
    k = 1
    while k * 2 < end - start:
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(start, start + k) + naive_root(start + k, end)).digest()


@pytest.fixture(scope="module")
def nodes() -> dict[tuple[int, int], bytes]:
    """All complete subtrees, kept as a registry keeps them: leaf by leaf."""
    kept: dict[tuple[int, int], bytes] = {}
    for index, data in enumerate(DATA):
        for level, position, value in completed_by(index, leaf_hash(data), lambda lv, p: kept[(lv, p)]):
            kept[(level, position)] = value
    return kept


def test_the_published_roots_of_the_certificate_transparency_test_data_come_out() -> None:
    leaves = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        bytes(range(0x50, 0x58)),
        bytes(range(0x60, 0x70)),
    ]
    kept: dict[tuple[int, int], bytes] = {}
    for index, data in enumerate(leaves):
        for level, position, value in completed_by(index, leaf_hash(data), lambda lv, p: kept[(lv, p)]):
            kept[(level, position)] = value
    read = lambda lv, p: kept[(lv, p)]  # noqa: E731
    assert root(1, read).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root(2, read).hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    assert root(8, read).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def test_every_root_and_every_inclusion_proof_up_to_seventy_leaves(nodes: dict[tuple[int, int], bytes]) -> None:
    def read(level: int, position: int) -> bytes:
        return nodes[(level, position)]

    assert root(0, read) == EMPTY_ROOT
    for size in range(1, N + 1):
        assert root(size, read) == naive_root(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, read)
            assert verify_inclusion(leaf_hash(DATA[index]), index, size, proof, naive_root(0, size))


def test_every_consistency_proof_up_to_seventy_leaves(nodes: dict[tuple[int, int], bytes]) -> None:
    def read(level: int, position: int) -> bytes:
        return nodes[(level, position)]

    for size in range(1, N + 1):
        for old in range(size + 1):
            proof = consistency_proof(old, size, read)
            assert verify_consistency(old, size, naive_root(0, old), naive_root(0, size), proof), (old, size)


def test_no_proof_verifies_for_another_leaf_place_size_or_root(nodes: dict[tuple[int, int], bytes]) -> None:
    def read(level: int, position: int) -> bytes:
        return nodes[(level, position)]

    for size in range(1, 40):
        good_root = naive_root(0, size)
        for index in range(size):
            proof, leaf = inclusion_proof(index, size, read), leaf_hash(DATA[index])
            assert not verify_inclusion(leaf_hash(b"forged"), index, size, proof, good_root)
            assert not verify_inclusion(leaf, index, size, proof, leaf_hash(b"forged"))
            assert not verify_inclusion(leaf, index, size, [*proof, leaf], good_root)
            assert not any(
                verify_inclusion(leaf, other, size, proof, good_root) for other in range(size) if other != index
            )
            if proof:
                assert not verify_inclusion(leaf, index, size, proof[:-1], good_root)
                flipped = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
                assert not verify_inclusion(leaf, index, size, flipped, good_root)


def test_a_rewritten_history_has_no_consistency_proof(nodes: dict[tuple[int, int], bytes]) -> None:
    def read(level: int, position: int) -> bytes:
        return nodes[(level, position)]

    for size in range(2, 40):
        for old in range(1, size):
            proof = consistency_proof(old, size, read)
            rewritten = leaf_hash(b"rewritten")
            assert not verify_consistency(old, size, rewritten, naive_root(0, size), proof)
            assert not verify_consistency(old, size, naive_root(0, old), rewritten, proof)
            assert not verify_consistency(old, size, naive_root(0, old), naive_root(0, size), [*proof, rewritten])
            for other in range(1, size):
                if other != old:
                    assert not verify_consistency(other, size, naive_root(0, old), naive_root(0, size), proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3), (4, 3)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, lambda lv, p: b"")
    assert not verify_inclusion(b"", index, size, [], EMPTY_ROOT)


def test_a_proof_for_a_place_outside_the_tree_or_longer_than_the_tree_is_none() -> None:
    leaf, other = leaf_hash(b"one"), leaf_hash(b"other")
    assert verify_inclusion(leaf, 0, 1, [], leaf)
    assert not verify_inclusion(leaf, 1, 1, [], leaf)
    assert not verify_inclusion(leaf, -1, 0, [], leaf)
    root_of_two = node_hash(leaf, other)
    assert verify_inclusion(other, 1, 2, [leaf], root_of_two)
    assert not verify_inclusion(other, 0, 1, [leaf], root_of_two)


def test_a_tree_of_the_same_size_is_the_same_tree_or_none() -> None:
    one, other = leaf_hash(b"one"), leaf_hash(b"other")
    assert verify_consistency(5, 5, one, one, [])
    assert not verify_consistency(5, 5, one, other, [])
    assert not verify_consistency(5, 5, one, one, [other])
    assert not verify_consistency(0, 5, one, other, [])


def test_a_tree_is_never_the_beginning_of_a_smaller_one() -> None:
    with pytest.raises(ValueError, match="beginning"):
        consistency_proof(4, 3, lambda lv, p: b"")
    assert not verify_consistency(4, 3, leaf_hash(b"a"), leaf_hash(b"b"), [])
    same = leaf_hash(b"a")
    assert not verify_consistency(2, 1, same, same, [])
    assert not verify_consistency(3, 1, same, same, [same])
    assert not verify_consistency(-1, 1, same, same, [same])
