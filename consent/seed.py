"""Import of a seed: one YAML or JSON file of parties, titles, voices, grants and what happened, all of it or nothing.

Sections are read in the order of `SECTIONS`; within one, in the order of the file. A date without a time is read in
the seed's `zone`: a term starts with its first day and includes its last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from consent.approvals import Approval
from consent.days import day_in_seed, declared
from consent.errors import ConsentError, RecordError
from consent.events import Event
from consent.parties import Party, PartyKey, Personal
from consent.registry import Registry
from consent.strict import Record, problems
from consent.strict_yaml import Lines, PathOf, read_lines
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title
from consent.voices import Enrolment, Permission, Voice
from consent.writing import Addition

SCHEMA = "consent-seed/1.0"
SECTIONS: dict[str, type[Record]] = {
    "parties": Party,
    "keys": PartyKey,
    "titles": Title,
    "claims": Claim,
    "voices": Voice,
    "permissions": Permission,
    "enrolments": Enrolment,
    "grants": Grant,
    "approvals": Approval,
    "refusals": Refusal,
    "events": Event,
}
FLOAT32_MAX = 3.4028234663852886e38
_PERSONAL = ("name", "contact")


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import added: how many records of each section."""

    counts: dict[str, int]
    dry_run: bool


class _DryRun(Exception):
    pass


def import_seed(registry: Registry, path: Path, *, dry_run: bool = False) -> Imported:
    """Import a seed in one transaction; with `dry_run`, check everything and write nothing.

    Raises:
        RecordError: everything that is wrong with it, each with file and line; nothing was imported.
        StoreError: the registry could not be written.
    """
    lines = read_lines(path)
    items = list(_items(lines))
    try:
        with registry.write() as writer:
            failures = [f for where, addition in items if (f := _failure(writer.add, where, addition))]
            _raise(failures)
            if dry_run:
                raise _DryRun
    except _DryRun:
        pass
    names = {kind: section for section, kind in SECTIONS.items()}
    sections = [names[type(addition.record)] for _, addition in items]
    return Imported({s: sections.count(s) for s in SECTIONS if s in sections}, dry_run)


def _failure(add: Any, where: str, addition: Addition) -> str:
    try:
        add(addition)
    except RecordError as error:
        return f"{where}: {error.where}: {error.what}" if error.where else f"{where}: {error.what}"
    return ""


def _nothing(failures: list[str]) -> str:
    again = any("already" in f for f in failures)
    return (
        f"Nothing was imported.{' A seed is imported once: leave out what the registry has already.' if again else ''}"
    )


def _raise(failures: list[str]) -> None:
    if failures:
        more = f"\n… and {len(failures) - 50} more" if len(failures) > 50 else ""
        raise RecordError("\n".join(failures[:50]) + more, remedy=_nothing(failures))


def _items(lines: Lines) -> Iterator[tuple[str, Addition]]:
    """Every record with its line; raises with all that do not hold up by themselves."""
    zone = _head(lines)
    failures: list[str] = []
    for section, kind in SECTIONS.items():
        for number, _ in enumerate(_section(lines, section)):
            try:
                yield lines.where((section, number)), _addition(lines, kind, (section, number), zone)
            except ConsentError as error:
                failures.append(str(error))
    _raise(failures)


def _head(lines: Lines) -> ZoneInfo | None:
    if not isinstance(lines.data, dict) or lines.data.get("schema") != SCHEMA:
        raise RecordError(
            f"a seed starts with `schema: {SCHEMA}`",
            where=lines.where(),
            remedy="`dubgate consent draft` writes one for a delivery; rows in CSV or JSON: dubgate consent import --template grants.",
        )
    unknown = set(lines.data) - set(SECTIONS) - {"schema", "zone"}
    if unknown:
        key = sorted(unknown)[0]
        raise RecordError(f"unknown key {key!r}", where=lines.where((key,)))
    return declared(lines.data.get("zone"), lines.where(("zone",)))


def _section(lines: Lines, section: str) -> list[Any]:
    items = lines.data.get(section, [])
    if not isinstance(items, list):
        raise RecordError(f"{section} is a list", where=lines.where((section,)))
    return items


def _addition(lines: Lines, kind: type[Record], path: PathOf, zone: ZoneInfo | None) -> Addition:
    item = lines.data[path[0]][path[1]]
    if not isinstance(item, dict):
        raise RecordError("a record is a mapping", where=lines.where(path))
    item = dict(item)
    beside = {key: item.pop(key) for key in _PERSONAL if kind in (Party, Voice) and key in item}
    vector = item.pop("vector", None) if kind is Enrolment else None
    if vector is not None and not is_vector(vector):
        raise RecordError("vector is a list of numbers", where=lines.where((*path, "vector")))
    try:
        record = kind.model_validate_json(json.dumps(_dated(item, zone)))
        personal = Personal.model_validate_json(json.dumps(beside)) if beside else None
    except ValueError as error:
        raise _explained(error, lines, path) from None
    return Addition(record, personal=personal, vector=vector)


def is_vector(value: Any) -> bool:
    """Whether this is a list of numbers that a template (32-bit floats) can hold."""
    return isinstance(value, list) and all(type(x) in (int, float) and abs(x) <= FLOAT32_MAX for x in value)


def _explained(error: ValueError, lines: Lines, path: PathOf) -> RecordError:
    if not isinstance(error, ValidationError):
        return RecordError(str(error), where=lines.where(path))
    first = error.errors(include_url=False)[0]["loc"]
    return problems(error, lines.where((*path, *first)))


def _dated(value: Any, zone: ZoneInfo | None, key: str = "") -> Any:
    """The same data with dates made into times: a first day starts at its midnight, a last day ends at the next."""
    if isinstance(value, dict):
        return {k: _dated(v, zone, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_dated(v, zone, key) for v in value]
    day = day_in_seed(value, key, zone) if isinstance(value, str) else None
    return value if day is None else day
