"""Rows of an import as they were handed in, and how one becomes a checked record: every problem by line and column."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from consent import days
from consent.bulk_fields import beside, column, columns
from consent.bulk_template import EXAMPLES
from consent.parties import Personal
from consent.seed import SECTIONS, is_vector
from consent.strict import Record
from consent.writing import Addition

Loc = tuple[str | int, ...]
_UNSHOWN = frozenset({"name", "contact", "vector"})  # what is sealed is not printed either
_PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]{0,63}\Z": "an id is small letters, digits and . _ - inside, 64 at most",
    r"^[0-9a-f]{64}\Z": "64 hexadecimal digits in small letters belong here",
    r"^[A-Z]{3}$": "a currency is three capital letters (ISO 4217)",
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong in one line of the file; `label` names the column or field, empty for the whole record."""

    line: int
    label: str
    what: str

    def told(self, file: str) -> str:
        """One line for people."""
        return f"{file}:{self.line}: {self.label}: {self.what}" if self.label else f"{file}:{self.line}: {self.what}"


@dataclass(frozen=True, slots=True)
class Row:
    """One record as handed in: JSON-shaped data with the line of each value; `wrong` cells could not be read at all.

    `named` tells the record from others of its line (`grants 3`), where a line may hold several.
    """

    section: str
    data: dict[str, Any]
    line_of: Callable[[Loc], int]
    word: str = "column"
    named: str = ""
    wrong: dict[Loc, str] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """Where the record stands."""
        return self.line_of(())

    def problem(self, loc: Loc, what: str) -> Problem:
        """A problem of one field, named as its column is."""
        label = _label(self, loc)
        return Problem(self.line_of(loc), ": ".join(part for part in (self.named, label) if part), what)


UNREAD: Any = {"": ()}  # in the place of a cell that could not be read; no field takes it


def checked(row: Row, zone: ZoneInfo | None) -> tuple[Addition | None, list[Problem]]:
    """The record that a row holds; or every problem that it has by itself."""
    kind, wrong = SECTIONS[row.section], dict(row.wrong)
    data = _dated(row.data, zone, wrong)
    aside = {key: data.pop(key) for key in beside(kind) if key in data}
    vector = aside.pop("vector", None)
    if vector is not None and not is_vector(vector):
        wrong.setdefault(("vector",), "a list of numbers belongs here")
    record, found = _validated(kind, data)
    personal, more = _validated(Personal, aside) if aside else (None, [])
    problems = [row.problem(loc, what) for loc, what in wrong.items()]
    problems += [p for e in (*found, *more) if (p := _told(row, e, wrong)) is not None]
    if problems or not isinstance(record, Record):
        return None, problems
    return Addition(record, personal=personal, vector=vector), []


def _validated(kind: type[BaseModel], data: dict[str, Any]) -> tuple[Any, list[Any]]:
    try:
        return kind.model_validate_json(json.dumps(data)), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [e for e in found if e["type"] != "too_short" or not _echoes(e, found)]


def _echoes(short: Any, found: list[Any]) -> bool:
    """A list whose items are wrong is also told to be too short; that says nothing new."""
    return any(e["loc"][: len(short["loc"])] == short["loc"] and e["loc"] != short["loc"] for e in found)


def _dated(value: Any, zone: ZoneInfo | None, wrong: dict[Loc, str], loc: Loc = ()) -> Any:
    """The same data with what people wrote for days and times as moments in UTC."""
    if isinstance(value, dict):
        return {k: _dated(v, zone, wrong, (*loc, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(v, zone, wrong, (*loc, k)) for k, v in enumerate(value)]
    key = str(loc[-1]) if loc else ""
    if not isinstance(value, str) or key not in days.FIRST_DAY | days.LAST_DAY:
        return value
    try:
        return days.moment(value, key, zone).isoformat()
    except ValueError as error:
        wrong[loc] = str(error)
        return UNREAD


def _told(row: Row, error: Any, wrong: dict[Loc, str]) -> Problem | None:
    """One of pydantic's errors in the file's own terms; None where a cell that could not be read caused it."""
    loc = tuple(part for part in error["loc"] if part != "[key]")
    if any(loc[: len(unread)] == unread or unread[: len(loc)] == loc != () for unread in wrong):
        return None
    return row.problem(loc, _what(row.section, loc, error))


def _what(section: str, loc: Loc, error: Any) -> str:
    name = _name(loc)
    if error["type"] == "extra_forbidden":
        return f"no such field{suggestion(section, name)}"
    if error["type"] == "missing":
        return f"missing{_example(section, loc)}"
    if error["type"] == "too_short":
        return f"empty{_example(section, loc)}"
    pattern = _PATTERNS.get(str(error.get("ctx", {}).get("pattern")))
    said = pattern or str(error["msg"]).removeprefix("Value error, ")
    given = error["input"]
    shown = isinstance(given, str | int | float) and name not in _UNSHOWN and repr(given) not in said
    enum = error["type"] in ("enum", "literal_error")
    example = "" if enum or not loc else _example(section, loc)
    return f"{_short(given)}: {said}{example}" if shown else f"{said}{example}"


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else text[:57] + "…'"


def suggestion(section: str, name: str) -> str:
    """`; did you mean …?` for a field that does not exist; empty where nothing is close."""
    close = difflib.get_close_matches(name, [c.name for c in columns(section)], n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _example(section: str, loc: Loc) -> str:
    examples = EXAMPLES[section]
    name = next((n for n in (_name(loc), _name(loc[:-1])) if n in examples), None)
    return "" if name is None else f"; for example {examples[name]}"


def _name(loc: Loc) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in loc)


def _label(row: Row, loc: Loc) -> str:
    if not loc:
        return ""
    list_column = column(row.section, _name(loc[:-1])) if isinstance(loc[-1], int) else None
    if list_column is not None and isinstance(loc[-1], int):
        return f"{row.word} {list_column.name}, value {loc[-1] + 1}"
    return f"{row.word} {_printable(_name(loc))}"


def _printable(name: str) -> str:
    return name if name.isprintable() and len(name) <= 80 else repr(name[:80])


def repeated(rows: list[Row]) -> Iterator[tuple[Row, Problem]]:
    """Records whose id another record of the file has already."""
    seen: dict[tuple[object, ...], int] = {}
    for row in rows:
        own = identity(row)
        if own is None:
            continue
        if own in seen:
            name = id_field(row.section)
            yield row, row.problem((name,), f"{_short(own[-1])} stands in line {seen[own]} already; an id comes once")
        seen.setdefault(own, row.line)


def identity(row: Row) -> tuple[object, ...] | None:
    """Section and id of a row (for an event, of what it happened to as well); None where it has no id."""
    names = ("target", "target_id", "event_id") if row.section == "events" else (id_field(row.section),)
    values = tuple(row.data.get(name) for name in names)
    return (row.section, *values) if all(isinstance(v, str) for v in values) else None


def id_field(section: str) -> str:
    """The field that holds the id of the section's records: the first one."""
    return next(iter(SECTIONS[section].model_fields))
