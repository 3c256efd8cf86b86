"""What the bench of hidden voices computes: shares, intervals, rooms and scenes; with noise for voices, without any model."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("soxr", reason="dubgate[audio] is not installed")

from behind_hiding import GUILTY, under
from behind_mixes import INNOCENT, LENGTH_S, Draw, N, Scene
from behind_rooms import SOUND_MPS, coded, convolved, images, impulse, panned, placed
from behind_scenes import Heard, guilty_row, innocent_row, scenes, share, wilson
from behind_voices import LEVEL, RATE_HZ, Material, active_rms

from dubgate.delivery.audio import downmix_weights
from dubgate.spans import Span


def material() -> Material:
    rng = np.random.default_rng(0)
    voices = {f"v{k}": (LEVEL * rng.standard_normal(30 * RATE_HZ)).astype(np.float32) for k in range(10)}
    music = {"m": (LEVEL * rng.standard_normal((2, 30 * RATE_HZ))).astype(np.float32)}
    return Material(voices, music, ("v0", "v1"), 7, True)


def test_wilsons_interval_holds_the_share_and_is_no_point_at_none_or_all() -> None:
    assert wilson(0, 24) == pytest.approx((0, 0.138), abs=0.001)
    assert wilson(24, 24) == pytest.approx((0.862, 1), abs=0.001)
    assert wilson(5, 10) == pytest.approx((0.237, 0.763), abs=0.001)


def test_only_seconds_in_which_somebody_hides_count_as_found() -> None:
    assert Heard((Span(1, 3), Span(8, 9)), (Span(2, 6),)).found_s == 1
    heard = [Heard((Span(0, 4),), (Span(0, 4),)), Heard((), (Span(0, 4),))]
    of, low, high = share(heard)
    assert (of, low, high) == (0.5, 0.0, 1.0)
    assert guilty_row("x", heard) == "| x | 50% of 8 s | 0% to 100% | 1 of 2 | 9% to 91% |"
    assert innocent_row("x", heard) == f"| x | 1 of 2 | 9.5 to 91 % | 4.0 of {2 * LENGTH_S} |"


def test_a_scene_is_drawn_again_from_its_seed_and_no_two_are_alike() -> None:
    made = [list(scenes(material(), "two at once, panned", INNOCENT["two at once, panned"], 2)) for _ in range(2)]
    assert np.array_equal(made[0][1].channels, made[1][1].channels)
    assert not np.array_equal(made[0][0].channels, made[0][1].channels)


def test_nobody_speaks_twice_in_a_scene() -> None:
    draw = Draw(material(), np.random.default_rng(1))
    speakers = draw.voices(9)
    assert len({v.tobytes() for v in speakers}) == 9
    assert all(len(v) == N for v in speakers)


def test_the_sum_does_not_hold_who_hides() -> None:
    scene = under(-6)(Draw(material(), np.random.default_rng(2)))
    assert scene.hidden is not None
    both = np.corrcoef(np.stack([downmix_weights(scene.layout) @ scene.channels, scene.hidden]))[0, 1]
    beside = 20 * np.log10(active_rms(scene.hidden) / active_rms(scene.channels.mean(axis=0)))
    assert (both, beside) == (pytest.approx(0, abs=0.02), pytest.approx(-6, abs=0.1))


@pytest.mark.parametrize("kind", ["5.1: film", "mono made wide by combs", "M&E without voices beside a stem"])
def test_nobody_hides_in_what_is_called_ordinary(kind: str) -> None:
    scene: Scene = INNOCENT[kind](Draw(material(), np.random.default_rng(3)))
    assert scene.hidden is None
    assert scene.channels.shape == (len(scene.layout), N)
    assert np.isfinite(scene.channels).all()
    assert not GUILTY.keys() & INNOCENT.keys()


def test_a_room_gives_the_direct_sound_first_and_dies_away() -> None:
    room, talker, ear = np.array([5.0, 6.0, 3.0]), np.array([1.0, 1.0, 1.5]), np.array([4.0, 5.0, 1.5])
    rt60 = 0.5
    whole, far = (impulse(room, rt60, talker, ear, np.random.default_rng(4), direct=d) for d in (True, False))
    first = round((0.05 + np.linalg.norm(talker - ear) / SOUND_MPS) * RATE_HZ)
    assert abs(int(np.argmax(np.abs(whole) > 0.3 * np.abs(whole).max())) - first) <= 2
    assert np.sum(np.square(far)) < np.sum(np.square(whole))
    left = 10 * np.log10(
        np.cumsum(np.square(whole[::-1], dtype=np.float64))[::-1] / np.sum(np.square(whole, dtype=np.float64))
    )
    measured = 3 * (np.argmax(left < -25) - np.argmax(left < -5)) / RATE_HZ
    assert 0.6 * rt60 < measured < 1.7 * rt60


def test_mirrored_sources_of_the_nearest_walls_are_there_once() -> None:
    at, walls = images(np.array([4.0, 4.0, 4.0]), np.array([1.0, 2.0, 3.0]), 5.0)
    assert len(np.unique(at.round(6), axis=0)) == len(at)
    assert at[walls == 0].tolist() == [[1, 2, 3]]
    assert sorted(at[walls == 1].tolist()) == [[-1, 2, 3], [1, -2, 3], [1, 2, 5], [1, 6, 3]], (
        "[7, 2, 3] is out of reach"
    )


def test_a_codec_keeps_channels_and_time() -> None:
    rng = np.random.default_rng(5)
    voice = convolved(
        rng.standard_normal(2 * RATE_HZ).astype(np.float32) * 0.05, [np.hanning(2000)[:1600].astype(np.float32)]
    )[0]
    heard = coded(panned(voice, 0.2), "aac", 256_000)
    assert heard.shape == (2, len(voice))
    assert np.corrcoef(heard[0], voice)[0, 1] > 0.9
    assert placed(N, FC=np.ones(N, np.float32)).sum(axis=1).tolist() == [0, 0, N, 0, 0, 0]
