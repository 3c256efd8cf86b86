"""Codecs whose stream holds several sounds, of which a player chooses: TrueHD and MLP (substreams), DTS (extensions).

FFmpeg decodes the widest presentation of TrueHD and the lossless one of DTS-HD; a soundbar plays the two channels of the
first substream, or the core. Each is coded by itself, so one may say what the other does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

_OF_SEVERAL = frozenset({"truehd", "mlp", "dca"})
_SUBSTREAMS_AT = 20  # behind the access unit's header and sixteen bytes of the major sync
_DTS_CORE = b"\x7f\xfe\x80\x01"  # words of 16 bits, big-endian: the form in which files hold it


def plays_otherwise(codec: str, packet: Buffer) -> bool:
    """Whether a packet of this codec, by FFmpeg's name, holds another presentation than the one that is decoded."""
    if codec not in _OF_SEVERAL:
        return False
    data = bytes(packet)
    if codec == "dca":
        return _is_more_than_a_core(data)
    begins = data[4:7] == b"\xf8\x72\x6f"  # a major sync; other access units say nothing of substreams
    return begins and (len(data) <= _SUBSTREAMS_AT or data[_SUBSTREAMS_AT] >> 4 != 1)


def _is_more_than_a_core(packet: bytes) -> bool:
    """Extension substreams follow the core, or stand without one; zeros that fill up are nothing."""
    if packet[:4] != _DTS_CORE or len(packet) < 8:
        return True
    size = ((packet[5] & 3) << 12 | packet[6] << 4 | packet[7] >> 4) + 1
    return any(packet[size:])
