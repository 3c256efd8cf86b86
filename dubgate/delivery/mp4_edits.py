"""What the index of an MP4 or QuickTime file says of its sound: an edit list that leaves some out (ISO/IEC 14496-12, 8.6.6).

FFmpeg plays only what the list presents; many players, and all that are fed through Media Source Extensions, play what is stored.
Sound that the list leaves out would be published without being heard.
"""

from __future__ import annotations

from pathlib import Path

from dubgate.delivery.mp4_boxes import boxes, inner
from dubgate.errors import MediaError

HIDDEN_S = 0.5  # encoder delay, and what a cut without coding anew leaves at both ends
_EMPTY, _NORMAL_RATE = -1, 0x00010000
_ONE = (1).to_bytes(4, "big")
_REMEDY = "export it again without an edit list"


def check_edits(path: Path, index: bytes) -> None:
    """Look at every track of sound of a movie box's content.

    Raises:
        MediaError: sound is repeated, left out, played at another speed, or described twice.
    """
    movie_scale = _timescale(inner(index, b"mvhd"))
    for name, track in boxes(index):
        if name != b"trak" or inner(track, b"mdia", b"hdlr")[8:12] != b"soun":
            continue
        described = inner(track, b"mdia", b"minf", b"stbl", b"stsd")[4:8]
        if described not in (b"", _ONE):  # FFmpeg decodes all by the first, others by what each sample names
            what = f"its sound is described in {int.from_bytes(described, 'big')} ways (stsd)"
            raise MediaError(what, where=str(path), remedy="export it again with one sample description")
        told = _hidden(inner(track, b"edts", b"elst"), inner(track, b"mdia", b"mdhd"), movie_scale)
        if told:
            raise MediaError(f"its edit list {told}, and not every player follows it", where=str(path), remedy=_REMEDY)


def holds_samples(index: bytes) -> bool:
    """Whether a movie box's content lists samples of any track; that of a fragmented file lists none."""
    tables = (inner(track, b"mdia", b"minf", b"stbl") for name, track in boxes(index) if name == b"trak")
    return any(inner(t, name)[8:12] not in (b"", bytes(4)) for t in tables for name in (b"stsz", b"stz2"))


def _hidden(edits: bytes, header: bytes, movie_scale: int) -> str:
    """What a list does that hides sound; empty where it does nothing of the kind."""
    rows = _rows(edits)
    while rows and rows[0][1] == _EMPTY:  # it begins later
        rows = rows[1:]
    if not rows:
        return ""
    if len(rows) > 1:
        return "puts its sound together anew"
    length, start, rate = rows[0]
    scale, stored = _timescale(header), _duration(header)
    if rate != _NORMAL_RATE or not scale or not movie_scale:
        return "plays its sound at another speed"
    after_s = (stored - start) / scale - length / movie_scale if stored and length else 0.0
    return f"leaves out {max(start / scale, after_s):.1f} s" if max(start / scale, after_s) > HIDDEN_S else ""


def _rows(edits: bytes) -> list[tuple[int, int, int]]:
    """Length in units of the movie, start in units of the track, -1 for none, and speed, of each row."""
    wide = 8 if edits[:1] == b"\1" else 4
    count, size = int.from_bytes(edits[4:8], "big"), 2 * wide + 4
    rows = (edits[at : at + size] for at in range(8, min(len(edits), 8 + count * size) - size + 1, size))
    return [
        (
            int.from_bytes(row[:wide], "big"),
            int.from_bytes(row[wide : 2 * wide], "big", signed=True),
            int.from_bytes(row[2 * wide :], "big"),
        )
        for row in rows
    ]


def _timescale(header: bytes) -> int:
    """Of a movie's or a track's header, which lie alike."""
    at = 20 if header[:1] == b"\1" else 12
    return int.from_bytes(header[at : at + 4], "big")


def _duration(header: bytes) -> int:
    at, size = (24, 8) if header[:1] == b"\1" else (16, 4)
    found = int.from_bytes(header[at : at + size], "big")
    return 0 if found == (1 << 8 * size) - 1 else found  # not known
