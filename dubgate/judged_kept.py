"""What was measured, kept with a certificate so that it can be judged again: measurements, facts, and how they were asked.

Private, like the annex that names it by its digest: values stand by line and character. No vector is in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dubgate.certificate.refusals import AlteredAnnex
from dubgate.certificate.strict_fields import Fields, iso, read_json
from dubgate.delivery.script import Style
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Measurement
from dubgate.policy.facts import Facts, Value
from dubgate.stored import from_stored, to_stored
from dubgate.unmeasured import Unmeasured

SCHEMA = "certificate-judged/1.1"
_BEFORE = "certificate-judged/1.0"  # without the files
MAX_FILES = 200_000
MAX_MEASUREMENTS = 2_000_000


@dataclass(frozen=True, slots=True)
class Judged:
    """What rules are asked of: the measurements, in which style, over which lines, heard with which embedded models."""

    measurements: tuple[Measurement, ...]
    style: Style
    lines: tuple[str, ...]
    embedded: tuple[str, ...]
    facts: Facts | None
    judged_at: datetime  # rules have a day from which they are in force
    rests_on: tuple[tuple[str, str], ...] = ()  # each file of the delivery and of the company's folder, with its digest


def judged_bytes(judgement: Judgement, rests_on: Sequence[tuple[str, str]] = ()) -> bytes:
    """What a judgement rested on, as it is kept; `rests_on` names every file by its digest."""
    facts = judgement.facts
    data = {
        "schema": SCHEMA,
        "judged_at": iso(judgement.judged_at),
        "rests_on": [list(file) for file in rests_on],
        "style": judgement.style.value,
        "lines": [cue.id for cue in judgement.sheet.cues],
        "embedded": [m.kind for m in judgement.features.models if m.embedded],
        "measurements": [to_stored(m)[0] for m in judgement.measurements],
        "facts": None if facts is None else {path: _plain(value) for path, value in sorted(facts.values.items())},
    }
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def read_judged(data: bytes, name: str) -> Judged:
    """The same, from its bytes, whose digest the caller compared.

    Raises:
        AlteredAnnex: not what this program keeps.
    """
    plain = read_json(data, name)
    before = isinstance(plain, dict) and plain.get("schema") == _BEFORE
    fields = Fields(plain, name, _BEFORE if before else SCHEMA)
    style, lines, embedded = fields.text("style"), fields.texts("lines"), fields.texts("embedded")
    kept, facts = fields.each("measurements", lambda item, _: item, MAX_MEASUREMENTS), fields.take("facts")
    judged_at = fields.time("judged_at")
    rests_on = () if before else fields.each("rests_on", _file, MAX_FILES)
    fields.done()
    try:
        measurements = tuple(from_stored(Measurement, item, {}) for item in kept)
        known = None if facts is None else Facts({path: _value(value) for path, value in facts.items()})
        return Judged(measurements, Style(style), lines, embedded, known, judged_at, rests_on)
    except (ValueError, AttributeError) as error:
        raise AlteredAnnex(f"the kept measurements cannot be read: {error}", where=name) from None


def _file(data: Any, name: str) -> tuple[str, str]:
    if not isinstance(data, list) or len(data) != 2 or not all(isinstance(part, str) for part in data):
        raise AlteredAnnex("a file is its place and its digest", where=name)
    return data[0], data[1]


def _plain(value: Value | Unmeasured) -> Any:
    if isinstance(value, Unmeasured):
        return {"unmeasured": value.reason}
    if isinstance(value, Mapping):
        return {"record": {name: _plain(inner) for name, inner in value.items()}}
    return [_plain(inner) for inner in value] if isinstance(value, tuple) else value


def _value(plain: Any) -> Value | Unmeasured:
    if isinstance(plain, list):
        return tuple(_measured(inner) for inner in plain)
    if not isinstance(plain, dict):
        return _measured(plain)
    if set(plain) == {"unmeasured"}:
        return Unmeasured(str(plain["unmeasured"]))
    if set(plain) == {"record"}:
        return {str(name): _value(inner) for name, inner in plain["record"].items()}
    raise ValueError("a fact is neither a value nor a record")


def _measured(plain: Any) -> Value:
    if isinstance(plain, bool | int | float | str):
        return plain
    found = _value(plain) if isinstance(plain, list | dict) else Unmeasured("")
    if isinstance(found, Unmeasured):
        raise ValueError("a fact in a list is not known")
    return found
