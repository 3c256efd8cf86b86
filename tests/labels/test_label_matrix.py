"""Container × place × read × written × survives a re-wrap × packets unchanged, over real files made on the spot.

`python tests/labels/test_label_matrix.py` writes MATRIX.md anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import label_files as files
import m3u8
import pytest
from label_files import AIGC, LABEL, made_media

from dubgate.labels.applying import apply_label
from dubgate.labels.packages import inspect
from dubgate.labels.places import media_places
from dubgate.labels.plan import LabelPlan
from dubgate.labels.riff_writing import sound_sha256

MATRIX = Path(__file__).with_name("MATRIX.md")
MEDIA = {
    "MP4 (AAC)": ("mp4", "mp4"),
    "MOV (PCM)": ("mov", "mov"),
    "M4A (ALAC)": ("alac", "ipod"),
    "Matroska (FLAC)": ("matroska", "matroska"),
    "WebM (Opus)": ("webm", "webm"),
    "MP3": ("mp3", "mp3"),
    "FLAC": ("flac", "flac"),
    "WAV": ("wav", "wav"),
    "RF64": ("rf64", "wav"),
}
PLAN = LabelPlan(LABEL, "en", None, AIGC)
HEAD = ("container", "place", "read", "written", "second reader", "survives a plain re-wrap", "packets unchanged")
ABOUT = """# Where the AI label is read and written

Made by `python tests/labels/test_label_matrix.py` from real files, and held true by that test. "written" is by `dubgate
label apply`; "second reader" says who else read the same text back; "survives a plain re-wrap" is FFmpeg's `-c copy`
into the same container; packets are digested before and after writing.

"""


def media_rows(name: str, folder: Path) -> Iterator[tuple[str, ...]]:
    """One row a place of a media file that was labelled."""
    kind, muxer = MEDIA[name]
    source = made_media.make(folder, kind, 0.2)
    labelled = folder / f"labelled{source.suffix}"
    applied = apply_label(source, labelled, PLAN)
    assert applied.written
    assert applied.proof
    if muxer == "wav":
        assert sound_sha256(labelled) == sound_sha256(source)
    kept = {p.place for p in media_places(files.copied(labelled, folder / f"copied{source.suffix}", muxer))}
    second = files.metadata_of(labelled)
    for place in media_places(labelled):
        if place.text in (LABEL, AIGC):
            seen = "PyAV" if place.text in second else "bytes" if place.text.encode() in labelled.read_bytes() else "no"
            yield name, place.place, "yes", "yes", seen, _yes(place.place in kept), "yes"


def manifest_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """HLS and DASH: the manifest changes, the media files do not."""
    for name, source in (("HLS", files.hls(folder)), ("DASH", files.dash(folder))):
        out = folder / f"labelled{source.suffix}"
        media = {p: p.read_bytes() for p in (*folder.glob("*.aac"), *folder.glob("*.m4a"), folder / "en.m3u8")}
        assert apply_label(source, out, PLAN).written
        second = second_m3u8(out) if name == "HLS" else second_mpd(out)
        unchanged = _yes(all(p.read_bytes() == data for p, data in media.items()))
        for place in inspect(out, folder, language="en", anchors=None).places:
            reader = ("m3u8" if name == "HLS" else "ElementTree") if place.text in second else "no"
            yield name, place.place, "yes", "yes", reader, "not wrapped", unchanged


def second_m3u8(path: Path) -> set[str]:
    found = m3u8.load(str(path)).media
    return {text for m in found for text in (m.name, m.characteristics) if text}


def second_mpd(path: Path) -> set[str]:
    root = ElementTree.parse(path).getroot()
    texts = {(e.text or "").strip() for e in root.iter()} | {e.get("value", "") for e in root.iter()}
    return texts | {f"{e.get('schemeIdUri')} {e.get('value')}" for e in root.iter()}


def read_only_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """Places that are read and that dubgate does not write."""
    wav = files.with_chunks(
        files.tone(folder / "t.wav"), folder / "x.wav", (b"iXML", files.IXML.encode()), (b"axml", files.ADM.encode())
    )
    for place in media_places(wav):
        if place.text == LABEL:
            yield "WAV", place.place, "yes", "no", "bytes", "not tried", "not written"
    index = folder / "index.mp4"
    index.write_bytes(
        files.mp4(files.sound_track(), files.movie_items(files.item(b"\xa9nam", LABEL), files.free_form("AIGC", AIGC)))
    )
    for place in media_places(index):
        yield "M4A", place.place, "yes", "no", "bytes", "not tried", "not written"
    cpl = folder / "CPL.xml"
    cpl.write_text(files.CPL)
    for place in inspect(cpl, folder, language=None, anchors=None).places:
        yield "IMF", place.place, "yes", "no", "bytes", "not wrapped", "not written"
    for name in ("ogg", "mpegts", "ac3", "aac", "w64", "aiff", "caf"):
        source = made_media.make(folder, name, 0.2)
        with pytest.raises(Exception, match="holds no label"):
            apply_label(source, folder / f"out-{source.name}", PLAN)
        yield name, "title, where the format has one", "yes", "refused", "-", "-", "-"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def table() -> str:
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as name:
        for k, container in enumerate(MEDIA):
            folder = Path(name) / str(k)
            folder.mkdir()
            rows += media_rows(container, folder)
        for maker in (manifest_rows, read_only_rows):
            folder = Path(name) / maker.__name__
            folder.mkdir()
            rows += maker(folder)
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    return ABOUT + "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


@pytest.mark.usefixtures("here")
def test_the_matrix_is_todays() -> None:
    assert MATRIX.read_text(encoding="utf-8") == table(), "run: python tests/labels/test_label_matrix.py"


def test_what_the_matrix_says_is_that_every_place_written_is_read_and_no_packet_changes() -> None:
    rows = [line.split(" | ") for line in MATRIX.read_text(encoding="utf-8").splitlines()[8:]]
    written = [row for row in rows if row[3] == "yes"]
    assert len(written) > 20
    assert all(row[2] == "yes" and row[4] != "no" and row[6].startswith("yes") for row in written)


if __name__ == "__main__":
    import dubgate.sandbox

    dubgate.sandbox.run_in_child = files.run_here
    MATRIX.write_text(table(), encoding="utf-8")
