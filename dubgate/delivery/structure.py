"""Is the file whole, does it stand alone, and is it one sound? Read from the container's own lengths, before any decoder sees it.

FFmpeg plays what is left of a file that was cut off, and ignores references to other files; both must be refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import HEAD_BYTES, MXF_PARTITION, id3_bytes, mpeg_frame_bytes
from dubgate.delivery.mp4_edits import check_edits, holds_samples
from dubgate.delivery.ogg_pages import check_pages
from dubgate.delivery.ts_packets import check_packets
from dubgate.errors import MediaError
from dubgate.pinned import as_pinned

_MAX_PARTS, _MAX_ELEMENTS = 20_000, 200_000
_UNKNOWN_32, _UNKNOWN_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_CUT = "the file was cut off: it holds {has:,} bytes of the {needs:,} it announces"
_REMEDY = "copy or export it again"


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk, box or element: its name, and where its content lies; `end` may lie beyond the file."""

    name: bytes
    start: int
    end: int


def check_structure(path: Path, file: BinaryIO, demuxer: str) -> None:
    """Refuse a file that is cut off, points to another file, or holds sound that some players play and others do not.

    Raises:
        MediaError: cut off, without its index, with a reference to other files, or with parts that players choose between.
    """
    size = os.fstat(file.fileno()).st_size
    check = _CHECKS.get(demuxer)
    if check is not None:
        check(path, file, size)
    file.seek(0)


def _must_fit(path: Path, needs: int, has: int) -> None:
    if needs > has:
        raise MediaError(_CUT.format(has=has, needs=needs), where=str(path), remedy=_REMEDY)


def _riff(path: Path, file: BinaryIO, size: int) -> None:
    file.seek(0)
    large = file.read(4) in (b"RF64", b"BW64")
    data_bytes, before = 0, set[bytes]()
    for part in _chunks(path, file, 12, size, "little"):
        _must_be_one(path, part.name, before)
        if part.name == b"ds64" and large:
            file.seek(part.start + 8)
            data_bytes = int.from_bytes(file.read(8), "little")
        elif part.name == b"data":
            announced = part.end - part.start
            if announced == _UNKNOWN_32 and large:
                announced = data_bytes
            if announced not in (_UNKNOWN_32, 0):  # what a program that writes into a pipe leaves there
                _must_fit(path, part.start + announced, size)
            if announced in (_UNKNOWN_32, 0) or large:
                return
    if b"data" not in before:
        raise MediaError("the WAV has no data chunk", where=str(path), remedy=_REMEDY)


_OF_ONE_SOUND = frozenset((b"fmt ", b"data", b"SSND", b"COMM", b"desc", b"moov", bytes.fromhex("18538067")))


def _must_be_one(path: Path, name: bytes, before: set[bytes]) -> None:
    """A part that tells the sound stands once: of two, some players take the first and others the last."""
    if name in before & _OF_ONE_SOUND:
        what = f"the part {name.decode('latin-1')!r} stands in it twice: players may play another sound of it"
        raise MediaError(what, where=str(path), remedy=_REMEDY)
    before.add(name)


def _chunks(path: Path, file: BinaryIO, at: int, size: int, order: str) -> Iterator[Part]:
    for _ in range(_MAX_PARTS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little" if order == "little" else "big")
        yield Part(head[:4], at + 8, at + 8 + length)
        at += 8 + length + (length & 1)
    raise MediaError(f"more than {_MAX_PARTS} chunks", where=str(path))


def _aiff(path: Path, file: BinaryIO, size: int) -> None:
    before: set[bytes] = set()
    for part in _chunks(path, file, 12, size, "big"):
        _must_be_one(path, part.name, before)
        if part.name == b"SSND":
            _must_fit(path, part.end, size)


def _w64(path: Path, file: BinaryIO, size: int) -> None:
    at, before = 40, set[bytes]()
    for _ in range(_MAX_PARTS):
        file.seek(at)
        head = file.read(24)
        if len(head) < 24:
            return
        length = int.from_bytes(head[16:], "little")
        _must_be_one(path, head[:4], before)
        if head[:4] == b"data":
            _must_fit(path, at + length, size)
        at += max(24, (length + 7) & ~7)


def _caf(path: Path, file: BinaryIO, size: int) -> None:
    at, before = 8, set[bytes]()
    for _ in range(_MAX_PARTS):
        file.seek(at)
        head = file.read(12)
        length = int.from_bytes(head[4:], "big")
        if len(head) < 12:
            return
        _must_be_one(path, head[:4], before)
        if length == _UNKNOWN_64:
            return
        _must_fit(path, at + 12 + length, size)
        at += 12 + length


def _boxes(path: Path, file: BinaryIO, at: int, end: int) -> Iterator[Part]:
    """ISO BMFF boxes (ISO/IEC 14496-12, 4.2); a size of 0 runs to the end."""
    for _ in range(_MAX_PARTS):
        file.seek(at)
        head = file.read(16)
        if at + 8 > end or len(head) < 8:
            return
        length, header = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        length = end - at if length == 0 else length
        if length < header:
            raise MediaError(f"a box of impossible length at byte {at}", where=str(path), remedy=_REMEDY)
        yield Part(head[4:8], at + header, at + length)
        at += length
    raise MediaError(f"more than {_MAX_PARTS} boxes", where=str(path))


def _mov(path: Path, file: BinaryIO, size: int) -> None:
    index, before = None, set[bytes]()
    for box in _boxes(path, file, 0, size):
        _must_be_one(path, box.name, before)
        _must_fit(path, box.end, size)
        index = box if box.name == b"moov" else index
    if index is None:
        why = "the MP4/MOV has no index (moov): it was cut off or never finished"
        raise MediaError(why, where=str(path), remedy=_REMEDY)
    _refuse_references(path, file, index)
    file.seek(index.start)
    content = file.read(index.end - index.start)
    check_edits(path, content)
    if b"moof" in before and holds_samples(content):
        what = "its sound lies in its index and in fragments, of which players play one or the other"
        raise MediaError(what, where=str(path), remedy=_REMEDY)


_TO_REFERENCES = {
    b"moov": (b"trak",),
    b"trak": (b"mdia",),
    b"mdia": (b"minf",),
    b"minf": (b"dinf",),
    b"dinf": (b"dref",),
}


def _refuse_references(path: Path, file: BinaryIO, box: Part) -> None:
    """Every data reference must be marked self-contained (flag 1), and the movie must not be a reference movie."""
    if box.name == b"dref":
        entries = _boxes(path, file, box.start + 8, box.end)
        if any(not _self_contained(file, entry) for entry in entries):
            raise MediaError("its sound lies in another file (a data reference)", where=str(path), remedy=_EMBED)
        return
    for inner in _boxes(path, file, box.start, box.end):
        if inner.name in (b"rmra", b"cmov"):
            raise MediaError("it is a reference or compressed movie", where=str(path), remedy=_EMBED)
        if inner.name in _TO_REFERENCES[box.name]:
            _refuse_references(path, file, inner)


_EMBED = "export it as one self-contained file"


def _self_contained(file: BinaryIO, entry: Part) -> bool:
    file.seek(entry.start)
    return bool(int.from_bytes(file.read(4), "big") & 1)


_SEGMENT, _CHAPTERS, _EDITION, _ORDERED = (bytes.fromhex(i) for i in ("18538067", "1043a770", "45b9", "45dd"))


def _matroska(path: Path, file: BinaryIO, size: int) -> None:
    before: set[bytes] = set()
    for part in _elements(path, file, 0, size):
        _must_be_one(path, part.name, before)
        _must_fit(path, part.end, size)
        if part.name == _SEGMENT:
            for inner in _elements(path, file, part.start, part.end if part.end > part.start else size):
                if inner.name == _CHAPTERS:
                    _refuse_ordered(path, file, inner)


def _refuse_ordered(path: Path, file: BinaryIO, chapters: Part) -> None:
    """Ordered chapters (RFC 9559, 20.1.3) put the film together anew, also from other files; FFmpeg plays it as it is stored."""
    for edition in _elements(path, file, chapters.start, chapters.end):
        for flag in _elements(path, file, edition.start, edition.end) if edition.name == _EDITION else ():
            file.seek(flag.start)
            if flag.name == _ORDERED and any(file.read(min(8, flag.end - flag.start))):
                what = "its chapters are ordered: players put it together anew from them"
                raise MediaError(what, where=str(path), remedy="export it without ordered chapters")


def _elements(path: Path, file: BinaryIO, at: int, end: int) -> Iterator[Part]:
    """EBML elements; behind one whose length is not announced, as in a live recording, none is told."""
    for _ in range(_MAX_ELEMENTS):
        file.seek(at)
        head = file.read(12)
        if at >= end or len(head) < 2 or head[0] < 0x10:
            return
        id_bytes = 9 - head[0].bit_length()
        start, length = _ebml_length(head[id_bytes:], at + id_bytes)
        if length is None:
            yield Part(head[:id_bytes], start, start)
            return
        yield Part(head[:id_bytes], start, start + length)
        at = start + length
    raise MediaError(f"more than {_MAX_ELEMENTS:,} elements", where=str(path))


def _ebml_length(head: bytes, at: int) -> tuple[int, int | None]:
    """Where the content starts and how long it is; None where unknown (RFC 8794, section 4)."""
    if not head or head[0] == 0:
        return at, None
    n = 9 - head[0].bit_length()
    value = int.from_bytes(head[:n], "big") & ((1 << (7 * n)) - 1)
    return at + n, None if value == (1 << (7 * n)) - 1 else value


def _mxf(path: Path, file: BinaryIO, size: int) -> None:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    at = head.find(MXF_PARTITION) + 16
    at += 1 + (head[at] & 0x7F if head[at] & 0x80 else 0)
    footer = int.from_bytes(head[at + 24 : at + 32], "big")
    _must_fit(path, footer + 1, size)


def _mp3(path: Path, file: BinaryIO, size: int) -> None:
    start, _, n_bytes = _xing(file)
    if n_bytes is not None:
        _must_fit(path, start + n_bytes, size)


def mp3_frames(path: Path) -> int | None:
    """How many frames an MP3 announces; None where it has no Xing or Info header."""
    with open(path, "rb", opener=as_pinned) as file:
        return _xing(file)[1]


def _xing(file: BinaryIO) -> tuple[int, int | None, int | None]:
    """Where the first frame starts, and the counts of frames and bytes in it; without them a cut cannot be told."""
    file.seek(0)
    start = id3_bytes(file.read(10))
    file.seek(start)
    frame = file.read(HEAD_BYTES)
    frame = frame[: mpeg_frame_bytes(frame)]
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    if at < 0 or len(frame) < at + 16:
        return start, None, None
    flags, first, second = (int.from_bytes(frame[at + k : at + k + 4], "big") for k in (4, 8, 12))
    return start, first if flags & 1 else None, (second if flags & 1 else first) if flags & 2 else None


_CHECKS = {
    "wav": _riff, "aiff": _aiff, "w64": _w64, "caf": _caf, "mov": _mov, "matroska": _matroska,
    "ogg": check_pages, "mpegts": check_packets, "mxf": _mxf, "mp3": _mp3,
}  # fmt: skip
