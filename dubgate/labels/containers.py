"""Labels in one media file: what each of its audio tracks is called, in which places, and what machines read there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dubgate.errors import MediaError
from dubgate.labels.places import has_manifest, media_places
from dubgate.labels.provenance import place_of, trusted_manifest
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.labels.wording import speak_alike
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.delivery.media import AudioStream, MediaInfo
    from dubgate.labels.anchors import Anchors

# Where a file with one sound and no title says what it is, in the order in which people look.
_DESCRIPTIONS = ("WAV bext Description", "ADM audioProgrammeLabel", "ADM audioProgrammeName", "WAV iXML NOTE")


def read_file(
    path: Path, *, language: str | None, stream: int | None = None, heard: bool = False, anchors: Anchors | None = None
) -> Labels:
    """The labels of one stream, or of every stream (of `language`, where it is given).

    Args:
        heard: the file is what was heard, byte for byte.
        anchors: the authorities that a C2PA signer is trusted by.

    Raises:
        MediaError: the sound itself cannot be read; a label that cannot be read is in `unreadable` instead.
    """
    from dubgate.delivery.media import probe, select_stream

    info = probe(path)
    streams = info.audio if stream is None else (select_stream(info, index=stream),)
    read = _of_file(path, anchors)
    tracks = tuple(_track(path, s, info, read.places, language if heard else None, heard=heard) for s in streams)
    kept = tuple(t for t in tracks if stream is not None or _wanted(t.language, language))
    return replace(read, tracks=kept, language=language)


def _of_file(path: Path, anchors: Anchors | None) -> Labels:
    """Places and manifest, what could not be read, and what could have been read with more at hand; no tracks yet."""
    try:
        places = media_places(path)
        if not has_manifest(places):
            return Labels((), places=places)
        manifest = trusted_manifest(path, anchors)
    except MediaError as error:
        return Labels((), (str(error),))
    if isinstance(manifest, Unmeasured):
        return Labels((), unmeasured=(manifest.reason,), places=places)
    return Labels((), places=(*places, *place_of(manifest, _track_ids(path))), manifests=(manifest,))


def _track_ids(path: Path) -> tuple[str, ...]:
    from dubgate.delivery.formats import sniff
    from dubgate.labels.boxes import mp4_track_ids

    return mp4_track_ids(path) if sniff(path) == "mov" else ()


def _track(
    path: Path, stream: AudioStream, info: MediaInfo, places: tuple[Place, ...], spoken: str | None, *, heard: bool
) -> LabelledTrack:
    tags = {key.lower(): value for key, value in info.tags}
    own = [p for p in places if p.track in (None, stream.index)]
    alone = len(info.audio) == 1
    title = stream.title or (tags.get("title") if alone else None)
    name = title or next((p.text for p in own if p.names_track), None) or (_description(own) if alone else None)
    return LabelledTrack(
        where=f"{path.name}: stream {stream.index}",
        name=name,
        language=stream.language or tags.get("language") or spoken,
        machine_readable=any(p.token for p in own),
        is_what_was_heard=True if heard else None,
    )


def _description(places: list[Place]) -> str | None:
    found = (p.text for wanted in _DESCRIPTIONS for p in places if p.place == wanted)
    return next(found, None)


def _wanted(have: str | None, want: str | None) -> bool:
    """A track of no language may be the one that is asked for."""
    return want is None or have is None or speak_alike(have, want)
