"""Files pinned to what was digested: while they are, opening another one in their place is refused.

A digest made before and one made after say nothing of what lay there in between: a folder above can be renamed away and
back, and no file below it changes by that. So whoever opens a pinned file asks what it opened, not where it lies.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from dubgate.errors import ChangedError

Place = tuple[int, int, int, int]  # device, inode, size, and the time of the last change, which nobody sets
CHANGED = "a file changed while it was being read"
REMEDY = "judge it again when nobody writes to it"


@dataclass(frozen=True, slots=True)
class Pins:
    """What must lie at each path; below `roots` this process opens nothing else that a verdict rests on."""

    places: Mapping[str, Place] = field(default_factory=dict)
    roots: tuple[str, ...] = ()

    def require(self, path: str, found: Place) -> None:
        """What was opened is what was digested there.

        Raises:
            ChangedError
        """
        absolute = os.path.abspath(path)
        wanted = self.places.get(absolute)
        if wanted is None and self._inside(absolute):
            wanted = self.places.get(os.path.realpath(absolute))
        elif wanted is None:
            return
        if wanted != found:
            raise ChangedError(CHANGED, where=os.path.basename(absolute), remedy=REMEDY)

    def _inside(self, path: str) -> bool:
        return any(path.startswith(f"{root}/") for root in self.roots)

    def require_listed(self, folder: Path, listed: Iterable[Path]) -> None:
        """No pinned JSON file of a folder is missing in a list of them: a folder that was renamed away hides what forbids.

        Raises:
            ChangedError
        """
        there = {str(path.absolute()) for path in listed}
        for path in self.places:
            if os.path.dirname(path) == str(folder) and path.endswith(".json") and path not in there:
                raise ChangedError(CHANGED, where=os.path.basename(path), remedy=REMEDY)

    def require_there(self, path: Path) -> None:
        """A file that is pinned is there: one that was renamed away says nothing of what it forbids.

        Raises:
            ChangedError
        """
        if os.path.abspath(path) in self.places and not path.is_file():
            raise ChangedError(CHANGED, where=path.name, remedy=REMEDY)

    def of(self, inputs: Sequence[Path]) -> Pins:
        """The pins of some files, and of everything below some folders."""
        given = [os.path.abspath(p) for p in inputs]
        wanted = {k: v for k, v in self.places.items() if any(k == g or k.startswith(f"{g}/") for g in given)}
        return Pins(wanted)

    def stored(self) -> dict[str, list[int]]:
        """The places as JSON-able data, for a child."""
        return {path: list(place) for path, place in self.places.items()}

    def folders_of(self, inputs: Sequence[Path], own: Sequence[Path]) -> list[str]:
        """The folders among some inputs whose files are pinned: a child opens nothing else below them.

        None above what is the child's `own` (its program, its scratch folder), where it must open more.
        """
        given = [Path(os.path.abspath(p)) for p in inputs if self.of([p]).places.keys() - {os.path.abspath(p)}]
        mine = [p.resolve() for p in own]
        kept = [p for p in given if not any(m.is_relative_to(p.resolve()) for m in mine)]
        return sorted({str(path) for p in kept for path in (p, p.resolve())})


_NOTHING = Pins()
_NOW: ContextVar[Pins | None] = ContextVar("pins", default=None)


def pins() -> Pins:
    """What is pinned now."""
    return _NOW.get() or _NOTHING


@contextmanager
def pinned(places: Mapping[str, Place], roots: Sequence[str] = ()) -> Iterator[None]:
    """Pin files, beside those that are pinned already."""
    before, more = pins(), {os.path.abspath(path): place for path, place in places.items()}
    token = _NOW.set(Pins({**before.places, **more}, (*before.roots, *roots)))
    try:
        yield
    finally:
        _NOW.reset(token)


def place_of(descriptor: int) -> Place:
    """What an open file is, wherever it lies by now."""
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns


def as_pinned(path: str, flags: int) -> int:
    """For `open(path, opener=as_pinned)`: a descriptor of what was digested at that path, where it is pinned.

    Raises:
        OSError: it cannot be opened.
        ChangedError: it is another file.
    """
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        pins().require(path, place_of(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_pinned(path: Path) -> bytes:
    """All bytes of a file, of the one that was digested where it is pinned.

    Raises:
        OSError, ChangedError
    """
    with open(path, "rb", opener=as_pinned) as file:
        return file.read()


def pin_process(told: Mapping[str, Sequence[int]], roots: Sequence[str] = ()) -> None:
    """Pin files for the rest of this process, whoever opens them: for a child, whose libraries open files themselves.

    Raises:
        ChangedError: another file lies there already.
    """
    given = Pins({path: _place(place) for path, place in told.items()}, tuple(roots))
    _NOW.set(given)
    for path in given.places:
        _look(given, path)

    def opening(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            _look(given, arguments[0])

    sys.addaudithook(opening)


def _look(given: Pins, path: str) -> None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return  # opening it says why
    if stat.S_ISREG(found.st_mode):
        given.require(path, _place((found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)))


def _place(told: Sequence[int]) -> Place:
    device, inode, size, changed = (int(n) for n in told)
    return device, inode, size, changed
