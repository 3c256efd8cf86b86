"""What a studio keeps for people: characters, scenes and songs that must never be AI, as its own signed policy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from consent.names import folded
from consent.strict import Id, Line, Record, Strict, Text, Time, canonical_json
from consent.views import View
from consent.vocabulary import Role
from dubgate.certificate.dsse import Opened, SignatureError, sign, signer_of
from dubgate.certificate.statements import STUDIO_POLICY, predicate_of, statement
from dubgate.clearing import Release
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.evidence import Kind, Signed
from dubgate.policy.findings import Finding, Outcome

PROGRAMME = Subject(Scope.PROGRAMME)


class Scene(Strict):
    """A stretch of the programme, in seconds from its first frame."""

    start_s: Annotated[float, Field(ge=0)]
    end_s: Annotated[float, Field(gt=0)]
    what: Line | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError("it ends before it starts")
        return self


class StudioPolicy(Record):
    """One version of what must never be AI in a title; `songs` true keeps every sung line for people."""

    schema_name: ClassVar[str] = "studio-policy/1.0"

    policy_id: Id
    by: Id
    title_id: Id
    characters: tuple[Line, ...] = ()
    scenes: Annotated[tuple[Scene, ...], Field(max_length=10_000)] = ()
    songs: bool = False
    nothing: bool = False  # the studio looked and keeps nothing for people: an answer too
    words: Text | None = None
    signed_at: Time
    expires_at: Time

    @property
    def record_id(self) -> str:
        """The policy's id."""
        return self.policy_id

    def found_under(self) -> tuple[str, ...]:
        """By signer and title."""
        return (f"party:{self.by}", f"title:{self.title_id}")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.expires_at <= self.signed_at:
            raise ValueError("it expires before it was signed")
        if self.nothing == bool(self.characters or self.scenes or self.songs):
            raise ValueError("a policy keeps characters, scenes or songs for people, or says 'nothing: true'")
        return self


def _read(opened: Opened, name: str) -> StudioPolicy:
    record = predicate_of(opened, StudioPolicy, name)
    if [s.get("digest") for s in opened.statement["subject"]] != [{"sha256": _sha256(record)}]:
        raise SignatureError("its subject is not the policy that it states", where=name)
    return record


SIGNING = (Role.RIGHTS_HOLDER, Role.PRODUCTION, Role.CREATIVE_LEAD, Role.LEGAL)
POLICIES: Kind[StudioPolicy] = Kind(STUDIO_POLICY, _read, SIGNING)


def _sha256(policy: StudioPolicy) -> str:
    return hashlib.sha256(canonical_json(policy)).hexdigest()


def sign_policy(policy: StudioPolicy, key: Any) -> bytes:
    """The policy as its signer hands it out."""
    return sign(statement(STUDIO_POLICY, policy, (_sha256(policy),)), signer_of(key))


def standing(
    policies: Sequence[Signed[StudioPolicy]], release: Release, view: View, at: datetime
) -> tuple[StudioPolicy, ...]:
    """The policies that count: for this title or what it belongs to, by a house that holds it, within their term."""
    if release.title is None:
        return ()
    holders = {h for history in view.claims(release.title) for h in history.claim.holder_ids}
    ids = release.title.title_ids
    return tuple(
        s.record
        for s in policies
        if s.record.title_id in ids
        and s.record.signed_at <= at < s.record.expires_at
        and holders & {s.by, view.house_of(s.by)}
    )


def policy_findings(
    policies: Sequence[StudioPolicy], delivery: Delivery, sheet: CueSheet | None
) -> tuple[Finding, ...]:
    """RH-006, once for each thing that is kept for people and made by machine; a pass where nothing is."""
    if not policies:
        return ()
    found = tuple(f for p in policies for f in _broken(p, delivery, sheet))
    if found:
        return found
    en = "what the studio keeps for people is not made by machine"
    return (passed("RH-006", PROGRAMME, en, "人に任せると定められた部分にAIは使われていません"),)


def violations(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What breaks a policy, in words."""
    return tuple(f.text.en for f in findings if f.rule == "RH-006" and f.outcome > Outcome.PASS)


def _broken(policy: StudioPolicy, delivery: Delivery, sheet: CueSheet | None) -> Iterator[Finding]:
    kept = {folded(name) for name in policy.characters}
    for entry in delivery.cast:
        if entry.synthetic and folded(entry.name) in kept:
            en = f"{policy.by} keeps {entry.name} for people, and its voice is made by {entry.technique}"
            yield failed(
                "RH-006", Subject(Scope.CHARACTER, entry.name), en, f"{entry.name}は人が演じると定められています"
            )
    if (policy.scenes or policy.songs) and delivery.synthetic:
        yield from _lines(policy, delivery, sheet) if sheet is not None else (_unseen(policy),)


def _unseen(policy: StudioPolicy) -> Finding:
    en = f"{policy.by} keeps scenes or songs for people, and no script says who speaks when"
    return said("RH-006", PROGRAMME, Outcome.HOLD, en, "台本がないため、人に任せる場面を確認できません")


def _lines(policy: StudioPolicy, delivery: Delivery, sheet: CueSheet) -> Iterator[Finding]:
    for cue in sheet.cues:
        why = _kept(policy, cue)
        entry = delivery.cast_of(cue.character) if cue.character is not None else None
        if why is None or cue.kind is CueKind.KEPT_ORIGINAL or (entry is not None and not entry.synthetic):
            continue
        subject = Subject(Scope.LINE, cue.id, cue.character)
        en, ja = f"{policy.by} keeps {why} for people", "人に任せると定められた台詞です"
        if entry is None:
            yield said(
                "RH-006", subject, Outcome.HOLD, f"{en}, and nobody says whose line this is", ja, spans=(cue.span,)
            )
        else:
            yield failed("RH-006", subject, f"{en}, and this line is made by {entry.technique}", ja, spans=(cue.span,))


def _kept(policy: StudioPolicy, cue: Cue) -> str | None:
    if policy.songs and cue.kind is CueKind.SONG:
        return "the songs"
    for scene in policy.scenes:
        if cue.span.start_s < scene.end_s and scene.start_s < cue.span.end_s:
            return f"the scene {scene.what or f'from {scene.start_s:g} s to {scene.end_s:g} s'}"
    return None
