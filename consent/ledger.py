"""The Merkle tree of RFC 9162: leaf and node hashes, root, inclusion and consistency proofs, and their verification.

Pure functions over hashes. Proofs are made from a reader of complete subtrees, so that a registry of a million entries
needs a few dozen stored hashes for one proof and not the million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()

# (level, position) -> hash of the complete subtree over leaves [position * 2**level, (position + 1) * 2**level).
ReadNode = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162, 2.1.1: SHA-256 over 0x00 and the leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162, 2.1.1: SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_by(index: int, leaf: bytes, read: ReadNode) -> Iterator[tuple[int, int, bytes]]:
    """The complete subtrees that the leaf at `index` finishes, as (level, position, hash), the leaf first."""
    level, position, value = 0, index, leaf
    yield level, position, value
    while position % 2 == 1:
        value = node_hash(read(level, position - 1), value)
        level, position = level + 1, position // 2
        yield level, position, value


def root(size: int, read: ReadNode) -> bytes:
    """The root over the first `size` leaves."""
    return _subtree(0, size, read) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadNode) -> list[bytes]:
    """The audit path of the leaf at `index` in the tree over `size` leaves (RFC 9162, 2.1.3.1).

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    return _path(index, 0, size, read)


def nodes_of_inclusion(index: int, size: int) -> list[tuple[int, int]]:
    """The complete subtrees, as (level, position), from which that audit path is made.

    Raises:
        ValueError: there is no such leaf.
    """
    asked: list[tuple[int, int]] = []

    def note(level: int, position: int) -> bytes:
        asked.append((level, position))
        return b""

    inclusion_proof(index, size, note)
    return asked


def consistency_proof(old: int, size: int, read: ReadNode) -> list[bytes]:
    """The proof that the tree over `old` leaves is the beginning of that over `size` (RFC 9162, 2.1.4.1).

    Raises:
        ValueError: `old` is larger than `size`.
    """
    if not 0 <= old <= size:
        raise ValueError(f"a tree of {old} leaves is not the beginning of one of {size}")
    if old in (0, size):
        return []
    return _subproof(old, 0, size, True, read)


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether `proof` leads from the leaf hash to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    fn, sn, value = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            value = node_hash(sibling, value)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and value == expected_root


def verify_consistency(old: int, size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows the old tree to be the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if old == size:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < size:
        return False
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    return bool(path) and _climb(old - 1, size - 1, path) == (old_root, new_root)


def _climb(fn: int, sn: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    while fn % 2 == 1:
        fn, sn = fn >> 1, sn >> 1
    old_value = new_value = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return None
        if fn % 2 == 1 or fn == sn:
            old_value, new_value = node_hash(sibling, old_value), node_hash(sibling, new_value)
            while fn % 2 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            new_value = node_hash(new_value, sibling)
        fn, sn = fn >> 1, sn >> 1
    return (old_value, new_value) if sn == 0 else None


def _split(width: int) -> int:
    """The largest power of two below `width`."""
    return 1 << ((width - 1).bit_length() - 1)


def _subtree(start: int, end: int, read: ReadNode) -> bytes:
    width = end - start
    if width & (width - 1) == 0 and start % width == 0:
        return read(width.bit_length() - 1, start // width)
    middle = start + _split(width)
    return node_hash(_subtree(start, middle, read), _subtree(middle, end, read))


def _path(index: int, start: int, end: int, read: ReadNode) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(index, start, middle, read), _subtree(middle, end, read)]
    return [*_path(index, middle, end, read), _subtree(start, middle, read)]


def _subproof(old: int, start: int, end: int, whole: bool, read: ReadNode) -> list[bytes]:
    if old == end:
        return [] if whole else [_subtree(start, end, read)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(old, start, middle, whole, read), _subtree(middle, end, read)]
    return [*_subproof(old, middle, end, False, read), _subtree(start, middle, read)]
