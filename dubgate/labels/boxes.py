"""Labels in MP4, MOV and M4A: handler and track names, iTunes items, QuickTime texts and metadata keys, C2PA's box.

ISO/IEC 14496-12 (boxes, hdlr, elng), QuickTime File Format (udta, meta with keys), and iTunes' ilst.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_INDEX_BYTES, MAX_PARTS, read_exactly, refused, text_of
from dubgate.labels.names import nameless
from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.tracks import Place
from dubgate.pinned import as_pinned

C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # C2PA 2.2, A.5.1
_ENCODINGS = ("utf-8", "mac_roman")
Box = tuple[bytes, bytes]  # type, content
Top = tuple[bytes, int, int, int]  # name, start of box, start of content, end


def mp4_places(path: Path) -> tuple[Place, ...]:
    """Every text and token of an MP4, MOV or M4A that can carry a label.

    Raises:
        MediaError: cut off, a box of impossible length, an index twice or too large, bytes that no box owns.
    """
    with open(path, "rb", opener=as_pinned) as file:
        size = os.fstat(file.fileno()).st_size
        index, has_manifest = _top_level(path, file, size)
    places = tuple(p for p in movie_places(path, index) if p.text)
    return (*places, Place(C2PA_PLACE, "uuid box")) if has_manifest else places


def mp4_track_ids(path: Path) -> tuple[str, ...]:
    """The id of each track, in order (tkhd), as C2PA names them.

    Raises:
        MediaError: as `mp4_places`.
    """
    with open(path, "rb", opener=as_pinned) as file:
        index, _ = _top_level(path, file, os.fstat(file.fileno()).st_size)
    heads = [child(path, body, b"tkhd") or b"" for name, body in boxes_in(path, index) if name == b"trak"]
    at = [20 if head[:1] == b"\1" else 12 for head in heads]
    return tuple(str(int.from_bytes(head[k : k + 4], "big")) for head, k in zip(heads, at, strict=True))


def _top_level(path: Path, file: BinaryIO, size: int) -> tuple[bytes, bool]:
    """The content of the index, and whether there is a C2PA box."""
    index, has_manifest = None, False
    for name, _, start, end in file_boxes(path, file, 0, size):
        if name == b"moov":
            if index is not None or end - start > MAX_INDEX_BYTES:
                raise refused(path, "it has two indexes (moov)" if index is not None else "its index is too large")
            index = read_exactly(path, file, start, end - start)
        if name == b"uuid" and read_exactly(path, file, start, min(16, end - start)) == C2PA_UUID:
            has_manifest = True
    if index is None:
        raise refused(path, "it has no index (moov)")
    return index, has_manifest


def header_at(path: Path, head: bytes, at: int, end: int) -> tuple[bytes, int, int]:
    """Name, start of content and end of the box at `at`; a size of 0 runs to the end (14496-12, 4.2)."""
    if len(head) < 8:
        raise refused(path, f"bytes that no box owns at byte {at:,}")
    length, header = int.from_bytes(head[:4], "big"), 8
    if length == 1 and len(head) >= 16:
        length, header = int.from_bytes(head[8:16], "big"), 16
    length = end - at if length == 0 else length
    if length < header or at + length > end:
        raise refused(path, f"the box {head[4:8]!r} at byte {at:,} has an impossible length, or the file was cut off")
    return head[4:8], at + header, at + length


def boxes_in(path: Path, data: bytes) -> Iterator[Box]:
    """The boxes that a box holds, in order.

    Raises:
        MediaError: one of impossible length, or too many.
    """
    at = 0
    for _ in range(MAX_PARTS):
        if at >= len(data) or (not any(data[at : at + 4]) and not any(data[at : at + 64])):
            return  # QuickTime ends udta with zero bytes
        name, start, end = header_at(path, data[at : at + 16], at, len(data))
        yield name, data[start:end]
        at = end
    raise refused(path, f"more than {MAX_PARTS:,} boxes")


def child(path: Path, data: bytes, *names: bytes) -> bytes | None:
    """The content of the box that this path of names leads to.

    Raises:
        MediaError: a name stands twice; one program would read the first, another the last.
    """
    for name in names:
        found = [body for kind, body in boxes_in(path, data) if kind == name]
        if len(found) > 1:
            raise refused(path, f"the box {name!r} stands {len(found)} times where it may stand once")
        if not found:
            return None
        [data] = found
    return data


def file_boxes(path: Path, file: BinaryIO, at: int, end: int) -> Iterator[Top]:
    """The boxes of the file itself, from one byte to another.

    Raises:
        MediaError: one of impossible length, too many, or bytes that no box owns.
    """
    for _ in range(MAX_PARTS):
        if at == end:
            return
        name, start, stop = header_at(path, read_exactly(path, file, at, min(24, end - at)), at, end)
        yield name, at, start, stop
        at = stop
    raise refused(path, f"more than {MAX_PARTS:,} boxes")


def top_boxes(path: Path, file: BinaryIO) -> tuple[Top, ...]:
    """All boxes of the file itself; errors as `file_boxes`."""
    return tuple(file_boxes(path, file, 0, os.fstat(file.fileno()).st_size))


def box(name: bytes, body: bytes) -> bytes:
    """A box with this content."""
    return (8 + len(body)).to_bytes(4, "big") + name + body


def rebuilt(path: Path, data: bytes, change: Callable[[bytes, bytes], bytes | None]) -> bytes:
    """The boxes of `data`, each with the content that `change` gives it; None leaves it away."""
    parts = ((name, change(name, body)) for name, body in boxes_in(path, data))
    return b"".join(box(name, body) for name, body in parts if body is not None)


def movie_places(path: Path, index: bytes) -> Iterator[Place]:
    """Every text and token of an index (moov), by the number of its track."""
    n_tracks = 0
    for name, body in boxes_in(path, index):
        if name == b"trak":
            yield from _track(path, body, n_tracks)
            n_tracks += 1
        elif name == b"udta":
            yield from user_data_places(path, body, "movie", None)
        elif name == b"meta":
            yield from metadata_places(path, body, "movie", None)


def _track(path: Path, track: bytes, number: int) -> Iterator[Place]:
    handler = child(path, track, b"mdia", b"hdlr") or b""
    if handler[8:12] != b"soun":
        return
    language = language_of(path, track)
    name = _handler_name(path, handler)
    yield Place("MP4 hdlr", "" if nameless(name) else name, number, language, True)
    for kind, body in boxes_in(path, track):
        if kind == b"udta":
            yield from user_data_places(path, body, "track", number, language)
        elif kind == b"meta":
            yield from metadata_places(path, body, "track", number, language)


def _handler_name(path: Path, handler: bytes) -> str:
    """After 24 bytes; QuickTime counts its length in a first byte, ISO ends it with NUL."""
    raw = handler[24:]
    if handler[4:8] == b"mhlr" and raw and raw[0] <= len(raw) - 1:
        raw = raw[1 : 1 + raw[0]]
    return text_of(path, "MP4 hdlr", raw, _ENCODINGS)


def language_of(path: Path, track: bytes) -> str | None:
    """The language of a `trak`: `elng` where there is one, else the three packed letters of mdhd."""
    extended = child(path, track, b"mdia", b"elng")
    if extended is not None:
        return text_of(path, "MP4 elng", extended[4:]) or None
    media = child(path, track, b"mdia", b"mdhd") or b""
    at = 32 if media[:1] == b"\1" else 20
    code = int.from_bytes(media[at : at + 2], "big")
    letters = "".join(chr(((code >> shift) & 31) + 0x60) for shift in (10, 5, 0))
    return letters if letters.isalpha() and letters != "und" else None


def user_data_places(
    path: Path, data: bytes, level: str, track: int | None, language: str | None = None
) -> Iterator[Place]:
    for kind, body in boxes_in(path, data):
        place = f"MP4 {level} {kind.decode('latin-1')}"
        if kind == b"name":
            yield Place(place, text_of(path, place, body, _ENCODINGS), track, language, track is not None)
        elif kind == b"tagc":
            yield Place(place, text_of(path, place, body, _ENCODINGS), track, language)
        elif kind == b"meta":
            yield from metadata_places(path, body, level, track, language)
        elif kind[:1] == b"\xa9" and len(body) >= 4:  # QuickTime: length and language code, then the text
            length = struct.unpack(">H", body[:2])[0]
            yield Place(place, text_of(path, place, body[4 : 4 + length], _ENCODINGS), track, language)


def metadata_places(
    path: Path, data: bytes, level: str, track: int | None, language: str | None = None
) -> Iterator[Place]:
    """iTunes items, or QuickTime's keys with their values; ISO puts four bytes before the boxes, QuickTime none."""
    body = data if data[4:8] == b"hdlr" else data[4:]
    keys = _keys(path, child(path, body, b"keys"))
    for kind, item in boxes_in(path, child(path, body, b"ilst") or b""):
        number = int.from_bytes(kind, "big")
        if kind == b"----":
            name = _free_form(path, item)
        elif 0 < number <= len(keys):
            name = keys[number - 1]
        else:
            name = kind.decode("latin-1")
        kinds = "mdta" if 0 < number <= len(keys) else "ilst"
        for text in _values(path, item, name):
            place = f"MP4 {level} {kinds} {name}"
            yield aigc_place(place, text, track) if name == KEY else Place(place, text, track, language)


def _keys(path: Path, data: bytes | None) -> tuple[str, ...]:
    if data is None:
        return ()
    return tuple(text_of(path, "MP4 keys", body) for _, body in boxes_in(path, data[8:]))


def _free_form(path: Path, item: bytes) -> str:
    name = child(path, item, b"name") or b""
    return text_of(path, "MP4 ilst name", name[4:])


def _values(path: Path, item: bytes, name: str) -> Iterator[str]:
    """Every UTF-8 or UTF-16 value of an item (well-known types 1 and 2); numbers and pictures are no labels."""
    for kind, body in boxes_in(path, item):
        type_code = int.from_bytes(body[:4], "big")
        if kind == b"data" and type_code in (1, 2):
            encoding = ("utf-8",) if type_code == 1 else ("utf-16-be",)
            yield text_of(path, f"MP4 {name}", body[8:], encoding)
