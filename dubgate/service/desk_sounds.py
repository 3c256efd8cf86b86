"""Which files the sounds of a delivery are, so that what the desk plays is what was judged."""

from __future__ import annotations

from pathlib import Path

from dubgate.delivery.manifest import Delivery
from dubgate.pinned import Place

Places = tuple[Place | None, ...]


def places_of(delivery: Delivery) -> Places:
    """Device, inode, size and time of the last change of each sound: an exchange shows, whatever the file's own times say."""
    return tuple(_place(path) for path in sounds_of(delivery))


def sounds_of(delivery: Delivery) -> tuple[Path, ...]:
    """The files of both tracks: mixes, stems, music and effects."""
    tracks = (delivery.original, delivery.dub)
    return tuple(s.path for t in tracks for s in (t.mix, t.stem, t.me) if s is not None)


def _place(path: Path) -> Place | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns
