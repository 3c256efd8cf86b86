"""The samples through real processes: every decision and every decisive rule as written in expected.json."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubgate.demonstration import Row, judge_samples
from dubgate.samples import cases, expected, find_samples

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    out = tmp_path_factory.mktemp("samples")
    judged = judge_samples(None, out, only=(), jobs=2, progress=lambda *_: None)
    return {row.case: row for row in judged}


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("case", [p.name for p in cases(find_samples())])
def test_a_sample_is_judged_as_expected(case: str, rows: dict[str, Row]) -> None:
    row = rows[case]
    assert {"decision": row.decision, "because": list(row.because)} == expected(ROOT / "samples" / case)


@pytest.mark.slow
def test_every_case_leaves_a_report(rows: dict[str, Row]) -> None:
    assert all(row.report.is_file() for row in rows.values())


def test_the_samples_are_small_and_hold_nothing_secret() -> None:
    files = [p for p in find_samples().rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) < 10_000_000
    assert not [p for p in files if b"PRIVATE KEY" in p.read_bytes()]
