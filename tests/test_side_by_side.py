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
from made_batch import tiny_scene

from dubgate.delivery.audio import AudioSpool
from dubgate.hearing import HearingPlan, Source, _pitch, hear_here
from dubgate.sample_containers import write_flac
from dubgate.side_by_side import forward, side_by_side
from dubgate.speech.device import n_threads, sharing, tracks_at_once
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


def test_progress_only_goes_forward() -> None:
    told: list[float] = []
    progress = forward(lambda _, share: told.append(share))
    for share in (0.1, 0.5, 0.3, 0.9):
        progress("x", share)
    assert told == [0.1, 0.5, 0.5, 0.9]


def test_models_side_by_side_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert (n_threads(), tracks_at_once("cpu"), tracks_at_once("cuda")) == (4, 2, 1)
    with sharing(2):
        assert n_threads() == 2
    assert n_threads() == 4
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert (n_threads(), tracks_at_once("cpu")) == (1, 1)


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
    scene = tiny_scene()
    for name, track in (("original", scene.original), ("dub", scene.dub)):
        write_flac(tmp_path / f"{name}.flac", track)
    sources = [Source(str(tmp_path / f"{n}.flac"), 0, f"{n}.flac", "fr") for n in ("original", "dub")]
    plan = HearingPlan(sources[0], sources[1], scene.sheet, "embedded", "cpu")
    heard = []
    for threads in ("1", "2"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        heard.append(to_stored(hear_here(plan, tmp_path, lambda *_: None)))
    (told, arrays), (told_again, arrays_again) = heard
    assert json.dumps(told) == json.dumps(told_again)
    assert arrays.keys() == arrays_again.keys()
    for name in arrays:
        assert np.allclose(arrays[name], arrays_again[name], rtol=1e-5, atol=1e-5, equal_nan=True), name
