"""Boxes of MP4 and QuickTime that lie in memory; what is cut off ends the walk (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box in a box's content."""
    at = 0
    while at + 8 <= len(content):
        length, header = int.from_bytes(content[at : at + 4], "big"), 8
        if length == 1:
            length, header = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        length = len(content) - at if length == 0 else length
        if length < header:
            return
        yield content[at + 4 : at + 8], content[at + header : at + length]
        at += length


def inner(content: bytes, *names: bytes) -> bytes:
    """The content of a box inside boxes, the first of each name; empty where there is none."""
    for wanted in names:
        content = next((found for name, found in boxes(content) if name == wanted), b"")
    return content
