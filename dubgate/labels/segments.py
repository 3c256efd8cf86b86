"""The bytes that an entry of a package plays: files of the delivery, whole or by range, hashed in order."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from dubgate.delivery.formats import id3_bytes
from dubgate.errors import MediaError
from dubgate.pinned import as_pinned

_BLOCK = 1 << 20
# Left out by whoever reads URLs as browsers do, or taken for a separator by some servers and not by others.
_READ_DIFFERENTLY = re.compile("[\0-\x1f\x7f]|%2f|%5c|%00", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file from `first` on; `length` None: to its end."""

    path: Path
    first: int = 0
    length: int | None = None


def inside(folder: Path, uri: str, root: Path, *, named_by: str) -> Path:
    """The file of the delivery that a manifest names by a relative URI.

    Raises:
        MediaError: another place than the delivery's folder, a link in it, or no file there.
    """
    if uri != uri.strip() or _READ_DIFFERENTLY.search(uri):
        raise MediaError(f"names something that not every player reads alike: {uri!r}", where=named_by)
    relative = unquote(uri)
    if leads_out(relative):
        raise MediaError(f"names something outside the delivery's folder: {uri!r}", where=named_by)
    return as_written(folder / relative, root, what=repr(uri), named_by=named_by)


def leads_out(path: str) -> bool:
    """Whether the path of a URI, unquoted, is absolute, has a scheme or a drive, or means another thing to some players."""
    absolute = path.startswith(("/", "\\", "~")) or ":" in path.split("/")[0]
    return absolute or "://" in path or any(c in path for c in "?#\\\0")


def as_written(path: Path, root: Path, *, what: str, named_by: str) -> Path:
    """A file below the delivery's folder, by the very path that names it and without any link below that folder.

    A link can be turned to other bytes and back between two looks, and where it leads is then pinned as itself. So none is
    followed, and the path is opened as it is written, under which its file was digested.

    Raises:
        MediaError: outside `root`, through a link, or no file there.
    """
    written, top = Path(os.path.abspath(path)), Path(os.path.abspath(root))
    real, found = top.resolve(), written.resolve()
    within = next((t for t in (top, real) if written.is_relative_to(t)), None)
    if within is None or not found.is_relative_to(real):
        raise MediaError(f"names something outside the delivery's folder: {what}", where=named_by)
    relative = written.relative_to(within)
    if found != real / relative:
        remedy = "put the file itself there: what is behind a link can change unseen"
        raise MediaError(f"names a link, or something behind one: {what}", where=named_by, remedy=remedy)
    if not found.is_file():
        raise MediaError(f"names a file that is not there: {what}", where=named_by)
    return top / relative


def sha256_of(pieces: Iterable[Piece]) -> str:
    """SHA-256 over the pieces, in order.

    Raises:
        MediaError: a range reaches past the end of its file.
    """
    digest = hashlib.sha256()
    for piece in pieces:
        for block in blocks_of(piece):
            digest.update(block)
    return digest.hexdigest()


def blocks_of(piece: Piece, *, without_tag: bool = False) -> Iterator[bytes]:
    """The bytes of a piece; `without_tag` leaves out an ID3 tag at its start, which is no sound.

    Raises:
        MediaError: the range reaches past the end of its file.
    """
    with open(piece.path, "rb", opener=as_pinned) as file:
        file.seek(piece.first)
        skip = id3_bytes(file.read(10)) if without_tag else 0
        file.seek(piece.first + skip)
        left = None if piece.length is None else piece.length - skip
        while left is None or left > 0:
            block = file.read(_BLOCK if left is None else min(left, _BLOCK))
            if not block:
                break
            yield block
            left = None if left is None else left - len(block)
    if left:
        raise MediaError("a byte range reaches past the end of its file", where=piece.path.name)
