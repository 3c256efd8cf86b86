"""The technical disclosure as JSON, `disclosure/1.0`: ids, digests and moments for partners, no person's name but credited."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from consent.strict import Strict
from dubgate import __version__
from dubgate.disclosure.told import Agreement, Told
from dubgate.disclosure.writing import Written

SCHEMA: Literal["disclosure/1.0"] = "disclosure/1.0"
Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PartOut(Strict):
    """A character and how its voice came about; `lacks` says what is not on record."""

    character: str
    technique: str
    made_by_machine: bool
    grant_ids: list[str]
    lacks: list[str]


class ToolOut(Strict):
    """A tool of the production record."""

    name: str
    version: str
    vendor: str | None
    training_data: str | None


class AgreementOut(Strict):
    """A signed record: whose, in which role, when."""

    record_id: str
    role: str
    party: str
    organisation: str | None
    at: datetime


class TextOut(Strict):
    """A text as it is published, and whether a person has read its wording."""

    tier: Literal["social", "credits", "press", "technical"]
    language: str
    text: str
    wording: Literal["machine-written", "reviewed"]
    reviewed_by: str | None
    reviewed_on: str | None
    wording_sha256s: list[Sha]


class WindowOut(Strict):
    """From when until when; an open end is null."""

    start: datetime
    end: datetime | None


class DisclosureOut(Strict):
    """The whole file. `complete` is false where `gaps` lists anything: such a disclosure is not for publication."""

    schema_name: Literal["disclosure/1.0"] = Field(alias="schema")
    made_by: str
    as_of: datetime
    title: str
    language: str
    original_language: str
    style: str
    packets_sha256: Sha
    manifest_sha256: Sha
    complete: bool
    gaps: list[str]
    parts: list[PartOut]
    tools: list[ToolOut]
    purposes: list[str]
    purpose_confirmed: bool
    used_to_train: list[str] | None
    reviews: list[AgreementOut]
    approvals: list[AgreementOut]
    labels: list[str]
    territories: list[str]
    channels: list[str]
    window: WindowOut | None
    texts: list[TextOut]


def disclosure_json(told: Told, written: Sequence[Written]) -> dict[str, Any]:
    """The disclosure as plain data; a person who is not credited appears by id alone."""
    out = DisclosureOut(
        schema=SCHEMA,
        made_by=f"dubgate {__version__}",
        as_of=told.as_of,
        title=told.title,
        language=told.language,
        original_language=told.original_language,
        style=told.style,
        packets_sha256=told.packets_sha256,
        manifest_sha256=told.manifest_sha256,
        complete=not told.gaps,
        gaps=list(told.gaps),
        parts=[
            PartOut(
                character=p.character,
                technique=p.technique,
                made_by_machine=p.synthetic,
                grant_ids=list(p.grant_ids),
                lacks=list(p.lacks),
            )
            for p in told.parts
        ],
        tools=[
            ToolOut(name=t.name, version=t.version, vendor=t.vendor, training_data=t.training_data) for t in told.tools
        ],
        purposes=list(told.purposes),
        purpose_confirmed=told.purpose_confirmed,
        used_to_train=None if told.used_to_train is None else list(told.used_to_train),
        reviews=[_agreement(a) for a in told.reviews],
        approvals=[_agreement(a) for a in told.approvals],
        labels=list(told.labels),
        territories=list(told.territories),
        channels=list(told.channels),
        window=None if told.window is None else WindowOut(start=told.window[0], end=told.window[1]),
        texts=[_text(w) for w in written],
    )
    plain: dict[str, Any] = out.model_dump(mode="json", by_alias=True)
    return plain


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file (draft 2020-12)."""
    schema = DisclosureOut.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": SCHEMA}


def _agreement(a: Agreement) -> AgreementOut:
    return AgreementOut(record_id=a.record_id, role=a.role, party=a.party, organisation=a.name or None, at=a.at)


def _text(written: Written) -> TextOut:
    reviewed = written.wording.reviewed_by is not None
    return TextOut(
        tier=written.tier,
        language=written.language,
        text=written.text,
        wording="reviewed" if reviewed else "machine-written",
        reviewed_by=written.wording.reviewed_by,
        reviewed_on=written.wording.reviewed_on,
        wording_sha256s=list(written.wording.sha256s),
    )
