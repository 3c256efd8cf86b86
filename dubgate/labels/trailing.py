"""Tags that stand behind the sound of a file: ID3v1, and APEv2 before it; some players show their titles and no others.

ID3v1 (id3.org), APE tags versions 1 and 2 (wiki.hydrogenaud.io). What else can stand there is refused, not passed over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_INDEX_BYTES, MAX_PARTS, MAX_TEXT_BYTES, read_exactly, refused
from dubgate.labels.tracks import Place

_ID3V1, _FOOTER = 128, 32
_TITLE, _COMMENT = slice(3, 33), slice(97, 127)
_READ = ("title", "subtitle", "comment", "description", KEY.lower())


def trailing_places(path: Path, file: BinaryIO) -> Iterator[Place]:
    """The texts of the tags at the end of a file.

    Raises:
        MediaError: damaged, too large, or a tag of another kind.
    """
    end = os.fstat(file.fileno()).st_size
    if end >= _ID3V1 and (tag := read_exactly(path, file, end - _ID3V1, _ID3V1)).startswith(b"TAG"):
        end -= _ID3V1
        yield Place("ID3 v1 title", _plain(tag[_TITLE]), 0, None, True)
        yield Place("ID3 v1 comment", _plain(tag[_COMMENT]))
    if end < _FOOTER:
        return
    tail = read_exactly(path, file, end - _FOOTER, _FOOTER)
    if tail.endswith((b"LYRICS200", b"LYRICSEND")) or tail[-10:-7] == b"3DI":
        raise refused(path, "a tag stands at its end that is not read (Lyrics3, or ID3v2 behind the sound)")
    if tail.startswith(b"APETAGEX"):
        yield from _ape(path, file, tail, end)


def _plain(data: bytes) -> str:
    return data.partition(b"\0")[0].decode("latin-1").strip()


def _ape(path: Path, file: BinaryIO, footer: bytes, end: int) -> Iterator[Place]:
    size, count = (int.from_bytes(footer[at : at + 4], "little") for at in (12, 16))
    if not _FOOTER <= size <= min(end, MAX_INDEX_BYTES) or count > MAX_PARTS:
        raise refused(path, f"its APE tag announces {size:,} bytes and {count:,} items")
    items, at = read_exactly(path, file, end - size, size - _FOOTER), 0
    for _ in range(count):
        length, kind = (int.from_bytes(items[at + k : at + k + 4], "little") for k in (0, 4))
        key, nul, _ = items[at + 8 : at + 8 + 256].partition(b"\0")
        first = at + 8 + len(key) + 1
        at = first + length
        if not nul or at > len(items):
            raise refused(path, "its APE tag is cut off or damaged")
        if kind & 6 == 0:  # UTF-8, not binary and no address
            yield from _item(path, key.decode("latin-1"), items[first:at])


def _item(path: Path, key: str, data: bytes) -> Iterator[Place]:
    if key.lower() not in _READ:
        return
    if len(data) > MAX_TEXT_BYTES:
        raise refused(path, f"the APE item {key!r} holds more than a label can")
    place = f"ID3 APEv2 {key}"  # with the tags that stand before the sound it names one track
    named = key.lower() == "title"
    for text in filter(None, (part.strip() for part in data.decode("utf-8", "replace").split("\0"))):
        yield aigc_place(place, text) if key.upper() == KEY else Place(place, text, 0 if named else None, None, named)
