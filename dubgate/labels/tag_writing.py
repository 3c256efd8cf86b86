"""Write a label into an MP3's ID3 tag or a FLAC's comments: the tag is made anew, every other byte stays."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from dubgate.delivery.formats import id3_bytes
from dubgate.labels.aigc import KEY
from dubgate.labels.bounds import read_exactly, refused
from dubgate.labels.copying import Digest, copy
from dubgate.labels.id3 import frames_of, tag_at
from dubgate.labels.plan import LabelPlan
from dubgate.labels.unchanged import Digests

_STREAMINFO, _PADDING, _COMMENTS = 0, 1, 4
_VENDOR = b"dubgate"


def write_mp3(source: Path, target: Path, plan: LabelPlan) -> Digests:
    """The same frames after a tag with title, language and AIGC label (ID3v2.3, UTF-16 where needed).

    Returns:
        The digest of the source's frames, taken of the bytes that were copied.

    Raises:
        MediaError: a tag that is not read, or one that needs more than is written here.
    """
    with source.open("rb") as given, target.open("xb") as out, Digest() as sound:
        skip = id3_bytes(given.read(10))
        out.write(labelled_tag(source, tag_at(source, given, 0), plan))
        copy(source, given, out, skip, os.fstat(given.fileno()).st_size, sound)
        return (f"audio {sound.digest().hex()}",)


def labelled_tag(path: Path, tag: bytes, plan: LabelPlan) -> bytes:
    """An ID3 tag with title, language and AIGC label, and every other frame of this one.

    Raises:
        MediaError: a tag that is not read, or one that needs more than is written here.
    """
    version, frames = frames_of(path, tag)
    new = [(b"TIT2", _id3_text(plan.text, version)), (b"TLAN", _id3_text(plan.alpha3, version))]
    if plan.aigc:
        new.append((b"TXXX", _id3_text(KEY + "\0" + plan.aigc, version)))
    kept = [(name, data) for name, data in frames if name not in (b"TIT2", b"TLAN") and not _is_aigc(name, data, plan)]
    body = b"".join(name + _id3_size(len(data), version) + b"\0\0" + data for name, data in [*new, *kept])
    return b"ID3" + bytes((version, 0, 0)) + _id3_size(len(body), 4) + body


def titled_tag(path: Path, tag: bytes, plan: LabelPlan) -> bytes:
    """The same tag; with the label, where it names the track: it must not say otherwise than the file's own tags."""
    named = any(name == b"TIT2" for name, _ in frames_of(path, tag)[1])
    return labelled_tag(path, tag, replace(plan, aigc=None)) if named else tag


def _is_aigc(name: bytes, data: bytes, plan: LabelPlan) -> bool:
    key = data[1:].replace(b"\0", b"").lstrip(b"\xff\xfe")
    return plan.aigc is not None and name == b"TXXX" and key.upper().startswith(KEY.encode())


def _id3_text(text: str, version: int) -> bytes:
    """Encoding byte and text: UTF-8 in 2.4, which 2.3 does not know."""
    if version == 4:
        return b"\3" + text.encode()
    key, nul, rest = text.partition("\0")
    parts = [key, rest] if nul else [key]
    return b"\1" + b"\0\0".join(b"\xff\xfe" + part.encode("utf-16-le") for part in parts)


def _id3_size(size: int, version: int) -> bytes:
    return size.to_bytes(4, "big") if version == 3 else bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))


def write_flac(source: Path, target: Path, plan: LabelPlan) -> Digests:
    """The same frames after comments with title, language and AIGC label (RFC 9639, 8).

    Returns:
        The digest of the source's STREAMINFO and frames, taken of the bytes that were copied.

    Raises:
        MediaError: the metadata cannot be read.
    """
    with source.open("rb") as given, target.open("xb") as out, Digest() as sound:
        start = id3_bytes(given.read(10))
        blocks, frames = flac_blocks(source, given, start)
        vendor, comments = _parted(next((body for kind, body in blocks if kind == _COMMENTS), b""))
        new = {"TITLE": plan.text, "LANGUAGE": plan.language} | ({KEY: plan.aigc} if plan.aigc else {})
        kept = [c for c in comments if c.partition(b"=")[0].decode("latin-1").upper() not in new]
        body = _joined(vendor, [*(f"{key}={text}".encode() for key, text in new.items()), *kept])
        others = [b for b in blocks if b[0] not in (_COMMENTS, _PADDING)]
        if len(body) >= 1 << 24:
            raise refused(source, "its comments do not fit into one block")
        out.write(titled_tag(source, read_exactly(source, given, 0, start), plan) + b"fLaC")
        ordered = [*others[:1], (_COMMENTS, body), *others[1:]]
        for k, (kind, data) in enumerate(ordered):
            out.write(bytes((kind | (0x80 if k == len(ordered) - 1 else 0),)) + len(data).to_bytes(3, "big") + data)
        sound.update(blocks[0][1])
        copy(source, given, out, frames, os.fstat(given.fileno()).st_size, sound)
        return (f"audio {sound.digest().hex()}",)


def flac_blocks(path: Path, file: BinaryIO, start: int) -> tuple[list[tuple[int, bytes]], int]:
    """Every block of metadata, and where the frames start."""
    at, found = start + 4, []
    while True:
        head = read_exactly(path, file, at, 4)
        size = int.from_bytes(head[1:], "big")
        found.append((head[0] & 0x7F, read_exactly(path, file, at + 4, size)))
        at += 4 + size
        if head[0] & 0x80:
            return found, at


def _parted(body: bytes) -> tuple[bytes, list[bytes]]:
    """Vendor and comments; nothing where there was no block."""
    if not body:
        return _VENDOR, []
    size = int.from_bytes(body[:4], "little")
    vendor, at, found = body[4 : 4 + size], 8 + size, []
    for _ in range(int.from_bytes(body[4 + size : 8 + size], "little")):
        length = int.from_bytes(body[at : at + 4], "little")
        found.append(body[at + 4 : at + 4 + length])
        at += 4 + length
    return vendor, found


def _joined(vendor: bytes, comments: list[bytes]) -> bytes:
    parts = [len(c).to_bytes(4, "little") + c for c in comments]
    return len(vendor).to_bytes(4, "little") + vendor + len(comments).to_bytes(4, "little") + b"".join(parts)
