"""Local workers take the GPUs that this process may use in turn."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from batch_tasks import SETTINGS, told_gpu

from dubgate.engine import gpus
from dubgate.engine.gpus import VISIBLE, place, visible_gpus
from dubgate.engine.jobs import Failure, Job
from dubgate.engine.local import LocalEngine


@pytest.mark.parametrize(
    ("given", "gpus"),
    [
        ("", ()),
        ("-1", ()),
        ("0", ("0",)),
        ("2, 3", ("2", "3")),
        ("1,-1,2", ("1",)),
        ("GPU-8932f937,MIG-40f1", ("GPU-8932f937", "MIG-40f1")),
    ],
)
def test_the_variable_says_which(given: str, gpus: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, given)
    assert visible_gpus() == gpus


def test_without_it_the_drivers_files_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    assert visible_gpus() == ()
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "nvidia10"):
        (tmp_path / name).touch()
    assert visible_gpus() == ("0", "1", "2")


def test_workers_take_them_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for worker in range(5):
        monkeypatch.setenv(VISIBLE, "4,7")
        place(worker)
        seen.append(os.environ[VISIBLE])
    assert seen == ["4", "7", "4", "7", "4"]


@pytest.mark.parametrize("given", ["", "3"])
def test_where_there_is_one_or_none_nothing_is_chosen(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, given)
    place(1)
    assert os.environ[VISIBLE] == given


def test_two_local_workers_hear_on_two_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "5,6")
    asked = [(Job(name, name), ()) for name in "ab"]
    told = {result.why for _, result in LocalEngine(SETTINGS, 2).run(told_gpu, asked) if isinstance(result, Failure)}
    assert told == {"5", "6"}
