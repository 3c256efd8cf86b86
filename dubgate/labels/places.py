"""Every place of a media file in which a label can stand, by what the file is and not by its name."""

from __future__ import annotations

from pathlib import Path

from dubgate.delivery.formats import read_head, sniff
from dubgate.labels.aigc import aigc_refusals
from dubgate.labels.bounds import refuse_polyglot, refused
from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.tracks import Place


def media_places(path: Path) -> tuple[Place, ...]:
    """The texts and tokens of one media file.

    Raises:
        MediaError: of no format that is read, two files at once, cut off, or with labels that contradict their standard.
    """
    demuxer = sniff(path)
    refuse_polyglot(path)
    found = _read(path, demuxer)
    wrong = aigc_refusals(found)
    if wrong:
        raise refused(path, "; ".join(wrong))
    return found


def has_manifest(places: tuple[Place, ...]) -> bool:
    """Whether the file carries a C2PA manifest."""
    return any(p.place == C2PA_PLACE for p in places)


def _read(path: Path, demuxer: str) -> tuple[Place, ...]:
    from dubgate.labels.boxes import mp4_places
    from dubgate.labels.ebml import matroska_places
    from dubgate.labels.flac import flac_places
    from dubgate.labels.id3 import id3_places
    from dubgate.labels.riff import wav_places
    from dubgate.labels.tagged import tagged_places

    own = {"wav": wav_places, "mov": mp4_places, "matroska": matroska_places, "flac": flac_places, "mp3": id3_places}
    if demuxer in own:
        return own[demuxer](path)
    if read_head(path)[0].startswith(b"ID3"):
        return id3_places(path)
    return tagged_places(path, demuxer)
