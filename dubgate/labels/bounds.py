"""How much of a label is read, and how text bytes become text: nothing without end, nothing guessed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, ParseError

from dubgate.errors import MediaError
from dubgate.pinned import as_pinned

MAX_TEXT_BYTES = 65_536  # of one label text; what is longer is no label
MAX_XML_BYTES = 16 << 20
MAX_INDEX_BYTES = 128 << 20  # of an MP4's moov or a Matroska's Tracks and Tags
MAX_PARTS = 100_000


def refused(path: Path, why: str) -> MediaError:
    """The error of a label that cannot be read."""
    return MediaError(why, where=path.name, remedy="export the file again, and write its label anew")


def read_exactly(path: Path, file: BinaryIO, at: int, n: int) -> bytes:
    """`n` bytes from `at` on.

    Raises:
        MediaError: the file ends before.
    """
    file.seek(at)
    data = file.read(n)
    if len(data) != n:
        raise refused(path, f"cut off: {n:,} bytes were announced at byte {at:,}, {len(data):,} are there")
    return data


def text_of(path: Path, place: str, data: bytes, encodings: tuple[str, ...] = ("utf-8",)) -> str:
    """A text field up to its first NUL.

    Raises:
        MediaError: too long, or in none of the encodings.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise refused(path, f"{place} holds {len(data):,} bytes, more than a label can be")
    for encoding in encodings:
        try:
            return data.decode(encoding).split("\0")[0].strip()
        except UnicodeDecodeError:
            continue
    raise refused(path, f"{place} is no text in {' or '.join(encodings)}")


def parse_xml(path: Path, place: str, data: bytes) -> Element:
    """XML without a document type, entities or anything outside.

    Raises:
        MediaError: too large, malformed, or with what is forbidden.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    if len(data) > MAX_XML_BYTES:
        raise refused(path, f"{place} holds {len(data):,} bytes of XML")
    try:
        root: Element = fromstring(data.rstrip(b"\0"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise refused(path, f"{place} is no XML that may be read: {type(error).__name__}") from None
    return root


def local_name(element: Element) -> str:
    """The tag without its namespace."""
    return element.tag.rpartition("}")[2]


def refuse_polyglot(path: Path) -> None:
    """Refuse a media file that is an archive or a page as well: other programs would read another file in it.

    Raises:
        MediaError: a ZIP directory ends the file (APPNOTE 4.3.16), or a PDF starts in its first KiB.
    """
    with open(path, "rb", opener=as_pinned) as file:
        head = file.read(1024)
        size = os.fstat(file.fileno()).st_size
        start = max(0, size - 65_557)
        file.seek(start)
        tail = file.read()
    if b"%PDF-" in head:
        raise refused(path, "a PDF starts inside it: it is two files at once")
    at = tail.rfind(b"PK\5\6")
    if at >= 0 and len(tail) >= at + 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
        raise refused(path, "a ZIP archive ends it: it is two files at once")
