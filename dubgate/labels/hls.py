"""Labels in an HLS package: every audio rendition of the master playlist, and whether it plays what was heard.

RFC 8216 (EXT-X-MEDIA); CHARACTERISTICS `public.machine-generated` is Apple's AVMediaCharacteristicMachineGenerated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dubgate.errors import MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.codecs import sounds
from dubgate.labels.played import Played, played
from dubgate.labels.segments import Piece, as_written, inside
from dubgate.labels.silent import shows_alone
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.labels.wording import skeleton, speak_alike
from dubgate.pinned import read_pinned

MACHINE_GENERATED = "public.machine-generated"
MAX_PLAYLIST_BYTES = 8_000_000
MAX_SEGMENTS = 100_000


def read_master(
    master: Path,
    root: Path,
    *,
    language: str | None = None,
    heard_sha256: frozenset[str] | None = None,
    anchors: Anchors | None = None,
) -> Labels:
    """The labels of each audio rendition: all, or those in `language` (BCP-47 primary subtag compared).

    `heard_sha256` are digests of the file that was heard; a rendition is what was heard where its segments, in order,
    are those bytes. None: nothing was heard, nothing is compared. `anchors` are the authorities of C2PA signers.

    Raises:
        MediaError: the playlist is malformed, names something outside `root`, or lists a rendition twice.
    """
    playlist = load_playlist(master, root)
    if not playlist.is_variant:
        raise MediaError("this is a media playlist; name the master playlist", where=master.name)
    entries = [m for m in playlist.media if m.type == "AUDIO"]
    keys = [(m.group_id, skeleton(m.name or "")) for m in entries]
    repeated = {k for k in keys if keys.count(k) > 1} if len(set(keys)) < len(keys) else None
    if repeated:
        raise MediaError(f"renditions are listed twice, or look alike: {sorted(repeated)}", where=master.name)
    known: dict[str, Played] = {}  # many groups may name one playlist
    read = [(k, m, _played(m, master, root, anchors, known)) for k, m in enumerate(entries)]
    tracks = [(k, m, sound, _track(m, master, sound, heard_sha256)) for k, m, sound in read]
    kept = [(k, m, sound, track) for k, m, sound, track in tracks if _wanted(track, language)]
    places = tuple(p for k, m, sound, _ in kept for p in (*_places(k, m), *sound.of_entry("HLS", k, m.language)))
    manifests = tuple(dict.fromkeys(m for k, _, sound, _ in kept for m in sound.signed_in(k)))
    open_ = (*(why for _, _, sound, _ in kept for why in sound.unmeasured), *_untold(playlist, master, root))
    unmeasured = tuple(dict.fromkeys(open_))
    unlabelled = tuple(_unlabelled(playlist, master))
    return Labels(tuple(t for *_, t in kept), unlabelled, unmeasured, places, language, manifests)


def _unlabelled(playlist: Any, master: Path) -> Iterator[str]:
    """Variants that carry sound of their own, where no entry can label it, or that name a group that is not there."""
    groups = {m.group_id for m in playlist.media if m.type == "AUDIO"}
    for variant in playlist.playlists:
        group = variant.stream_info.audio
        if group is not None and group not in groups:
            yield f"{master.name}: the variant {variant.uri!r} plays the group {group!r}, which has no entry"
        elif group is None and sounds(variant.stream_info.codecs or ""):
            yield f"{master.name}: the variant {variant.uri!r} has sound of its own, which no entry labels"


def _untold(playlist: Any, master: Path, root: Path) -> Iterator[str]:
    """Variants that name no group and say nothing that is known of what is coded in them, and other pictures (TYPE=VIDEO),
    of which nothing is said: they may have sound of their own."""
    for entry in (m for m in playlist.media if m.type == "VIDEO" and m.uri):
        path = playlist_in(master, entry.uri, root)
        if not shows_alone(hls_pieces(load_playlist(path, root), path, root)):
            yield (
                f"{master.name}: it cannot be told whether the pictures {entry.name!r} ({entry.uri}) have sound of their "
                "own: package them as fragmented MP4 without a track of sound"
            )
    for variant in playlist.playlists:
        if variant.stream_info.audio is None and sounds(variant.stream_info.codecs or "") is None:
            yield (
                f"{master.name} does not tell whether the variant {variant.uri!r} has sound of its own: "
                "write CODECS, or the AUDIO group that it plays"
            )


def _places(number: int, entry: Any) -> Iterator[Place]:
    yield Place("HLS NAME", entry.name or "", number, entry.language, True)
    if entry.characteristics:
        token = "HLS" if MACHINE_GENERATED in _characteristics(entry) else None
        yield Place("HLS CHARACTERISTICS", entry.characteristics, number, entry.language, False, token)


def _characteristics(entry: Any) -> set[str]:
    return {c.strip() for c in (entry.characteristics or "").split(",")}


def _wanted(track: LabelledTrack, language: str | None) -> bool:
    return language is None or speak_alike(track.language or "", language) or track.is_what_was_heard is True


def _played(entry: Any, master: Path, root: Path, anchors: Anchors | None, known: dict[str, Played]) -> Played:
    if not entry.uri:
        return Played("", ())
    if entry.uri not in known:
        known[entry.uri] = rendition_played(playlist_in(master, entry.uri, root), root, anchors)
    return known[entry.uri]


def _track(entry: Any, master: Path, sound: Played, heard: frozenset[str] | None) -> LabelledTrack:
    plays = None if heard is None or not entry.uri else sound.sha256 in heard
    return LabelledTrack(
        where=f"{master.name}: EXT-X-MEDIA {entry.name!r} in group {entry.group_id!r}",
        name=entry.name,
        language=entry.language,
        machine_readable=MACHINE_GENERATED in _characteristics(entry),
        is_what_was_heard=plays,
    )


def rendition_played(playlist_path: Path, root: Path, anchors: Anchors | None) -> Played:
    """Digest and labels of the initialisation section and all segments of a media playlist, in order."""
    playlist = load_playlist(playlist_path, root)
    if playlist.is_variant:
        raise MediaError("a rendition's playlist is itself a master playlist", where=playlist_path.name)
    return played(hls_pieces(playlist, playlist_path, root), anchors)


def hls_pieces(playlist: Any, path: Path, root: Path) -> Iterator[Piece]:
    """The initialisation section and all segments of a media playlist, in order.

    Raises:
        MediaError: none, too many, or outside `root`.
    """
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


def _piece(uri: str, byterange: str | None, playlist: Path, root: Path, ends: dict[Path, int]) -> Piece:
    path = playlist_in(playlist, uri, root)
    if byterange is None:
        return Piece(path)
    length, at, offset = byterange.partition("@")
    if not length.isdecimal() or (at and not offset.isdecimal()):
        raise MediaError(f"{byterange!r} is not a byte range", where=playlist.name)
    first = int(offset) if at else ends.get(path, 0)
    ends[path] = first + int(length)
    return Piece(path, first, int(length))


def _inside(path: Path, root: Path) -> Path:
    if ":" in path.name or any(part.endswith(":") for part in path.parts):
        raise MediaError("a playlist names something outside the delivery's folder", where=path.name)
    return as_written(path, root, what=repr(path.name), named_by=path.name)


def playlist_in(master: Path, uri: str, root: Path) -> Path:
    """What a playlist names, as players ask a server for it.

    Raises:
        MediaError: outside `root`, or not there.
    """
    return inside(master.parent, uri, root, named_by=master.name)


def load_playlist(path: Path, root: Path) -> Any:
    """A playlist as m3u8 reads it.

    Raises:
        MediaError: outside `root`, too large, or not to be read.
    """
    import m3u8

    data = read_pinned(_inside(path, root))
    if len(data) > MAX_PLAYLIST_BYTES or not data.lstrip(b"\xef\xbb\xbf").startswith(b"#EXTM3U"):
        raise MediaError("not an HLS playlist", where=path.name)
    try:
        text = data.decode("utf-8-sig")
        _refuse_ambiguity(text, path.name)
        playlist = m3u8.loads(text)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise MediaError(f"not a readable HLS playlist: {error}", where=path.name) from error
    named = sum(bool(line.strip()) and not line.startswith("#") for line in text.splitlines())
    if named != len(playlist.segments) + len(playlist.playlists):
        raise MediaError("it names something that stands behind no tag, which some players play", where=path.name)
    return playlist


# What Python takes for the end of a line and players do not, and the reverse: they would read other lines.
_NO_LINE = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]|\r(?!\n)")
_LISTS = ("#EXT-X-MEDIA", "#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-MAP")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,"]*)(?:,|$)')


def _refuse_ambiguity(text: str, name: str) -> None:
    """What one player reads in one way and another in another: lines, an attribute twice, variables (RFC 8216bis, 4.1, 4.2, 4.4.2.3)."""
    if _NO_LINE.search(text):
        raise MediaError("it holds control characters, at which not every player ends a line", where=name)
    for line in text.splitlines():
        tag, _, rest = line.strip().partition(":")
        if tag == "#EXT-X-DEFINE":
            raise MediaError("it defines variables, which are not read", where=name)
        if tag in _LISTS:
            keys = [key for key, _ in _ATTRIBUTE.findall(rest)]
            if len(set(keys)) < len(keys):
                raise MediaError(f"an entry says an attribute twice: {line.strip()[:200]!r}", where=name)
