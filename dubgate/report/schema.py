"""The shape of report.json, version 1.0: what is written, what other tools may rely on, and what `compare` reads back."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from dubgate.errors import InputError

SCHEMA = "report/1.0"
MOST_BYTES = 500_000_000

OutcomeName = Literal["not_applicable", "pass", "waived", "warn", "unknown", "hold", "block"]
DecisionName = Literal["release", "hold", "block"]


class ReportPart(BaseModel):
    """Frozen; a field that is not named here is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NotMeasured(ReportPart):
    """A number that could not be had, and why."""

    unmeasured: str


class StoredTool(ReportPart):
    """The program that judged."""

    name: str
    version: str


class StoredTrack(ReportPart):
    """The original, or the dub: digests are of the file, of its packets, and of lossless samples."""

    file: str
    language: str | None
    duration_s: float
    file_sha256: str
    packet_sha256: str
    pcm_sha256: str | NotMeasured


class StoredModel(ReportPart):
    """A model that heard."""

    kind: str
    name: str
    weights_sha256: str
    embedded: bool
    pinned: bool
    device: str


class StoredPack(ReportPart):
    """A rule pack that judged."""

    name: str
    version: str
    sha256: str


class StoredClock(ReportPart):
    """How seconds are written as timecode."""

    frame_rate: str = Field(description="exact, such as 25 or 30000/1001")
    drop_frame: bool
    start_timecode: str


class StoredSpan(ReportPart):
    """A stretch of the programme."""

    start_s: float
    end_s: float
    start_timecode: str
    end_timecode: str


class StoredSubject(ReportPart):
    """What is judged or measured: a line by its id, a character by name, or the programme (name "")."""

    scope: Literal["line", "character", "programme"]
    name: str
    character: str | None


class Sentence(ReportPart):
    """One plain sentence in two languages."""

    en: str
    ja: str


class StoredFinding(ReportPart):
    """What one rule says of one subject."""

    rule: str
    pack: str
    group: str
    subject: StoredSubject
    outcome: OutcomeName
    text: Sentence
    value: str
    bound: str
    why: str
    remedy: str
    source: str
    spans: tuple[StoredSpan, ...]
    who_can_resolve: str | None
    was: OutcomeName | None
    decided_by: tuple[str, ...]


class StoredMeasurement(ReportPart):
    """A number with its unit, or why it could not be had; `weight_s` is the speech that it rests on."""

    metric: str
    unit: str
    subject: StoredSubject
    value: float | NotMeasured
    weight_s: float
    detail: dict[str, str | float]


class StoredVoice(ReportPart):
    """A short summary of how a line sounds in one track; contour: mean level of each 0.1 s in dBFS from the line's start."""

    start_s: float
    end_s: float
    speech: tuple[tuple[float, float], ...]
    energy_db: float | NotMeasured
    f0_hz: float | NotMeasured
    f0_mad_st: float | NotMeasured
    contour_db: tuple[int, ...]


class StoredLine(ReportPart):
    """A line of the script, and how it sounds in the original and in the dub."""

    id: str
    start_s: float
    end_s: float
    start_timecode: str
    end_timecode: str
    character: str | None
    kind: str
    text: str
    outcome: OutcomeName
    words_heard: str | NotMeasured
    original: StoredVoice
    dub: StoredVoice


class StoredSpeaker(ReportPart):
    """A speaker heard: whether the cast names it (null: nobody asked), seconds of speech, the worst of each CON-* check."""

    character: str
    declared: bool | None
    heard_s: float | NotMeasured
    checks: dict[str, OutcomeName]


class StoredStep(ReportPart):
    """What a reader can do next, for how many findings, of which rules; `who` decides where the reader does not."""

    outcome: OutcomeName
    do: Sentence
    rules: tuple[str, ...]
    findings: int
    who: str | None


class StoredRelease(ReportPart):
    """What a check adds to a report on quality."""

    ready_for_approval: bool
    voices: tuple[StoredSpeaker, ...]
    next: dict[Literal["vendor", "rights_holder", "public"], tuple[StoredStep, ...]]


class StoredReport(ReportPart):
    """A whole report."""

    schema_: Literal["report/1.0"] = Field(alias="schema")
    tool: StoredTool
    title: str
    judged_at: AwareDatetime
    decision: DecisionName
    quality_only: bool
    groups: dict[str, DecisionName]
    notes: tuple[str, ...]
    style: str
    scripted: bool
    clock: StoredClock
    original: StoredTrack
    dub: StoredTrack
    models: tuple[StoredModel, ...]
    packs: tuple[StoredPack, ...]
    release: StoredRelease | None = Field(description="what a check adds; null for a verdict on quality only")
    counts: dict[OutcomeName, int]
    findings: tuple[StoredFinding, ...]
    measurements: tuple[StoredMeasurement, ...]
    lines: tuple[StoredLine, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of report.json."""
    shape = StoredReport.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"dubgate:{SCHEMA}", **shape}


_NO_REPORT = "this is no dubgate report"
_GIVE = "Give the report.json that `dubgate qc` or `dubgate check` wrote, or the folder that it lies in."


def from_json(data: Any, *, where: str | None = None) -> StoredReport:
    """Read what `to_json` wrote.

    Raises:
        InputError: it is no report, of a version this program does not know, or damaged; names the field.
    """
    told = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(told, str) or not told.startswith("report/"):
        raise InputError(_NO_REPORT, where=where, remedy=_GIVE)
    if told != SCHEMA:
        raise InputError(
            f"its schema {told} is not known, {SCHEMA} is", where=where, remedy="judge again with this dubgate"
        )
    try:
        return StoredReport.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise InputError(f"the report is damaged at {field}: {first['msg']}", where=where) from None


def read_report(data: bytes, *, where: str) -> StoredReport:
    """Read the bytes of a report.json.

    Raises:
        InputError: not JSON, a key that is there twice, a number that is not finite, or no report of this version.
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"larger than {MOST_BYTES // 1_000_000} MB", where=where)
    try:
        document = json.loads(data, object_pairs_hook=_each_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise InputError(_NO_REPORT, where=where, remedy=_GIVE) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{_NO_REPORT}: {error}", where=where, remedy=_GIVE) from None
    return from_json(document, where=where)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")
