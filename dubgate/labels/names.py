"""Names that programs write where nobody named a track."""

from __future__ import annotations

_BY_DEFAULT = frozenset(
    {
        "soundhandler",
        "core media audio",
        "apple sound media handler",
        "mainconcept mp4 sound media handler",
        "iso media file produced by google inc.",
        "gpac iso audio handler",
    }
)


def nameless(name: str) -> bool:
    """Whether it names nothing: empty, or what a muxer puts there by itself."""
    return not name.strip("\0 ") or name.strip("\0 ").lower() in _BY_DEFAULT
