"""Frames of E-AC-3 (ETSI TS 102 366, annex E): a stream can hold up to eight programmes, of which FFmpeg decodes the first."""

from __future__ import annotations

_DEPENDENT = 1  # more channels of the programme before it


def holds_other_programmes(packet: bytes) -> bool:
    """Whether a frame of it begins another programme than the first, which a player may choose."""
    at = 0
    while at + 6 <= len(packet) and packet[at : at + 2] == b"\x0b\x77":
        if packet[at + 5] >> 3 <= 10:  # AC-3, which has one
            return False
        kind, number = packet[at + 2] >> 6, packet[at + 2] >> 3 & 7
        if kind != _DEPENDENT and number:
            return True
        at += 2 * ((packet[at + 2] & 7) << 8 | packet[at + 3]) + 2
    return False
