"""Labels in an MPEG transport stream: the languages that its map names, and timed ID3 tags.

ISO/IEC 13818-1 (2.4.3 packets, 2.4.4 tables, 2.6.18 language descriptor); ID3 in a metadata stream of type 0x15, as HLS carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import id3_bytes
from dubgate.labels.bounds import MAX_TEXT_BYTES, refused
from dubgate.labels.id3 import tag_places
from dubgate.labels.tracks import Place
from dubgate.unmeasured import Unmeasured

_SIZE, _SYNC = 188, 0x47
_AT_ONCE = 4096
_LANGUAGE, _METADATA = 0x0A, 0x15
_SOUND = frozenset(
    (0x03, 0x04, 0x06, 0x0F, 0x11, 0x1C, 0x81, 0x87, 0xC1, 0xC2, 0xCF)
)  # stream types; 0x06 may be sound
_MAX_TAG_BYTES = 16 * MAX_TEXT_BYTES


def is_transport(head: bytes) -> bool:
    """Whether bytes begin two packets of a transport stream."""
    return len(head) > _SIZE and head[0] == head[_SIZE] == _SYNC


def transport_places(path: Path, file: BinaryIO, first: int, end: int) -> Iterator[Place | Unmeasured]:
    """The language of every sound, and every timed tag; without a metadata stream nothing behind the maps is read.

    Without a map nobody knows what its packets carry.

    Raises:
        MediaError: a tag longer than labels can be, or one that cannot be read.
    """
    streams = _streams_of(file, first, end)
    if not streams:
        why = (
            "a transport stream without a map does not say what it carries: package it with its tables in each segment"
        )
        yield Unmeasured(f"{path.name} cannot be told to hold none, since {why}")
    yield from (Place("TS language", tag, None, tag) for kind, _, tag in streams if kind in _SOUND and tag)
    timed = {pid for kind, pid, _ in streams if kind == _METADATA}
    units: dict[int, bytes] = {}
    for pid, starts, payload in _payloads(file, first, end) if timed else ():
        if pid not in timed:
            continue
        if starts:
            yield from _tag(path, units.pop(pid, b""))
        units[pid] = units.get(pid, b"") + payload
        if len(units[pid]) > _MAX_TAG_BYTES:
            raise refused(path, "a timed ID3 tag is longer than labels can be")
    for unit in units.values():
        yield from _tag(path, unit)


def _streams_of(file: BinaryIO, first: int, end: int) -> list[tuple[int, int, str]]:
    """Type, id and language of every stream that the maps of all programs name; nothing behind them is read."""
    maps: dict[int, list[tuple[int, int, str]] | None] = {}
    units: dict[int, bytes] = {}
    for pid, starts, payload in _payloads(file, first, end):
        section = _gathered(units, pid, payload, starts=starts) if pid == 0 or pid in maps else None
        if section is not None and pid == 0:
            maps |= {program: maps.get(program) for program in _programs(section)}
        elif section is not None:
            maps[pid] = list(_streams(section))
        if maps and None not in maps.values():
            break
    return [stream for found in maps.values() for stream in found or ()]


def _payloads(file: BinaryIO, first: int, end: int) -> Iterator[tuple[int, bool, bytes]]:
    """Of each whole packet that has one: its stream, whether a unit starts in it, and its payload."""
    for begin in range(first, end, _AT_ONCE * _SIZE):
        file.seek(begin)
        data = file.read(min(_AT_ONCE * _SIZE, end - begin))
        for at in range(0, len(data) - _SIZE + 1, _SIZE):
            flags = data[at + 3]
            start = at + (5 + data[at + 4] if flags & 0x20 else 4)
            if data[at] == _SYNC and flags & 0x10 and start < at + _SIZE:
                yield (data[at + 1] & 0x1F) << 8 | data[at + 2], bool(data[at + 1] & 0x40), data[start : at + _SIZE]


def _gathered(units: dict[int, bytes], pid: int, payload: bytes, *, starts: bool) -> bytes | None:
    """The section of a table once it is whole, without its checksum; one whose start was not seen never is."""
    if starts:
        units[pid] = payload[1 + payload[0] :]
    elif pid in units:
        units[pid] += payload
    unit = units.get(pid, b"")
    length = 3 + (int.from_bytes(unit[1:3], "big") & 0xFFF)
    return units.pop(pid)[: length - 4] if len(unit) >= max(length, 12) else None


def _programs(section: bytes) -> Iterator[int]:
    for at in range(8, len(section) - 3, 4):
        number, pid = int.from_bytes(section[at : at + 2], "big"), int.from_bytes(section[at + 2 : at + 4], "big")
        if number:
            yield pid & 0x1FFF


def _streams(section: bytes) -> Iterator[tuple[int, int, str]]:
    """Type, id and language of each stream of a map."""
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    while at + 5 <= len(section):
        kind, pid = section[at], int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        n = int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF
        yield kind, pid, _language(section[at + 5 : at + 5 + n])
        at += 5 + n


def _language(descriptors: bytes) -> str:
    at = 0
    while at + 2 <= len(descriptors):
        tag, n = descriptors[at], descriptors[at + 1]
        letters = descriptors[at + 2 : at + 5].decode("latin-1").lower()
        if tag == _LANGUAGE and n >= 3 and letters.isalpha() and letters != "und":
            return letters
        at += 2 + n
    return ""


def _tag(path: Path, unit: bytes) -> Iterator[Place]:
    """The tag inside a packetised unit, behind its header (2.4.3.6)."""
    if unit[:3] != b"\0\0\1" or len(unit) < 9:
        return
    tag = unit[9 + unit[8] :]
    if size := id3_bytes(tag):
        if size > len(tag):
            raise refused(path, "cut off: a timed ID3 tag")
        yield from tag_places(path, tag[:size])
