"""A signed statement in words: what kind of thing it is, its fields, and what was found when it was verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from consent.approvals import Approval
from consent.entries import Entry
from consent.events import Event
from consent.statement_check import Point
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Refusal
from consent.vocabulary import ApprovalDecision
from consent.voices import Permission
from consent.web.catalogue import has, text, word
from consent.web.statement_fields import MEMBERS, fields_of
from consent.web.wording import moment, spoken

Fields = list[tuple[str, str]]
_NO_NAMES: Mapping[str, str] = {}


def what_is(record: Record, language: str, names: Mapping[str, str] = _NO_NAMES) -> str:
    """`Approval: The Last Train, English`, `Consent g-ada: withdrawn`; `names` are those of titles."""
    if isinstance(record, Event):
        key = f"taken.on.{record.target}"
        target = text(key, language) if has(key) else record.target
        return f"{target} {record.target_id}: {word('kind', record.kind, language)}"
    name = record.schema_name.removeprefix("consent-").partition("/")[0]
    if isinstance(record, Approval) and record.decision is ApprovalDecision.REJECT:
        name = "rejection"
    about = ", ".join(_about(record, language, names)) or record.record_id
    return f"{text(f'taken.{name}', language)}: {about}"


def titles_of(record: Record) -> tuple[str, ...]:
    """The titles that a record names."""
    if isinstance(record, Approval):
        return (record.title_id,)
    return record.title_ids if isinstance(record, Grant | Refusal) else ()


def _about(record: Record, language: str, names: Mapping[str, str]) -> list[str]:
    titles = [names.get(t, t) for t in titles_of(record)]
    if isinstance(record, Approval):
        return [*titles, spoken(record.language, language)]
    if isinstance(record, Grant):
        return [record.voice_id, *titles]
    if isinstance(record, Refusal):
        return [*titles, *record.voice_ids]
    return [word("permission", record.kind, language), record.voice_id] if isinstance(record, Permission) else []


def fields_in(entry: Entry, language: str) -> tuple[Fields, Fields]:
    """What its author was shown, and the fields of the record itself; both are under the signature."""
    body = json.loads(entry.body)
    fields = [field for _, group in fields_of({"predicate": body}, language) for field in group if field[0] != MEMBERS]
    n = len(body.get("shown") or ())
    return fields[:n], fields[n:]


def told_point(point: Point, language: str) -> str:
    """The sentence of an answer, with its values filled in."""
    values = {k: moment(v, language) if isinstance(v, datetime) else v for k, v in point.values.items()}
    if "status" in values:
        values["status"] = word("status", values["status"], language)
    return text(f"verify.{point.key}", language, **values)
