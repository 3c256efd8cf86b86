"""Labels in an HLS package: every audio rendition of the master playlist, and whether it plays what was heard.

RFC 8216 (EXT-X-MEDIA); CHARACTERISTICS `public.machine-generated` is Apple's AVMediaCharacteristicMachineGenerated.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dubgate.errors import MediaError
from dubgate.labels.tracks import LabelledTrack, Labels

MACHINE_GENERATED = "public.machine-generated"
MAX_PLAYLIST_BYTES = 8_000_000
MAX_SEGMENTS = 100_000


def read_master(master: Path, root: Path, *, language: str, heard_sha256: frozenset[str]) -> Labels:
    """The labels of each audio rendition in `language` (BCP-47 primary subtag compared).

    `heard_sha256` are digests of the file that was heard; a rendition is what was heard where its segments, in order,
    are those bytes.

    Raises:
        MediaError: the playlist is malformed, names something outside `root`, or lists a rendition twice.
    """
    playlist = _load(master, root)
    if not playlist.is_variant:
        raise MediaError("this is a media playlist; name the master playlist", where=master.name)
    entries = [m for m in playlist.media if m.type == "AUDIO"]
    keys = [(m.group_id, m.name) for m in entries]
    repeated = {k for k in keys if keys.count(k) > 1}
    if repeated:
        raise MediaError(f"renditions are listed twice: {sorted(repeated)}", where=master.name)
    tracks = [_track(m, master, root, heard_sha256) for m in entries]
    return Labels(tuple(t for t in tracks if _same_language(t.language, language) or t.is_what_was_heard))


def _track(entry: Any, master: Path, root: Path, heard_sha256: frozenset[str]) -> LabelledTrack:
    characteristics = {c.strip() for c in (entry.characteristics or "").split(",")}
    heard = None if not entry.uri else rendition_sha256(_inside(master.parent / entry.uri, root), root) in heard_sha256
    return LabelledTrack(
        where=f"{master.name}: EXT-X-MEDIA {entry.name!r} in group {entry.group_id!r}",
        name=entry.name,
        language=entry.language,
        machine_readable=MACHINE_GENERATED in characteristics,
        is_what_was_heard=heard,
    )


def rendition_sha256(playlist_path: Path, root: Path) -> str:
    """SHA-256 over the initialisation section and all segments of a media playlist, in order."""
    playlist = _load(playlist_path, root)
    if playlist.is_variant:
        raise MediaError("a rendition's playlist is itself a master playlist", where=playlist_path.name)
    digest = hashlib.sha256()
    for path, first, length in _pieces(playlist, playlist_path, root):
        with path.open("rb") as file:
            file.seek(first)
            left = length
            while left is None or left > 0:
                block = file.read(1 << 20 if left is None else min(left, 1 << 20))
                if not block:
                    break
                digest.update(block)
                left = None if left is None else left - len(block)
            if left:
                raise MediaError("a byte range reaches past the end of its file", where=path.name)
    return digest.hexdigest()


def _pieces(playlist: Any, path: Path, root: Path) -> Iterator[tuple[Path, int, int | None]]:
    if len(playlist.segments) > MAX_SEGMENTS or not playlist.segments:
        raise MediaError(f"it lists {len(playlist.segments)} segments", where=path.name)
    init: object = None
    ends: dict[Path, int] = {}
    for segment in playlist.segments:
        section = segment.init_section
        if section is not None and section != init:
            init = section
            yield _piece(section.uri, section.byterange, path, root, ends)
        yield _piece(segment.uri, segment.byterange, path, root, ends)


def _piece(
    uri: str, byterange: str | None, playlist: Path, root: Path, ends: dict[Path, int]
) -> tuple[Path, int, int | None]:
    path = _inside(playlist.parent / uri, root)
    if byterange is None:
        return path, 0, None
    length, at, offset = byterange.partition("@")
    if not length.isdecimal() or (at and not offset.isdecimal()):
        raise MediaError(f"{byterange!r} is not a byte range", where=playlist.name)
    first = int(offset) if at else ends.get(path, 0)
    ends[path] = first + int(length)
    return path, first, int(length)


def _inside(path: Path, root: Path) -> Path:
    resolved = path.resolve()
    if (
        ":" in path.name
        or any(part.endswith(":") for part in path.parts)
        or not resolved.is_relative_to(root.resolve())
    ):
        raise MediaError("a playlist names something outside the delivery's folder", where=path.name)
    if not resolved.is_file():
        raise MediaError("a playlist names a file that is not there", where=path.name)
    return resolved


def _load(path: Path, root: Path) -> Any:
    import m3u8

    data = _inside(path, root).read_bytes()
    if len(data) > MAX_PLAYLIST_BYTES or not data.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
        raise MediaError("not an HLS playlist", where=path.name)
    try:
        return m3u8.loads(data.decode("utf-8-sig"))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise MediaError(f"not a readable HLS playlist: {error}", where=path.name) from error


def _same_language(left: str | None, right: str) -> bool:
    return left is not None and left.lower().split("-")[0] == right.lower().split("-")[0]
