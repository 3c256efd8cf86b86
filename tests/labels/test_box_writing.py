"""A label into an MP4's index: media bytes stay, offsets follow, and the proof notices what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import label_files as files
import pytest
from label_files import AIGC, LABEL

from dubgate.errors import MediaError
from dubgate.labels import box_writing, copying
from dubgate.labels.applying import apply_label
from dubgate.labels.box_writing import write_mp4
from dubgate.labels.boxes import mp4_places
from dubgate.labels.packets import packet_digests
from dubgate.labels.places import media_places
from dubgate.labels.plan import LabelPlan
from dubgate.labels.unchanged import coded_digests

PLAN = LabelPlan(LABEL, "en", 1, AIGC)
pytestmark = pytest.mark.usefixtures("here")


def film(path: Path, muxer: str = "mp4", **options: str) -> Path:
    """Pictures and two sounds; `options` are the muxer's."""
    chirp = files.made_media.chirp(48_000, 0.6)
    plain = path.with_name(f"plain-{path.name}")
    made = {"languages": ["jpn", "eng"], "titles": ["Japanese", "English"], "video_at_s": 0.0}
    files.made_media.write(plain, [chirp, chirp], 48_000, "aac", muxer, **made)
    with av.open(str(plain)) as given, av.open(str(path), "w", format=muxer, options=options) as out:
        files.copy_into(given, out)
    plain.unlink()
    return path


@pytest.mark.parametrize("muxer", ["mp4", "mov", "ipod"])
@pytest.mark.parametrize("options", [{}, {"movflags": "+faststart"}], ids=["index last", "index first"])
def test_every_packet_is_the_same_by_a_second_reader_wherever_the_index_lies(
    tmp_path: Path, muxer: str, options: dict[str, str]
) -> None:
    source = film(tmp_path / "in.mp4", muxer, **options) if muxer != "ipod" else _sound(tmp_path / "in.m4a", **options)
    plan = PLAN if muxer != "ipod" else LabelPlan(LABEL, "en", 0, AIGC)
    copied = write_mp4(source, tmp_path / "out.mp4", plan)
    assert copied == coded_digests(source)
    assert packet_digests(tmp_path / "out.mp4") == packet_digests(source)
    assert coded_digests(source) == coded_digests(tmp_path / "out.mp4")
    seen = files.metadata_of(tmp_path / "out.mp4")
    assert {LABEL, AIGC} <= seen


def _sound(path: Path, **options: str) -> Path:
    source = files.made_media.make(path.parent, "mp4", 0.5)
    with av.open(str(source)) as given, av.open(str(path), "w", format="ipod", options=options) as out:
        files.copy_into(given, out)
    return path


def test_the_other_tracks_keep_their_names_and_languages(tmp_path: Path) -> None:
    source, out = film(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    apply_label(source, out, LabelPlan("Deutsch (KI)", "de", 1))
    with av.open(str(out)) as found:
        told = [(s.metadata.get("language"), s.metadata.get("handler_name")) for s in found.streams]
    assert told[0][0] in (None, "und")
    assert told[1] == ("deu", "Deutsch (KI)")
    assert told[2][0] == "eng"
    assert told[2][1] != "Deutsch (KI)"


@pytest.mark.parametrize("muxer", ["mp4", "mov"])
def test_an_older_aigc_label_is_replaced_wherever_it_stood(tmp_path: Path, muxer: str) -> None:
    chirp = files.made_media.chirp(48_000, 0.2)
    source, keyed = tmp_path / "in.mp4", tmp_path / "keyed.mp4"
    files.made_media.write(source, [chirp], 48_000, "aac", muxer)
    old = AIGC.replace("Studio", "Other")
    options = {"movflags": "+use_metadata_tags"}
    with av.open(str(source)) as given, av.open(str(keyed), "w", format=muxer, options=options) as out:
        out.metadata.update({"AIGC": old, "comment": "reel 3"})
        files.copy_into(given, out)
    assert old in {p.text for p in media_places(keyed)}
    apply_label(keyed, tmp_path / "out.mp4", LabelPlan(LABEL, "en", 0, AIGC))
    assert [p.text for p in media_places(tmp_path / "out.mp4") if p.token == "AIGC"] == [AIGC]
    assert {AIGC, "reel 3"} <= files.metadata_of(tmp_path / "out.mp4")
    again = tmp_path / "again.mp4"
    assert apply_label(tmp_path / "out.mp4", again, LabelPlan(LABEL, "en", 0, AIGC)).changes == ()


def test_a_file_in_fragments_is_re_wrapped_by_ffmpeg_instead(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4", movflags="+frag_keyframe+empty_moov")
    assert not write_mp4(source, tmp_path / "none.mp4", PLAN)
    assert not (tmp_path / "none.mp4").exists()


def test_an_index_that_would_point_beyond_four_gigabytes_is_left_to_ffmpeg(tmp_path: Path) -> None:
    chunks = files.box(b"stbl", files.box(b"stco", bytes(4) + (1).to_bytes(4, "big") + (0xFFFFFFF0).to_bytes(4, "big")))
    handler = files.box(b"hdlr", bytes(8) + b"soun" + bytes(12) + b"x\0")
    media = files.box(b"mdia", files.box(b"mdhd", bytes(24)), handler, files.box(b"minf", chunks))
    path = tmp_path / "in.mp4"
    path.write_bytes(files.mp4(files.box(b"trak", media)) + files.box(b"mdat", b"x"))
    assert not write_mp4(path, tmp_path / "out.mp4", LabelPlan(LABEL, "en", 0))


def test_a_number_that_is_no_sound_is_no_place_for_a_label(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4")
    for stream in (0, 7):
        assert not write_mp4(source, tmp_path / "out.mp4", LabelPlan(LABEL, "en", stream))


def harmed(path: Path, where: bytes, after: int) -> Path:
    """One bit other, so many bytes after a box's name."""
    data = bytearray(path.read_bytes())
    data[data.index(where) + 4 + after] ^= 1
    out = path.with_name("harmed.mp4")
    out.write_bytes(data)
    return out


@pytest.mark.parametrize(
    ("where", "after"),
    [(b"mdat", 40), (b"stts", 11), (b"stsz", 15), (b"stsc", 15), (b"stsd", 30), (b"stco", 11), (b"tkhd", 20)],
)
def test_the_proof_notices_one_bit_in_the_media_or_in_what_places_it(tmp_path: Path, where: bytes, after: int) -> None:
    source = film(tmp_path / "in.mp4")
    assert coded_digests(source) != coded_digests(harmed(source, where, after))


@pytest.mark.parametrize("size", [1, 7, 10, 20, 23, 64])
def test_what_is_digested_on_the_way_is_what_lies_there_wherever_pieces_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("dubgate.labels.copying._PIECE", 10)
    monkeypatch.setattr("dubgate.labels.copying._BLOCK", 7)
    source, out = tmp_path / "in", tmp_path / "out"
    source.write_bytes(bytes(range(100, 100 + size)))
    with source.open("rb") as given, out.open("wb") as file, copying.Digest() as digest:
        digest.update(b"before")
        copying.copy(source, given, file, 0, size, digest)
        digest.update(b"behind")
        copied = digest.digest()
    assert out.read_bytes() == source.read_bytes()
    assert copying.digest_of(out, [b"before", (0, size), b"behind"]) == copied
    out.write_bytes(out.read_bytes()[:-1] + b"!")
    assert copying.digest_of(out, [b"before", (0, size), b"behind"]) != copied


def test_a_file_that_ends_early_is_neither_copied_nor_digested(tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"abc")
    with path.open("rb") as given, (tmp_path / "out").open("wb") as out, pytest.raises(MediaError, match="cut off"):
        copying.copy(path, given, out, 1, 4)
    with pytest.raises(MediaError, match="cut off"):
        copying.digest_of(path, [(0, 4)])


def test_chunks_outside_the_media_data_are_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4")
    data = bytearray(source.read_bytes())
    at = data.index(b"stco") + 12
    data[at : at + 4] = b"\xff\xff\xff\xf0"
    (tmp_path / "out.mp4").write_bytes(data)
    with pytest.raises(Exception, match="outside its media data"):
        coded_digests(tmp_path / "out.mp4")


def test_what_the_proof_leaves_out_are_names_and_languages_alone(tmp_path: Path) -> None:
    source = film(tmp_path / "in.mp4")
    assert write_mp4(source, tmp_path / "out.mp4", LabelPlan("Deutsch (KI)", "de", 2, AIGC))
    assert coded_digests(source) == coded_digests(tmp_path / "out.mp4")


def test_offsets_that_do_not_follow_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = film(tmp_path / "in.mp4", movflags="+faststart")
    monkeypatch.setattr(box_writing, "_shifted", lambda path, index, behind, by: index)
    with pytest.raises(Exception, match=r"packets would change|outside its media data|cannot"):
        apply_label(source, tmp_path / "out.mp4", PLAN)
    assert not (tmp_path / "out.mp4").exists()


def test_mediainfo_reads_the_same_label(tmp_path: Path) -> None:
    pymediainfo = pytest.importorskip("pymediainfo")
    source, out = film(tmp_path / "in.mp4"), tmp_path / "out.mp4"
    apply_label(source, out, LabelPlan(LABEL, "en", 2))
    tracks: list[Any] = pymediainfo.MediaInfo.parse(str(out)).audio_tracks
    assert set(tracks[1].title.split(" / ")) == {LABEL}
    assert LABEL not in str(tracks[0].title)
    assert tracks[1].language == "en"
    assert {p.text for p in mp4_places(out) if p.names_track and p.track == 2} == {LABEL}
