"""Copy bytes once and digest them on the way, in a thread beside: the input is read no second time to prove what was copied."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from dubgate.labels.bounds import refused

_BLOCK = 1 << 20
_BLOCKS = 4  # in hand: one is read, one written, the others wait for the digest


class Digest:
    """SHA-256 over what it is given, in that order, without keeping the giver waiting."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Digest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown()

    def update(self, data: bytes | memoryview) -> Future[None]:
        """Take these bytes in; a buffer may be used again once the answer is there."""
        return self._thread.submit(self._sha256.update, data)

    def digest(self) -> bytes:
        """Of everything so far."""
        return self._thread.submit(self._sha256.digest).result()


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
