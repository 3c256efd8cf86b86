"""Names and languages in an Audio Definition Model (ITU-R BS.2076): programme, content and object labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dubgate.labels.bounds import local_name, parse_xml
from dubgate.labels.tracks import Place

_NAMED = ("audioProgramme", "audioContent", "audioObject")


def adm_places(path: Path, body: bytes) -> Iterator[Place]:
    """The texts of an `axml` chunk that people or machines read as labels."""
    for element in parse_xml(path, "WAV axml", body).iter():
        kind = local_name(element)
        if kind in _NAMED:
            language = element.get(f"{kind}Language")
            yield Place(f"ADM {kind}Name", element.get(f"{kind}Name") or "", None, language)
        elif kind.removesuffix("Label") in _NAMED and kind.endswith("Label"):
            language = element.get("language")
            yield Place(f"ADM {kind}", (element.text or "").strip(), None, language)
