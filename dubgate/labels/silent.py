"""Whether pictures carry no sound of their own, as their index says; of what has none nobody can tell without decoding."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from dubgate.errors import MediaError
from dubgate.labels.bounds import MAX_INDEX_BYTES, MAX_PARTS, read_exactly
from dubgate.labels.boxes import boxes_in, child, header_at
from dubgate.labels.played import BOXES
from dubgate.labels.segments import Piece
from dubgate.pinned import as_pinned

_UNKNOWN = b""


def shows_alone(pieces: Iterable[Piece]) -> bool:
    """Whether all of this is fragmented MP4 whose tracks are pictures; not where anything of it cannot be read."""
    try:
        kinds = [kind for piece in dict.fromkeys(pieces) for kind in _kinds(piece)]
    except MediaError:
        return False
    return bool(kinds) and all(kind == b"vide" for kind in kinds)


def _kinds(piece: Piece) -> Iterator[bytes]:
    """The handler of each track that a piece names; something unknown where it is not made of boxes."""
    with open(piece.path, "rb", opener=as_pinned) as file:
        size = os.fstat(file.fileno()).st_size
        at, end = piece.first, size if piece.length is None else piece.first + piece.length
        for _ in range(MAX_PARTS):
            if at >= end:
                return
            name, start, stop = header_at(piece.path, read_exactly(piece.path, file, at, min(24, end - at)), at, end)
            if name not in BOXES or (name == b"moov" and stop - start > MAX_INDEX_BYTES):
                yield _UNKNOWN
            elif name == b"moov":
                file.seek(start)
                index = read_exactly(piece.path, file, start, stop - start)
                tracks = (body for kind, body in boxes_in(piece.path, index) if kind == b"trak")
                yield from ((child(piece.path, t, b"mdia", b"hdlr") or _UNKNOWN)[8:12] for t in tracks)
            at = stop
        yield _UNKNOWN
