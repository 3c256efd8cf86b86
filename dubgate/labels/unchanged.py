"""Proof that writing a label left sound and picture alone: a digest a stream over the coded bytes and what places them.

For the containers whose bytes are copied as they are (WAV, MP3, FLAC, MP4); what is re-wrapped is compared packet by packet.
"""

from __future__ import annotations

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from dubgate.delivery.formats import id3_bytes, sniff
from dubgate.labels.bounds import read_exactly, refused
from dubgate.labels.boxes import Top, boxes_in, child, rebuilt, top_boxes
from dubgate.labels.copying import digest_of

_KINDS = {b"soun": "audio", b"vide": "video", b"text": "subtitle", b"sbtl": "subtitle", b"subt": "subtitle"}
Digests = tuple[str, ...]


def coded_digests(path: Path) -> Digests:
    """ "type sha256" of each stream.

    Raises:
        MediaError: it cannot be read as what it is.
    """
    from dubgate.labels.riff_writing import sound_sha256

    own: dict[str, Callable[[Path], Digests]] = {
        "wav": lambda p: (f"audio {sound_sha256(p)}",),
        "mp3": _mp3,
        "flac": _flac,
        "mov": _mp4,
    }
    return own[sniff(path)](path)


def _mp3(path: Path) -> Digests:
    with path.open("rb") as file:
        start = id3_bytes(file.read(10))
    return (f"audio {digest_of(path, [(start, path.stat().st_size)]).hex()}",)


def _flac(path: Path) -> Digests:
    """STREAMINFO, without which the frames mean nothing, and the frames."""
    from dubgate.labels.tag_writing import flac_blocks

    with path.open("rb") as file:
        blocks, start = flac_blocks(path, file, id3_bytes(file.read(10)))
    return (f"audio {digest_of(path, [blocks[0][1], (start, path.stat().st_size)]).hex()}",)


def _mp4(path: Path) -> Digests:
    with path.open("rb") as file:
        tops = top_boxes(path, file)
        [(_, _, start, end)] = [top for top in tops if top[0] == b"moov"]
        index = read_exactly(path, file, start, end - start)
    media = ((first, last) for name, _, first, last in tops if name == b"mdat")
    parts = [part for first, last in media for part in ((last - first).to_bytes(8, "big"), (first, last))]
    return mp4_digests(path, index, tops, digest_of(path, parts))


def mp4_digests(path: Path, index: bytes, tops: tuple[Top, ...], media: bytes) -> Digests:
    """Each track's own boxes but for names and language, its chunks by where they lie in the media data, and that data.

    Args:
        media: the digest over each `mdat`, its length before it in eight bytes.
    """
    lying = [top for top in tops if top[0] == b"mdat"]
    tracks = [body for name, body in boxes_in(path, index) if name == b"trak"]
    return tuple(_track_digest(path, body, lying, media) for body in tracks)


def _track_digest(path: Path, track: bytes, media: list[Top], data: bytes) -> str:
    kind = (child(path, track, b"mdia", b"hdlr") or b"")[8:12]
    plain = rebuilt(path, track, lambda name, body: _plain(path, name, body, media))
    return f"{_KINDS.get(kind, 'data')} {hashlib.sha256(data + plain).hexdigest()}"


def _plain(path: Path, name: bytes, body: bytes, media: list[Top]) -> bytes | None:
    if name in (b"udta", b"meta", b"elng"):
        return None
    if name in (b"mdia", b"minf", b"stbl"):
        return rebuilt(path, body, lambda inner, data: _plain(path, inner, data, media))
    if name == b"hdlr":  # the handler of the data (minf) has no name that is written
        return body[:24] if body[8:12] in (*_KINDS, b"tmcd") else body
    if name == b"mdhd":
        at = 32 if body[:1] == b"\1" else 20
        return body[:at] + body[at + 2 :]
    if name in (b"stco", b"co64"):
        return _relative(path, body, "I" if name == b"stco" else "Q", media)
    return body


def _relative(path: Path, body: bytes, letter: str, media: list[Top]) -> bytes:
    """Chunk offsets as (which media data, where in it)."""
    n = int.from_bytes(body[4:8], "big")
    if len(body) < 8 + n * struct.calcsize(letter):
        raise refused(path, "cut off: its chunk offsets")
    starts, out = [box[2] for box in media], []
    for offset in struct.unpack_from(f">{n}{letter}", body, 8):
        k = bisect_right(starts, offset) - 1
        if k < 0 or offset >= media[k][3]:
            raise refused(path, f"a chunk at byte {offset:,} lies outside its media data")
        out.append((k << 48) + offset - starts[k])
    return struct.pack(f">{n}Q", *out)
