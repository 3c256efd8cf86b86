"""Labels in an IMF composition playlist (SMPTE ST 2067-3): titles, annotations and versions, for people only."""

from __future__ import annotations

from pathlib import Path

from dubgate.errors import MediaError
from dubgate.labels.bounds import local_name, parse_xml
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.pinned import read_pinned

_TEXTS = ("Annotation", "ContentTitle", "LabelText")


def read_cpl(path: Path) -> Labels:
    """The texts of a composition; what it plays lies in MXF and is not compared.

    Raises:
        MediaError: no composition playlist.
    """
    root = parse_xml(path, "the playlist", read_pinned(path))
    if local_name(root) != "CompositionPlaylist":
        raise MediaError(f"its root is {local_name(root)!r}, not CompositionPlaylist", where=path.name)
    found = [(local_name(e), (e.text or "").strip(), e.get("language")) for e in root.iter()]
    places = tuple(
        Place(f"IMF {name}", text, 0 if name == "ContentTitle" else None, language, name == "ContentTitle")
        for name, text, language in found
        if name in _TEXTS and text
    )
    language = next((text for name, text, _ in found if name in ("RFC5646SpokenLanguage", "Language") and text), None)
    title = next((p for p in places if p.names_track), None)
    name = title.text if title else None
    return Labels((LabelledTrack(f"{path.name}: ContentTitle", name, language, False, None),), places=places)
