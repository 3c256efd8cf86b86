"""Which parts of pictures and texts are asked whether they carry sound: each that tells its own tracks."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubgate.labels.segments import Piece
from dubgate.package_hearing import _telling

LATE = b"styp" + bytes(8) + b"\0\0\0\x10moovlate"
INIT, PART, WHOLE, STREAM = b"ftypinit", b"moofpart", b"moovlate", b"\x47packet-of-a-stream"


def asked(folder: Path, *parts: bytes) -> list[list[int]]:
    """By their places in the list."""
    pieces = []
    for k, data in enumerate(parts):
        path = folder / f"{k}"
        path.write_bytes(data if data == STREAM else b"\0\0\0\x10" + data)
        pieces.append(Piece(path))
    return [[pieces.index(p) for p in each] for each in _telling(tuple(pieces))]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((INIT, PART, PART), [[0, 1]]),
        ((INIT,), [[0]]),
        ((INIT, INIT, INIT), [[0], [1], [2]]),  # each a file of its own: the third is asked too
        ((INIT, PART, PART, INIT, PART, PART), [[0, 1], [3, 4]]),
        ((INIT, PART, WHOLE), [[0, 1], [2]]),
        ((STREAM, STREAM, STREAM), [[0], [1], [2]]),
        ((STREAM, INIT, PART), [[0], [1, 2]]),
        ((INIT, PART, STREAM), [[0, 1], [2]]),  # no fragment: some players read it as what it is
        ((INIT, PART, LATE), [[0, 1], [2]]),  # an index behind other boxes
    ],
)
def test_every_part_that_tells_its_own_tracks_is_asked(
    tmp_path: Path, parts: tuple[bytes, ...], expected: list[list[int]]
) -> None:
    assert asked(tmp_path, *parts) == expected
