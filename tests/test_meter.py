"""The level meter against tones with known answers, pyloudnorm, an 8x resampler, and its own laws."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter, resample_poly, sosfreqz

from dubgate.features import Levels, Series
from dubgate.measure.level import integrated_lufs, loudness_range_lu
from dubgate.meter import LevelMeter
from dubgate.meter.loudness import k_weighting
from dubgate.meter.true_peak import TruePeakMeter
from dubgate.unmeasured import measured

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1(side)"}


def metered(samples: np.ndarray, rate_hz: int, layout: str = "", *, block: int = 7_919) -> tuple[Levels, Series]:
    """Samples [shape=(n_channels, n)] through the meter in blocks."""
    meter = LevelMeter(rate_hz, len(samples), layout or LAYOUTS[len(samples)])
    for first in range(0, samples.shape[1], block):
        meter.push(samples[:, first : first + block].astype(np.float32))
    return meter.finish()


def tone(hz: float, db: float, seconds: float, rate_hz: int = 48_000, phase: float = 0.0) -> np.ndarray:
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return 10 ** (db / 20) * np.sin(2 * np.pi * hz * t + phase)


def in_channel(samples: np.ndarray, k: int, n_channels: int = 6) -> np.ndarray:
    out = np.zeros((n_channels, len(samples)))
    out[k] = samples
    return out


def lufs(samples: np.ndarray, rate_hz: int = 48_000, layout: str = "") -> float:
    return measured(integrated_lufs(metered(samples, rate_hz, layout)[0]))


def voice(seconds: float, rate_hz: int, seed: int = 1) -> np.ndarray:
    """Speech-like sound: pulses at 110 Hz through two resonances, in phrases, over faint noise."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate_hz)
    pulses = np.zeros(n)
    pulses[:: rate_hz // 110] = 1.0
    for hz in (600.0, 1500.0):
        r = np.exp(-np.pi * 90 / rate_hz)
        pulses = lfilter([1.0], [1.0, -2 * r * np.cos(2 * np.pi * hz / rate_hz), r * r], pulses)
    phrases = np.clip(np.sin(2 * np.pi * np.arange(n) / rate_hz / 1.7), 0, None)
    return 0.3 * pulses / np.abs(pulses).max() * phrases + 1e-4 * rng.standard_normal(n)


def test_the_filters_at_48_khz_are_those_printed_in_the_standard() -> None:
    shelf, highpass = k_weighting(48_000)
    printed = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
    assert shelf == pytest.approx(printed, abs=1e-8)
    assert highpass == pytest.approx([1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621], abs=1e-8)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000, 192_000])
def test_a_997_hz_tone_at_full_scale_in_one_channel_reads_minus_3_01_at_any_rate(rate_hz: int) -> None:
    assert lufs(np.array([tone(997, 0, 5, rate_hz)]), rate_hz) == pytest.approx(-3.01, abs=0.1)


def test_a_stereo_tone_at_minus_23_dbfs_reads_minus_23_lufs() -> None:
    assert lufs(np.array([tone(1000, -23, 20)] * 2)) == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341 case 1


def test_quiet_stretches_are_gated_out() -> None:
    parts = [tone(1000, db, s) for db, s in ((-36, 10), (-23, 60), (-36, 10))]
    assert lufs(np.array([np.concatenate(parts)] * 2)) == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341 case 3


def test_absolute_silence_around_the_programme_is_gated_out() -> None:
    parts = [tone(1000, db, s) for db, s in ((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10))]
    assert lufs(np.array([np.concatenate(parts)] * 2)) == pytest.approx(-23.0, abs=0.1)  # EBU Tech 3341 case 4


def test_surrounds_weigh_one_and_a_half_db_more_and_lfe_nothing() -> None:
    sound = tone(1000, -20, 5)
    front, surround = (lufs(in_channel(sound, k), layout="5.1(side)") for k in (0, 4))
    assert surround - front == pytest.approx(1.5, abs=0.01)
    assert metered(in_channel(sound, 3), 48_000)[0].block_power.max() == 0.0


def test_all_five_channels_of_surround_add_up() -> None:
    # EBU Tech 3341 case 6: -28, -28, -24, -30, -30 dBFS read -23 LUFS.
    sound = np.array([tone(1000, db, 20) for db in (-28, -28, -24, -200, -30, -30)])
    assert lufs(sound, layout="5.1") == pytest.approx(-23.0, abs=0.1)


def test_the_side_pair_of_7_1_is_weighted_and_the_back_pair_is_not() -> None:
    sound = tone(1000, -20, 3)
    back, side = (lufs(in_channel(sound, k, 8), layout="7.1") for k in (4, 6))
    assert side - back == pytest.approx(1.5, abs=0.01)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 96_000, 192_000])
def test_the_filters_have_the_standards_gain_at_every_rate(rate_hz: int) -> None:
    hz = np.geomspace(20, 0.45 * min(rate_hz, 48_000), 300)
    gains = []
    for rate in (rate_hz, 48_000):
        _, response = sosfreqz(np.array(k_weighting(rate)), hz, fs=rate)
        gains.append(20 * np.log10(np.abs(response)))
    assert np.abs(gains[0] - gains[1]).max() < 0.05


@pytest.mark.parametrize("n_channels", [1, 2])
def test_loudness_agrees_with_pyloudnorm(n_channels: int) -> None:
    sound = np.array([voice(20, 48_000, seed) for seed in range(n_channels)])
    assert lufs(sound) == pytest.approx(pyloudnorm.Meter(48_000).integrated_loudness(sound.T), abs=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050])
def test_loudness_does_not_depend_on_the_sample_rate(rate_hz: int) -> None:
    sound = voice(10, rate_hz)[None]
    at_48_khz = soxr.resample(sound.T, rate_hz, 48_000, "VHQ").T
    assert lufs(sound, rate_hz) == pytest.approx(lufs(at_48_khz), abs=0.02)


def test_loudness_of_the_real_dubs_agrees_with_pyloudnorm(speech: Path) -> None:
    for path in sorted((speech / "dubs").glob("*.flac")):
        sound, rate_hz = soundfile.read(path, always_2d=True)
        reference = pyloudnorm.Meter(rate_hz).integrated_loudness(sound)
        assert lufs(sound.T, rate_hz, "mono" if sound.shape[1] == 1 else "stereo") == pytest.approx(reference, abs=0.1)


def test_loudness_range_of_two_levels_is_their_distance() -> None:
    parts = [tone(1000, db, 30) for db in (-20, -30)]
    levels, _ = metered(np.array([np.concatenate(parts)] * 2), 48_000)
    assert measured(loudness_range_lu(levels)) == pytest.approx(10.0, abs=1.0)  # EBU Tech 3342 case 1


def test_loudness_range_of_five_steps() -> None:
    parts = [tone(1000, db, 20) for db in (-50, -35, -20, -35, -50)]
    levels, _ = metered(np.array([np.concatenate(parts)] * 2), 48_000)
    assert measured(loudness_range_lu(levels)) == pytest.approx(15.0, abs=1.0)  # EBU Tech 3342 case 4


@pytest.mark.parametrize("phase", [0.0, np.pi / 4, 1.0])
@pytest.mark.parametrize("share_of_rate", [0.021, 0.25, 1 / 6, 0.43])
def test_true_peak_of_a_tone_is_its_amplitude(share_of_rate: float, phase: float) -> None:
    faded = tone(share_of_rate * 48_000, -6, 1, phase=phase) * np.hanning(48_000).clip(max=0.5) * 2  # a cut would ring
    levels, _ = metered(faded[None], 48_000)
    assert levels.true_peak_dbtp == pytest.approx(-6.0, abs=0.2)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
@pytest.mark.parametrize("seed", range(3))
def test_true_peak_agrees_with_an_8x_resampler(rate_hz: int, seed: int) -> None:
    noise = 0.2 * np.random.default_rng(seed).standard_normal(rate_hz)
    for sound in (voice(2, rate_hz, seed), resample_poly(noise, 4, 5)):
        reference = np.abs(resample_poly(sound, 8, 1, window=("kaiser", 9.0))).max()
        levels, _ = metered(np.array([sound]), rate_hz)
        assert levels.true_peak_dbtp == pytest.approx(20 * np.log10(reference), abs=0.2)


def test_a_peak_between_samples_in_a_later_quieter_channel_is_found() -> None:
    loud, hidden = tone(100, -3, 2), tone(12_000, -0.5, 2, phase=np.pi / 4)  # its samples lie 3 dB under its peak
    levels, _ = metered(np.array([loud, hidden]), 48_000)
    assert levels.true_peak_dbtp == pytest.approx(-0.5, abs=0.2)


def test_clipped_samples_are_counted_once_whatever_the_channels() -> None:
    sound = 0.5 * np.ones((2, 48_000))
    sound[0, 100:110] = 1.0
    sound[1, 105:115] = -1.0
    sound[0, 40_000] = 1.0
    levels, _ = metered(sound, 48_000)
    assert (levels.clipped_samples, levels.total_samples) == (16, 48_000)
    runs = [(round(s.start_s * 48_000), round(s.end_s * 48_000)) for s in levels.clipped]
    assert runs == [(100, 115), (40_000, 40_001)]


def test_holes_of_digital_silence_are_found_from_50_ms_on() -> None:
    sound = voice(4, 16_000)[None] + 0.01
    for start_s, length_s in ((0.5, 0.03), (0.9, 0.3), (2.5, 0.06)):  # the second goes over the turn of a second
        first = round(start_s * 16_000)
        sound[:, first : first + round(length_s * 16_000)] = 0
    levels, _ = metered(sound, 16_000)
    assert [(round(s.start_s, 2), round(s.duration_s, 2)) for s in levels.mutes] == [(0.9, 0.3), (2.5, 0.06)]


def test_a_channel_that_still_sounds_is_no_hole() -> None:
    sound = np.array([np.zeros(48_000), tone(300, -30, 1)])
    assert metered(sound, 48_000)[0].mutes == ()


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_clicks_are_found_where_they_were_put_and_nowhere_else(rate_hz: int) -> None:
    sound = voice(6, rate_hz)
    assert metered(sound[None], rate_hz)[0].clicks_s == ()
    at_s = (0.7, 1.9, 2.6, 3.9995, 5.2)
    for k, second in enumerate(at_s):
        sound[round(second * rate_hz)] += 0.5 * (-1) ** k
    assert metered(sound[None], rate_hz)[0].clicks_s == pytest.approx(at_s, abs=0.002)


def test_a_cut_in_the_waveform_is_a_click() -> None:
    sound = np.concatenate([tone(200, -12, 0.50125), tone(200, -12, 1)])[None]  # cut at the crest
    assert metered(sound, 48_000)[0].clicks_s == pytest.approx([0.50125], abs=0.002)


def test_speech_has_no_clicks(speech: Path) -> None:
    paths = [
        *(speech / "dubs").glob("*.flac"),
        *(speech / "librispeech").glob("*/*.flac"),
        *(speech / "ljspeech").glob("*.flac"),
    ]
    found = {}
    for path in paths:
        sound, rate_hz = soundfile.read(path, always_2d=True)
        clicks = metered(sound.T, rate_hz, "stereo" if sound.shape[1] == 2 else "mono")[0].clicks_s
        if clicks:
            found[path.name] = clicks
    assert found == {}


def test_energy_is_the_rms_of_10_ms_in_dbfs() -> None:
    _, energy = metered(tone(1000, -20, 0.5)[None], 48_000)
    assert energy.hop_s == 0.01
    assert len(energy.values) == 50
    assert energy.values == pytest.approx(np.full(50, -23.01), abs=0.01)
    assert metered(np.zeros((1, 4800)), 48_000)[1].values == pytest.approx(np.full(10, -120.0))


def test_a_10_ms_sound_gives_values_and_an_empty_one_too() -> None:
    for n in (0, 1, 160):
        levels, energy = metered(np.full((1, n), 0.1), 16_000)
        assert (len(levels.block_power), levels.total_samples, len(energy.values)) == (0, n, -(-n // 160))


def test_a_push_with_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[2, n\]"):
        LevelMeter(48_000, 2, "stereo").push(np.zeros((1, 10), np.float32))


@settings(max_examples=25, deadline=None)
@given(
    rate_hz=st.sampled_from([8_000, 11_025, 16_000]),
    n_channels=st.sampled_from([1, 2, 6]),
    cuts=st.lists(st.floats(0, 1), max_size=8),
    seed=st.integers(0, 1000),
)
def test_results_do_not_depend_on_how_the_samples_arrive_or_how_many_threads_measure(
    rate_hz: int, n_channels: int, cuts: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    sound = np.array([voice(2.3, rate_hz, seed + k) for k in range(n_channels)], dtype=np.float32)
    sound = np.clip(sound * rng.choice([0.0, 0.3, 4.0], size=23).repeat(rate_hz // 10 + 1)[: sound.shape[1]], -1, 1)
    sound = sound.astype(np.float32)
    whole, pieces, threads = (LevelMeter(rate_hz, n_channels, LAYOUTS[n_channels]) for _ in range(3))
    whole.push(sound)
    edges = sorted({0, sound.shape[1], *(round(c * sound.shape[1]) for c in cuts)})
    for first, last in pairwise(edges):
        pieces.push(sound[:, first:last])
    with threads.side_by_side():
        threads.push(sound)
    expected = whole.finish()
    _assert_same(expected, pieces.finish())
    _assert_same(expected, threads.finish())


def test_the_true_peak_is_the_same_to_the_last_bit_wherever_the_sound_is_cut() -> None:
    """A matrix product of another shape may round otherwise: the same windows must come in the same company."""
    rng = np.random.default_rng(0)
    for _ in range(12):
        sound = rng.normal(0, 0.2, (2, 6_000)).astype(np.float32)
        peaks = set()
        for cut in (100, 1_000, 2_999, 5_999):
            meter = TruePeakMeter(48_000, 2)
            meter.push(sound[:, :cut])
            meter.push(sound[:, cut:])
            peaks.add(meter.finish())
        assert len(peaks) == 1


def test_what_a_measure_in_a_thread_of_its_own_raises_is_raised() -> None:
    meter = LevelMeter(8_000, 1, "mono")
    meter._loudness._state = np.zeros((1, 1, 1))
    with pytest.raises(ValueError, match="zi"), meter.side_by_side():
        meter.push(np.ones((1, 8_000), np.float32))


def _assert_same(expected: tuple[Levels, Series], got: tuple[Levels, Series]) -> None:
    (a, a_energy), (b, b_energy) = expected, got
    assert np.array_equal(a.block_power, b.block_power)
    assert np.array_equal(a.short_term_power, b.short_term_power)
    assert np.array_equal(a_energy.values, b_energy.values)
    for name in ("true_peak_dbtp", "clipped_samples", "total_samples", "clipped", "mutes", "clicks_s"):
        assert getattr(a, name) == getattr(b, name), name
