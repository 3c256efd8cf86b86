"""However much sound is asked for, each stretch comes back with its own sound: in further passes, never as silence."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from dubgate import excerpts
from dubgate.errors import ChildError
from dubgate.excerpts import Cut, cut_excerpts, excerpts_task
from dubgate.spans import Span

SPANS = tuple(Span(k, k + 0.5) for k in range(6))


class Child:
    """The child's task in this process; how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.passes = folder, 0

    def __call__(self, task: str, request: dict[str, Any], **_: Any) -> Any:
        self.passes += 1
        assert self.passes < 20
        return SimpleNamespace(arrays=excerpts_task(request, self.folder, lambda *_: None)[1])


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Child:
    made = Child(tmp_path)
    monkeypatch.setattr("dubgate.sandbox.run_in_child", made)
    return made


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> list[Cut]:
    """Two noises, each louder from second to second, so that no stretch is another's."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("noise")
    for name in ("one", "two"):
        loud = np.repeat(np.linspace(0.05, 0.5, 8), 16_000)
        soundfile.write(folder / f"{name}.wav", loud * rng.uniform(-1, 1, len(loud)), 16_000, subtype="PCM_16")
    return [Cut(str(folder / "one.wav"), 0, SPANS), Cut(str(folder / "two.wav"), 0, SPANS[:3]), Cut("none", 0, ())]


def loudness(data: bytes) -> float:
    samples, _ = soundfile.read(io.BytesIO(data))
    return float(np.sqrt(np.mean(samples**2)))


def test_what_goes_beyond_one_pass_is_cut_in_the_next(
    child: Child, cuts: list[Cut], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cut_excerpts(cuts)
    assert (child.passes, [len(each) for each in whole]) == (1, [6, 3, 0])
    assert all(loudness(data) > 0.01 for each in whole for data in each)
    assert len({data for each in whole for data in each}) == 9
    for most, passes in ((sum(len(data) for each in whole for data in each) // 2, range(2, 9)), (1, range(9, 10))):
        child.passes = 0
        monkeypatch.setattr(excerpts, "MAX_BYTES", most)
        assert cut_excerpts(cuts) == whole
        assert child.passes in passes


def test_a_child_that_cuts_nothing_is_an_error_and_no_silence(child: Child, cuts: list[Cut]) -> None:
    def none(*_: Any, **__: Any) -> Any:
        child.passes += 1
        assert child.passes < 3, "it is asked on and on"
        return SimpleNamespace(arrays={})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dubgate.sandbox.run_in_child", none)
        with pytest.raises(ChildError, match="missing"):
            cut_excerpts(cuts)
    assert cut_excerpts([]) == []
