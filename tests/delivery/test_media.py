"""Which files are media, what is in them, and what is refused by name and cause."""

from __future__ import annotations

import os
import struct
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_media import DEMUXERS, KINDS, chirp, make, write

from dubgate.delivery.decoding import StreamDecoder
from dubgate.delivery.media import probe, select_stream
from dubgate.errors import MediaError


def decode(path: Path) -> int:
    decoder = StreamDecoder(path, probe(path).audio[0].index)
    for _ in decoder.blocks(1.0):
        pass
    return decoder.n_samples


@pytest.mark.parametrize("kind", KINDS)
def test_a_format_is_told_by_its_content_whatever_its_name(tmp_path: Path, kind: str) -> None:
    info = probe(make(tmp_path, kind, suffix="txt"))
    assert info.container == DEMUXERS.get(kind, kind)
    assert [s.sample_rate_hz for s in info.audio] == [KINDS[kind][3]]
    assert info.audio[0].n_channels == 1
    assert info.audio[0].start_s == pytest.approx(0.0, abs=0.005)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"Dear studio,\nhere is the dub that you asked for.\n", "text"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a concat script"),
        (b"#EXTM3U\n#EXT-X-VERSION:3\nseg.ts\n", "an HLS playlist"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><MPD/>", "an XML text"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\n", "an SDP session description"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a PNG picture"),
        (bytes(1000), "of a format that is not read"),
    ],
)
def test_what_is_no_media_is_refused_under_the_name_of_a_wav(tmp_path: Path, content: bytes, cause: str) -> None:
    path = tmp_path / "dub.wav"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=cause) as caught:
        probe(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"nowhere\.wav: no such file"):
        probe(tmp_path / "nowhere.wav")


def test_an_empty_file_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    for path, cause in ((tmp_path / "empty.wav", "empty"), (tmp_path, "folder"), (Path("/dev/zero"), "device")):
        with pytest.raises(MediaError, match=cause):
            probe(path)


@pytest.mark.timeout(10)
def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dub.wav")
    with pytest.raises(MediaError, match="pipe"):
        probe(tmp_path / "dub.wav")


def test_an_mp4_without_its_index_says_so(tmp_path: Path) -> None:
    rate_hz = 44_100
    path = tmp_path / "dub.mp4"
    write(path, [chirp(rate_hz, 5.0)], rate_hz, "aac", "mp4")  # the index comes last
    data = path.read_bytes()
    at = data.index(b"moov") - 4
    path.write_bytes(data[:at])
    with pytest.raises(MediaError, match="no index"):
        probe(path)


SELF_MEASURED = sorted(set(KINDS) - {"aac", "ac3", "eac3", "mpegts"})


@pytest.mark.parametrize("share", [0.97, 0.5])
@pytest.mark.parametrize("kind", SELF_MEASURED)
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    path = make(tmp_path, kind, 4.0)
    decode(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(MediaError, match=r"cut off|no whole Ogg page"):
        decode(path)
    if kind != "flac":  # only its samples can be counted; the others say it before anything is decoded
        with pytest.raises(MediaError, match=r"cut off|no whole Ogg page"):
            probe(path)


def test_an_ogg_that_was_cut_between_pages_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "opus", 4.0)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"OggS")])
    with pytest.raises(MediaError, match="before its last page"):
        probe(path)


@pytest.mark.parametrize("kind", ["aac", "ac3", "eac3", "mpegts"])
def test_a_stream_without_a_stated_length_is_refused_when_cut_within_a_frame(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind, 4.0)
    decode(path)
    path.write_bytes(path.read_bytes()[:-101])
    with pytest.raises(MediaError):
        decode(path)


def test_an_mp4_whose_sound_lies_in_another_file_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"url ")
    assert data[at + 4 : at + 8] == b"\0\0\0\1"
    data[at + 7] = 0  # no longer "in this file"
    path.write_bytes(data)
    with pytest.raises(MediaError, match="another file"):
        probe(path)


def test_a_wav_written_into_a_pipe_has_no_length_and_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, chirp(16_000)[0], 16_000)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[4:8] = data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    assert decode(path) == 32_000


def test_streams_are_listed_with_language_title_and_frame_rate(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    rate = Fraction(24_000, 1001)
    tracks = [chirp(48_000, 1.0), chirp(48_000, 1.0, 6)]
    write(path, tracks, 48_000, "flac", "matroska", languages=["ger", "und"], titles=["Dub", "Original"],
          video_at_s=0.0, frame_rate=rate)  # fmt: skip
    info = probe(path)
    assert [(s.language, s.title, s.n_channels) for s in info.audio] == [("de", "Dub", 1), (None, "Original", 6)]
    assert info.frame_rate == rate


def test_a_stream_is_chosen_by_index_by_language_or_by_being_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    write(path, [chirp(48_000, 0.2)] * 3, 48_000, "flac", "matroska", languages=["eng", "spa", "spa"])
    info = probe(path)
    assert select_stream(info, index=2).index == 2
    assert select_stream(info, language="en-GB").index == 0
    assert select_stream(probe(make(tmp_path, "flac"))).index == 0


def test_a_choice_that_fits_none_or_several_lists_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    write(path, [chirp(48_000, 0.2)] * 3, 48_000, "flac", "matroska", languages=["eng", "spa", "spa"])
    info = probe(path)
    for choice, cause in (
        ({}, "several audio streams"),
        ({"index": 7}, "no audio stream has index 7"),
        ({"language": "fr"}, "no audio stream is marked as fr"),
        ({"language": "es"}, "several audio streams are in es"),
    ):
        with pytest.raises(MediaError, match=cause) as caught:
            select_stream(info, **choice)
        assert "0: en" in str(caught.value)
        assert "--dub-stream 1" in str(caught.value)
        assert "2: es" in str(caught.value)


def test_a_film_without_sound_says_that_it_has_none(tmp_path: Path) -> None:
    import av
    from made_media import _add_video, _pictures

    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as out:
        stream = _add_video(out, Fraction(25), None)
        for packet in _pictures(stream, 0.0, Fraction(25), 1.0):
            out.mux(packet)
    with pytest.raises(
        MediaError, match="no audio stream; only pictures are in it\n  Hand in the file that holds the sound"
    ):
        select_stream(probe(path))
    unknown = replace(probe(path), n_sounds=2)
    with pytest.raises(MediaError, match="2 of a codec that dubgate does not decode are in it"):
        select_stream(unknown)


def test_the_start_timecode_of_a_mov_is_read(tmp_path: Path) -> None:
    path = tmp_path / "film.mov"
    rate = Fraction(30_000, 1001)
    write(
        path, [chirp(48_000, 1.0)], 48_000, "pcm_s16le", "mov", video_at_s=0.0, frame_rate=rate, timecode="01:00:00;02"
    )
    info = probe(path)
    assert info.timecode == "01:00:00;02"
    assert info.frame_rate == rate


def test_the_time_reference_of_a_broadcast_wav_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stem.wav"
    soundfile.write(path, np.zeros(4800), 48_000)
    data = path.read_bytes()
    bext = bytes(256 + 32 + 32 + 10 + 8) + struct.pack("<Q", 48_000 * 3600) + struct.pack("<H", 1) + bytes(254)
    chunk = b"bext" + struct.pack("<I", len(bext)) + bext
    path.write_bytes(b"RIFF" + struct.pack("<I", len(data) - 8 + len(chunk)) + b"WAVE" + chunk + data[12:])
    assert probe(path).time_reference == 48_000 * 3600


def test_a_codec_that_is_not_listed_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "odd.mkv"
    write(path, [chirp(44_100)], 44_100, "tta", "matroska")
    with pytest.raises(MediaError, match="neither sound nor picture"):
        probe(path)
    with pytest.raises(MediaError, match="codec"):
        next(StreamDecoder(path, 0).blocks(1.0))


def test_a_file_may_not_make_ffmpeg_open_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The allow-list is the first wall; behind it a concat script that got through still reaches no file."""
    from dubgate.delivery import opening

    monkeypatch.chdir(tmp_path)
    sound = make(tmp_path, "wav")
    script = tmp_path / "list.wav"
    script.write_text(f"ffconcat version 1.0\nfile '{sound.name}'\n")
    monkeypatch.setattr(opening, "sniff", lambda path: "concat")
    with pytest.raises(MediaError), opening.open_media(script) as container:
        container.streams.audio[0]
