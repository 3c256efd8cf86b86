"""What a package plays, entry by entry: the bytes of each audio rendition in order, and every file with its part in it.

Stricter than reading labels, since what is found here is signed: only tags and addresses whose effect is known, on
demand (not live), unencrypted, one initialisation section, no part that plays instead of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubgate.errors import MediaError
from dubgate.labels.dash import children, entries_of, is_audio, parse_mpd
from dubgate.labels.dash_segments import representation_pieces
from dubgate.labels.hls import hls_pieces, load_playlist, playlist_in
from dubgate.labels.packages import kind_of
from dubgate.labels.segments import Piece

# RFC 8216: tags that change nothing of what is heard beside what is read here. All others are refused by name.
_MEDIA_TAGS = frozenset(
    (
        *("EXTM3U", "EXT-X-VERSION", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-PLAYLIST-TYPE"),
        *("EXT-X-MAP", "EXTINF", "EXT-X-BYTERANGE", "EXT-X-BITRATE", "EXT-X-INDEPENDENT-SEGMENTS"),
        *("EXT-X-PROGRAM-DATE-TIME", "EXT-X-I-FRAMES-ONLY", "EXT-X-ENDLIST"),
    )
)
_MASTER_TAGS = frozenset(
    (
        *("EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS"),
        *("EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF"),
    )
)
_TAG = re.compile(r"#(EXT[A-Z0-9-]*)")
_SLACK_S = 0.5


@dataclass(frozen=True, slots=True)
class Rendition:
    """One entry: where it stands, its playlist (None in DASH), the bytes it plays in order, and how long it says it is."""

    where: str
    playlist: Path | None
    pieces: tuple[Piece, ...]
    stated_s: float | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Its playlist and every file it plays, each once."""
        return tuple(dict.fromkeys((*((self.playlist,) if self.playlist else ()), *(p.path for p in self.pieces))))


@dataclass(frozen=True, slots=True)
class Package:
    """The manifest, its audio entries in the order in which labels are read, and what else it names: pictures, texts."""

    manifest: Path
    audio: tuple[Rendition, ...]
    others: tuple[Rendition, ...]


def package_of(manifest: Path, root: Path) -> Package:
    """Everything that a manifest of HLS or DASH plays.

    Raises:
        MediaError: neither, or something in it whose effect is not known here.
    """
    kind = kind_of(manifest)
    if kind == "hls":
        return _hls(manifest, root)
    if kind == "dash":
        return _dash(manifest, root)
    raise MediaError("no HLS master playlist and no DASH presentation", where=manifest.name)


# HLS


def _hls(manifest: Path, root: Path) -> Package:
    playlist = load_playlist(manifest, root)
    if not playlist.is_variant:
        raise MediaError("this is a media playlist; name the master playlist", where=manifest.name)
    _require_known(manifest, _MASTER_TAGS)
    read: dict[Path, Rendition] = {}
    audio = []
    for entry in (m for m in playlist.media if m.type == "AUDIO"):
        where = f"{manifest.name}: EXT-X-MEDIA {entry.name!r} in group {entry.group_id!r}"
        if not entry.uri:
            raise MediaError("its sound lies inside a variant; give it a URI of its own", where=where)
        audio.append(_named(_media(playlist_in(manifest, entry.uri, root), root, read), where))
    uris = [p.uri for p in playlist.playlists] + [p.uri for p in playlist.iframe_playlists]
    uris += [m.uri for m in playlist.media if m.type != "AUDIO" and m.uri]
    own = {r.playlist for r in audio}
    places = dict.fromkeys(playlist_in(manifest, uri, root) for uri in uris)
    others = tuple(_named(_media(p, root, read), f"{manifest.name}: {p.name}") for p in places if p not in own)
    return Package(manifest, tuple(audio), others)


def _named(rendition: Rendition, where: str) -> Rendition:
    return Rendition(where, rendition.playlist, rendition.pieces, rendition.stated_s)


def _media(path: Path, root: Path, read: dict[Path, Rendition]) -> Rendition:
    if path not in read:
        playlist = load_playlist(path, root)
        _require_known(path, _MEDIA_TAGS)
        _require_whole(playlist, path)
        stated_s = sum(float(s.duration or 0) for s in playlist.segments)
        read[path] = Rendition(path.name, path, tuple(hls_pieces(playlist, path, root)), stated_s)
    return read[path]


def _require_whole(playlist: Any, path: Path) -> None:
    if not playlist.is_endlist:
        raise MediaError(
            "it has no end (EXT-X-ENDLIST): what is live cannot be certified as a package", where=path.name
        )
    if len(playlist.segment_map) > 1:
        raise MediaError("it has more than one initialisation section", where=path.name)


def _require_known(path: Path, tags: frozenset[str]) -> None:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        found = _TAG.match(line.strip())
        if found is None:
            continue
        if found[1] == "EXT-X-KEY":
            raise MediaError("it is encrypted: certify the package before encryption", where=path.name)
        if found[1] not in tags:
            what = f"the tag {found[1]} may change what is heard, and is not known here"
            raise MediaError(what, where=path.name, remedy="Package it without this tag.")


# DASH


def _dash(manifest: Path, root: Path) -> Package:
    mpd = parse_mpd(manifest)
    periods = children(mpd, "Period")
    if mpd.get("type", "static") != "static" or len(periods) != 1 or periods[0].get("start") not in (None, "PT0S"):
        raise MediaError("only a static presentation of one period from its start is certified", where=manifest.name)
    for element in mpd.iter():
        name = element.tag.rpartition("}")[2]
        if name in ("ContentProtection", "EventStream", "InbandEventStream"):
            raise MediaError(
                f"it holds {name}: certify the package before encryption and insertion", where=manifest.name
            )
        if element.get("presentationTimeOffset", "0") != "0" or element.get("eptDelta") is not None:
            raise MediaError("its sound is shifted against the period", where=manifest.name)
    audio = [
        Rendition(
            e.representation.get("id", str(e.number)), None, tuple(representation_pieces(e.line, manifest, root)), None
        )
        for e in entries_of(mpd, manifest)
    ]
    return Package(manifest, tuple(audio), tuple(_pictures(mpd, manifest, root)))


def _pictures(mpd: Any, manifest: Path, root: Path) -> Iterator[Rendition]:
    for period in children(mpd, "Period"):
        for choice in children(period, "AdaptationSet"):
            for shown in children(choice, "Representation"):
                if not is_audio(choice, shown):
                    pieces = tuple(representation_pieces((mpd, period, choice, shown), manifest, root))
                    yield Rendition(f"{manifest.name}: {shown.get('id', '?')}", None, pieces, None)


def stated_as_long(rendition: Rendition, duration_s: float) -> bool:
    """Whether the playlist says the length that its bytes have."""
    return rendition.stated_s is None or abs(rendition.stated_s - duration_s) <= _SLACK_S
