"""Container × place × read × written × survives a re-wrap × packets unchanged, over real files made on the spot.

`python tests/labels/test_label_matrix.py` writes MATRIX.md anew.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import av
import label_files as files
import m3u8
import pytest
from label_files import AIGC, LABEL, made_media
from signers import authority, key_pem, pem, sign

from dubgate.errors import MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.applying import apply_label
from dubgate.labels.containers import read_file
from dubgate.labels.packages import inspect
from dubgate.labels.packets import packet_digests
from dubgate.labels.places import has_manifest, media_places
from dubgate.labels.plan import LabelPlan
from dubgate.labels.riff_writing import sound_sha256
from dubgate.labels.signing import signing_of

c2pa = pytest.importorskip("c2pa", reason="the matrix needs c2pa-python")
pymediainfo = pytest.importorskip("pymediainfo", reason="the matrix needs pymediainfo as a second reader")

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
    unchanged = _yes(packet_digests(labelled) == packet_digests(source))
    for place in media_places(labelled):
        if place.text in (LABEL, AIGC):
            yield name, place.place, "yes", "yes", _readers(labelled, place.text), _yes(place.place in kept), unchanged


def _readers(path: Path, text: str) -> str:
    """Which other programs read the same text."""
    tracks = pymediainfo.MediaInfo.parse(str(path)).tracks
    told = {str(value) for track in tracks for value in track.to_data().values()}
    found = ["PyAV"] if text in files.metadata_of(path) else []
    found += ["MediaInfo"] if any(text in value for value in told) else []
    return ", ".join(found) or ("bytes" if text.encode() in path.read_bytes() else "no")


def signed_rows(folder: Path) -> Iterator[tuple[str, ...]]:
    """A C2PA manifest in every container that holds one, read back as trusted by c2pa itself."""
    root = authority("Matrix Root")
    key, leaf = root.signer()
    (folder / "key.pem").write_bytes(key_pem(key))
    (folder / "chain.pem").write_text(pem(leaf) + root.pem)
    asked = {"source_language": "ja", "source_type": None, "passphrase": None}
    signing = signing_of(folder / "key.pem", folder / "chain.pem", Anchors(root.pem), **asked)
    trust = {"version": 1, "trust": {"trust_anchors": root.pem}, "verify": {"ocsp_fetch": False}}
    for name, (kind, muxer) in MEDIA.items():
        source = made_media.make(folder, kind, 0.2)
        out = folder / f"signed-{kind}{source.suffix}"
        if kind in ("matroska", "webm", "rf64"):
            with pytest.raises(MediaError, match="holds no C2PA manifest"):
                apply_label(source, out, PLAN, signing=signing)
            yield name, "C2PA actions", "refused", "refused", "-", "-", "-"
            continue
        apply_label(source, out, PLAN, signing=signing)
        with c2pa.Context.from_dict(trust) as context, c2pa.Reader(str(out), context=context) as reader:
            assert reader.get_validation_state() == "Trusted"
            assert "c2pa.translated" in reader.json()
        [place] = [p for p in read_file(out, language=None, anchors=Anchors(root.pem)).places if p.token == "C2PA"]
        kept = has_manifest(media_places(files.copied(out, folder / f"copied-{kind}{source.suffix}", muxer)))
        unchanged = _yes(packet_digests(out) == packet_digests(source))
        yield name, place.place, "yes", "yes", "c2pa", _yes(kept), unchanged


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


def media_rows_of_packages(folder: Path) -> Iterator[tuple[str, ...]]:
    """What stands inside the media that a package plays: read from the segments, second by who reads them joined."""
    whole = files.fragmented(folder / "whole.mp4", handler=LABEL, language="eng", title=LABEL)
    aac = made_media.make(folder, "aac", 0.2).read_bytes()
    tag = files.id3((b"TIT2", LABEL), (b"TXXX", f"AIGC={AIGC}"), (b"TLAN", "eng"))
    played = {"fMP4": (files.parts_of(whole), "mp4", ("hls", "dash")), "ADTS": ([tag + aac] * 2, "adts", ("hls",))}
    for name, (parts, muxer, kinds) in played.items():
        joined = folder / f"joined.{name}"
        joined.write_bytes(b"".join(parts))
        copied = files.copied(joined, folder / f"copied.{name}", muxer)
        kept = {(p.place.rpartition(" ")[2], p.text) for p in media_places(copied)}
        for kind in kinds:
            manifest = files.segmented(folder, parts, kind)
            for place in inspect(manifest, folder, language="en", anchors=None).places:
                if place.in_media and place.text in (LABEL, AIGC, "eng"):
                    left = (
                        "-"
                        if place.place.endswith(" language")
                        else _yes((place.place.rpartition(" ")[2], place.text) in kept)
                    )
                    yield (
                        f"{kind.upper()} of {name}",
                        place.place,
                        "yes",
                        "no",
                        _readers(joined, place.text),
                        left,
                        "not written",
                    )
    stream = files.transport(folder / "one.ts", language="eng", tags=[tag])
    timed = b"".join(bytes(p) for p in av.open(str(stream)).demux(data=0))
    second = {text for text in (LABEL, AIGC, "eng") if text in files.metadata_of(stream) or text.encode() in timed}
    for place in inspect(files.segmented(folder, [stream.read_bytes()]), folder, language="en", anchors=None).places:
        if place.in_media:
            reader = "PyAV" if place.text in second else "no"
            yield "HLS of MPEG-TS", place.place, "yes", "no", reader, "not tried", "not written"
    root = authority("Matrix Media Root")
    manifest = files.dash(folder, files.MPD.replace('lang="en">', f'lang="en"><Label>{LABEL}</Label>'))
    (folder / "en.m4a").unlink()
    sign(whole, folder / "en.m4a", root)
    places = inspect(manifest, folder, language="en", anchors=Anchors(root.pem)).places
    [place] = [p for p in places if p.in_media and p.token == "C2PA"]
    yield "DASH of fMP4", place.place, "yes", "no", "c2pa", "no", "not written"


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
    for name in ("ogg", "mpegts", "ac3", "eac3", "aac", "w64", "aiff", "caf"):
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
        for maker in (signed_rows, manifest_rows, media_rows_of_packages, read_only_rows):
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
