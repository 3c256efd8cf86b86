"""The spool: one decode pass, any stretch read again, digests that tell the same sound from another."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from made_media import chirp, make, remux, write

from dubgate.delivery.audio import AudioSpool, decode_blocks
from dubgate.delivery.digests import parameters_of
from dubgate.delivery.formats import file_sha256
from dubgate.delivery.media import probe
from dubgate.errors import MediaError
from dubgate.unmeasured import Unmeasured


def spool(path: Path, tmp_path: Path, **options: object) -> AudioSpool:
    return AudioSpool(path, probe(path).audio[0].index, tmp_path, **options)  # type: ignore[arg-type]


def test_any_stretch_of_the_spool_is_what_decoding_gives(tmp_path: Path) -> None:
    path = make(tmp_path, "mp4", 3.0)
    whole = np.concatenate([b.samples for b in decode_blocks(path, 0, rate_hz=16_000, mono=True)], axis=1)[0]
    sound = spool(path, tmp_path)
    assert np.array_equal(sound.read(0.0, 99.0), whole)
    assert np.array_equal(sound.read(1.0, 1.5), whole[16_000:24_000])
    assert np.array_equal(np.concatenate(list(sound.blocks(0.7))), whole)
    assert sound.duration_s == pytest.approx(3.0, abs=1e-6)
    assert sound.read(2.0, 1.0).size == sound.read(50.0, 60.0).size == 0


def test_reading_beyond_the_ends_is_cut_or_padded_with_zeros(tmp_path: Path) -> None:
    sound = spool(make(tmp_path, "flac", 1.0), tmp_path)
    assert len(sound.read(-1.0, 2.0)) == 16_000
    padded = sound.read_padded(-1.0, 2.0)
    assert len(padded) == 48_000
    assert not padded[:16_000].any()
    assert not padded[32_000:].any()
    assert np.array_equal(padded[16_000:32_000], sound.read(0.0, 1.0))
    assert not sound.read_padded(7.0, 8.0).any()


def test_every_consumer_gets_every_native_sample_once_and_in_order(tmp_path: Path) -> None:
    sent = chirp(48_000, 2.5, 2)
    soundfile.write(tmp_path / "x.wav", sent.T, 48_000, subtype="FLOAT")
    first: list[np.ndarray] = []
    starts: list[float] = []
    sound = spool(
        tmp_path / "x.wav",
        tmp_path,
        consumers=(lambda _, samples: first.append(samples), lambda start_s, _: starts.append(start_s)),
    )
    assert np.array_equal(np.concatenate(first, axis=1), sent)
    assert starts == pytest.approx([0.0, 1.0, 2.0])
    assert (sound.native_rate_hz, sound.n_channels, sound.n_native_samples) == (48_000, 2, 120_000)


def test_what_the_spool_gave_out_does_not_change_it(tmp_path: Path) -> None:
    sound = spool(make(tmp_path, "flac"), tmp_path)
    clip = sound.read(0.0, 1.0)
    clip[:] = 9
    assert sound.read(0.0, 1.0).max() < 1


def test_the_spool_leaves_no_file_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    sound = AudioSpool(make(tmp_path, "flac"), 0, scratch)
    assert not list(scratch.iterdir())
    assert sound.read(0.0, 1.0).any()


def test_the_same_samples_have_one_pcm_digest_in_every_lossless_format(tmp_path: Path) -> None:
    sent = np.round(chirp(44_100, 1.0) * 32_767).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sent[0], 44_100)
    soundfile.write(tmp_path / "b.flac", sent[0], 44_100)
    soundfile.write(tmp_path / "c.aiff", sent[0], 44_100)
    soundfile.write(tmp_path / "d.wav", sent[0].astype(np.int32) << 16, 44_100, subtype="PCM_24")
    write(tmp_path / "e.m4a", [sent[0:1].astype(np.float32) / 32_768], 44_100, "alac", "ipod")
    remux(tmp_path / "b.flac", tmp_path / "f.mkv", "matroska")
    digests = {spool(p, tmp_path).pcm_sha256 for p in sorted(tmp_path.glob("*.*"))}
    assert len(digests) == 1


def test_one_sample_one_step_apart_has_another_pcm_digest(tmp_path: Path) -> None:
    sent = np.round(chirp(44_100, 1.0)[0] * 32_767).astype(np.int16)
    other = sent.copy()
    other[20_000] += 1
    longer = np.append(sent, np.int16(0))
    for name, samples, rate_hz in (
        ("a", sent, 44_100),
        ("b", other, 44_100),
        ("c", longer, 44_100),
        ("d", sent, 48_000),
    ):
        soundfile.write(tmp_path / f"{name}.wav", samples, rate_hz)
    digests = [spool(tmp_path / f"{n}.wav", tmp_path).pcm_sha256 for n in "abcd"]
    assert len(set(digests)) == 4


def test_a_lossy_codec_has_no_pcm_digest(tmp_path: Path) -> None:
    for kind in ("mp4", "mp3", "opus", "ogg", "ac3"):
        pcm = spool(make(tmp_path, kind), tmp_path).pcm_sha256
        assert isinstance(pcm, Unmeasured)
        assert "not a lossless codec" in pcm.reason


@pytest.mark.parametrize(
    ("kind", "muxers"),
    [
        ("flac", ["matroska", "mp4"]),
        ("mp4", ["ipod", "mov"]),
        ("alac", ["mov", "matroska"]),
        ("mov", ["matroska", "wav"]),
        ("opus", ["ogg"]),
    ],
)
def test_a_rewrap_keeps_the_packet_digest_and_changes_the_file_digest(
    tmp_path: Path, kind: str, muxers: list[str]
) -> None:
    path = make(tmp_path, kind)
    for muxer in muxers:
        again = tmp_path / f"again.{muxer}"
        remux(path, again, muxer)
        assert spool(again, tmp_path).packet_sha256 == spool(path, tmp_path).packet_sha256, muxer
        assert file_sha256(again) != file_sha256(path)


def test_another_encode_another_place_or_another_length_has_another_packet_digest(tmp_path: Path) -> None:
    sent = chirp(48_000)
    louder = sent * np.float32(1.01)
    variants = {"a": (sent, 0.0), "b": (louder, 0.0), "c": (sent, 0.25), "d": (sent[:, :-4608], 0.0)}
    for name, (samples, at_s) in variants.items():
        write(tmp_path / f"{name}.mkv", [samples], 48_000, "flac", "matroska", audio_at_s=at_s)
    write(tmp_path / "e.mkv", [sent], 48_000, "flac", "matroska", jumps=[(0.96, 0.5)])
    write(tmp_path / "f.mkv", [sent], 48_000, "flac", "matroska", jumps=[(0.48, 0.5)])
    digests = [spool(tmp_path / f"{n}.mkv", tmp_path).packet_sha256 for n in "abcdef"]
    assert len(set(digests)) == 6


def test_other_bytes_of_the_same_length_have_another_packet_digest(tmp_path: Path) -> None:
    sent = np.round(chirp(44_100, 1.0)[0] * 32_767).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sent, 44_100)
    sent[20_000] += 1
    soundfile.write(tmp_path / "b.wav", sent, 44_100)
    assert spool(tmp_path / "a.wav", tmp_path).packet_sha256 != spool(tmp_path / "b.wav", tmp_path).packet_sha256


def test_the_sizes_that_an_encoder_may_leave_out_are_no_parameters_of_flac() -> None:
    head = bytes(range(34))
    assert parameters_of("flac", head) == parameters_of("flac", head[:4] + bytes(6) + head[10:])
    assert parameters_of("flac", head) != parameters_of("flac", head[:10] + bytes(24))


def test_the_two_ways_of_saying_no_sbr_are_one_parameter() -> None:
    assert parameters_of("aac", b"\x13\x88V\xe5\x00") == parameters_of("aac", b"\x13\x88") == b"\x13\x88"
    assert parameters_of("aac", b"\x13\x88V\xe5\xa5") == b"\x13\x88V\xe5\xa5"  # SBR is there: it stays


def test_the_file_digest_is_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(3_000_001)
    (tmp_path / "x").write_bytes(data)
    assert file_sha256(tmp_path / "x") == hashlib.sha256(data).hexdigest()
    with pytest.raises(MediaError):
        file_sha256(tmp_path)


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_a_minute(tmp_path: Path) -> None:
    code = (
        "import sys, resource\nfrom pathlib import Path\nfrom dubgate.delivery.audio import AudioSpool\n"
        "spool = AudioSpool(Path(sys.argv[1]), 0, Path(sys.argv[2]))\n"
        "assert sum(len(b) for b in spool.blocks(30.0)) == spool.n_samples\n"
        "print(spool.duration_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for minutes in (1, 60):
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.zeros((480, 2), dtype=np.int16), 48_000)
        n_bytes = 48_000 * 4 * 60 * minutes
        with open(path, "r+b") as file:
            file.truncate(44 + n_bytes)
            for at, size in ((4, 36 + n_bytes), (40, n_bytes)):
                file.seek(at)
                file.write(size.to_bytes(4, "little"))
        out = subprocess.run([sys.executable, "-c", code, path, tmp_path], check=True, capture_output=True, text=True)
        duration_s, peak_kib = out.stdout.split()
        assert float(duration_s) == 60 * minutes
        peaks.append(int(peak_kib))
    assert peaks[1] < peaks[0] + 30_000
