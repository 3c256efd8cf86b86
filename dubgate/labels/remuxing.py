"""Write a label into MP4, MOV, M4A, Matroska or WebM by re-wrapping the same packets (in the child process)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dubgate.delivery.formats import sniff
from dubgate.errors import MediaError
from dubgate.labels.aigc import KEY
from dubgate.labels.bounds import refused
from dubgate.labels.packets import StreamDigests, open_to_copy
from dubgate.stored import Arrays

WRITTEN = "written"  # what the child says when its file is whole; the parent then takes it
FILE_NAME = "labelled"
_BRANDS = {b"qt  ": "mov", b"M4A ": "ipod", b"M4B ": "ipod"}
_ISO = ("mp4", "mov", "ipod")
_HEAVY = frozenset({"data", "attachment"})


def remux_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry: the labelled file is `scratch / FILE_NAME` when progress says WRITTEN."""
    source, target = Path(request["apply"]), scratch / FILE_NAME
    packets = _remux(source, target, muxer_of(source), request["stream"], request["tags"], request["aigc"])
    with target.open("rb") as file:
        os.fsync(file.fileno())
    written = {"bytes": target.stat().st_size, "packets": packets}
    progress(WRITTEN, 1.0)  # from here on the file is the parent's
    return written, {}


def muxer_of(path: Path) -> str:
    """FFmpeg's muxer for the same container.

    Raises:
        MediaError: a container that is not re-wrapped here.
    """
    demuxer = sniff(path)
    with path.open("rb") as file:
        head = file.read(4096)
    if demuxer == "matroska":
        return "webm" if b"webm" in head[:64] else "matroska"
    if demuxer == "mov":
        return _BRANDS.get(head[8:12], "mp4" if head[4:8] == b"ftyp" else "mov")
    raise refused(path, f"a label cannot be written into {demuxer} by re-wrapping")


def _remux(source: Path, target: Path, muxer: str, stream: int, tags: dict[str, str], aigc: str | None) -> list[str]:
    """Re-wrap; the digests of the packets of every stream as they were read."""
    import av

    with open_to_copy(source) as given:
        _refuse_what_would_be_lost(source, given)
        kept = {key: value for key, value in given.metadata.items() if key not in _MUXERS_OWN}
        options = _options(muxer, kept, aigc)
        with av.open(str(target), "w", format=muxer, options=options) as out:
            out.metadata.update(kept | ({KEY: aigc} if aigc else {}))
            copied = [s for s in given.streams if not _is_timecode(s)]
            pairs = {s.index: out.add_stream_from_template(s, opaque=True) for s in copied}
            for s in copied:
                _copy_tags(s, pairs[s.index], tags if s.index == stream else {}, muxer)
            if chapters := given.chapters():
                out.set_chapters(chapters)
            digests = StreamDigests(given)
            for packet in (p for p in given.demux() if p.size):
                digests.add(packet)
                if packet.stream_index in pairs:
                    packet.stream = pairs[packet.stream_index]
                    out.mux(packet)
        return digests.close()


_MUXERS_OWN = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER"})


def _options(muxer: str, kept: dict[str, str], aigc: str | None) -> dict[str, str]:
    """Keys of one's own need QuickTime's list of keys; without one the file keeps the items that it had."""
    if muxer not in _ISO:
        return {}
    with_keys = aigc is not None or KEY in kept
    return {"movflags": "+use_metadata_tags"} if with_keys else {}


def _is_timecode(stream: Any) -> bool:
    """A QuickTime timecode track: the muxer writes it anew from the picture's own tag, and the proof compares both."""
    return stream.type == "data" and "timecode" in stream.metadata


def _copy_tags(given: Any, out: Any, tags: dict[str, str], muxer: str) -> None:
    names = tags if muxer in _ISO else {key: text for key, text in tags.items() if key != "handler_name"}
    own = dict(given.metadata)
    if "name" in own:  # how FFmpeg reads a QuickTime track's name, which it writes from "title"
        own.setdefault("title", own.pop("name"))
    out.metadata.update({**own, **names})
    out.disposition = given.disposition


def _refuse_what_would_be_lost(path: Path, given: Any) -> None:
    lost = sorted({s.type for s in given.streams if s.type in _HEAVY and not _is_timecode(s)})
    if lost:
        raise MediaError(
            f"re-wrapping would lose its {' and '.join(lost)} streams",
            where=path.name,
            remedy="write the label with the program that made the file",
        )
