"""Bulk import of CSV and JSON: everything is read and checked first, and all of it enters or nothing does."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from consent import days
from consent.bulk_csv import read_csv
from consent.bulk_json import JsonLines
from consent.bulk_rows import Loc, Problem, Row, checked, identity, repeated
from consent.errors import RecordError
from consent.events import Event
from consent.parties import Party
from consent.registry import Registry
from consent.seed import SCHEMA as SEED_SCHEMA
from consent.seed import SECTIONS
from consent.strict import Record, canonical_json
from consent.views import packed
from consent.voices import Enrolment, Voice
from consent.writing import Addition, Writer

SCHEMA = "consent-bulk/1.0"
MAX_BYTES = 10_000_000
MAX_TOLD = 1000
_UNKNOWN = re.compile(r"'([a-z0-9][a-z0-9._-]*)' is registered")  # as the registry's door words it


@dataclass(frozen=True, slots=True)
class Imported:
    """One record of the file: `unchanged` ones were in the registry already, the same to the last field."""

    section: str
    record_id: str
    line: int
    state: Literal["new", "unchanged"]


@dataclass(frozen=True, slots=True)
class BulkImport:
    """What an import did, or with `dry_run` would do."""

    records: tuple[Imported, ...]
    dry_run: bool

    def counts(self, state: str = "new") -> dict[str, int]:
        """How many records of each section are in this state."""
        found = [r.section for r in self.records if r.state == state]
        return {section: found.count(section) for section in SECTIONS if section in found}


class _DryRun(Exception):
    pass


def import_bulk(
    registry: Registry, path: Path, *, kind: str | None = None, zone: str | None = None, dry_run: bool = False
) -> BulkImport:
    """Import a .csv or .json file in one transaction; with `dry_run`, check everything and write nothing.

    Args:
        kind: for CSV, the section that its rows belong to, where no column `record` says it.
        zone: the IANA zone in which days without a time are read.

    Raises:
        RecordError: everything that is wrong, each with file, line and field; nothing was imported.
        StoreError: the registry could not be written.
    """
    rows, problems, local = _read(path, kind, zone)
    sound: list[tuple[Row, Addition]] = []
    for row in rows:
        addition, found = checked(row, local)
        problems += found
        sound += [(row, addition)] if addition is not None else []
    twice = list(repeated(rows))
    problems += [problem for _, problem in twice]
    again = {id(row) for row, _ in twice}
    sound = [(row, addition) for row, addition in sound if id(row) not in again]
    records: list[Imported] = []
    try:
        with registry.write() as writer:
            problems += _causes(_entered(writer, sound, records), rows, sound)
            _raise(str(path), problems)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    return BulkImport(tuple(records), dry_run)


def _read(path: Path, kind: str | None, zone: str | None) -> tuple[list[Row], list[Problem], ZoneInfo | None]:
    name, text = str(path), _text(path)
    if path.suffix.lower() == ".csv":
        rows, problems = read_csv(name, text, kind)
        return rows, problems, days.declared(zone, name)
    if kind is not None:
        remedy = "Leave --kind out, or name a file that ends in .csv."
        raise RecordError("--kind is for CSV; a JSON file names its lists", where=name, remedy=remedy)
    lines = JsonLines(name, text)
    rows, problems = _json_rows(lines)
    return rows, problems, _json_zone(lines, zone)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror})", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise RecordError(f"more than {MAX_BYTES:,} bytes", where=str(path), remedy="Split it into several files.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8 text: the byte {data[error.start]:#04x} in this line"
        raise RecordError(what, where=f"{path}:{line}", remedy="Save it as UTF-8, in Excel `CSV UTF-8`.") from None


def _json_rows(lines: JsonLines) -> tuple[list[Row], list[Problem]]:
    data = lines.data
    if not isinstance(data, dict) or data.get("schema") not in (SCHEMA, SEED_SCHEMA):
        where = f"{lines.name}:{lines.line(('schema',) if isinstance(data, dict) else ())}"
        remedy = "What it holds: dubgate consent import --help; rows in CSV: dubgate consent import --template grants."
        raise RecordError(f'an import starts with "schema": "{SCHEMA}"', where=where, remedy=remedy)
    problems = [
        Problem(lines.line((key,)), f"field {key!r}", f"no such list; there are {', '.join(SECTIONS)}")
        for key in data
        if key not in SECTIONS and key not in ("schema", "zone")
    ]
    rows: list[Row] = []
    for section in SECTIONS:
        items = data.get(section, [])
        if not isinstance(items, list):
            problems.append(Problem(lines.line((section,)), f"field {section}", "a list of records belongs here"))
            continue
        for at, item in enumerate(items):
            if isinstance(item, dict):
                rows.append(Row(section, item, _lines_of(lines, section, at), "field", f"{section} {at + 1}"))
            else:
                problems.append(Problem(lines.line((section, at)), "", f"a record of {section} is an object"))
    return rows, problems


def _lines_of(lines: JsonLines, section: str, at: int) -> Callable[[Loc], int]:
    return lambda loc: lines.line((section, at, *loc))


def _json_zone(lines: JsonLines, zone: str | None) -> ZoneInfo | None:
    own = lines.data.get("zone")
    where = f"{lines.name}:{lines.line(('zone',))}"
    local = days.declared(own if own is not None else zone, where)
    if own is not None and zone is not None and own != zone:
        raise RecordError(f"the file says the zone {own!r}, and --zone says {zone!r}", where=where)
    return local


def _entered(writer: Writer, sound: list[tuple[Row, Addition]], records: list[Imported]) -> list[tuple[Row, Problem]]:
    """Add what is not there yet; what the registry says against it."""
    problems: list[tuple[Row, Problem]] = []
    for row, addition in sound:
        try:
            known = _known(writer, addition)
            if not known:
                writer.add(addition)
        except RecordError as error:
            what = error.what if error.remedy is None else f"{error.what}. {error.remedy}"
            problems.append((row, row.problem((), what)))
            continue
        state: Literal["new", "unchanged"] = "unchanged" if known else "new"
        records.append(Imported(row.section, addition.record.record_id, row.line, state))
    return problems


def _known(writer: Writer, addition: Addition) -> bool:
    """Whether the registry has exactly this already.

    Raises:
        RecordError: it has another record under the same id.
    """
    record = addition.record
    before = _same_id(writer, record)
    if before is None:
        return False
    differing = [n for n in type(record).model_fields if getattr(before, n) != getattr(record, n)]
    differing += _sealed_differences(writer, addition)
    if differing or canonical_json(before) != canonical_json(record):
        what = f"{record.record_id!r} is in the registry already and differs in {', '.join(differing)}"
        raise RecordError(what, remedy="Records never change: give a new version its own id.")
    return True


def _same_id(writer: Writer, record: Record) -> Record | None:
    key = record.found_under()[0]
    if isinstance(record, Event):
        return next((e.event for e in writer.events(key) if e.event.event_id == record.event_id), None)
    return writer.record(key, type(record))


def _sealed_differences(writer: Writer, addition: Addition) -> list[str]:
    """What is sealed beside the record and differs; what was erased stays erased and differs from nothing."""
    record, key = addition.record, addition.record.found_under()[0]
    entry = next((e for e in writer.store.entries(key, type(record)) if e.record.record_id == record.record_id), None)
    if entry is None or (addition.personal is None and addition.vector is None):
        return []
    if entry.sealed_sha256 is None:
        return ["name"]
    content = writer.store.unsealed(entry)
    if content is None:
        return []
    if isinstance(record, Enrolment) and addition.vector is not None:
        return [] if content == packed(addition.vector) else ["vector"]
    if isinstance(record, Party | Voice) and addition.personal is not None:
        return [] if content == canonical_json(addition.personal) else ["name or contact"]
    return []


def _causes(found: list[tuple[Row, Problem]], rows: list[Row], sound: list[tuple[Row, Addition]]) -> list[Problem]:
    """What the registry says, less what only follows from a record of the file that has a problem itself."""
    good = {id(row) for row, _ in sound}
    bad = {_own_id(row) for row in rows if id(row) not in good} - {""}
    later = {_own_id(row): row.line for row in rows}
    kept: list[Problem] = []
    for row, problem in found:
        named = set(_UNKNOWN.findall(problem.what))
        bad |= {_own_id(row)}
        if named & bad:
            continue
        below = [later[n] for n in sorted(named) if later.get(n, 0) > problem.line]
        hint = f"; it stands in line {below[0]}: put it above" if below else ""
        kept.append(Problem(problem.line, problem.label, problem.what + hint))
    return kept


def _own_id(row: Row) -> str:
    own = identity(row)
    return "" if own is None else str(own[-1])


def _raise(file: str, problems: list[Problem]) -> None:
    if not problems:
        return
    told = [p.told(file) for p in sorted(set(problems))]
    more = [f"… and {len(told) - MAX_TOLD} more"] if len(told) > MAX_TOLD else []
    remedy = f"{len(told)} {'problem' if len(told) == 1 else 'problems'}. Nothing was imported."
    raise RecordError("\n".join([*told[:MAX_TOLD], *more]), remedy=remedy)
