"""Labels in a FLAC: its Vorbis comments (RFC 9639, 8.6), and an ID3 tag before it, where C2PA keeps its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import id3_bytes
from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_TEXT_BYTES, read_exactly, refused
from dubgate.labels.id3 import id3_places
from dubgate.labels.tracks import Place
from dubgate.pinned import as_pinned

_LABELS = frozenset({"TITLE", "DESCRIPTION", "COMMENT", "LANGUAGE", KEY})
_COMMENTS, _MAX_BLOCKS = 4, 1000


def flac_places(path: Path) -> tuple[Place, ...]:
    """Every text and token of a FLAC that can carry a label.

    Raises:
        MediaError: cut off, two blocks of comments, or a comment longer than a label can be.
    """
    with open(path, "rb", opener=as_pinned) as file:
        start = id3_bytes(file.read(10))
        if read_exactly(path, file, start, 4) != b"fLaC":
            raise refused(path, "no FLAC starts where it should")
        blocks = [body for kind, body in _blocks(path, file, start + 4) if kind == _COMMENTS]
    if len(blocks) > 1:
        raise refused(path, "it has two blocks of comments")
    comments = tuple(c for body in blocks for c in _comments(path, body))
    language = next((text for key, text in comments if key == "LANGUAGE"), None)
    return (*id3_places(path), *(_place(key, text, language) for key, text in comments if key in _LABELS and text))


def _place(key: str, text: str, language: str | None) -> Place:
    if key == KEY:
        return aigc_place("FLAC comment AIGC", text)
    named = key == "TITLE"
    return Place(f"FLAC comment {key}", text, 0 if named else None, language, named)


def _blocks(path: Path, file: BinaryIO, at: int) -> Iterator[tuple[int, bytes]]:
    for _ in range(_MAX_BLOCKS):
        head = read_exactly(path, file, at, 4)
        size = int.from_bytes(head[1:], "big")
        kind = head[0] & 0x7F
        yield kind, read_exactly(path, file, at + 4, size) if kind == _COMMENTS else b""
        at += 4 + size
        if head[0] & 0x80:
            return
    raise refused(path, f"more than {_MAX_BLOCKS} blocks of metadata")


def _comments(path: Path, body: bytes) -> Iterator[tuple[str, str]]:
    at = 4 + int.from_bytes(body[:4], "little")
    count = int.from_bytes(body[at : at + 4], "little")
    at += 4
    for _ in range(count):
        size = int.from_bytes(body[at : at + 4], "little")
        field = body[at + 4 : at + 4 + size]
        if len(field) != size or at + 4 > len(body):
            raise refused(path, "its comments are cut off")
        key, _, text = field.decode("utf-8", "replace").partition("=")
        if key.upper() in _LABELS and size > MAX_TEXT_BYTES:
            raise refused(path, f"its comment {key.upper()} holds more than a label can")
        yield key.upper(), text.strip()
        at += 4 + size
