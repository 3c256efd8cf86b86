"""A signed statement in words: what kind of thing it is, its fields, and what was found when it was verified."""

from __future__ import annotations

import json
from datetime import datetime

from consent.approvals import Approval
from consent.entries import Entry
from consent.events import Event
from consent.statement_check import Point
from consent.strict import Record
from consent.vocabulary import ApprovalDecision
from consent.web.catalogue import has, text, word
from consent.web.statement_fields import fields_of
from consent.web.wording import moment


def what_is(record: Record, language: str) -> str:
    """`a consent g-ada`, `a consent g-ada: withdrawn`."""
    if isinstance(record, Event):
        key = f"taken.on.{record.target}"
        target = text(key, language) if has(key) else record.target
        kind = word("kind", record.kind, language)
        return f"{target} {record.target_id}: {kind}"
    if isinstance(record, Approval) and record.decision is ApprovalDecision.REJECT:
        return f"{text('taken.rejection', language)} {record.record_id}"
    name = record.schema_name.removeprefix("consent-").partition("/")[0]
    return f"{text(f'taken.{name}', language)} {record.record_id}"


def fields_in(entry: Entry, language: str) -> list[tuple[str, str]]:
    """Every field of what was signed, those first that were shown."""
    groups = fields_of({"predicate": json.loads(entry.body)}, language)
    return [field for _, fields in groups for field in fields]


def told_point(point: Point, language: str) -> str:
    """The sentence of an answer, with its values filled in."""
    values = {k: moment(v, language) if isinstance(v, datetime) else v for k, v in point.values.items()}
    if "status" in values:
        values["status"] = word("status", values["status"], language)
    return text(f"verify.{point.key}", language, **values)
