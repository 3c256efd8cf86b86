"""What a path leads to, by its content: a manifest of HLS, DASH or IMF, a media file, or a folder of these."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dubgate.errors import MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.pinned import as_pinned

_MAX_FILES = 20_000
_HEAD_BYTES = 65_536


def kind_of(path: Path) -> str:
    """ "hls", "dash", "imf", "xml" or "media", told by the first bytes and never by the name."""
    with open(path, "rb", opener=as_pinned) as file:
        head = file.read(_HEAD_BYTES)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"#EXTM3U"):
        return "hls"
    if not text.startswith(b"<") and b"<\0" not in head[:4]:
        return "media"
    roots = ((b"MPD", "dash"), (b"CompositionPlaylist", "imf"))
    return next((kind for name, kind in roots if b"<" + name in head or b":" + name in head), "xml")


def read_manifest(
    manifest: Path,
    root: Path,
    *,
    language: str | None = None,
    heard_sha256: frozenset[str] | None = None,
    anchors: Anchors | None = None,
) -> Labels:
    """The labels of a package, by what its manifest is, and those inside the media that it plays.

    Raises:
        MediaError: no manifest that is read, or one that plays tricks.
    """
    from dubgate.labels.dash import read_mpd
    from dubgate.labels.hls import read_master
    from dubgate.labels.imf import read_cpl

    kind = kind_of(manifest)
    if kind == "dash":
        return read_mpd(manifest, root, language=language, heard_sha256=heard_sha256, anchors=anchors)
    if kind == "imf":
        return read_cpl(manifest)
    if kind == "xml":
        raise MediaError("this XML is no DASH presentation and no IMF composition", where=manifest.name)
    return read_master(manifest, root, language=language, heard_sha256=heard_sha256, anchors=anchors)


def inspect(path: Path, root: Path, *, language: str | None, anchors: Anchors | None) -> Labels:
    """Every label under a path; what cannot be read is listed, and blocks."""
    if path.is_dir():
        return _folder(path, language, anchors)
    try:
        return _one(path, root, language, anchors)
    except MediaError as error:
        return Labels((), (str(error),), language=language)


def _one(path: Path, root: Path, language: str | None, anchors: Anchors | None) -> Labels:
    from dubgate.labels.containers import read_file

    if kind_of(path) == "media":
        return read_file(path, language=language, anchors=anchors)
    return read_manifest(path, root, language=language, anchors=anchors)


def _folder(folder: Path, language: str | None, anchors: Anchors | None) -> Labels:
    """Every manifest of a package, or, where it has none, every media file of the folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())[: _MAX_FILES + 1]
    if len(files) > _MAX_FILES:
        return Labels((), (f"the folder holds more than {_MAX_FILES:,} files",), language=language)
    kinds = {p: kind_of(p) for p in files}
    manifests = [p for p, kind in kinds.items() if kind in ("dash", "imf") or (kind == "hls" and _is_master(p))]
    chosen = manifests or [p for p, kind in kinds.items() if kind == "media" and _is_sound(p)]
    read = [_named(inspect(p, folder, language=language, anchors=anchors), p, folder) for p in chosen]
    return Labels(
        tuple(t for labels in read for t in labels.tracks),
        tuple(u for labels in read for u in labels.unreadable),
        tuple(u for labels in read for u in labels.unmeasured),
        tuple(p for labels in read for p in labels.places),
        language,
        tuple(m for labels in read for m in labels.manifests),
    )


def _is_master(path: Path) -> bool:
    return b"#EXT-X-STREAM-INF" in path.read_bytes()[: 1 << 20] or b"#EXT-X-MEDIA:" in path.read_bytes()[: 1 << 20]


def _is_sound(path: Path) -> bool:
    from dubgate.delivery.formats import sniff

    try:
        sniff(path)
    except MediaError:
        return False
    return True


def _named(labels: Labels, path: Path, folder: Path) -> Labels:
    """The same, with the file as the folder knows it in every place."""
    prefix = f"{path.relative_to(folder)} "

    def of(track: LabelledTrack) -> LabelledTrack:
        return replace(track, where=track.where.replace(f"{path.name}: ", f"{prefix.strip()}: ", 1))

    places = tuple(replace(p, place=f"{prefix}{p.place}") for p in labels.places)
    return replace(labels, tracks=tuple(map(of, labels.tracks)), places=places)
