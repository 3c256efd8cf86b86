"""Every rendition of a package decoded and laid over the approved master, in the child; and the labels read back.

The parent asks with `hear_package` and hashes the files itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubgate.alignment import BOUNDS, Bounds, Comparison, Fault, compare
from dubgate.errors import ChildError, MediaError
from dubgate.features import Floats, Series
from dubgate.labels.anchors import Anchors, read_anchors
from dubgate.labels.played import BOXES
from dubgate.labels.renditions import Package, Rendition, package_of, stated_as_long
from dubgate.labels.segments import Piece, blocks_of
from dubgate.labels.tracks import Labels
from dubgate.pinned import as_pinned
from dubgate.spans import Span, difference
from dubgate.stored import Arrays, from_stored, to_stored

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.protocols import VoiceActivity

NEAR_S = 1.0  # so near to where the master has such speech too, a rendition may


@dataclass(frozen=True, slots=True)
class HeardRendition:
    """An audio entry: where it stands, its files (relative to the package), its sound against the master."""

    where: str
    language: str | None
    files: tuple[str, ...]
    comparison: Comparison
    duration_s: float


@dataclass(frozen=True, slots=True)
class HeardPackage:
    """A package as heard; `labels` has one track for each rendition, in the same order."""

    manifest: str
    renditions: tuple[HeardRendition, ...]
    labels: Labels
    others: tuple[str, ...]  # files of pictures and texts, without sound
    master_packets_sha256: str


def hear_package(
    manifest: Path, root: Path, master: Path, stream: int, progress: Callable[[str, float], None]
) -> HeardPackage:
    """Decode every rendition and compare it with a stream of the master.

    Raises:
        MediaError: the package or the master cannot be decoded as it stands.
        ChildError: the child crashed, hung or went over a limit.
    """
    from dubgate.sandbox import Limits, run_in_child

    anchors = read_anchors(None)
    request = {
        "manifest": str(manifest.absolute()),
        "root": str(root.absolute()),
        "master": str(master.absolute()),
        "stream": stream,
        "anchors": None if anchors is None else anchors.stored(),
    }
    reply = run_in_child("package", request, limits=Limits(), inputs=[root, master], progress=progress)
    try:
        heard = from_stored(HeardPackage, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the package came back malformed: {error}") from None
    if not heard.renditions or len(heard.renditions) != len(heard.labels.tracks):
        raise ChildError("the package came back without its renditions or their labels")
    return heard


def package_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `hear_package`."""
    from dubgate.labels.packages import read_manifest

    manifest, root = Path(request["manifest"]), Path(request["root"])
    package = package_of(manifest, root)
    if not package.audio:
        raise MediaError("it names no audio of its own", where=manifest.name)
    labels = read_manifest(manifest, root, anchors=Anchors.from_stored(request["anchors"]))
    if len(labels.tracks) != len(package.audio):
        raise MediaError("its entries and their labels do not match", where=manifest.name)
    progress("master", 0.0)
    listening = Listening(scratch)
    master = listening.to(Path(request["master"]), request["stream"])
    heard = tuple(_heard(package, labels, root, master, listening, progress))
    found = tuple(replace(t, is_what_was_heard=h.comparison.same) for t, h in zip(labels.tracks, heard, strict=True))
    for other in package.others:
        _require_silent(other, scratch)
    named = {path for r in package.audio for path in r.files}
    others = dict.fromkeys(p for o in package.others for p in o.files if p not in named)
    return to_stored(
        HeardPackage(
            _relative(manifest, root),
            heard,
            replace(labels, tracks=found),
            tuple(_relative(p, root) for p in others),
            master.spool.packet_sha256,
        )
    )


def _heard(
    package: Package,
    labels: Labels,
    root: Path,
    master: Listened,
    listening: Listening,
    progress: Callable[[str, float], None],
    bounds: Bounds = BOUNDS,
) -> Iterator[HeardRendition]:
    known: dict[tuple[Piece, ...], tuple[Comparison, float]] = {}
    for k, (rendition, track) in enumerate(zip(package.audio, labels.tracks, strict=True)):
        progress("renditions", (k + 1) / (len(package.audio) + 1))
        if rendition.pieces not in known:
            known[rendition.pieces] = _compared(rendition, master, listening, bounds)
        comparison, duration_s = known[rendition.pieces]
        if not stated_as_long(rendition, duration_s):
            what = f"its playlist says {rendition.stated_s:.2f} s, and it plays {duration_s:.2f} s"
            raise MediaError(what, where=rendition.where)
        files = tuple(_relative(p, root) for p in rendition.files)
        yield HeardRendition(rendition.where, track.language, files, comparison, duration_s)


def _compared(rendition: Rendition, master: Listened, listening: Listening, bounds: Bounds) -> tuple[Comparison, float]:
    from dubgate.meter.added import added_speech

    path = listening.scratch / "rendition"
    _joined(rendition.pieces, path)
    try:
        heard = listening.to(path, _only_stream(path, rendition.where))
    except MediaError as error:
        raise MediaError(error.what, where=rendition.where, remedy=error.remedy) from None
    finally:
        path.unlink()
    try:
        if heard.spool.plays_otherwise:
            what = "its stream holds several presentations (TrueHD, MLP, DTS-HD), of which one was compared"
            raise MediaError(what, where=rendition.where, remedy="package it in a codec of one")
        comparison = compare(master.spool, heard.spool, bounds)
        # The comparison hears mono sums: what the channels of a rendition cancel against each other is looked at apart.
        added = difference(heard.cancelled, [span.padded(NEAR_S) for span in master.cancelled])
        faults = (*comparison.faults, *(Fault(s.start_s, s.end_s, "cancelled") for s in added))
        if not faults:  # what is the master's within the bounds may hold a voice under its music
            beside = added_speech(master.spool, heard.spool, comparison.offset_s, listening.speech_prob)
            faults = tuple(Fault(s.start_s, s.end_s, "spoken") for s in beside)
        return replace(comparison, faults=faults), heard.spool.duration_s
    finally:
        heard.spool.close()


@dataclass(frozen=True, slots=True)
class Listened:
    """A decoded track, and where the speech lies that its mono sum does not hold."""

    spool: AudioSpool
    cancelled: tuple[Span, ...]


class Listening:
    """Decodes tracks; voice activity is loaded where there is something to listen to apart, and else not."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self._activity: VoiceActivity | None = None

    def to(self, path: Path, stream: int) -> Listened:
        """A stream of a file.

        Raises:
            MediaError: see AudioSpool.
        """
        from dubgate.meter.unheard import decode_listening

        return Listened(*decode_listening(path, stream, self.scratch, self.speech_prob))

    def speech_prob(self, clips: Sequence[Floats]) -> list[Series]:
        """Voice activity over clips at 16 kHz."""
        if self._activity is None:
            from dubgate.speech.ears import load_voice_activity

            self._activity = load_voice_activity("embedded", "cpu")
        return self._activity.speech_prob(clips)


def _joined(pieces: tuple[Piece, ...], path: Path) -> None:
    """The bytes that a player is given one after the other; a tag before a packed segment is no sound."""
    with path.open("wb") as out:
        for piece in pieces:
            out.writelines(blocks_of(piece, without_tag=True))


def _only_stream(path: Path, where: str) -> int:
    from dubgate.delivery.opening import open_media

    with open_media(path) as container:
        found = [s.index for s in container.streams.audio]
    if len(found) != 1:
        raise MediaError(f"it plays {len(found)} audio streams; a rendition has one", where=where)
    return int(found[0])


def _require_silent(other: Rendition, scratch: Path) -> None:
    """Pictures and texts carry no sound of their own, which no entry would label and nobody would have compared.

    Fragmented MP4 says its tracks in its initialisation section, wherever such a one stands; every other segment stands for
    itself.
    """
    path = scratch / "other"
    for pieces in _telling(other.pieces):
        _joined(pieces, path)
        found = _audio_streams(path)
        path.unlink()
        if found:
            raise MediaError("it carries sound that no audio entry names", where=other.where)


def _telling(pieces: tuple[Piece, ...]) -> Iterator[tuple[Piece, ...]]:
    """The parts that tell their own tracks: an initialisation section with the fragment behind it, or a whole segment."""
    begins, told = [*map(_begins_tracks, pieces), True], False
    for k, piece in enumerate(pieces):
        if begins[k]:
            yield (piece,) if begins[k + 1] else (piece, pieces[k + 1])
        elif not told or next(_box_names(piece), b"") not in BOXES:
            yield (piece,)
        told = told or begins[k]


def _begins_tracks(piece: Piece) -> bool:
    return any(name in (b"ftyp", b"moov") for name in _box_names(piece))


def _box_names(piece: Piece) -> Iterator[bytes]:
    """Of each box in it; of what holds no boxes, anything."""
    with open(piece.path, "rb", opener=as_pinned) as file:
        at, size = piece.first, os.fstat(file.fileno()).st_size
        end = size if piece.length is None else min(size, piece.first + piece.length)
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            yield head[4:8]
            length = int.from_bytes(head[8:] if head[:4] == b"\0\0\0\1" else head[:4], "big")
            at = at + length if length >= 8 else end


def _audio_streams(path: Path) -> int:
    from dubgate.delivery.formats import sniff
    from dubgate.delivery.opening import open_media

    if _is_text(path.read_bytes()):
        return 0
    with open_media(path, sniff(path)) as container:
        return len(container.streams.audio)


def _is_text(data: bytes) -> bool:
    """To the end: some players look for sound behind what they do not know."""
    if not data.removeprefix(b"\xef\xbb\xbf").startswith((b"WEBVTT", b"<?xml", b"<tt")) or b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _relative(path: Path, root: Path) -> str:
    """As it is written, under which it was digested; where links lead is nobody's place in a package."""
    return Path(os.path.relpath(path, root)).as_posix()
