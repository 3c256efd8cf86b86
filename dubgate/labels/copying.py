"""Copy bytes once and digest them on the way, and digest what lies in a file: in threads beside, so that neither waits.

A digest here is the SHA-256 over the SHA-256 of every 32 MiB, one after the other: pieces of a file are digested side by side.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, TypeAlias

from dubgate.labels.bounds import refused

_BLOCK = 1 << 20
_BLOCKS = 4  # in hand: one is read, one written, the others wait for the digest
_PIECE = 32 << 20
Part: TypeAlias = "bytes | tuple[int, int]"  # bytes as they are, or those `[first, end)` of a file


class Digest:
    """The digest of what it is given, in that order, without keeping the giver waiting."""

    def __init__(self) -> None:
        self._pieces, self._piece, self._left = hashlib.sha256(), hashlib.sha256(), _PIECE
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Digest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()

    def update(self, data: bytes | memoryview) -> Future[None]:
        """Take these bytes in; a buffer may be used again once the answer is there."""
        return self._thread.submit(self._take, memoryview(data))

    def digest(self) -> bytes:
        """Of everything so far; nothing is taken in after it."""
        return self._thread.submit(self._end).result()

    def _take(self, data: memoryview) -> None:
        while data:
            now, data = data[: self._left], data[self._left :]
            self._piece.update(now)
            self._left -= len(now)
            if not self._left:
                self._pieces.update(self._piece.digest())
                self._piece, self._left = hashlib.sha256(), _PIECE

    def _end(self) -> bytes:
        if self._left < _PIECE:
            self._pieces.update(self._piece.digest())
        return self._pieces.digest()


def digest_of(path: Path, parts: Sequence[Part]) -> bytes:
    """The same of parts of a file, read from it.

    Raises:
        MediaError: the file ends before.
    """
    with ThreadPoolExecutor() as beside:
        return hashlib.sha256(b"".join(beside.map(lambda piece: _sha256(path, piece), _pieces(parts)))).digest()


def _pieces(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """The parts one after the other, cut into pieces of equal length."""
    piece: list[Part] = []
    left = _PIECE
    for part in parts:
        first, end = (0, len(part)) if isinstance(part, bytes) else part
        while first < end:
            cut = min(end, first + left)
            piece.append(part[first:cut] if isinstance(part, bytes) else (first, cut))
            first, left = cut, left - (cut - first)
            if not left:
                yield piece
                piece, left = [], _PIECE
    if piece:
        yield piece


def _sha256(path: Path, piece: list[Part]) -> bytes:
    digest, buffer = hashlib.sha256(), memoryview(bytearray(_BLOCK))
    with path.open("rb", buffering=0) as file:
        for part in piece:
            if isinstance(part, bytes):
                digest.update(part)
                continue
            first, end = part
            file.seek(first)
            while first < end:
                n = file.readinto(buffer[: min(_BLOCK, end - first)])
                if not n:
                    raise refused(path, f"cut off: {end - first:,} bytes less than it says")
                digest.update(buffer[:n])
                first += n
    return digest.digest()


def copy(path: Path, given: BinaryIO, out: BinaryIO, first: int, end: int, digest: Digest | None = None) -> None:
    """The bytes `[first, end)` of `given`, the file `path`, to `out`, and into the digest where there is one.

    Raises:
        MediaError: the file ends before.
    """
    given.seek(first)
    left = end - first
    slots = [memoryview(bytearray(min(_BLOCK, max(left, 1)))) for _ in range(_BLOCKS)]
    waiting: dict[int, Future[None]] = {}
    for k in cycle(range(_BLOCKS)):
        if not left:
            break
        if k in waiting:
            waiting.pop(k).result()
        n = given.readinto(slots[k][: min(left, len(slots[k]))])  # type: ignore[attr-defined]
        if not n:
            raise refused(path, f"cut off: {left:,} bytes less than it says")
        out.write(slots[k][:n])
        left -= n
        if digest is not None:
            waiting[k] = digest.update(slots[k][:n])
    for pending in waiting.values():
        pending.result()
