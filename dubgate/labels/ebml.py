"""Labels in Matroska and WebM: track names, their languages, the file's title and the tags (RFC 9559).

Read here and not by FFmpeg, which keeps the last of two tags with one name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_INDEX_BYTES, MAX_PARTS, read_exactly, refused, text_of
from dubgate.labels.tracks import Place
from dubgate.pinned import as_pinned

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_INFO, _TRACKS, _TAGS = 0x1549A966, 0x1654AE6B, 0x1254C367
_TITLE, _TRACK, _TYPE, _UID = 0x7BA9, 0xAE, 0x83, 0x73C5
_NAME, _LANGUAGE, _BCP47 = 0x536E, 0x22B59C, 0x22B59D
_TAG, _TARGETS, _TARGET_UID, _SIMPLE, _KEY, _TEXT = 0x7373, 0x63C0, 0x63C5, 0x67C8, 0x45A3, 0x4487
_AUDIO = 2
_LABELS = frozenset({"TITLE", "COMMENT", "DESCRIPTION", KEY})


@dataclass(slots=True)
class _Read:
    """What the parts of a Segment told so far."""

    uids: dict[int, tuple[int, str | None]] = field(default_factory=dict)  # TrackUID: number, language
    places: list[Place] = field(default_factory=list)
    tags: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)


def matroska_places(path: Path) -> tuple[Place, ...]:
    """Every text and token of a Matroska or WebM that can carry a label.

    Raises:
        MediaError: cut off, Info or Tracks twice, or parts too large for what they are.
    """
    read = _Read()
    with open(path, "rb", opener=as_pinned) as file:
        for kind, body in _level_one(path, file):
            if kind in (_INFO, _TRACKS) and kind in read.seen:
                raise refused(path, "a part that may stand once stands twice")
            read.seen.add(kind)
            if kind == _INFO:
                read.places += [
                    Place("Matroska Title", _utf8(path, b)) for k, b in _elements(path, body) if k == _TITLE
                ]
            elif kind == _TRACKS:
                _take_tracks(path, body, read)
            else:
                read.tags.append(body)
    for body in read.tags:  # they may come before the tracks that they name
        read.places += [p for k, b in _elements(path, body) if k == _TAG for p in _tag(path, b, read)]
    return tuple(p for p in read.places if p.text)


def _level_one(path: Path, file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Info, Tracks and Tags of the Segment; clusters are passed over, those of unknown size element by element."""
    size, at = os.fstat(file.fileno()).st_size, 0
    for _ in range(MAX_PARTS * 10):
        if at >= size:
            return
        file.seek(at)
        kind, start, length = _header(path, file.read(12), at)
        if kind == _SEGMENT or length is None:
            at = start
            continue
        if start + length > size:
            raise refused(path, f"cut off: an element at byte {at:,} announces {length:,} bytes")
        if kind in (_INFO, _TRACKS, _TAGS):
            if length > MAX_INDEX_BYTES:
                raise refused(path, f"an element of {length:,} bytes where names and tags belong")
            yield kind, read_exactly(path, file, start, length)
        at = start + length
    raise refused(path, "more elements than can be looked at")


def _header(path: Path, head: bytes, at: int) -> tuple[int, int, int | None]:
    """Identifier, where the content starts, and its length, None where unknown (RFC 8794, 4 and 5)."""
    id_bytes = 9 - head[0].bit_length() if head and head[0] else 9
    rest = head[id_bytes:]
    n = 9 - rest[0].bit_length() if rest and rest[0] else 9
    if id_bytes > 4 or n > 8 or len(rest) < n:
        raise refused(path, f"bytes that no element owns at byte {at:,}")
    value = int.from_bytes(rest[:n], "big") & ((1 << 7 * n) - 1)
    unknown = value == (1 << 7 * n) - 1
    return int.from_bytes(head[:id_bytes], "big"), at + id_bytes + n, None if unknown else value


def _elements(path: Path, data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    for _ in range(MAX_PARTS):
        if at >= len(data):
            return
        kind, start, length = _header(path, data[at : at + 12], at)
        if length is None or start + length > len(data):
            raise refused(path, "an element reaches past the one that holds it")
        yield kind, data[start : start + length]
        at = start + length
    raise refused(path, f"more than {MAX_PARTS:,} elements")


def _take_tracks(path: Path, body: bytes, read: _Read) -> None:
    entries = [_once(path, b) for k, b in _elements(path, body) if k == _TRACK]
    for number, entry in enumerate(entries):
        language = _utf8(path, entry.get(_BCP47, entry.get(_LANGUAGE, b"eng"))) or None  # "eng" by default
        language = None if language == "und" else language
        read.uids[int.from_bytes(entry.get(_UID, b""), "big")] = number, language
        if int.from_bytes(entry.get(_TYPE, b""), "big") == _AUDIO:
            read.places.append(Place("Matroska Name", _utf8(path, entry.get(_NAME, b"")), number, language, True))


def _once(path: Path, body: bytes) -> dict[int, bytes]:
    """The elements of a track; what players may read either of two from stands once."""
    found = list(_elements(path, body))
    for kind in (_NAME, _LANGUAGE, _BCP47, _TYPE, _UID):
        if sum(k == kind for k, _ in found) > 1:
            raise refused(path, "a track has two names, languages, types or numbers")
    return dict(found)


def _tag(path: Path, body: bytes, read: _Read) -> Iterator[Place]:
    parts = list(_elements(path, body))
    targets = [
        int.from_bytes(b, "big") for k, t in parts if k == _TARGETS for i, b in _elements(path, t) if i == _TARGET_UID
    ]
    number, language = read.uids.get(targets[0], (None, None)) if targets else (None, None)
    for kind, simple in parts:
        if kind != _SIMPLE:
            continue
        fields = dict(_elements(path, simple))
        key, text = _utf8(path, fields.get(_KEY, b"")), _utf8(path, fields.get(_TEXT, b""))
        place = f"Matroska tag {key.upper()}"
        if key.upper() == KEY:
            yield aigc_place(place, text, number)
        elif key.upper() in _LABELS:
            yield Place(place, text, number, language)


def _utf8(path: Path, data: bytes) -> str:
    return text_of(path, "a Matroska text", data)
