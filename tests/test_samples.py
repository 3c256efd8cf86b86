"""The samples: every decision and every decisive rule as written in expected.json.

Some go through real processes, as all do in `make demo`; the others are judged here by the same command line, so that
what their sounds have in common is heard once.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from heard_here import call_here, hear_here, kept_clips

from dubgate.demonstration import judge_case
from dubgate.sample_registry import SampleRegistry, make_registry
from dubgate.samples import cases, expected, find_samples

ROOT = Path(__file__).resolve().parents[1]
THROUGH_PROCESSES = {"clean", "unconsented"}  # a measured one and one judged whole


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("samples")


@pytest.fixture(scope="module")
def registry(folder: Path) -> SampleRegistry:
    with pytest.MonkeyPatch.context() as patched:
        hear_here(patched, kept_clips())
        return make_registry(find_samples(), folder)


@pytest.mark.slow
@pytest.mark.parametrize("case", [p.name for p in cases(find_samples())])
def test_a_sample_is_judged_as_expected(
    case: str, folder: Path, registry: SampleRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    if case not in THROUGH_PROCESSES:
        hear_here(monkeypatch, kept_clips())
        monkeypatch.setattr("dubgate.demonstration.subprocess", SimpleNamespace(run=call_here))
    row = judge_case(find_samples() / case, folder, registry)
    assert {"decision": row.decision, "because": list(row.because)} == expected(ROOT / "samples" / case)
    assert row.report.is_file()


def test_the_samples_are_small_and_hold_nothing_secret() -> None:
    files = [p for p in find_samples().rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 10_000_000
    assert not [p for p in files if b"PRIVATE KEY" in p.read_bytes()]
