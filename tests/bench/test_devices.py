"""What the comparison of two devices calls different."""

from __future__ import annotations

from typing import Any

import pytest
from devices import compare, table


def report(*, decision: str = "release", outcome: str = "pass", value: Any = 1.0, name: str = "L01") -> dict[str, Any]:
    subject = {"scope": "line", "name": name}
    return {
        "decision": decision,
        "findings": [{"rule": "TIM-ONSET", "pack": "p", "subject": subject, "outcome": outcome}],
        "measurements": [{"metric": "onset_error_s", "unit": "s", "subject": subject, "value": value}],
    }


def test_the_same_reports_are_alike() -> None:
    same = compare(report(), report())
    assert (same.outcomes, same.measured_once, same.gaps) == ((), (), {("onset_error_s", "s"): [0.0]})


@pytest.mark.parametrize("other", [{"decision": "hold"}, {"outcome": "block"}, {"name": "L02"}])
def test_another_decision_outcome_or_finding_differs(other: dict[str, Any]) -> None:
    assert compare(report(), report(**other)).outcomes


def test_what_only_one_measured_differs_though_outcomes_agree() -> None:
    found = compare(report(), report(value={"unmeasured": "too short"}))
    assert not found.outcomes
    assert found.measured_once
    assert not found.gaps


def test_the_table_has_the_greatest_difference() -> None:
    rows = table([compare(report(), report(value=1.25)), compare(report(), report())])
    assert rows.splitlines()[-1] == "| onset_error_s | s | 2 | 1 | 0.25 |"
