"""Decoded sound: its values, its place on the programme timeline, and damage that is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from made_media import KINDS, chirp, lag_s, make, write

from dubgate.delivery.audio import decode_blocks, downmix_weights
from dubgate.delivery.decoding import StreamDecoder
from dubgate.delivery.formats import mpeg_frame_bytes
from dubgate.delivery.media import probe
from dubgate.delivery.timeline import Timeline
from dubgate.errors import MediaError

LOSSLESS = ("wav", "rf64", "w64", "flac", "alac", "mov", "matroska", "aiff", "caf")


def heard(path: Path, **options: object) -> np.ndarray:
    index = probe(path).audio[0].index
    return np.concatenate([b.samples for b in decode_blocks(path, index, **options)], axis=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_sound_comes_back_within_half_a_bit(tmp_path: Path, kind: str) -> None:
    sent = chirp(KINDS[kind][3])
    got = heard(make(tmp_path, kind))
    assert got.shape == sent.shape
    assert np.abs(got - sent).max() <= 0.51 / 32_768


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_puts_the_sound_where_it_was(tmp_path: Path, kind: str) -> None:
    """Edit lists, pre-skip and LAME's delay are honoured; what a format cannot say (ADTS, AC-3, TS) stays as priming.

    FFmpeg itself is 3 ms off on Vorbis as libvorbis starts it, and on Opus in WebM, whose clock is milliseconds.
    """
    rate_hz = KINDS[kind][3]
    got = heard(make(tmp_path, kind))[0]
    priming_s = {"aac": 1024 / rate_hz, "mpegts": 1024 / rate_hz, "ac3": 256 / rate_hz, "eac3": 256 / rate_hz}
    sent = chirp(rate_hz)[0]
    within_s = 0.0035 if kind in ("webm", "ogg") else 0.001
    assert lag_s(got, sent, rate_hz) == pytest.approx(priming_s.get(kind, 0.0), abs=within_s)


def test_aac_in_mp4_lines_up_with_the_flac_of_the_same_dub(speech: Path) -> None:
    folder = speech / "dubs"
    mp4 = heard(folder / "es_StrongBaseline.mp4")[0]
    flac = heard(folder / "es_StrongBaseline.flac")[0]
    assert abs(lag_s(mp4, flac, 22_050)) < 0.001
    n = min(len(mp4), len(flac))
    assert np.abs(mp4[:n] - flac[:n]).max() < 1e-3


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 192_000])
def test_every_depth_and_rate_gives_full_scale_one(tmp_path: Path, subtype: str, rate_hz: int) -> None:
    path = tmp_path / "x.wav"
    sent = chirp(rate_hz, 0.3)[0] * 2
    soundfile.write(path, sent, rate_hz, subtype=subtype)
    step = 2.0 ** -(7 if subtype == "PCM_U8" else 15)
    got = heard(path)[0]
    assert len(got) == len(sent)
    assert np.abs(got - sent).max() <= 1.01 * step


def test_floats_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    sent = np.array([0.0, 1.5, -3.25, 0.5], dtype=np.float32).repeat(100)
    for subtype in ("FLOAT", "DOUBLE"):
        soundfile.write(tmp_path / "x.wav", sent, 48_000, subtype=subtype)
        assert np.array_equal(heard(tmp_path / "x.wav")[0], sent)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_sample_that_is_no_number_is_refused(tmp_path: Path, bad: float, subtype: str) -> None:
    samples = chirp(48_000, 3.0)[0].astype(np.float64)
    samples[100_000] = bad
    soundfile.write(tmp_path / "x.wav", samples, 48_000, subtype=subtype)
    with pytest.raises(MediaError, match=r"x\.wav .*not numbers"):
        heard(tmp_path / "x.wav")


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000, 192_000])
def test_ten_milliseconds_and_silence_are_sound(tmp_path: Path, rate_hz: int) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(rate_hz // 100), rate_hz)
    got = heard(tmp_path / "x.wav", rate_hz=16_000, mono=True)
    assert got.shape == (1, 160)
    assert not got.any()


def test_a_wav_without_samples_holds_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 48_000)
    with pytest.raises(MediaError, match="no sound"):
        heard(tmp_path / "x.wav")


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000])
def test_resampling_neither_delays_nor_colours(tmp_path: Path, rate_hz: int) -> None:
    def tone(hz: int) -> np.ndarray:
        t = np.arange(hz) / hz
        return 0.5 * np.sin(2 * np.pi * 1000.3 * t) * np.sin(np.pi * t) ** 2

    soundfile.write(tmp_path / "x.wav", tone(rate_hz), rate_hz, subtype="DOUBLE")
    got = heard(tmp_path / "x.wav", rate_hz=16_000)[0]
    assert len(got) == 16_000
    assert np.abs(got - tone(16_000)).max() < 1e-4


@settings(max_examples=15, deadline=None)
@given(block_s=st.floats(0.003, 3.0))
def test_the_length_of_blocks_changes_nothing_but_where_they_are_cut(block_s: float) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder), "flac")
        blocks = list(decode_blocks(path, 0, block_s=block_s))
        whole = heard(path)
        resampled = heard(path, rate_hz=16_000, mono=True, block_s=block_s)
        assert np.array_equal(np.concatenate([b.samples for b in blocks], axis=1), whole)
        assert np.allclose(resampled, heard(path, rate_hz=16_000, mono=True), atol=1e-6)
        ends = np.cumsum([b.samples.shape[1] for b in blocks]) / 48_000
        assert np.allclose([b.start_s for b in blocks], [0.0, *ends[:-1]], atol=1e-9)


def test_surround_is_mixed_as_the_standard_says(tmp_path: Path) -> None:
    rate_hz, rng = 48_000, np.random.default_rng(1)
    tracks = rng.uniform(-0.3, 0.3, (6, rate_hz)).astype(np.float32)
    write(tmp_path / "x.mkv", [tracks], rate_hz, "flac", "matroska")
    left, right, centre, _, left_surround, right_surround = heard(tmp_path / "x.mkv")
    to_left = left + np.sqrt(0.5) * centre + np.sqrt(0.5) * left_surround
    to_right = right + np.sqrt(0.5) * centre + np.sqrt(0.5) * right_surround
    assert np.allclose(heard(tmp_path / "x.mkv", mono=True)[0], (to_left + to_right) / 2, atol=1e-6)


def test_channels_without_names_are_equals_or_in_the_order_of_the_trade() -> None:
    assert downmix_weights(["NONE", "NONE"]).tolist() == [0.5, 0.5]
    assert downmix_weights(["FC"]).tolist() == [1.0]
    assert np.array_equal(downmix_weights(["NONE"] * 6), downmix_weights(["FL", "FR", "FC", "LFE", "BL", "BR"]))
    assert downmix_weights(["FL", "FR", "FC", "LFE", "SL", "SR"])[3] == 0


def test_a_late_start_becomes_silence(tmp_path: Path) -> None:
    write(tmp_path / "x.mkv", [chirp(48_000, 1.0)], 48_000, "flac", "matroska", audio_at_s=0.5)
    got = heard(tmp_path / "x.mkv")[0]
    assert len(got) == 72_000
    assert not got[:24_000].any()
    assert np.abs(got[24_000:] - chirp(48_000, 1.0)[0]).max() < 1e-4


def test_the_first_picture_is_second_zero(tmp_path: Path) -> None:
    write(tmp_path / "x.mkv", [chirp(48_000, 2.0)], 48_000, "flac", "matroska", audio_at_s=1.5, video_at_s=1.0)
    info = probe(tmp_path / "x.mkv")
    assert info.zero_s == pytest.approx(1.0)
    assert info.audio[0].start_s == pytest.approx(0.5)
    got = heard(tmp_path / "x.mkv")[0]
    assert lag_s(got, chirp(48_000, 2.0)[0], 48_000) == pytest.approx(0.5, abs=0.001)


def test_sound_just_before_the_first_picture_is_cut_there(tmp_path: Path) -> None:
    write(tmp_path / "x.mkv", [chirp(48_000, 2.0)], 48_000, "flac", "matroska", video_at_s=0.2)
    got = heard(tmp_path / "x.mkv")[0]
    assert len(got) == pytest.approx(1.8 * 48_000, abs=48)
    assert lag_s(got, chirp(48_000, 2.0)[0], 48_000) == pytest.approx(-0.2, abs=0.001)


def test_sound_long_before_the_first_picture_is_refused_not_left_unheard(tmp_path: Path) -> None:
    write(tmp_path / "x.mkv", [chirp(48_000, 4.0)], 48_000, "flac", "matroska", video_at_s=3.0)
    with pytest.raises(MediaError, match=r"3\.00 s before the first picture"):
        heard(tmp_path / "x.mkv")


def test_a_gap_in_the_time_stamps_becomes_silence(tmp_path: Path) -> None:
    step = 4608 / 48_000  # the block that FLAC's encoder makes
    write(tmp_path / "x.mkv", [chirp(48_000)], 48_000, "flac", "matroska", jumps=[(5 * step, 0.7)])
    got, sent = heard(tmp_path / "x.mkv")[0], chirp(48_000)[0]
    at, hole = 5 * 4608, round(0.7 * 48_000)
    assert abs(len(got) - len(sent) - hole) <= 48
    assert np.abs(got[:at] - sent[:at]).max() < 1e-4
    assert not got[at : at + hole - 48].any()
    assert lag_s(got[at:], sent[at:], 48_000) == pytest.approx(0.7, abs=0.001)


def test_overlapping_time_stamps_are_refused(tmp_path: Path) -> None:
    step = 4608 / 48_000
    write(tmp_path / "x.mkv", [chirp(48_000)], 48_000, "flac", "matroska", jumps=[(5 * step, -0.05)])
    with pytest.raises(MediaError, match=r"backward by 0\.050 s at 0\.480 s"):
        heard(tmp_path / "x.mkv")


def test_time_stamps_beyond_a_day_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "x.mkv", [chirp(48_000)], 48_000, "flac", "matroska", jumps=[(1.0, 90_000.0)])
    with pytest.raises(MediaError, match="24 hours"):
        heard(tmp_path / "x.mkv")


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60), st.integers(-400, 400))
def test_rounded_time_stamps_neither_stretch_nor_tear_the_sound(sizes: list[int], start: int) -> None:
    """A container that keeps milliseconds: every stamp is off by up to half of one, and nothing is lost or added."""
    timeline = Timeline("x", 44_100, 0.001)
    at, kept = start, 0
    for n in sizes:
        stamp = round(round(at / 44.1) * 44.1)
        placement = timeline.place(stamp, n)
        assert placement.silence == 0 or timeline.runs[0][0] > 0
        kept += n - placement.cut
        at += n
    assert abs(timeline.end - max(0, at)) <= 45 or kept == 0
    assert timeline.end == kept + timeline.runs[0][0] or kept == 0


@pytest.mark.parametrize("kind", ["flac", "ogg", "opus", "ac3", "eac3", "matroska"])
def test_a_damaged_byte_is_refused_never_skipped(tmp_path: Path, kind: str) -> None:
    path = make(tmp_path, kind)
    whole = path.read_bytes()
    for place in (0.3, 0.6, 0.9):
        data = bytearray(whole)
        data[int(len(data) * place)] ^= 0x55
        path.write_bytes(data)
        with pytest.raises(MediaError):
            heard(path)


def test_a_lost_transport_packet_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "mpegts", 4.0)
    data = path.read_bytes()
    middle = len(data) // 188 // 2
    sound = [k for k in range(middle, middle + 40) if data[188 * k + 1] & 0x5F == 1 or data[188 * k + 2] == 0]
    lost = next(k for k in sound if not data[188 * k + 1] & 0x40)
    path.write_bytes(data[: 188 * lost] + data[188 * (lost + 1) :])
    with pytest.raises(MediaError):
        heard(path)


def test_a_lost_access_unit_of_a_transport_stream_is_no_pause(tmp_path: Path) -> None:
    """A whole access unit is gone, so every frame that is left decodes; only the packet counters tell."""
    path = make(tmp_path, "mpegts", 4.0)
    data = path.read_bytes()
    packets = [data[k : k + 188] for k in range(0, len(data), 188)]
    sound = [k for k, p in enumerate(packets) if ((p[1] & 0x1F) << 8) + p[2] == 256]
    starts = [k for k in sound if packets[k][1] & 0x40]
    first, following = starts[len(starts) // 2], starts[len(starts) // 2 + 1]
    kept = [p for k, p in enumerate(packets) if not (k in sound and first <= k < following)]
    path.write_bytes(b"".join(kept))
    with pytest.raises(MediaError, match="packets of stream 0x100 are missing"):
        heard(path)


def test_a_lost_ogg_page_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "opus", 6.0)
    data = path.read_bytes()
    starts = [k for k in range(len(data) - 4) if data[k : k + 4] == b"OggS"]
    assert len(starts) > 5
    path.write_bytes(data[: starts[3]] + data[starts[4] :])
    with pytest.raises(MediaError, match="page is missing"):
        heard(path)


def test_a_lost_mp3_frame_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "mp3", 4.0)
    data = bytearray(path.read_bytes())
    frame = data.index(b"\xff\xfb", len(data) // 2)
    data[frame : frame + 4] = b"\0\0\0\0"
    path.write_bytes(data)
    with pytest.raises(MediaError):
        heard(path)


def test_an_mp3_with_fewer_frames_than_it_announces_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path, "mp3", 4.0)
    data = path.read_bytes()
    assert heard(path).any()
    first = data.index(b"\xff\xfb")
    at, frames = first, []
    while at < len(data) and data[at] == 0xFF:
        frames.append(at)
        at += mpeg_frame_bytes(data[at : at + 4])
    a, b = frames[40], frames[41]
    path.write_bytes(data[:a] + data[b:] + b"TAG" + bytes(b - a - 3))
    with pytest.raises(MediaError, match="of what it announces decodes"):
        heard(path)


def test_a_stream_that_changes_its_rate_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.aac", [chirp(44_100)], 44_100, "aac", "adts")
    write(tmp_path / "b.aac", [chirp(22_050)], 22_050, "aac", "adts")
    (tmp_path / "c.aac").write_bytes((tmp_path / "a.aac").read_bytes() + (tmp_path / "b.aac").read_bytes())
    with pytest.raises(MediaError, match="change on the way"):
        heard(tmp_path / "c.aac")


def test_a_stream_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = make(tmp_path, "flac")
    with pytest.raises(MediaError, match=r"\(stream 3\): no such audio stream; there are: 0"):
        next(StreamDecoder(path, 3).blocks(1.0))


@pytest.mark.parametrize(("byte", "value"), [(0, 0x46), (1, 0x80)], ids=["out of step", "marked by its sender"])
def test_a_transport_packet_that_is_none_is_refused(tmp_path: Path, byte: int, value: int) -> None:
    path = make(tmp_path, "mpegts", 4.0)
    data = bytearray(path.read_bytes())
    at = 188 * (len(data) // 376) + byte
    data[at] = value if byte == 0 else data[at] | value
    path.write_bytes(data)
    with pytest.raises(MediaError, match="packet of the transport stream is none"):
        heard(path)
