"""The issue list as CSV and XLSX: one row per occurrence, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from dubgate.delivery.timecode import timecode_at
from dubgate.judgement import Judgement
from dubgate.report.occurrences import SEVERITY, Occurrence, occurrences
from dubgate.report.printable import REPLACEMENT, printable

COLUMNS = (
    ("line", 10), ("character", 16), ("timecode in", 14), ("timecode out", 14), ("seconds in", 11),
    ("seconds out", 11), ("rule", 24), ("outcome", 10), ("severity", 10), ("sentence en", 60), ("sentence ja", 44),
    ("value", 14), ("bound", 18), ("why", 40), ("remedy", 40), ("status", 14),
)  # fmt: skip
# A spreadsheet calculates what begins so; the full-width forms too, in Japanese and Chinese editions of Excel.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MOST_CHARACTERS = 32_000  # a cell of XLSX holds 32,767

Cell = str | float


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: control characters removed, a leading sign quoted."""
    clean = printable(text).replace(REPLACEMENT, "").strip()[:_MOST_CHARACTERS]
    return f"'{clean}" if clean.startswith(_FORMULA) else clean


def issue_rows(judgement: Judgement) -> list[tuple[Cell, ...]]:
    """The rows below the header, in order of time; texts are safe, seconds are numbers or empty."""
    return [
        tuple(safe_cell(c) if isinstance(c, str) else c for c in _row(o, judgement)) for o in occurrences(judgement)
    ]


def _row(occurrence: Occurrence, judgement: Judgement) -> tuple[Cell, ...]:
    f, span, clock = occurrence.finding, occurrence.span, judgement.clock
    times: tuple[Cell, ...] = ("", "", "", "")
    if span is not None:
        labels = (str(timecode_at(span.start_s, clock)), str(timecode_at(span.end_s, clock)))
        times = (*labels, round(span.start_s, 3), round(span.end_s, 3))
    line = occurrence.cue.id if occurrence.cue else ""
    said = (f.text.en, f.text.ja, f.value, f.bound, f.why.en, f.remedy.en, "")
    return (line, occurrence.character or "", *times, f.rule, f.outcome.name.lower(), SEVERITY[f.outcome], *said)


def issues_csv(judgement: Judgement) -> bytes:
    """UTF-8 with a byte order mark, without which Excel reads it as Latin-1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([name for name, _ in COLUMNS])
    writer.writerows(issue_rows(judgement))
    return out.getvalue().encode("utf-8-sig")


def issues_xlsx(judgement: Judgement) -> bytes:
    """One sheet "issues": header frozen, columns wide enough, a filter on every column; no cell is a formula."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=False)
    sheet = book.active
    assert sheet is not None
    sheet.title = "issues"
    sheet.append([name for name, _ in COLUMNS])
    for k, (_, width) in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(k)].width = width
        sheet.cell(1, k).font = Font(bold=True)
    for row in issue_rows(judgement):
        sheet.append([None if cell == "" else cell for cell in row])
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if isinstance(cell.value, str):
                cell.data_type = "s"
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    made = judgement.judged_at.replace(tzinfo=None)
    book.properties.created = book.properties.modified = made
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
