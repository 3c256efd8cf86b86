"""A registry's file: claimed before it is made, and taken away again where it could not be made whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from consent.errors import StoreError


def claim(path: Path) -> None:
    """Make the file, which nobody else can then: who fails later takes away what is their own.

    Raises:
        StoreError: it is there already, or cannot be made.
    """
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        remedy = "Choose another name, or leave out init."
        raise StoreError("a file is already there", where=str(path), remedy=remedy) from None
    except OSError as error:
        what = f"the registry cannot be made ({error.strerror})"
        raise StoreError(what, where=str(path), remedy="Check the path and its permissions.") from None


@contextmanager
def made_whole(engine: Engine, path: Path | None) -> Iterator[None]:
    """A SQLite registry that could not be made whole is taken away again, so that the same command can be given again."""
    try:
        yield
    except BaseException:
        engine.dispose()
        if path is not None:
            for left in (path, *(path.with_name(f"{path.name}-{part}") for part in ("wal", "shm"))):
                left.unlink(missing_ok=True)
        raise
