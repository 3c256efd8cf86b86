"""Two tracks heard at once give what each gives alone, and progress only goes forward."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
from made_batch import tiny_scene

from dubgate.delivery.audio import AudioSpool
from dubgate.hearing import HearingPlan, Source, _decoded, _pitch, hear_here
from dubgate.meter import LevelMeter
from dubgate.sample_containers import write_flac
from dubgate.side_by_side import AHEAD, beside, both, forward, side_by_side
from dubgate.speech.device import exactly, n_threads, sharing, tracks_at_once
from dubgate.speech.ears import Ears, load_ears
from dubgate.speech.models import resolve
from dubgate.speech.swiftf0 import HOP_S, SwiftF0
from dubgate.stored import to_stored


@pytest.mark.parametrize("at_once", [1, 2])
def test_answers_come_in_order(at_once: int) -> None:
    assert side_by_side([partial(pow, k, 2) for k in range(5)], at_once=at_once) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("at_once", [1, 2])
def test_what_fails_in_one_fails(at_once: int) -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda: 1, lambda: 1 // 0], at_once=at_once)


def test_two_run_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=20)
    assert side_by_side([lambda: meet.wait() >= 0] * 2, at_once=2) == [True, True]


@pytest.mark.parametrize("at_once", [1, 2])
def test_both_give_what_each_gives_and_what_fails_in_either_fails(at_once: int) -> None:
    assert both(lambda: 1, lambda: "two", at_once=at_once) == (1, "two")
    for pair in ((lambda: 1 // 0, lambda: 1), (lambda: 1, lambda: 1 // 0)):
        with pytest.raises(ZeroDivisionError):
            both(*pair, at_once=at_once)


def test_both_run_at_the_same_time() -> None:
    meet = threading.Barrier(2, timeout=20)
    assert both(lambda: meet.wait() >= 0, lambda: meet.wait() >= 0, at_once=2) == (True, True)


@pytest.mark.parametrize("apart", [False, True])
def test_a_consumer_has_had_every_piece_in_order_when_it_is_left(apart: bool) -> None:
    had: list[int] = []
    with beside(had.append, apart=apart) as consume:
        for k in range(5 * AHEAD):
            consume(k)
    assert had == list(range(5 * AHEAD))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("pieces", [1, 5 * AHEAD])
def test_what_a_consumer_raises_is_raised(apart: bool, pieces: int) -> None:
    def produce() -> None:
        with beside(lambda k: 1 // k, apart=apart) as consume:
            for _ in range(pieces):
                consume(0)

    with pytest.raises(ZeroDivisionError):
        produce()


def test_a_slow_consumer_holds_its_producer_back() -> None:
    go = threading.Event()
    ahead: list[int] = []

    def slow(k: int) -> None:
        assert go.wait(20)

    def produce() -> None:
        with beside(slow, apart=True) as consume:
            for k in range(5 * AHEAD):
                consume(k)
                ahead.append(k)

    thread = threading.Thread(target=produce)
    thread.start()
    thread.join(0.3)
    n = len(ahead)
    go.set()
    thread.join(20)
    assert n == AHEAD
    assert len(ahead) == 5 * AHEAD


def test_progress_only_goes_forward() -> None:
    told: list[float] = []
    progress = forward(lambda _, share: told.append(share))
    for share in (0.1, 0.5, 0.3, 0.9):
        progress("x", share)
    assert told == [0.1, 0.5, 0.5, 0.9]


def test_models_side_by_side_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert (n_threads(), tracks_at_once()) == (4, 2)
    with sharing(2):
        assert n_threads() == 2
    assert n_threads() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert (n_threads(), tracks_at_once()) == (1, 1)


def test_pitch_over_several_blocks_at_once_is_that_of_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a GPU hears it, on the CPU."""
    scene = tiny_scene()
    write_flac(tmp_path / "dub.flac", scene.dub)
    spool = AudioSpool(tmp_path / "dub.flac", 0, tmp_path)
    ref = resolve("pitch", "embedded")
    tracker = SwiftF0(ref.path, ref.sha256)
    ears: Any = SimpleNamespace(pitch=tracker, pitch_hop_s=HOP_S)
    monkeypatch.setattr("dubgate.hearing.PITCH_BLOCK_S", 3.2)
    one = _pitch(ears, spool)
    tracker.info = replace(tracker.info, device="cuda")
    several = _pitch(ears, spool)
    assert np.allclose(one.f0_hz.values, several.f0_hz.values, rtol=1e-5, atol=0, equal_nan=True)
    assert np.allclose(one.confidence.values, several.confidence.values, rtol=0, atol=1e-5)
    assert len(one.f0_hz.values) == pytest.approx(spool.duration_s / HOP_S, abs=1)


def test_two_tracks_at_once_are_heard_as_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With cores to spare the meter runs apart as well; where pitch runs on a GPU, words are heard beside voices."""
    scene = tiny_scene()
    for name, track in (("original", scene.original), ("dub", scene.dub)):
        write_flac(tmp_path / f"{name}.flac", track)
    sources = [Source(str(tmp_path / f"{n}.flac"), 0, f"{n}.flac", "fr") for n in ("original", "dub")]
    plan = HearingPlan(sources[0], sources[1], scene.sheet, "embedded", "cpu")
    heard = []
    for threads in ("1", "2", "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        heard.append(to_stored(hear_here(plan, tmp_path, lambda *_: None)))
    monkeypatch.setattr("dubgate.speech.ears.load_ears", _as_on_a_gpu)
    heard.append(to_stored(hear_here(plan, tmp_path, lambda *_: None)))
    (told, arrays), *others = heard
    for told_again, arrays_again in others:
        assert json.dumps(told) == json.dumps(told_again).replace('"cuda"', '"cpu"')
        assert arrays.keys() == arrays_again.keys()
        for name in arrays:
            assert np.allclose(arrays[name], arrays_again[name], rtol=1e-5, atol=1e-5, equal_nan=True), name


def _as_on_a_gpu(*args: Any, **kwargs: Any) -> Ears:
    """The same models on the CPU, one of which says that it runs on a GPU."""
    ears = load_ears(*args, **kwargs)
    ears.pitch.info = replace(ears.pitch.info, device="cuda")  # type: ignore[misc]
    return ears


def test_full_float32_holds_until_the_last_thread_is_out() -> None:
    """torch keeps such settings for the process: who leaves first must not give the other TF32."""
    import torch

    cudnn = torch.backends.cudnn
    before = (torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic)
    inside, leave = threading.Event(), threading.Event()

    def first() -> None:
        with exactly("cuda"):
            inside.set()
            assert leave.wait(20)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    with exactly("cuda"):
        leave.set()
        thread.join()
        assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic) == ("highest", False, True)
        assert torch.is_inference_mode_enabled()
    assert (torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic) == before


@pytest.mark.parametrize("rate_hz", [48_000, 16_000])
def test_a_track_decoded_by_many_threads_is_the_same_sound_with_the_same_digests(rate_hz: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sound = rng.normal(0, 0.1, (2, 5 * rate_hz // 2)).astype(np.float32)
    path = tmp_path / "two.flac"
    soundfile.write(path, sound.T, rate_hz, subtype="PCM_24")
    heard: list[tuple[float, bytes]] = []
    alone, apart = (
        AudioSpool(path, 0, tmp_path, (lambda at, block: heard.append((at, block.tobytes())),), apart=apart)
        for apart in (False, True)
    )
    assert (alone.packet_sha256, alone.pcm_sha256) == (apart.packet_sha256, apart.pcm_sha256)
    assert np.array_equal(alone.read(0.0, 3.0), apart.read(0.0, 3.0))
    assert len(heard) == 6
    assert heard[:3] == heard[3:]


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_what_is_measured_of_a_track_does_not_depend_on_the_number_of_threads(
    threads: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With five, each measure has a thread of its own."""
    rng = np.random.default_rng(4)
    path = tmp_path / "two.flac"
    soundfile.write(path, np.clip(rng.normal(0, 0.4, (40_000, 2)), -1, 1), 16_000, subtype="PCM_24")
    apart = []
    monkeypatch.setattr(LevelMeter, "side_by_side", _noted(LevelMeter.side_by_side, apart))
    told = []
    for n in ("1", threads):
        monkeypatch.setenv("OMP_NUM_THREADS", n)
        decoded = _decoded(Source(str(path), 0, "two.flac"), tmp_path)
        data, arrays = to_stored((decoded.levels, decoded.energy_db))
        told.append(json.dumps(data) + "".join(str(a.tobytes()) for _, a in sorted(arrays.items())))
    assert told[0] == told[1]
    assert len(apart) == (threads == "5")


def _noted(method: Any, calls: list[Any]) -> Any:
    def noted(self: Any) -> Any:
        calls.append(self)
        return method(self)

    return noted
