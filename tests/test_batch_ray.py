"""The same deliveries through Ray and through this process: the same answers, though a worker is killed on the way."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_batch import make_deliveries

from consent.registry import Registry
from consent.seed import import_seed
from dubgate.engine.jobs import Answer, Failure, Job, Settings
from dubgate.engine.judging import judge_one
from dubgate.engine.ray import RayEngine
from dubgate.errors import InputError

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_cluster_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(InputError):
        RayEngine(Settings("r.db", AT), address="127.0.0.1:1", workers=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ray_answers_as_this_process_does_and_a_killed_worker_costs_nothing(
    tmp_path: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with Registry.open(tmp_path / "registry.db", create=True, clock=lambda: AT) as registry:
        import_seed(registry, samples / "seed.yaml")
    [first] = make_deliveries(tmp_path / "in", 1, faults=False)
    for k in range(1, 4):  # the same bytes elsewhere, so that they are heard once
        shutil.copytree(first.parent, tmp_path / "in" / f"copy{k}")
    (tmp_path / "in" / "copy3" / "delivery.yaml").write_text("schema: delivery/1.0\n")
    jobs = [Job(p.name, str(p / "delivery.yaml")) for p in sorted((tmp_path / "in").iterdir())]
    settings = Settings(
        str(tmp_path / "registry.db"), AT, models="embedded", device="cpu", formats=("json",), media="none"
    )
    here = {job.name: judge_one(job, settings) for job in jobs}
    engine = RayEngine(settings, address="local", workers=1)
    there = {}
    try:
        for job, result in engine.run(judge_one, [(job, ()) for job in jobs]):
            if not there and isinstance(result, Answer):
                os.kill(int(result.worker.rpartition(":")[2]), signal.SIGKILL)
            there[job.name] = result
    finally:
        engine.close()
    assert there.keys() == here.keys()
    for name, mine in here.items():
        theirs = there[name]
        if isinstance(mine, Failure):
            assert theirs == mine
        else:
            assert isinstance(theirs, Answer)
            assert (theirs.facts, theirs.files) == (mine.facts, mine.files)
    assert [name for name, r in here.items() if isinstance(r, Failure)] == ["copy3"]
