"""The bytes that an entry of a package plays: files of the delivery, whole or by range, hashed in order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from dubgate.errors import MediaError
from dubgate.pinned import as_pinned

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a file from `first` on; `length` None: to its end."""

    path: Path
    first: int = 0
    length: int | None = None


def inside(folder: Path, uri: str, root: Path, *, named_by: str) -> Path:
    """The file of the delivery that a manifest names by a relative URI.

    Raises:
        MediaError: another place than the delivery's folder, or no file there.
    """
    relative = unquote(uri)
    absolute = relative.startswith(("/", "\\", "~")) or ":" in relative.split("/")[0]
    if absolute or any(c in relative for c in "?#\\\0") or "://" in relative:
        raise MediaError(f"names something outside the delivery's folder: {uri!r}", where=named_by)
    resolved = (folder / relative).resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise MediaError(f"names something outside the delivery's folder: {uri!r}", where=named_by)
    if not resolved.is_file():
        raise MediaError(f"names a file that is not there: {uri!r}", where=named_by)
    return resolved


def sha256_of(pieces: Iterable[Piece]) -> str:
    """SHA-256 over the pieces, in order.

    Raises:
        MediaError: a range reaches past the end of its file.
    """
    digest = hashlib.sha256()
    for piece in pieces:
        with open(piece.path, "rb", opener=as_pinned) as file:
            file.seek(piece.first)
            left = piece.length
            while left is None or left > 0:
                block = file.read(_BLOCK if left is None else min(left, _BLOCK))
                if not block:
                    break
                digest.update(block)
                left = None if left is None else left - len(block)
        if left:
            raise MediaError("a byte range reaches past the end of its file", where=piece.path.name)
    return digest.hexdigest()
