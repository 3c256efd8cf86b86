"""Issue lists: a row per occurrence, and no cell that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgement import LATE, PROGRAMME, finding, judgement, with_findings
from openpyxl import load_workbook

from dubgate.delivery.script import CueSheet
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.report.issues import COLUMNS, issue_rows, issues_csv, issues_xlsx, safe_cell
from dubgate.spans import Span

ATTACKS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\x00=1",
    "\u202e=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
)


def _csv(judged: Judgement) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(issues_csv(judged).decode("utf-8-sig"), newline="")))


def _attacked(attack: str) -> Judgement:
    judged = judgement(3)
    cues = tuple(replace(c, character=attack, text=attack) for c in judged.sheet.cues)
    hurt = finding("R-1", PROGRAMME, Outcome.HOLD, attack, attack, value=attack, spans=(Span(1.5, 2.0),), remedy=attack)
    return with_findings(replace(judged, sheet=CueSheet("s.srt", cues)), hurt, alone=True)


def test_the_csv_begins_with_a_byte_order_mark_and_the_header() -> None:
    data = issues_csv(judgement(3))
    assert data.startswith(b"\xef\xbb\xbfline,character,timecode in,timecode out,")
    assert data.count(b"\xef\xbb\xbf") == 1


def test_the_late_line_is_a_row_with_its_timecode_seconds_and_severity() -> None:
    (row,) = [r for r in _csv(judgement(12)) if r["rule"] == "TIM-ONSET"]
    start_s = 1 + LATE * 4.0 + 0.92
    assert row["line"] == "3"
    assert row["character"] == "The Keeper"
    assert row["timecode in"] == "01:00:09:22"  # 24 frames a second from 01:00:00:00
    assert float(row["seconds in"]) == pytest.approx(start_s)
    assert (row["outcome"], row["severity"], row["status"]) == ("hold", "Issue", "")
    assert row["sentence ja"].startswith("台詞3")


def test_severity_follows_the_outcome_and_passes_are_no_rows() -> None:
    found = [finding(o.name, PROGRAMME, o, "x", "x") for o in Outcome]
    rows = _csv(with_findings(judgement(2), *found, alone=True))
    assert {r["rule"]: r["severity"] for r in rows} == {
        "WARN": "FYI",
        "UNKNOWN": "Issue",
        "HOLD": "Issue",
        "BLOCK": "Blocker",
    }


def test_each_place_of_a_finding_is_a_row_of_its_own() -> None:
    twice = finding("R-1", PROGRAMME, Outcome.HOLD, "x", "x", spans=(Span(1.2, 1.4), Span(9.2, 9.4)))
    rows = _csv(with_findings(judgement(3), twice, alone=True))
    assert [r["line"] for r in rows] == ["1", "3"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_of_the_csv_begins_as_a_formula(attack: str) -> None:
    (row,) = _csv(_attacked(attack))
    for cell in row.values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
        assert not set(cell) & set("\x00\t\r\n\u202e")
        assert cell == cell.strip()  # some programs trim before they look


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_cell_of_the_workbook_is_a_formula(attack: str) -> None:
    sheet = load_workbook(io.BytesIO(issues_xlsx(_attacked(attack)))).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert cells
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert not any(str(cell.value).startswith(("=", "+", "-", "@")) for cell in cells)


@given(st.text(max_size=80))
def test_a_safe_cell_never_begins_as_a_formula_and_stays_safe(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe_cell(cell) == cell


def test_a_text_longer_than_a_cell_is_cut() -> None:
    assert len(safe_cell("x" * 100_000)) == 32_000


def test_the_workbook_has_the_rows_of_the_csv_a_frozen_header_and_a_filter() -> None:
    judged = judgement(24)
    sheet = load_workbook(io.BytesIO(issues_xlsx(judged))).active
    assert sheet is not None
    rows = [tuple("" if v is None else v for v in row) for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert rows == issue_rows(judged)
    assert [c.value for c in sheet[1]] == [name for name, _ in COLUMNS]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:P{len(rows) + 1}"
    assert sheet.column_dimensions["J"].width == 60
