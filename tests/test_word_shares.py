"""Words heard in shares by several children are the words heard at once; what fails in one ends them all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from heard_here import hear_here as hearing_here
from heard_here import kept_clips
from made_batch import tiny_scene

from dubgate.delivery.cues import sheet_from
from dubgate.errors import ChildError, MediaError
from dubgate.features import BackendInfo, ProgrammeFeatures
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.hearing_words import HeardWords, WordsPlan, share_of
from dubgate.pinned import pinned, pins
from dubgate.sample_containers import write_flac
from dubgate.stored import to_stored
from dubgate.unmeasured import Unmeasured
from dubgate.word_shares import FROM_S, Child, hear_all, hear_in_shares, shares_of

VTT = b"WEBVTT\n\n00:00.500 --> 00:03.000\n<v MARA>We leave at ten.\n\n00:03.500 --> 00:06.000\n<v OTTO>So it is.\n"
Progress = Callable[[str, float], None]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> HearingPlan:
    folder, scene = tmp_path_factory.mktemp("shares"), tiny_scene()
    for name, track in (("original", scene.original), ("dub", scene.dub)):
        write_flac(folder / f"{name}.flac", track)
    original, dub = (Source(str(folder / f"{n}.flac"), 0, f"{n}.flac", "en") for n in ("original", "dub"))
    return HearingPlan(original, dub, sheet_from(VTT, "script.vtt", language="en"), "embedded", "cpu")


@pytest.mark.parametrize("shares", [2, 3])
def test_words_in_shares_are_the_words_heard_at_once(
    plan: HearingPlan, shares: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearing_here(monkeypatch, kept_clips())
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    told: list[float] = []
    at_once = to_stored(hear_here(plan, tmp_path, lambda *_: None))
    child = Child([Path(plan.original.path), Path(plan.dub.path)])
    found = hear_in_shares(plan, shares, child, lambda _, share: told.append(share))
    assert not isinstance(found.dub.words, Unmeasured)
    assert not isinstance(found.dub.alignments, Unmeasured)
    in_shares = to_stored(found)
    assert json.dumps(in_shares[0]) == json.dumps(at_once[0])
    assert in_shares[1].keys() == at_once[1].keys()
    assert all(np.array_equal(in_shares[1][n], a, equal_nan=True) for n, a in at_once[1].items())
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_shares_are_runs_of_neighbours_that_make_the_whole() -> None:
    for n in range(7):
        parts = [share_of(range(n), k, 3) for k in range(3)]
        assert [x for part in parts for x in part] == list(range(n))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize(
    ("change", "duration_s", "threads", "shares"),
    [
        ({}, 100.0, "2", 2),
        ({}, 100.0, "5", 5),
        ({}, 60.0, "5", 3),
        ({}, 100.0, "1", 1),
        ({}, FROM_S - 1, "2", 1),
        ({}, None, "2", 1),
        ({"without": ("aligner",)}, 100.0, "2", 1),
        ({"models": "transcriber=/nowhere"}, 100.0, "2", 1),
    ],
)
def test_words_are_shared_where_one_thread_would_hear_them_for_long(
    plan: HearingPlan, monkeypatch: pytest.MonkeyPatch, change: Any, duration_s: float, threads: str, shares: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert shares_of(replace(plan, **change), duration_s) == shares


@pytest.mark.parametrize("language", ["fr", None])
def test_what_no_ear_hears_is_not_shared(plan: HearingPlan, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert shares_of(replace(plan, dub=replace(plan.dub, language=language)), 100.0) == 1


# What one share does to the others


class Hears:
    """Stands for the children: everything but the words is heard before; a share does what the test says."""

    def __init__(self, first: ProgrammeFeatures, share: Callable[[WordsPlan, threading.Event], HeardWords]) -> None:
        self.first, self.share, self.tasks = first, share, list[str]()

    def __call__(self, task: str, request: Any, answer: Any, progress: Progress, stop: Any = None) -> Any:
        self.tasks.append(task)
        return self.first if task == "hear" else self.share(request, stop)


MODEL = BackendInfo("transcriber", "a", "1" * 64, embedded=True)


def heard(words: Any = (), model: BackendInfo = MODEL) -> HeardWords:
    return HeardWords(words, (), (), (model,))


@pytest.fixture(scope="module")
def first(plan: HearingPlan, tmp_path_factory: pytest.TempPathFactory) -> ProgrammeFeatures:
    without = replace(plan, without=("transcriber", "aligner"))
    return hear_here(without, tmp_path_factory.mktemp("first"), lambda *_: None)


def shared(plan: HearingPlan, first: ProgrammeFeatures, share: Callable[..., HeardWords]) -> ProgrammeFeatures:
    return hear_in_shares(plan, 2, Hears(first, share), lambda *_: None)


def test_the_share_that_fails_first_is_told_and_ends_the_others(plan: HearingPlan, first: ProgrammeFeatures) -> None:
    ended: list[bool] = []

    def share(asked: WordsPlan, stop: threading.Event) -> HeardWords:
        if asked.share == 1:
            raise MediaError("the file is damaged")
        ended.append(stop.wait(5))
        raise ChildError("another child failed")

    with pytest.raises(MediaError, match="damaged"):
        shared(plan, first, share)
    assert ended == [True]


def test_what_is_pinned_is_pinned_for_every_share(plan: HearingPlan, first: ProgrammeFeatures) -> None:
    place, seen = (1, 2, 3, 4), []

    def share(*_: object) -> HeardWords:
        seen.append(pins().places.get(plan.dub.path))
        return heard()

    with pinned({plan.dub.path: place}):
        shared(plan, first, share)
    assert seen == [place, place]


def test_shares_of_other_models_are_refused(plan: HearingPlan, first: ProgrammeFeatures) -> None:
    with pytest.raises(ChildError, match="other models"):
        shared(plan, first, lambda asked, _: heard(model=replace(MODEL, name=str(asked.share))))


def test_one_share_that_could_not_hear_leaves_the_words_unmeasured(plan: HearingPlan, first: ProgrammeFeatures) -> None:
    why = Unmeasured("the clip is too quiet")
    found = shared(plan, first, lambda asked, _: heard(why if asked.share else ()))
    assert found.dub.words == why
    assert found.dub.languages == ()
    assert found.models == (*first.models[:-1], MODEL, first.models[-1])


def test_a_mix_whose_background_spoils_words_leaves_them_unmeasured(
    plan: HearingPlan, first: ProgrammeFeatures
) -> None:
    spoiled = replace(first, mix=replace(first.mix, speech_to_background_db=3.0))
    found = shared(plan, spoiled, lambda *_: heard())
    assert isinstance(found.dub.words, Unmeasured)
    assert "3 dB above the background" in found.dub.words.reason
    stem = replace(plan, mix=plan.dub)
    assert shared(stem, spoiled, lambda *_: heard()).dub.words == ()


def test_a_short_dub_is_heard_by_one_child(plan: HearingPlan, first: ProgrammeFeatures) -> None:
    hears = Hears(first, lambda *_: heard())
    assert hear_all(plan, 5.0, hears, lambda *_: None) is first
    assert hears.tasks == ["hear"]


def test_a_long_one_by_several(plan: HearingPlan, first: ProgrammeFeatures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    hears = Hears(first, lambda *_: heard())
    hear_all(plan, 100.0, hears, lambda *_: None)
    assert sorted(hears.tasks) == ["hear", "words", "words", "words"]
