"""A CSV file of one kind of record as rows: columns are fields, comments are skipped, cells are read by their field."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from consent.bulk_fields import Column, column
from consent.bulk_rows import UNREAD, Loc, Problem, Row, suggestion
from consent.errors import RecordError
from consent.seed import SECTIONS

KIND_COLUMN = "record"
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,30}(?:[.][0-9]{1,30})?")
_ELEMENT = re.compile(r"(?:\\.|[^|\\])*")


class _PhysicalLines:
    """Lines for the CSV reader, with their numbers; comments and empty lines before a record are passed over."""

    def __init__(self, text: str) -> None:
        self._lines = iter(io.StringIO(text, newline=""))
        self.number = self.start = 0
        self.fresh = True

    def __iter__(self) -> _PhysicalLines:
        return self

    def __next__(self) -> str:
        while True:
            line = next(self._lines)
            self.number += 1
            if self.fresh and (line.startswith("#") or not line.strip()):
                continue
            if self.fresh:
                self.start, self.fresh = self.number, False
            return line


def read_csv(name: str, text: str, kind: str | None) -> tuple[list[Row], list[Problem]]:
    """Every record of the file, and what is wrong with its form.

    Args:
        kind: the section that the rows belong to; the column `record` may say it instead.

    Raises:
        RecordError: the file has no usable header, so that nothing in it can be read.
    """
    lines = list(_records(name, text))
    if not lines:
        raise RecordError("the file is empty; the first line names the columns", where=name)
    (number, header), *body = lines
    names = [cell.strip() for cell in header]
    section = _section(f"{name}:{number}", names, body, kind)
    known = {at: column(section, n) for at, n in enumerate(names) if n != KIND_COLUMN}
    problems = list(_header_problems(section, names, known, number))
    rows: list[Row] = []
    for line, cells in body:
        problems += _row_problems(section, names, cells, line)
        rows.append(_row(section, known, cells, line))
    return rows, problems


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    lines = _PhysicalLines(text)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.fresh = True
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise RecordError(f"not CSV: {error}", where=f"{name}:{lines.start or lines.number}") from None
        if any(cell.strip() for cell in cells):
            yield lines.start, cells


def _section(where: str, names: list[str], body: list[tuple[int, list[str]]], kind: str | None) -> str:
    if len(names) == 1 and (";" in names[0] or "\t" in names[0]):
        raise RecordError("the columns are not separated by commas", where=where, remedy="Export with commas.")
    at = names.index(KIND_COLUMN) if KIND_COLUMN in names else None
    said = next((cells[at].strip() for _, cells in body if at is not None and at < len(cells)), None)
    section = kind or said
    if section not in SECTIONS:
        what = f"{section!r} is no kind of record" if section else "it is not said what kind of record this is"
        raise RecordError(what, where=where, remedy=f"Give --kind, or a column `record`: {', '.join(SECTIONS)}.")
    return section


def _header_problems(section: str, names: list[str], known: dict[int, Column | None], line: int) -> Iterator[Problem]:
    for at, found in known.items():
        if found is None:
            what = f"{section} have no such column{suggestion(section, names[at])}"
            yield Problem(line, f"column {names[at]!r}" if names[at] else f"column {at + 1}, which has no name", what)
    for name in sorted({n for n in names if names.count(n) > 1 and n}):
        yield Problem(line, f"column {name!r}", "stands in the header twice")


def _row_problems(section: str, names: list[str], cells: list[str], line: int) -> Iterator[Problem]:
    if len(cells) != len(names):
        what = f"{len(cells)} cells where the header has {len(names)} columns; a text with a comma stands in quotes"
        yield Problem(line, "", what)
        return
    said = cells[names.index(KIND_COLUMN)].strip() if KIND_COLUMN in names else section
    if said != section:
        yield Problem(line, f"column {KIND_COLUMN}", f"{said!r} in a file of {section}; one kind of record a file")


def _row(section: str, known: dict[int, Column | None], cells: list[str], line: int) -> Row:
    data: dict[str, Any] = {}
    wrong: dict[Loc, str] = {}
    for at, found in known.items():
        cell = cells[at].strip().replace("\r\n", "\n") if at < len(cells) else ""
        if found is None or not cell:
            continue
        loc = _loc(found.name)
        try:
            value = _value(found, cell)
        except ValueError as error:
            value, wrong[loc] = UNREAD, str(error)
        _put(data, loc, value, wrong)
    return Row(section, _listed(data, wrong), lambda _: line, wrong=wrong)


def _loc(name: str) -> Loc:
    return tuple(int(part) - 1 if part.isdigit() else part for part in name.split("."))


def _put(data: dict[Any, Any], loc: Loc, value: Any, wrong: dict[Loc, str]) -> None:
    for part in loc[:-1]:
        data = data.setdefault(part, {})
    data[loc[-1]] = value


def _listed(value: Any, wrong: dict[Loc, str], loc: Loc = ()) -> Any:
    """The same data with numbered parts made into lists; a part that is left out before another is told."""
    if not isinstance(value, dict) or value is UNREAD:
        return value
    inner = {key: _listed(v, wrong, (*loc, key)) for key, v in value.items()}
    if not any(isinstance(key, int) for key in inner):
        return inner
    if missing := [k for k in range(max(inner)) if k not in inner]:
        wrong[(*loc, missing[0])] = "is empty while a later part is filled; number the parts from 1 on"
    return [inner[key] for key in sorted(inner)]


def _value(found: Column, cell: str) -> Any:
    if found.many:
        return [_one(found, element) for element in _elements(cell)]
    return _one(found, cell)


def _elements(cell: str) -> list[str]:
    """The elements of a list; a backslash keeps the sign behind it."""
    parts, at = [], 0
    while True:
        match = _ELEMENT.match(cell, at)
        assert match is not None  # it matches the empty text too
        parts.append(re.sub(r"\\(.)", r"\1", match[0].strip()))
        at = match.end()
        if at >= len(cell):
            break
        if cell[at] == "\\":
            raise ValueError("ends with a lone backslash")
        at += 1
    if not all(parts):
        raise ValueError(f"{cell[:60]!r} has an empty element between its | signs")
    return parts


def _one(found: Column, text: str) -> Any:
    if found.holds == "true or false":
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text[:60]!r}: write true or false")
        return text.lower() == "true"
    if found.holds == "whole number":
        if not _WHOLE.fullmatch(text):
            raise ValueError(f"{text[:60]!r} is not a whole number, such as 10")
        return int(text)
    if found.holds == "number":
        if not _DECIMAL.fullmatch(text):
            raise ValueError(f"{text[:60]!r} is not a number with a decimal point, such as 12.5")
        return float(text)
    return text
