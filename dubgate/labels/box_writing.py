"""Write a label into an MP4, MOV or M4A by its index alone: the media bytes are copied as they are, offsets follow them.

ISO/IEC 14496-12 (hdlr, mdhd, elng, udta/name, stco, co64), QuickTime's keys, iTunes' free-form items. What is built in
another way (fragments, a compressed index, offsets outside the sample tables) is left to FFmpeg.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from dubgate.labels.aigc import KEY
from dubgate.labels.bounds import MAX_INDEX_BYTES, read_exactly
from dubgate.labels.boxes import Top, box, boxes_in, child, rebuilt, top_boxes
from dubgate.labels.copying import Digest, copy
from dubgate.labels.plan import LabelPlan
from dubgate.labels.unchanged import Digests, mp4_digests

_ELSEWHERE = (b"moof", b"mvex", b"cmov", b"saio", b"iloc", b"mfra", b"sidx", b"rmra")
_ITUNES = b"com.apple.iTunes"
_UTF8 = (1).to_bytes(4, "big") + bytes(4)  # well-known type, locale


def write_mp4(source: Path, target: Path, plan: LabelPlan) -> Digests | None:
    """The same file with the label in its index; None, and nothing written, where only a re-wrap would do.

    Returns:
        The digests of the source's streams (see `unchanged`), taken of the bytes that were copied.

    Raises:
        MediaError: the index cannot be read.
    """
    with source.open("rb") as given:
        tops = top_boxes(source, given)
        indexes = [top for top in tops if top[0] == b"moov"]
        if len(indexes) != 1 or any(top[0] in _ELSEWHERE for top in tops):
            return None
        [(_, at, start, end)] = indexes
        if end - start > MAX_INDEX_BYTES:
            return None
        index = read_exactly(source, given, start, end - start)
        if any(name in index for name in _ELSEWHERE):
            return None
        edited = _labelled(source, index, plan, quicktime=_is_quicktime(source, given, tops))
        if edited is None:
            return None
        moved = _shifted(source, edited, end, len(edited) + 8 - (end - at))
        if moved is None:
            return None
        with target.open("xb") as out, Digest() as media:
            for name, first, content, last in tops:
                if name == b"moov":
                    out.write(box(b"moov", moved))
                    continue
                copy(source, given, out, first, content)
                if name == b"mdat":
                    media.update((last - content).to_bytes(8, "big"))
                copy(source, given, out, content, last, media if name == b"mdat" else None)
            return mp4_digests(source, index, tops, media.digest())


def _is_quicktime(path: Path, file: BinaryIO, tops: tuple[Top, ...]) -> bool:
    brand = next((read_exactly(path, file, start, 4) for name, _, start, _ in tops if name == b"ftyp"), b"qt  ")
    return brand == b"qt  "


def _labelled(path: Path, index: bytes, plan: LabelPlan, *, quicktime: bool) -> bytes | None:
    """The index with the label in the plan's track, and China's JSON at the movie."""
    n_tracks, found = 0, False

    def change(name: bytes, body: bytes) -> bytes:
        nonlocal n_tracks, found
        if name == b"trak":
            n_tracks += 1
            if n_tracks - 1 == plan.stream and (child(path, body, b"mdia", b"hdlr") or b"")[8:12] == b"soun":
                found = True
                return _track(path, body, plan)
        return body

    edited = rebuilt(path, index, change)
    if not found:
        return None
    return edited if plan.aigc is None else _with_aigc(path, edited, plan.aigc, quicktime=quicktime)


def _track(path: Path, track: bytes, plan: LabelPlan) -> bytes:
    """Handler name, language and track name; every other box as it is."""
    edited = rebuilt(path, track, lambda name, body: _media(path, body, plan) if name == b"mdia" else body)
    named = box(b"name", plan.text.encode())
    data = child(path, edited, b"udta")
    if data is None:
        return edited + box(b"udta", named)
    kept = rebuilt(path, data, lambda name, body: None if name == b"name" else body)
    return rebuilt(path, edited, lambda name, body: named + kept if name == b"udta" else body)


def _media(path: Path, media: bytes, plan: LabelPlan) -> bytes:
    def change(name: bytes, body: bytes) -> bytes:
        if name == b"hdlr":
            return _handler(body, plan.text)
        if name == b"elng":
            return body[:4] + plan.language.encode() + b"\0"
        return _header(body, plan.alpha3) if name == b"mdhd" else body

    return rebuilt(path, media, change)


def _handler(body: bytes, text: str) -> bytes:
    """After 24 bytes; QuickTime counts its length in a first byte (at most 255), ISO ends it with NUL."""
    data = text.encode()
    if body[4:8] == b"mhlr":
        short = data[:255].decode("utf-8", "ignore").encode()
        return body[:24] + bytes((len(short),)) + short
    return body[:24] + data + b"\0"


def _header(body: bytes, alpha3: str) -> bytes:
    """The three packed letters of the language (14496-12, 8.4.2)."""
    at = 32 if body[:1] == b"\1" else 20
    code = sum((ord(letter) - 0x60) << shift for letter, shift in zip(alpha3, (10, 5, 0), strict=True))
    return body[:at] + code.to_bytes(2, "big") + body[at + 2 :]


def _with_aigc(path: Path, index: bytes, text: str, *, quicktime: bool) -> bytes:
    """One AIGC label: in QuickTime a key of the movie's metadata, else an item as iTunes writes them; older ones go."""
    plain = rebuilt(path, index, lambda name, body: _without_aigc(path, name, body))
    if quicktime:
        return _with_movie_key(path, plain, text)
    item = box(b"mean", bytes(4) + _ITUNES) + box(b"name", bytes(4) + KEY.encode())
    item = box(b"----", item + box(b"data", _UTF8 + text.encode()))
    handler = box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    user = child(path, plain, b"udta")
    found = child(path, user or b"", b"meta")
    if user is None or found is None:
        meta = box(b"meta", bytes(4) + handler + box(b"ilst", item))
        return plain + box(b"udta", meta) if user is None else _put(path, plain, b"udta", user + meta)
    head, body = _parted(found)
    if (child(path, body, b"hdlr") or b"")[8:12] != b"mdir":
        return _put(path, plain, b"udta", _put(path, user, b"meta", head + _with_key(path, body, text)))
    items = child(path, body, b"ilst")
    body = body + box(b"ilst", item) if items is None else _put(path, body, b"ilst", items + item)
    return _put(path, plain, b"udta", _put(path, user, b"meta", head + body))


def _parted(meta: bytes) -> tuple[bytes, bytes]:
    """ISO's version and flags, which QuickTime leaves out, and the boxes."""
    return (b"", meta) if meta[4:8] == b"hdlr" else (meta[:4], meta[4:])


def _put(path: Path, data: bytes, wanted: bytes, content: bytes) -> bytes:
    return rebuilt(path, data, lambda name, body: content if name == wanted else body)


def _with_movie_key(path: Path, index: bytes, text: str) -> bytes:
    """The key in the movie's own metadata, made where there is none (QuickTime File Format, metadata item keys)."""
    found = child(path, index, b"meta")
    if found is None:
        return index + box(b"meta", _with_key(path, box(b"hdlr", bytes(8) + b"mdta" + bytes(13)), text))
    head, body = _parted(found)
    return _put(path, index, b"meta", head + _with_key(path, body, text))


def _with_key(path: Path, meta: bytes, text: str) -> bytes:
    """The boxes of metadata with one key more, and its value."""
    keys, items = child(path, meta, b"keys"), child(path, meta, b"ilst") or b""
    entries = [] if keys is None else [data for _, data in boxes_in(path, keys[8:])]
    entries.append(KEY.encode())
    listed = bytes(4) + len(entries).to_bytes(4, "big") + b"".join(box(b"mdta", name) for name in entries)
    items += box(len(entries).to_bytes(4, "big"), box(b"data", _UTF8 + text.encode()))
    kept = rebuilt(path, meta, lambda name, body: None if name in (b"keys", b"ilst") else body)
    return kept + box(b"keys", listed) + box(b"ilst", items)


def _without_aigc(path: Path, name: bytes, body: bytes) -> bytes:
    """Metadata of the movie without AIGC items; the keys stay, since items are counted by them."""
    if name == b"udta":
        return rebuilt(path, body, lambda inner, data: _without_aigc(path, inner, data))
    if name != b"meta":
        return body
    head, rest = _parted(body)
    keys = [data for _, data in boxes_in(path, (child(path, rest, b"keys") or bytes(8))[8:])]
    items = child(path, rest, b"ilst")
    if items is None:
        return body
    kept = [(kind, item) for kind, item in boxes_in(path, items) if not _is_aigc(path, kind, item, keys)]
    return head + _put(path, rest, b"ilst", b"".join(box(kind, item) for kind, item in kept))


def _is_aigc(path: Path, kind: bytes, item: bytes, keys: list[bytes]) -> bool:
    if kind == b"----":
        return (child(path, item, b"name") or b"")[4:] == KEY.encode()
    number = int.from_bytes(kind, "big")
    return 0 < number <= len(keys) and keys[number - 1] == KEY.encode()


def _shifted(path: Path, index: bytes, behind: int, by: int) -> bytes | None:
    """The index with every chunk that lies at `behind` or later moved by so many bytes; None where it cannot say so."""
    try:
        return rebuilt(path, index, lambda name, body: _moved(path, name, body, behind, by))
    except struct.error:
        return None  # beyond 4 GiB in 32 bits


def _moved(path: Path, name: bytes, body: bytes, behind: int, by: int) -> bytes:
    if name in (b"trak", b"mdia", b"minf", b"stbl"):
        return rebuilt(path, body, lambda inner, data: _moved(path, inner, data, behind, by))
    if name not in (b"stco", b"co64") or by == 0:
        return body
    format_ = f">{(len(body) - 8) // (4 if name == b'stco' else 8)}{'I' if name == b'stco' else 'Q'}"
    offsets = struct.unpack_from(format_, body, 8)
    return body[:8] + struct.pack(format_, *(o + by if o >= behind else o for o in offsets))
