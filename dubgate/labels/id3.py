"""Labels in ID3v2 tags: titles, comments, TXXX fields and the object that holds a C2PA manifest; and behind the sound.

ID3v2.3 and 2.4 (id3.org); read here and not by FFmpeg, which keeps the first of two TXXX fields and drops the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import id3_bytes
from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_INDEX_BYTES, MAX_TEXT_BYTES, read_exactly, refused
from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.tracks import Place
from dubgate.labels.trailing import trailing_places
from dubgate.pinned import as_pinned

_ENCODINGS = ("latin-1", "utf-16", "utf-16-be", "utf-8")
_TEXTS = frozenset({b"TIT1", b"TIT2", b"TIT3", b"TPE1", b"TENC", b"TSSE", b"TLAN"})


def id3_places(path: Path) -> tuple[Place, ...]:
    """Every text and token of the tags at the start, one behind the other, and at the end; empty where there are none.

    Raises:
        MediaError: cut off, compressed or encrypted frames, or a version that is not read.
    """
    found: list[Place] = []
    with open(path, "rb", opener=as_pinned) as file:
        at = 0
        while tag := tag_at(path, file, at):
            found += tag_places(path, tag)
            at += len(tag)
        return (*found, *(p for p in trailing_places(path, file) if p.text))


def tag_places(path: Path, tag: bytes) -> tuple[Place, ...]:
    """The same of the bytes of a tag.

    Raises:
        MediaError: as `id3_places`.
    """
    places = tuple(p for p in _places(path, frames_of(path, tag)[1]) if p.text)
    language = next((p.text for p in places if p.place == "ID3 TLAN"), None)
    return tuple(replace(p, language=language) for p in places)


def tag_at(path: Path, file: BinaryIO, at: int) -> bytes:
    """The tag that starts at a byte of a file, header included; empty where none does.

    Raises:
        MediaError: too large, or cut off.
    """
    file.seek(at)
    size = id3_bytes(file.read(10))
    if size > MAX_INDEX_BYTES:
        raise refused(path, f"its ID3 tag announces {size:,} bytes")
    return read_exactly(path, file, at, size) if size else b""


def frames_of(path: Path, tag: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """The same of the bytes of a tag, header included.

    Raises:
        MediaError: as `id3_places`.
    """
    if not tag:
        return 3, []
    version, flags, body = tag[3], tag[5], tag[10:]
    if version not in (3, 4):
        raise refused(path, f"an ID3v2.{version} tag, which is not read; write it as ID3v2.3 or 2.4")
    if flags & 0x80:
        body = body.replace(b"\xff\x00", b"\xff")
    return version, list(_frames(path, body, version, extended=bool(flags & 0x40)))


def _places(path: Path, frames: list[tuple[bytes, bytes]]) -> Iterator[Place]:
    for name, data in frames:
        if name == b"GEOB" and b"c2pa" in data[:512].replace(b"\0", b"").lower():
            yield Place(C2PA_PLACE, f"{len(data)} bytes")
        elif name == b"TXXX":
            key, text = _pair(path, data[:1], data[1:])
            place = f"ID3 TXXX {key}"
            yield aigc_place(place, text) if key.upper() == KEY else Place(place, text)
        elif name == b"COMM":
            yield Place("ID3 COMM", _pair(path, data[:1], data[4:])[1])
        elif name in _TEXTS:
            for text in _texts(path, data[:1], data[1:]):
                yield Place(f"ID3 {name.decode()}", text, 0 if name == b"TIT2" else None, None, name == b"TIT2")


def _frames(path: Path, body: bytes, version: int, *, extended: bool) -> Iterator[tuple[bytes, bytes]]:
    at = _size(body[:4], version) + (4 if version == 3 else 0) if extended else 0
    while at + 10 <= len(body) and body[at]:
        name, size = body[at : at + 4], _size(body[at + 4 : at + 8], version)
        if not name.isalnum() or at + 10 + size > len(body):
            raise refused(path, f"its ID3 tag is cut off or damaged at byte {at + 10:,}")
        data, flags = body[at + 10 : at + 10 + size], body[at + 9]
        if flags & (0xC0 if version == 3 else 0x0C):
            raise refused(path, f"the ID3 frame {name.decode('latin-1')} is compressed or encrypted")
        if version == 4:
            data = data.replace(b"\xff\x00", b"\xff") if flags & 0x02 else data
            data = data[4:] if flags & 0x01 else data
        yield name, data
        at += 10 + size


def _size(four: bytes, version: int) -> int:
    """Seven bits a byte in 2.4, eight in 2.3."""
    if version == 3:
        return int.from_bytes(four, "big")
    return sum((b & 0x7F) << shift for b, shift in zip(four, (21, 14, 7, 0), strict=False))


def _text(path: Path, encoding: bytes, data: bytes) -> str:
    return " / ".join(_texts(path, encoding, data))


def _texts(path: Path, encoding: bytes, data: bytes) -> list[str]:
    """The texts of a frame: of several some players show the first, and others all."""
    if len(data) > MAX_TEXT_BYTES or not encoding or encoding[0] >= len(_ENCODINGS):
        raise refused(path, "an ID3 text is longer than a label can be, or of no known encoding")
    try:
        said = data.decode(_ENCODINGS[encoding[0]]).split("\0")
    except UnicodeDecodeError:
        raise refused(path, "an ID3 text is not in the encoding that it announces") from None
    return [text for part in said if (text := part.lstrip("\ufeff").strip())]


def _pair(path: Path, encoding: bytes, data: bytes) -> tuple[str, str]:
    """A description and the text after it, parted by NUL (two bytes where a character has two)."""
    wide = encoding in (b"\1", b"\2")
    at = 0
    while at < len(data) and data[at : at + 1 + wide] != b"\0" * (1 + wide):
        at += 1 + wide
    rest = data[at + 1 + wide :]
    return _text(path, encoding, data[:at]), _text(path, encoding, rest)
