"""Cue sheets as a table: CSV with commas or semicolons, or tab-separated, with named columns.

Columns: `start` and `end` are needed; `id character text kind language on_screen synthesised original` may be there,
and `note`, which is not read. Lines before the header may say `# language: de` and `# style: lector`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from fractions import Fraction

from dubgate.delivery.cue_times import clock, parse_time
from dubgate.delivery.draft import Draft, SheetDraft
from dubgate.delivery.marks import take_marks, written_bool, yes_or_no
from dubgate.delivery.script import CueSheet
from dubgate.errors import CueError

COLUMNS = ("id", "start", "end", "character", "text", "kind", "language", "on_screen", "synthesised", "original")
_IGNORED = frozenset({"note", "notes"})
_SHEET_KEY = re.compile(r"#\s*(language|style)\s*:\s*([^\s,;]+)[\s,;]*", re.IGNORECASE)
# A spreadsheet runs a cell that starts so; the apostrophe before it is what spreadsheets themselves use.
_FORMULA = re.compile(r"'*[=+\-@]")
_QUOTED_FORMULA = re.compile(r"'+[=+\-@]")


def delimiter_of(text: str) -> str | None:
    """The delimiter of a cue table, or None where the text has no header with `start` and `end`."""
    header = next((line for line in text.split("\n", 50) if line.strip() and not line.startswith("#")), "")
    for delimiter in "\t,;":
        names = {_column(cell) for cell in header[:2000].split(delimiter)}
        if {"start", "end"} <= names:
            return delimiter
    return None


def _column(cell: str) -> str:
    return cell.strip().strip('"').strip().lower()


def read_table(text: str, name: str, *, frame_rate: Fraction | None) -> SheetDraft:
    """A table with a header line.

    Raises:
        CueError: at `file:line`: an unknown or repeated column, a row of another length, a cell that cannot be read.
    """
    sheet = SheetDraft()
    rows = _rows(text, delimiter_of(text) or ",", name, sheet)
    line, header = next(rows)
    columns = _columns(header, f"{name}:{line}")
    for line, cells in rows:
        if len(cells) != len(columns):
            what = f"{len(cells)} cells in a table of {len(columns)} columns"
            raise CueError(what, where=f"{name}:{line}")
        cell = {c: v.strip() for c, v in zip(columns, cells, strict=True)}
        sheet.add(_draft(cell, line, f"{name}:{line}", frame_rate), name)
    return sheet


def _rows(text: str, delimiter: str, name: str, sheet: SheetDraft) -> Iterator[tuple[int, list[str]]]:
    """Rows with the line each starts on; the lines before the header go into the sheet."""
    start = _read_head(text, sheet)
    body = io.StringIO("\n".join(text.split("\n")[start:]), newline="")
    reader = csv.reader(body, delimiter=delimiter, strict=True)
    line = start + 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = start + reader.line_num + 1
    except csv.Error as error:
        raise CueError(f"the table is damaged ({error})", where=f"{name}:{line}") from None


def _read_head(text: str, sheet: SheetDraft) -> int:
    """The number of lines before the header."""
    for number, line in enumerate(text.split("\n")):
        if line.strip() and not line.startswith("#"):
            return number
        if match := _SHEET_KEY.fullmatch(line):
            setattr(sheet, match[1].lower(), match[2])
    return 0


def _columns(header: list[str], where: str) -> list[str]:
    columns = [_column(cell) for cell in header]
    for column in columns:
        if column not in COLUMNS and column not in _IGNORED:
            raise CueError(f"unknown column {column!r}; known are {', '.join(COLUMNS)}, note", where=where)
    if len(set(columns)) < len(columns):
        raise CueError("a column is there twice", where=where)
    return columns


def _draft(cell: dict[str, str], line: int, where: str, frame_rate: Fraction | None) -> Draft:
    text = {key: _unescaped(value) for key, value in cell.items()}
    draft = Draft(
        line,
        _time(cell["start"], where, frame_rate),
        _time(cell["end"], where, frame_rate),
        text.get("text", ""),
        id=text.get("id") or None,
        character=text.get("character") or None,
        kind=cell.get("kind") or None,
        language=cell.get("language") or None,
        on_screen=yes_or_no(cell.get("on_screen", ""), where),
        synthesised=yes_or_no(cell.get("synthesised", ""), where),
        original_text=text.get("original") or None,
        explicit_character="character" in cell,
    )
    if "kind" not in cell:
        take_marks(draft, where)
    return draft


def _time(text: str, where: str, frame_rate: Fraction | None) -> float:
    try:
        return parse_time(text, frame_rate)
    except ValueError as error:
        raise CueError(str(error), where=where) from None


def _unescaped(value: str) -> str:
    return value[1:] if _QUOTED_FORMULA.match(value) else value


def _escaped(value: str) -> str:
    return f"'{value}" if _FORMULA.match(value) else value


def write_table(sheet: CueSheet, *, delimiter: str = ",") -> str:
    """The sheet as CSV (or TSV with a tab); only actors are lost. Cells that a spreadsheet would run are quoted."""
    out = io.StringIO(newline="")
    for key, value in (("language", sheet.language), ("style", sheet.style)):
        out.write(f"# {key}: {value}\n" if value is not None else "")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    for cue in sheet.cues:
        times = (clock(cue.span.start_s), clock(cue.span.end_s))
        flags = (written_bool(cue.on_screen) or "", written_bool(cue.synthesised) or "")
        names = (_escaped(cue.character or ""), _escaped(cue.text), str(cue.kind), cue.language or "")
        writer.writerow((_escaped(cue.id), *times, *names, *flags, _escaped(cue.original_text or "")))
    return out.getvalue()
