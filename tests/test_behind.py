"""A voice that speaks all along behind another, which the mono sum or the master holds alone, is found; what is in both is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.signal import fftconvolve
from test_added_speech import Sound, coded, music
from test_unheard import STEREO, SURROUND, activity, clips, found

from dubgate.delivery.audio import downmix_weights
from dubgate.features import Floats, Series
from dubgate.meter.added import added_speech
from dubgate.meter.behind import Phases, _echo, _spectrum, behind, without_delays
from dubgate.meter.unheard import unheard
from dubgate.mixing import speech_beside
from dubgate.samples import RATE_HZ, _read, find_samples
from dubgate.spans import total_s

LENGTH_S = 12


@cache
def voices() -> tuple[Floats, ...]:
    """Talkers who never pause, each of power 1/400: the samples' own lines, one after the other."""
    dub = _read(find_samples() / "clean/dub.flac")
    given = (dub[round(a * RATE_HZ) : round((a + 2) * RATE_HZ)] for a in (1.0, 60.5, 7.5, 21.0, 33.0, 46.0))
    return tuple(np.tile(v / np.sqrt(np.mean(np.square(v))) / 20, LENGTH_S // 2).astype(np.float32) for v in given)


def panned(voice: Floats, to: float) -> Floats:
    """From left, 0, to right, 1."""
    return np.stack([np.cos(to * np.pi / 2) * voice, np.sin(to * np.pi / 2) * voice]).astype(np.float32)


def late(voice: Floats, ms: float) -> Floats:
    spectrum = np.fft.rfft(voice) * np.exp(-2j * np.pi * np.fft.rfftfreq(len(voice)) * ms / 1000 * RATE_HZ)
    return np.fft.irfft(spectrum, len(voice)).astype(np.float32)


def room(voice: Floats, seed: int, direct: float) -> Floats:
    rng = np.random.default_rng(seed)
    tails = rng.standard_normal((2, 8000)) * np.exp(-np.arange(8000) / 1500)
    tails = tails / np.linalg.norm(tails, axis=1, keepdims=True)
    tails[:, 0] += direct
    return np.stack([fftconvolve(voice, tail)[: len(voice)] for tail in tails]).astype(np.float32)


def widened(stereo: Floats, by: float) -> Floats:
    middle, side = stereo.mean(axis=0), by * (stereo[0] - stereo[1]) / 2
    return np.stack([middle + side, middle - side]).astype(np.float32)


def banded(voice: Floats, edges_hz: Sequence[float], phase: float) -> Floats:
    """In phase in every other band, and else in the right channel of this phase, -1 where it cancels."""
    spectrum, hz = np.fft.rfft(voice), np.fft.rfftfreq(len(voice), 1 / RATE_HZ)
    right = np.where(np.searchsorted(edges_hz, hz) % 2, phase, 1.0)
    return np.stack([voice, np.fft.irfft(spectrum * right, len(voice)).astype(np.float32)])


def placed(**gains: tuple[Floats, float]) -> Floats:
    channels = np.zeros((6, LENGTH_S * RATE_HZ), dtype=np.float32)
    for name, (voice, gain) in gains.items():
        channels[SURROUND.index(name)] = gain * voice
    return channels


@cache
def hidden() -> dict[str, tuple[Any, tuple[str, ...]]]:
    a, b, c, *_ = voices()
    against = np.stack([b, -b])
    wide = 0.03 * np.stack([music(), np.roll(music(), 50_000)])
    return {
        "as loud": (a + against, STEREO),
        "9 dB under it": (a + 0.35 * against, STEREO),
        "3 dB quieter in one channel": (np.stack([a + b, a - 0.7 * b]), STEREO),
        "behind a voice that is panned": (1.4 * panned(a, 0.2) + against, STEREO),
        "behind two": (panned(a, 0) + panned(c, 1) + against, STEREO),
        "behind a voice and music": (a + against + wide, STEREO),
        "behind a voice that is late on one side": (np.stack([a, late(a, 1)]) + against, STEREO),
        "behind two that are late": (np.stack([a + late(c, 2), late(a, 1) + c]) + against, STEREO),
        "half the bands of it": (banded(a, np.arange(0, 8000, 400).tolist(), -1), STEREO),
        "half the bands of it, as a delay would": (banded(a, np.arange(400, 8000, 800).tolist(), -1), STEREO),
        "half the bands of it, but for a rest": (banded(a, np.arange(0, 8000, 800).tolist(), -0.7), STEREO),
        "half the bands of it, at a third of their level": (banded(a, np.arange(0, 8000, 800).tolist(), -0.4), STEREO),
        "surround, the front": (placed(FC=(a, 1), FL=(b, 0.7), FR=(b, -0.7)), SURROUND),
        "surround, one side": (placed(FC=(a, 1), FL=(b, 0.7), SL=(b, -1)), SURROUND),
        "surround, the subwoofer": (placed(FC=(a, 1), LFE=(b, 1)), SURROUND),
    }


@pytest.mark.parametrize("case", hidden())
def test_a_voice_that_the_channels_cancel_is_found_behind_one_that_speaks_all_along(case: str) -> None:
    channels, layout = hidden()[case]
    assert total_s(found(list(channels), layout)) > LENGTH_S / 8


def test_the_sum_does_not_hold_it() -> None:
    a, b, *_ = voices()
    channels, layout = hidden()["as loud"]
    assert np.allclose(downmix_weights(layout) @ channels, a, atol=1e-6)
    found_alone = behind(a, b)
    assert found_alone is not None
    assert np.corrcoef(found_alone, b)[0, 1] > 0.8 > 0.2 > abs(np.corrcoef(found_alone, a)[0, 1])


@cache
def ordinary() -> dict[str, tuple[Any, tuple[str, ...]]]:
    a, b, *_ = voices()
    wide = 0.05 * np.stack([music(), np.roll(music(), 50_000)])
    rng = np.random.default_rng(3)
    noise = 0.02 * rng.standard_normal((2, len(a))).astype(np.float32)
    z = np.zeros_like(wide)
    crowd = [np.stack([a, late(a, ms)]) for ms in (0.3, 1, 5, 20)]
    return {
        "one on each side": (panned(a, 0) + panned(b, 1), STEREO),
        "one before the other": (0.3 * panned(a, 0.5) + panned(b, 0), STEREO),
        "six at once": (np.sum([panned(v, rng.uniform()) for v in voices()], axis=0), STEREO),
        "three on each side": (np.sum([panned(v, k % 2) for k, v in enumerate(voices())], axis=0), STEREO),
        "wider than wide": (1.5 * panned(a, 0) - 0.5 * panned(a, 1), STEREO),
        "one who walks": (a * np.stack([np.cos(np.arange(len(a)) / 3e4), np.sin(np.arange(len(a)) / 3e4)]) ** 2, STEREO),
        "in a room": (room(a, 1, 1) + room(b, 2, 1), STEREO),
        "far off in a room": (room(a, 1, 0) + room(b, 2, 0), STEREO),
        "in a church": (0.5 * panned(a, 0.5) + room(a, 5, 0) + room(b, 6, 0), STEREO),
        **{f"late on one side, {k}": (sound, STEREO) for k, sound in enumerate(crowd)},
        "two before two microphones": (np.stack([a + late(b, 2), late(a, 1) + b]), STEREO),
        "two as far from the middle": (np.stack([a + late(b, 1), late(a, 1) + b]), STEREO),
        "before wide music": (panned(a, 0.1) + panned(b, 0.9) + wide, STEREO),
        "before music that cancels": (panned(a, 0.1) + np.stack([wide[0], -wide[0]]), STEREO),
        "before wide noise": (panned(a, 0.2) + noise, STEREO),
        "nothing": (z, STEREO),
        "surround": (np.sum([placed(**{c: (v, 1)}) for c, v in zip(SURROUND, voices(), strict=True) if c != "LFE"], axis=0), SURROUND),
        "surround, a room": (placed(FC=(a, 1), FL=(b, 1), SL=(late(a + b, 15), 0.5), SR=(late(a + b, 17), 0.5)), SURROUND),
        "surround, a low voice below": (placed(FC=(a, 1), LFE=(fftconvolve(a, np.ones(60) / 60)[: len(a)], 2)), SURROUND),
    }  # fmt: skip


@pytest.mark.parametrize("case", ordinary())
def test_talkers_whom_the_sum_holds_too_hide_nobody(case: str) -> None:
    channels, layout = ordinary()[case]
    assert found(list(channels), layout) == ()


def test_a_voice_that_is_added_behind_the_masters_own_is_found_and_a_codecs_noise_is_none() -> None:
    a, b, *_ = voices()

    def added(rendition: Any) -> float:
        return total_s(added_speech(Sound(a), Sound(rendition), 0.0, activity().speech_prob))

    assert added(a + b / 2) > LENGTH_S / 2
    assert added(coded(np.asarray(a + 0.4 * b, np.float32), 64_000)) > LENGTH_S / 3
    for bitrate in (24_000, 48_000, 128_000):
        assert added(coded(a, bitrate)) == 0
    assert added(np.asarray(np.tanh(8 * a) / 8, dtype=np.float32)) == 0, "a limiter"


def test_a_voice_in_the_effects_is_found_behind_one_in_the_stem_and_the_stems_own_echo_is_none() -> None:
    a, b, *_ = voices()
    assert total_s(speech_beside(Sound(a), Sound(b), activity().speech_prob)) > LENGTH_S / 2
    assert speech_beside(Sound(a), Sound(0.5 * room(a, 4, 0)[0]), activity().speech_prob) == ()


def test_nothing_is_listened_to_twice_where_the_sum_holds_it_all() -> None:
    a, b, *_ = voices()
    assert behind(a, 0.9 * a) is None
    assert behind(a + b, a - b) is None
    assert behind(a, 0.01 * b) is None, "nobody hears it out"
    assert behind(a, b) is not None


def test_what_follows_the_judged_sound_dies_away_with_it_and_another_voice_does_not_follow() -> None:
    a, b, *_ = (np.square(np.abs(_spectrum(v))) for v in voices())
    tail = np.zeros_like(a)
    for lag in range(1, 12):
        tail[lag:] += a[:-lag] * 0.5**lag
    found_echo = _echo(tail, a)
    loud = tail > np.percentile(tail, 90)
    assert np.median(found_echo[loud] / tail[loud]) > 0.3
    assert _echo(b, a).max() < 0.1 * a.max()
    assert not _echo(np.full_like(a, np.nan), a).any(), "what is no number is nobody's echo"


def _told(judged: float, sound: float, alone: float, level: float = 1.0) -> list[float]:
    """What is found where one who speaks behind another is heard with these probabilities: their seconds, apart or not."""
    a, b, *_ = voices()
    halves = np.repeat([0.0, 1.0], [LENGTH_S * RATE_HZ // 1024] * 2).astype(np.float32)

    def heard(clips: Sequence[Floats]) -> list[Series]:
        probs: list[Any] = [judged, sound * halves] if len(clips) == 2 else [alone] * len(clips)
        return [Series(0.032, np.asarray(p + 0 * halves, dtype=np.float32)) for p in probs]

    return [total_s(unheard(a, [level * b], heard, apart=apart)) for apart in (False, True)]


def test_what_stands_alone_is_speech_with_more_certainty_and_where_the_sound_itself_may_speak() -> None:
    assert _told(1, 0.6, 0.95) == pytest.approx([LENGTH_S / 2] * 2, abs=0.4)
    assert _told(1, 0.6, 0.8) == [0, 0], "music through the gaps of a voice"
    assert _told(1, 0.2, 0.95) == [0, 0], "the sound itself does not speak"


def test_far_under_one_who_speaks_it_may_be_chance_and_under_other_sound_it_is_not() -> None:
    assert _told(1, 0.6, 0.95, level=0.12)[0] < 0.5
    assert _told(0, 0.6, 0.95, level=0.12)[0] > 2


def test_a_reverberators_return_that_is_made_wide_is_nobody() -> None:
    """As loud as who speaks, and in the gaps of the speech far louder between the channels than in their sum."""
    talker = clips()[0][: LENGTH_S * RATE_HZ]
    rng = np.random.default_rng(20)
    tails = rng.standard_normal((2, 24_000)) * np.exp(-np.arange(24_000) / 3500)
    tails = np.pad(0.8 * tails / np.linalg.norm(tails, axis=1, keepdims=True), ((0, 0), (500, 0)))
    wet = [talker + fftconvolve(talker, tail)[: len(talker)] for tail in tails]
    assert found(list(widened(np.stack(wet), 2)), STEREO) == ()


def test_a_detector_that_hears_a_voice_in_one_mix_of_it_alone_proves_nothing_unless_none_of_it_is_in_both() -> None:
    assert _told(0, 0.8, 0.5) == [0, pytest.approx(LENGTH_S / 2, abs=0.4)]


def test_a_detector_that_says_no_number_is_no_detector_that_hears_nothing() -> None:
    for apart in range(2):
        assert _told(np.nan, 0.1, 0.1)[0] == pytest.approx(LENGTH_S, abs=0.1)
        assert _told(0, np.nan, 0.1)[apart] >= LENGTH_S / 2 - 0.1
        assert _told(1, 0.6, np.nan)[apart] >= LENGTH_S / 2 - 0.1


def test_what_is_no_number_stands_out() -> None:
    a, *_ = voices()
    broken, second = a.copy(), slice(RATE_HZ, 2 * RATE_HZ)
    broken[second] = np.nan
    for judged, sound in ((a, broken), (broken, a)):
        alone = behind(judged, sound)
        assert alone is not None
        assert np.allclose(alone[second], sound[second], atol=1e-5, equal_nan=True)


def test_places_that_one_delay_explains_are_let_go_and_all_others_kept() -> None:
    turned = np.exp(2j * np.pi * np.arange(513) / 1024 * 16).astype(np.complex64)
    one, weights = np.ones((8, 513), dtype=np.complex64), np.ones((8, 513), dtype=np.float32)
    comb = np.tile(turned.real < -0.8, (8, 1))
    assert not without_delays(comb, Phases.of(one, np.tile(turned, (8, 1)), weights)).any()
    assert np.array_equal(without_delays(comb, Phases.of(one, np.where(comb, -one, one), weights)), comb), (
        "nothing turns between"
    )
    every = np.ones_like(comb)
    assert without_delays(every, Phases.of(one, -one, weights)).all()


def test_each_of_several_delays_is_let_go() -> None:
    """Two talkers in turn, before two microphones."""
    pitches = 2j * np.pi * np.arange(513) / 1024
    turned = np.repeat(np.exp([16 * pitches, -37 * pitches]), 8, axis=0).astype(np.complex64)
    one, weights = np.ones((16, 513), dtype=np.complex64), np.ones((16, 513), dtype=np.float32)
    comb = turned.real < -0.8
    assert without_delays(comb, Phases.of(one, turned, weights)).mean() < 0.01 < comb.mean()
