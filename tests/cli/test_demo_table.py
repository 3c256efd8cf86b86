"""What `dubgate demo` prints: names and rules whole at 80 columns, how many came out right, and where the reports lie."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dubgate.demonstration import Row, lines_after, print_table

HOLD = ("TIM-UNCOVERED-SHARE", "TXT-MISSING")


def row(case: str, decision: str = "hold", wanted: str = "hold") -> Row:
    because = list(HOLD) if wanted != "release" else []
    report = Path(f"build/samples/{case}/report/report.html")
    return Row(case, "a line that nobody wrote, and another left out", decision, (), HOLD, {"decision": wanted, "because": because}, report)  # fmt: skip


def test_names_and_rules_stand_whole_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    print_table((row("voice-between-channels"),), Path("build/samples"))
    table = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out.split("1 of 1")[0])
    assert max(map(len, table.splitlines())) <= 80
    for whole in ("voice-between-channels", *HOLD):
        assert whole in table


def test_what_is_not_as_expected_is_told_with_what_was(capsys: pytest.CaptureFixture[str]) -> None:
    print_table((row("late", wanted="block"),), Path("out"))
    told = capsys.readouterr().out
    assert "NOT AS EXPECTED: {'decision': 'block'" in told
    assert "0 of 1 came out as they should" in told


def test_the_reports_lie_in_one_place_that_is_named_once() -> None:
    told = lines_after((row("late"), row("clean")), Path("build/samples"))
    assert told[0] == "2 of 2 came out as they should"
    assert told[1].startswith("reports: build/samples/SAMPLE/report/report.html")
    assert told[2] == "what a rule asks: dubgate rules explain TIM-UNCOVERED-SHARE"
