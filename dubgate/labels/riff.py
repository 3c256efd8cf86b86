"""Labels in a WAV or BWF: bext, LIST/INFO, iXML, axml, AIGC and C2PA chunks; RIFF, RF64 and BW64.

EBU Tech 3285 (bext), 3306 (RF64), ITU-R BS.2088 (BW64, axml), iXML 3; `AIGC` after TC260's practice guide.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import id3_bytes
from dubgate.labels.adm import adm_places
from dubgate.labels.aigc import aigc_place
from dubgate.labels.bounds import MAX_PARTS, MAX_XML_BYTES, local_name, parse_xml, read_exactly, refused, text_of
from dubgate.labels.tracks import Place
from dubgate.pinned import as_pinned

C2PA_PLACE = "C2PA manifest"
_UNKNOWN = 0xFFFFFFFF
TAGS = (b"id3 ", b"ID3 ")
_ONCE = frozenset({b"fmt ", b"data", b"bext", b"iXML", b"axml", b"AIGC", b"C2PA", b"ds64", b"chna"})
_BEXT = (
    ("Description", 0, 256),
    ("Originator", 256, 288),
    ("OriginatorReference", 288, 320),
    ("CodingHistory", 602, None),
)
_ENCODINGS = ("utf-8", "latin-1")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk's identifier, and where its content lies."""

    name: bytes
    start: int
    size: int

    @property
    def end(self) -> int:
        """Where the next chunk starts: contents are padded to even length."""
        return self.start + self.size + (self.size & 1)


def chunks(path: Path, file: BinaryIO) -> tuple[Chunk, ...]:
    """Every chunk of a WAV, in order.

    Raises:
        MediaError: cut off, a size that lies, bytes that no chunk owns, or a chunk twice that may stand once.
    """
    size = os.fstat(file.fileno()).st_size
    head = read_exactly(path, file, 0, 12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise refused(path, "no RIFF, RF64 or BW64 header")
    long_sizes = _ds64(path, file) if head[:4] != b"RIFF" else {}
    announced = long_sizes.get(b"RIFF", int.from_bytes(head[4:8], "little"))
    if announced not in (0, _UNKNOWN) and abs(announced + 8 - size) > 1:  # 0, ffffffff: written into a pipe
        what = "cut off" if announced + 8 > size else "bytes follow its end"
        raise refused(path, f"{what}: the header announces {announced + 8:,} bytes, the file holds {size:,}")
    found = tuple(_walk(path, file, size, long_sizes))
    twice = {c.name for c in found if c.name in _ONCE and sum(d.name == c.name for d in found) > 1}
    if twice:
        raise refused(path, f"a chunk stands twice: {', '.join(sorted(map(repr, twice)))}")
    return found


def _walk(path: Path, file: BinaryIO, size: int, long_sizes: dict[bytes, int]) -> Iterator[Chunk]:
    at = 12
    for _ in range(MAX_PARTS):
        if at >= size - 7:
            return
        head = read_exactly(path, file, at, 8)
        length = int.from_bytes(head[4:], "little")
        if length == _UNKNOWN:
            length = long_sizes.get(head[:4], size - at - 8 if head[:4] == b"data" else length)
        chunk = Chunk(head[:4], at + 8, length)
        if chunk.start + length > size:
            raise refused(path, f"cut off: the chunk {head[:4]!r} announces {length:,} bytes, more than the file holds")
        yield chunk
        at = chunk.end
    raise refused(path, f"more than {MAX_PARTS:,} chunks")


def _ds64(path: Path, file: BinaryIO) -> dict[bytes, int]:
    """The 64-bit sizes of an RF64, by chunk; it must come first (EBU Tech 3306, 4)."""
    if read_exactly(path, file, 12, 4) != b"ds64":
        raise refused(path, "an RF64 without its ds64 chunk")
    body = read_exactly(path, file, 20, 28)
    sizes = {b"RIFF": int.from_bytes(body[:8], "little"), b"data": int.from_bytes(body[8:16], "little")}
    for k in range(min(int.from_bytes(body[24:28], "little"), 1000)):
        row = read_exactly(path, file, 48 + 12 * k, 12)
        sizes[row[:4]] = int.from_bytes(row[4:], "little")
    return sizes


def wav_places(path: Path) -> tuple[Place, ...]:
    """Every text and token of a WAV that can carry a label."""
    with open(path, "rb", opener=as_pinned) as file:
        return tuple(p for chunk in chunks(path, file) for p in _places(path, file, chunk) if p.text)


def _places(path: Path, file: BinaryIO, chunk: Chunk) -> Iterator[Place]:
    if chunk.name == b"C2PA":
        yield Place(C2PA_PLACE, f"{chunk.size} bytes")
        return
    if chunk.name not in (b"bext", b"LIST", b"iXML", b"axml", b"AIGC", *TAGS):
        return
    if chunk.size > MAX_XML_BYTES:
        raise refused(path, f"the chunk {chunk.name!r} holds {chunk.size:,} bytes, more than a label can be")
    body = read_exactly(path, file, chunk.start, chunk.size)
    if chunk.name == b"bext":
        yield from _bext(path, body)
    elif chunk.name == b"LIST" and body[:4] == b"INFO":
        yield from _info(path, body)
    elif chunk.name == b"iXML":
        yield from _ixml(path, body)
    elif chunk.name == b"axml":
        yield from adm_places(path, body)
    elif chunk.name in TAGS:
        yield from _tag(path, body)
    elif chunk.name == b"AIGC":
        yield aigc_place("WAV AIGC", text_of(path, "WAV AIGC", body))


def _tag(path: Path, body: bytes) -> Iterator[Place]:
    """An ID3 tag in a chunk of its own, which many programs write and show."""
    from dubgate.labels.id3 import tag_places

    size = id3_bytes(body[:10])
    if not 0 < size <= len(body):
        raise refused(path, "its ID3 chunk holds no whole tag")
    yield from tag_places(path, body[:size])


def _bext(path: Path, body: bytes) -> Iterator[Place]:
    if len(body) < 602:
        raise refused(path, f"its bext chunk holds {len(body)} bytes, not the 602 that it needs")
    for name, first, last in _BEXT:
        place = f"WAV bext {name}"
        yield Place(place, text_of(path, place, body[first:last], _ENCODINGS))


def _info(path: Path, body: bytes) -> Iterator[Place]:
    at = 4
    while at + 8 <= len(body):
        name, length = body[at : at + 4], int.from_bytes(body[at + 4 : at + 8], "little")
        if at + 8 + length > len(body):
            raise refused(path, f"cut off: {name!r} in its LIST chunk announces {length:,} bytes")
        place = f"WAV INFO {name.decode('latin-1')}"
        text = text_of(path, place, body[at + 8 : at + 8 + length], _ENCODINGS)
        yield Place(place, text, 0 if name == b"INAM" else None, None, name == b"INAM")
        at += 8 + length + (length & 1)


def _ixml(path: Path, body: bytes) -> Iterator[Place]:
    for element in parse_xml(path, "WAV iXML", body).iter():
        name, text = local_name(element), (element.text or "").strip()
        if name in ("NOTE", "USER", "PROJECT", "SCENE", "NAME", "LANGUAGE") and text:
            yield Place(f"WAV iXML {name}", text)
