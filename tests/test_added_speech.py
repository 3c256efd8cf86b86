"""A voice under the music of a rendition, where the waveforms still agree within the bounds, is found; a codec's own noise is none."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import pytest
import soxr

from dubgate.alignment import compare
from dubgate.features import Floats, Series
from dubgate.meter.added import added_speech, left_over
from dubgate.mixing import check_mix
from dubgate.samples import RATE_HZ, _read, find_samples
from dubgate.spans import total_s
from dubgate.speech.models import resolve
from dubgate.speech.silero import SileroVad
from dubgate.unmeasured import measured

LENGTH_S = 12


class Sound:
    def __init__(self, samples: Floats) -> None:
        self.samples, self.rate_hz, self.duration_s = samples, RATE_HZ, len(samples) / RATE_HZ

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        first, last = round(start_s * self.rate_hz), round(end_s * self.rate_hz)
        padded = np.pad(self.samples, (max(0, -first), max(0, last - len(self.samples))))
        return padded[max(0, first) : max(0, -first) + last]


@cache
def activity() -> SileroVad:
    ref = resolve("voice_activity", "embedded")
    return SileroVad(ref.path, ref.sha256)


@cache
def voice() -> Floats:
    said = _read(find_samples() / "clean/dub.flac")[: LENGTH_S * RATE_HZ]
    return np.asarray(said / np.sqrt(np.mean(np.square(said[np.abs(said) > 0.01]))), dtype=np.float32)


@cache
def music() -> Floats:
    """Sixty partials that swell, over noise that falls with frequency; of power 1."""
    rng = np.random.default_rng(1)
    t = np.arange(LENGTH_S * RATE_HZ) / RATE_HZ
    bed = np.zeros(len(t))
    for hz in rng.uniform(80, 4000, 60):
        swell = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.1, 1) * t)
        bed += rng.uniform(0.2, 1) * (200 / hz) ** 0.7 * np.sin(2 * np.pi * hz * t + rng.uniform(0, 6)) * swell
    hz = np.maximum(np.fft.rfftfreq(len(t), 1 / RATE_HZ), 50)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(len(t))) / np.sqrt(hz), len(t))
    bed = bed / bed.std() + 0.3 * noise / noise.std()
    return np.asarray(bed / bed.std(), dtype=np.float32)


def coded(sound: Floats, bitrate: int) -> Floats:
    at_48k, file = soxr.resample(sound, RATE_HZ, 48_000), io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=48_000, layout="mono")
        stream.bit_rate = bitrate
        for at in range(0, len(at_48k), 1024):
            frame = av.AudioFrame.from_ndarray(at_48k[None, at : at + 1024], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as given:
        heard = np.concatenate([frame.to_ndarray()[0] for frame in given.decode(audio=0)])
    return np.asarray(soxr.resample(heard, 48_000, RATE_HZ), dtype=np.float32)


def heard(master: Floats, rendition: Floats, late_s: float = 0.0) -> float:
    """Seconds of speech that were added."""
    assert compare(Sound(master), Sound(rendition)).same, "the waveforms agree"
    return total_s(added_speech(Sound(master), Sound(rendition), late_s, activity().speech_prob))


@pytest.mark.parametrize("below_db", [9.0, 14.0])
def test_a_voice_under_the_music_of_a_rendition_is_found(below_db: float) -> None:
    master = 0.1 * music()
    spoken = 0.1 * 10 ** (-below_db / 20) * voice()
    assert heard(master, coded(master + spoken, 96_000)) > 6


def test_it_is_found_in_a_rendition_that_starts_later() -> None:
    master, late_s = 0.1 * music(), 0.05
    late = np.pad(master + 0.03 * voice(), (round(late_s * RATE_HZ), 0))
    assert heard(master, late, late_s) > 6


@pytest.mark.parametrize("case", ["music", "voice", "both", "crowd"])
def test_what_a_codec_leaves_over_of_ordinary_sound_is_no_voice(case: str) -> None:
    crowd = sum((np.roll(voice(), 31_337 * k) for k in range(8)), np.zeros_like(voice()))
    master = {
        "music": 0.1 * music(),
        "voice": 0.1 * voice(),
        "both": 0.05 * (music() + 2 * voice()),
        "crowd": crowd / 40,
    }
    assert heard(master[case], coded(master[case], 64_000)) == 0


def test_a_filter_and_a_delay_between_samples_leave_nothing_over() -> None:
    master = music()
    spectrum = np.fft.rfft(master) * np.exp(-2j * np.pi * np.fft.rfftfreq(len(master)) * 3.4)
    rendition = np.asarray(0.7 * np.fft.irfft(spectrum, len(master)), dtype=np.float32)
    rest = left_over(master, rendition)[RATE_HZ:-RATE_HZ]
    assert len(left_over(master, rendition)) == len(master)
    assert 10 * np.log10(np.mean(np.square(rest))) < -30
    silence = np.zeros_like(master)
    assert np.array_equal(left_over(silence, rendition), rendition), "all of it was added"
    assert len(left_over(master[:0], rendition[:0])) == 0


def deaf(given: Sequence[Floats]) -> list[Series]:
    return [Series(0.032, np.zeros(-(-len(clip) // 512), np.float32)) for clip in given]


def test_a_voice_in_a_mix_that_neither_stem_nor_effects_hold_is_found_under_them() -> None:
    effects, nothing, track = 0.1 * music(), np.zeros_like(music()), SimpleNamespace(speech=())
    mix = effects + 0.1 * 10 ** (-18 / 20) * voice()

    def differs(mixed: Floats, listened: Any) -> float:
        check = check_mix(True, Sound(nothing), Sound(mixed), Sound(effects), cast("Any", track), listened)
        return total_s(measured(check.differs))

    assert differs(mix, activity().speech_prob) > 4
    assert differs(mix, deaf) < 1, "windows of the sum are within their bound"
    assert differs(coded(effects, 96_000), activity().speech_prob) == 0
