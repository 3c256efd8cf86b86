"""The intake file, `intake/1.0`: the answers, what they came to and what will be asked; known by its digest."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from consent.strict import Sha256, Strict, Time, problems
from dubgate.errors import InputError
from dubgate.intake.advising import Advised
from dubgate.intake.answers import Answers
from dubgate.intake.demands import Demand
from dubgate.pinned import as_pinned

SCHEMA = "intake/1.0"
MAX_BYTES = 2_000_000


class PackChosen(Strict):
    """A pack that will judge, as it stood when the questions were answered."""

    name: str
    version: str
    sha256: Sha256


class DemandOut(Strict):
    """A thing that will be asked for."""

    kind: Literal["consent", "approval", "label", "sign_off", "record"]
    what: str
    of: str
    rules: tuple[str, ...]
    sources: tuple[str, ...]


class ReviewOut(Strict):
    """How "reviewable in time" was computed."""

    in_time: bool
    flags_expected: float
    needed_minutes: float
    at_hand_minutes: float
    working_days: int
    flags_assumed: bool


class IntakeFile(Strict):
    """What a later check compares the delivery with."""

    format: Literal["intake/1.0"] = Field(alias="schema")
    answered_at: Time
    answers: Answers
    review: ReviewOut
    favourable: bool
    advice: Literal["ai_dub", "guide_track", "human_performance"]
    reasons: tuple[str, ...]
    packs: Annotated[tuple[PackChosen, ...], Field(min_length=1)]
    demands: tuple[DemandOut, ...]


def intake_bytes(
    answers: Answers, advised: Advised, asked: tuple[Demand, ...], packs: tuple[PackChosen, ...], at: datetime
) -> bytes:
    """The file's bytes; its digest is theirs."""
    time = advised.reviewable
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "answered_at": at.isoformat(),
        "answers": answers.model_dump(mode="json", by_alias=True, exclude_none=True),
        "review": {
            "in_time": time.in_time,
            "flags_expected": time.flags_expected,
            "needed_minutes": time.needed_minutes,
            "at_hand_minutes": time.at_hand_minutes,
            "working_days": time.working_days,
            "flags_assumed": time.assumed,
        },
        "favourable": advised.favourable,
        "advice": advised.advice,
        "reasons": list(advised.reasons),
        "packs": [p.model_dump() for p in packs],
        "demands": [
            {"kind": d.kind, "what": d.what, "of": d.of, "rules": list(d.rules), "sources": list(d.sources)}
            for d in asked
        ],
    }
    return json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def read_intake(path: Path) -> IntakeFile:
    """An intake file.

    Raises:
        InputError: unreadable, too large, or not of the schema.
    """
    try:
        with open(path, "rb", opener=as_pinned) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise InputError("larger than 2 MB", where=str(path))
    try:
        return IntakeFile.model_validate_json(data)
    except ValidationError as error:
        raise InputError(str(problems(error, path.name))) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file (draft 2020-12)."""
    schema = IntakeFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": SCHEMA}
