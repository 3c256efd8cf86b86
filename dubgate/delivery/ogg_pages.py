"""Every page of an Ogg file, checked against its checksum, its number and its stream's end (RFC 3533).

FFmpeg skips pages whose checksum is wrong and says nothing; a lost page is lost speech.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import BinaryIO

from dubgate.errors import MediaError

_REMEDY = "copy or export it again"
_ENDS = 4  # header flag: last page of its stream
_REVERSED = bytes(int(f"{b:08b}"[::-1], 2) for b in range(256))


def check_pages(path: Path, file: BinaryIO, size: int) -> None:
    """Walk all pages.

    Raises:
        MediaError: a page that is damaged, missing or cut off, or a stream without its last page.
    """
    at = 0
    following: dict[bytes, int] = {}  # next page number of each stream that has not ended
    while at < size:
        page = _page(file, at)
        if page is None:
            raise MediaError(f"damaged at byte {at}: no whole Ogg page", where=str(path), remedy=_REMEDY)
        serial, number = page[14:18], int.from_bytes(page[18:22], "little")
        if number != following.get(serial, number):
            raise MediaError(f"an Ogg page is missing before byte {at}", where=str(path), remedy=_REMEDY)
        following[serial] = number + 1
        if page[5] & _ENDS:
            del following[serial]
        at += len(page)
    if following:
        raise MediaError("the Ogg ends before its last page", where=str(path), remedy=_REMEDY)


def _page(file: BinaryIO, at: int) -> bytes | None:
    """The whole page at this byte; None where there is none or its checksum is wrong."""
    file.seek(at)
    head = file.read(27)
    if len(head) < 27 or head[:4] != b"OggS":
        return None
    lacing = file.read(head[26])
    body = file.read(sum(lacing))
    if len(lacing) < head[26] or len(body) < sum(lacing):
        return None
    page = head + lacing + body
    return page if checksum(page) == int.from_bytes(head[22:26], "little") else None


def checksum(page: bytes) -> int:
    """Ogg's CRC-32: zlib's polynomial, bits the other way round, started at 0, the field itself taken as 0."""
    blank = page[:22] + bytes(4) + page[26:]
    reflected = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{reflected:032b}"[::-1], 2)
