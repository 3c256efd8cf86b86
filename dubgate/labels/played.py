"""What an entry of a package plays: the digest of its bytes, and the labels that stand inside them.

Initialisation sections and fragments (ISO/IEC 14496-12, 23000-19; timed ID3 in `emsg`), the tags of packed audio (RFC 8216,
3.4), languages and timed ID3 of transport streams, and whole files of other containers. What is none of these is unmeasured:
nobody can say that no label stands in it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from dubgate.delivery.formats import HEAD_BYTES, id3_bytes, is_packed_sound, sniff
from dubgate.errors import MediaError
from dubgate.labels.aigc import aigc_refusals
from dubgate.labels.anchors import Anchors
from dubgate.labels.bounds import MAX_INDEX_BYTES, read_exactly, refused
from dubgate.labels.boxes import (
    C2PA_UUID,
    boxes_in,
    child,
    file_boxes,
    language_of,
    metadata_places,
    movie_places,
    mp4_track_ids,
    user_data_places,
)
from dubgate.labels.id3 import tag_at, tag_places
from dubgate.labels.places import media_places
from dubgate.labels.provenance import place_of, trusted_pieces
from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.segments import Piece, sha256_of
from dubgate.labels.tracks import Manifest, Place
from dubgate.labels.transport import is_transport, transport_places
from dubgate.pinned import as_pinned
from dubgate.unmeasured import Unmeasured

_EMSG_ID3 = b"https://aomedia.org/emsg/ID3"
_TAG_INSIDE = re.compile(
    rb"ID3[\x02-\x04][\x00-\xfe][\x00\x10\x20\x30\x40\x50\x60\x70\x80\x90\xa0\xb0\xc0\xd0\xe0\xf0][\x00-\x7f]{4}"
)
_STREAMS = frozenset(("mpegts", "aac", "mp3", "ac3", "eac3"))  # read here by their segments, and nowhere else
_BLOCK = 1 << 20
_OVERLAP = 10  # bytes of a tag's header, which may lie across two blocks
_MOST_TOLD = 3
Found = Place | Unmeasured
# How a segment of fragmented MP4 can begin.
BOXES = frozenset(
    (
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mdat",
        b"sidx",
        b"ssix",
        b"emsg",
        b"prft",
        b"uuid",
        b"free",
        b"skip",
        b"meta",
    )
)


@dataclass(frozen=True, slots=True)
class Played:
    """The digest of the bytes in order, and what they say; `places` have no track yet.

    `unmeasured` is a C2PA manifest that could be verified with more at hand, and what may hold labels that nobody reads.
    """

    sha256: str
    places: tuple[Place, ...]
    manifests: tuple[Manifest, ...] = ()
    unmeasured: tuple[str, ...] = ()

    def of_entry(self, standard: str, number: int, language: str | None) -> tuple[Place, ...]:
        """The places as those of an entry of an HLS or DASH package, which marks it with this language."""
        there: dict[str, Any] = {"track": number, "in_media": True, "entry_language": language}
        return tuple(replace(p, place=f"{standard} media {p.place}", **there) for p in self.places)

    def signed_in(self, number: int) -> tuple[Manifest, ...]:
        """The C2PA manifests as those of this entry."""
        return tuple(replace(m, entry=number) for m in self.manifests)


def played(pieces: Iterable[Piece], anchors: Anchors | None) -> Played:
    """Hash and read what an entry plays.

    Args:
        anchors: the authorities that a C2PA signer is trusted by.

    Raises:
        MediaError: cut off, damaged, labels that contradict their standard, or a C2PA manifest that is not believed.
    """
    pieces = tuple(pieces)
    sha256, read = sha256_of(pieces), tuple(dict.fromkeys(p for piece in pieces for p in _whole(piece)))
    found = tuple(p for p in read if isinstance(p, Place))
    unread = _told([p.reason for p in read if isinstance(p, Unmeasured)])
    if wrong := aigc_refusals(found):
        raise refused(pieces[0].path, "; ".join(wrong))
    if not any(p.place == C2PA_PLACE for p in found):
        return Played(sha256, found, unmeasured=unread)
    told = trusted_pieces(pieces, anchors)
    if isinstance(told, Unmeasured):
        return Played(sha256, found, unmeasured=(*unread, told.reason))
    ids = mp4_track_ids(pieces[0].path) if told.tracks else ()
    said = tuple(replace(p, track=None) for p in place_of(told, ids))
    return Played(sha256, (*found, *said), (told,), unread)


def _told(unread: list[str]) -> tuple[str, ...]:
    """The first reasons, and how many more there are: a programme can have ten thousand segments."""
    more = len(unread) - _MOST_TOLD
    return (
        *unread[:_MOST_TOLD],
        *((f"{more:,} more of its segments cannot be told to hold none",) if more > 0 else ()),
    )


def _whole(piece: Piece) -> tuple[Found, ...]:
    """The places of one piece, of which each may say China's label once; and what of it nobody reads."""
    found = tuple(p for p in _places(piece) if isinstance(p, Unmeasured) or p.text)
    if wrong := aigc_refusals(tuple(p for p in found if isinstance(p, Place))):
        raise refused(piece.path, "; ".join(wrong))
    return found


def _places(piece: Piece) -> Iterator[Found]:
    with open(piece.path, "rb", opener=as_pinned) as file:
        size = os.fstat(file.fileno()).st_size
        end = size if piece.length is None else piece.first + piece.length
        file.seek(piece.first)
        head = file.read(min(200, end - piece.first))
        if head[4:8] in BOXES:
            yield from _of_boxes(piece.path, file, piece.first, end)
        elif is_transport(head):
            yield from transport_places(piece.path, file, piece.first, end)
        else:
            yield from _of_packed(piece, file, end)


def _of_packed(piece: Piece, file: BinaryIO, end: int) -> Iterator[Found]:
    """Tags one after the other, and the packed sound behind them, in which no other may stand."""
    at = piece.first
    while at < end and (tag := tag_at(piece.path, file, at)):
        at += len(tag)
        if at > end:
            raise refused(piece.path, "an ID3 tag reaches beyond its segment")
        yield from tag_places(piece.path, tag)
    file.seek(at)
    if is_packed_sound(file.read(min(HEAD_BYTES, end - at))):
        if _tag_inside(file, at, end):
            yield _unread(piece, "an ID3 tag stands inside its sound")
    elif at == piece.first == 0 and piece.length is None:
        yield from _of_other(piece)
    elif at < end or at == piece.first:
        yield _unread(piece, "it is no fragmented MP4, no packed audio and no transport stream")


def _tag_inside(file: BinaryIO, at: int, end: int) -> bool:
    """Whether bytes that begin a tag stand in the sound, where players look for none and other programs do."""
    kept = b""
    for first in range(at, end, _BLOCK):
        file.seek(first)
        data = kept + file.read(min(_BLOCK, end - first))
        if _TAG_INSIDE.search(data):
            return True
        kept = data[-_OVERLAP:]
    return False


def _of_other(piece: Piece) -> Iterator[Found]:
    """A file of another container, such as FLAC or WAV, that an entry plays from its first byte to its last."""
    try:
        known = sniff(piece.path) not in _STREAMS
    except MediaError:
        known = False
    if known:
        yield from media_places(piece.path)
    else:
        yield _unread(piece, "it is of no format whose labels are read")


def _unread(piece: Piece, why: str) -> Unmeasured:
    """What may hold labels that nobody reads; the first byte tells the parts of one file apart."""
    where = f"{piece.path.name} from byte {piece.first:,}" if piece.first else piece.path.name
    return Unmeasured(f"{where} cannot be told to hold none, since {why}: package it as fragmented MP4")


def _of_boxes(path: Path, file: BinaryIO, at: int, end: int) -> Iterator[Place]:
    for name, _, start, stop in file_boxes(path, file, at, end):
        if name == b"uuid" and read_exactly(path, file, start, min(16, stop - start)) == C2PA_UUID:
            yield Place(C2PA_PLACE, "uuid box")
        elif name in _READ:
            if stop - start > MAX_INDEX_BYTES:
                raise refused(path, f"the box {name!r} holds {stop - start:,} bytes")
            yield from _READ[name](path, read_exactly(path, file, start, stop - start))


def _movie(path: Path, index: bytes) -> Iterator[Place]:
    yield from movie_places(path, index)
    for name, track in boxes_in(path, index):
        if name == b"trak" and (child(path, track, b"mdia", b"hdlr") or b"")[8:12] == b"soun":
            language = language_of(path, track)
            yield Place("language", language or "", None, language)


def _fragment(path: Path, body: bytes) -> Iterator[Place]:
    for name, data in boxes_in(path, body):
        if name == b"traf":
            yield from _fragment(path, data)
        elif name == b"udta":
            yield from user_data_places(path, data, "fragment", None)
        elif name == b"meta":
            yield from metadata_places(path, data, "fragment", None)


def _event(path: Path, body: bytes) -> Iterator[Place]:
    """An event whose message is an ID3 tag (23009-1, 5.10.3.3): its texts stand before or behind its times."""
    texts = body[4:] if body[:1] == b"\0" else body[24:]
    scheme, _, rest = texts.partition(b"\0")
    if scheme == _EMSG_ID3:
        message = rest.partition(b"\0")[2]
        message = message[16:] if body[:1] == b"\0" else message
        if id3_bytes(message):
            yield from tag_places(path, message)


_READ: dict[bytes, Callable[[Path, bytes], Iterator[Place]]] = {
    b"moov": _movie,
    b"moof": _fragment,
    b"emsg": _event,
    b"meta": lambda path, body: metadata_places(path, body, "file", None),
    b"udta": lambda path, body: user_data_places(path, body, "file", None),
}
