"""The proof that what was written plays what was read: digests of what was copied against those of what lies there now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from dubgate.errors import ChildError, MediaError
from dubgate.labels.unchanged import Digests

NO_REMEDY = "the file stays as it was; label it with the program that made it, and check it again"
_EVERY_S = 0.25


@contextmanager
def reaching_the_disk(path: Path) -> Iterator[None]:
    """While something is written to the path and read back its bytes go to the disk: nobody waits for all of them at the end."""
    done = Event()

    def flush() -> None:
        while not done.wait(_EVERY_S):
            with suppress(FileNotFoundError), path.open("rb") as file:
                os.fsync(file.fileno())

    with ThreadPoolExecutor(1) as beside:
        flushed = beside.submit(flush)
        try:
            yield
        finally:
            done.set()
        flushed.result()


def require_same_sound(source: Path, before: Digests, after: Digests) -> None:
    """Every stream is there, and as it was.

    Raises:
        MediaError: it is not.
    """
    if before != after:
        what = "streams are missing" if len(before) != len(after) else "packets would change"
        raise MediaError(f"re-wrapping does not keep it: {what}", where=source.name, remedy=NO_REMEDY)


def packets_apart(path: Path) -> Digests:
    from dubgate.sandbox import Limits, run_in_child

    request = {"packets": str(path.absolute())}
    reply = run_in_child("labels", request, limits=Limits(memory_bytes=1 << 30), inputs=[path])
    return told_packets(reply.data, path)


def told_packets(data: object, path: Path) -> Digests:
    """The digests that a child answered."""
    found = data.get("packets") if isinstance(data, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(digest, str) for digest in found):
        raise ChildError("the digests of the packets came back malformed", where=path.name)
    return tuple(found)
