"""Labels of the containers that FFmpeg alone reads here: the names and tags of streams and files, by PyAV."""

from __future__ import annotations

from pathlib import Path

from dubgate.delivery.opening import open_media
from dubgate.labels.aigc import KEY, aigc_place
from dubgate.labels.bounds import MAX_TEXT_BYTES, refused
from dubgate.labels.names import nameless
from dubgate.labels.tracks import Place

_NAMES = frozenset({"title"})
_LABELS = frozenset({"title", "comment", "description", "handler_name", KEY.lower()})


def tagged_places(path: Path, demuxer: str) -> tuple[Place, ...]:
    """Titles, comments and AIGC tags of every stream and of the file.

    Raises:
        MediaError: it cannot be opened as this format, or a tag is longer than a label can be.
    """
    with open_media(path, demuxer) as container:
        found = [(None, None, dict(container.metadata))]
        found += [(s.index, s.metadata.get("language"), dict(s.metadata)) for s in container.streams.audio]
    return tuple(
        _place(path, demuxer, key, value, track, language)
        for track, language, tags in found
        for key, value in sorted(tags.items())
        if key.lower() in _LABELS and not nameless(value)
    )


def _place(path: Path, demuxer: str, key: str, value: str, track: int | None, language: str | None) -> Place:
    place = f"{demuxer} tag {key}"
    if len(value.encode()) > MAX_TEXT_BYTES:
        raise refused(path, f"{place} holds more than a label can")
    if key.upper() == KEY:
        return aigc_place(place, value, track)
    return Place(place, value, track, language, track is not None and key.lower() in _NAMES)
