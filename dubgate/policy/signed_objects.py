"""The signed objects that change an outcome: waiver, attestation, sign-off, written approval. Records, and whether they count.

Signatures are verified elsewhere; only `VerifiedStatement`s come in. None counts for other sound, after its expiry, in
another's name, or from who submitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Generic, Literal, Self, TypeVar

from pydantic import Field, model_validator

from consent.partners import Partner
from consent.strict import Id, Line, Record, Sha256, Strict, Text, Time
from consent.vocabulary import Role
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome
from dubgate.policy.findings import Text as Sentence
from dubgate.unmeasured import Unmeasured

R = TypeVar("R", bound=Record, covariant=True)
S = TypeVar("S", bound="SignedObject")


class WaiverReason(StrEnum):
    """Why a failed rule is forgiven."""

    CREATIVE_INTENT = "creative intent"
    BEST_POSSIBLE = "best possible"
    FALSE_ALARM = "false alarm"


class Heard(Strict):
    """A stretch of the dub that somebody listened to, in seconds on the programme timeline."""

    start_s: Annotated[float, Field(ge=0)]
    end_s: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_s <= self.start_s:
            raise ValueError("it ends before it starts")
        return self


class About(Strict):
    """Whom a finding is about: a line by its cue id, a character by name, or the programme."""

    scope: Literal["line", "character", "programme"]
    name: Annotated[str, Field(max_length=500)] = ""

    def is_about(self, subject: Subject) -> bool:
        """Whether this names the subject."""
        return self.scope == subject.scope.value and self.name == subject.name

    @classmethod
    def of(cls, subject: Subject) -> Self:
        """What names a subject."""
        scope: Literal["line", "character", "programme"] = "line"
        scope = "character" if subject.scope is Scope.CHARACTER else scope
        scope = "programme" if subject.scope is Scope.PROGRAMME else scope
        return cls(scope=scope, name=subject.name)


class SignedObject(Record):
    """What all of them carry: who signs, over which sound, from when until when."""

    kind: ClassVar[str]

    by: Id
    packets_sha256: Sha256
    pcm_sha256: Sha256 | None = None
    signed_at: Time
    expires_at: Time

    @model_validator(mode="after")
    def _has_a_term(self) -> Self:
        if self.expires_at <= self.signed_at:
            raise ValueError("it expires before it was signed")
        return self

    def found_under(self) -> tuple[str, ...]:
        """By signer and sound."""
        return (f"party:{self.by}", f"sound:{self.packets_sha256}")


class Waiver(SignedObject):
    """A failed quality rule is forgiven, for these subjects."""

    schema_name: ClassVar[str] = "waiver/1.0"
    kind: ClassVar[str] = "waiver"

    waiver_id: Id
    rule: Line
    about: Annotated[tuple[About, ...], Field(min_length=1, max_length=10_000)]
    reason: WaiverReason
    words: Text

    @property
    def record_id(self) -> str:
        """The waiver's id."""
        return self.waiver_id


class Attestation(SignedObject):
    """An open question is answered by ear: the signer listened to these stretches.

    With `voice_id` it answers a hit on that voice and nothing else: "pass" is "not me", "fail" is "me".
    """

    schema_name: ClassVar[str] = "attestation/1.0"
    kind: ClassVar[str] = "attestation"

    attestation_id: Id
    rule: Line
    about: About
    answer: Literal["pass", "fail"]
    heard: Annotated[tuple[Heard, ...], Field(min_length=1, max_length=10_000)]
    voice_id: Id | None = None
    words: Text | None = None

    @property
    def record_id(self) -> str:
        """The attestation's id."""
        return self.attestation_id


class SignOff(SignedObject):
    """Somebody in a role that a pack demands agrees, or does not."""

    schema_name: ClassVar[str] = "sign-off/1.0"
    kind: ClassVar[str] = "sign-off"

    sign_off_id: Id
    role: Role
    answer: Literal["agreed", "refused"]
    words: Text | None = None

    @property
    def record_id(self) -> str:
        """The sign-off's id."""
        return self.sign_off_id


class RecordConfirmation(SignedObject):
    """Somebody in a role says that this very production record (its purpose, its tools) is true of this sound."""

    schema_name: ClassVar[str] = "record-confirmation/1.0"
    kind: ClassVar[str] = "record confirmation"

    confirmation_id: Id
    role: Role
    record_sha256: Sha256

    @property
    def record_id(self) -> str:
        """The confirmation's id."""
        return self.confirmation_id


class WrittenApproval(SignedObject):
    """Somebody answers for having a partner's written approval of this sound: which partner, and the document's digest."""

    schema_name: ClassVar[str] = "written-approval/1.0"
    kind: ClassVar[str] = "written approval"

    written_approval_id: Id
    partner: Partner
    document_sha256: Sha256
    words: Text | None = None

    @property
    def record_id(self) -> str:
        """The id of this answer for it."""
        return self.written_approval_id


@dataclass(frozen=True, slots=True)
class VerifiedStatement(Generic[R]):
    """A record whose signature was verified: by which registered party, of which house, with which key and roles."""

    record: R
    party: str
    house: str
    roles: frozenset[Role]
    key_id: str


@dataclass(frozen=True, slots=True)
class Attestable:
    """Who may answer a rule by ear, and what a "no" of theirs leads to."""

    roles: frozenset[Role]
    fails: Outcome


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What signed objects are held against.

    `submitters` are the party and house ids of who handed the delivery in, `vendor_houses` those that made it; where
    nobody knows who submitted, nothing counts. `speak_for` lists, by character and for each voice that it may be, the
    performers and agents whose voice it is; `owners_of`, by voice, who speaks for a voice that was hit.
    """

    at: datetime
    packets_sha256: str
    pcm_sha256: str | Unmeasured
    submitters: frozenset[str]
    vendor_houses: frozenset[str]
    duration_s: float
    attestable: Mapping[str, Attestable] = field(default_factory=dict)
    speak_for: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)
    owners_of: Mapping[str, frozenset[str]] = field(default_factory=dict)


def why_it_does_not_count(statement: VerifiedStatement[SignedObject], now: Circumstances) -> str | None:
    """Why a signed object is of no effect here; None where it may have one."""
    record = statement.record
    if record.by != statement.party:
        return f"it speaks for {record.by}, and {statement.party} signed it"
    if not is_of_this_sound(record, now):
        return "it is about other sound"
    if now.at < record.signed_at:
        return f"it is dated {record.signed_at.isoformat()}, which is still to come"
    if now.at >= record.expires_at:
        return f"it expired on {record.expires_at.isoformat()}"
    if not now.submitters:
        return "nobody knows who submitted the delivery, so it may be the signer"
    if statement.party in now.submitters:
        return f"{statement.party} submitted the delivery"
    return None


def is_of_this_sound(record: SignedObject, now: Circumstances) -> bool:
    """The same packets; or, of a lossless codec, the same PCM. A PCM digest that differs always counts against it."""
    if record.pcm_sha256 is not None and not isinstance(now.pcm_sha256, Unmeasured):
        return record.pcm_sha256 == now.pcm_sha256
    return record.packets_sha256 == now.packets_sha256


def refused(statement: VerifiedStatement[SignedObject], why: str) -> Finding:
    """A signed object without effect, shown all the same."""
    record = statement.record
    return Finding(
        rule=f"SIG-{record.kind.upper().replace(' ', '-')}",
        pack="core",
        group=Group.RECORD,
        subject=Subject(Scope.PROGRAMME),
        outcome=Outcome.NOT_APPLICABLE,
        text=Sentence(
            f"The {record.kind} {record.record_id} by {statement.party} does not count: {why}.",
            f"{statement.party}による{record.kind} {record.record_id}は無効です（{why}）。",
        ),
        value=record.record_id,
    )


def sorted_out(
    statements: Iterable[VerifiedStatement[S]], now: Circumstances
) -> tuple[list[VerifiedStatement[S]], list[Finding]]:
    """Those that may have an effect, and a finding for each that has none."""
    good: list[VerifiedStatement[S]] = []
    bad: list[Finding] = []
    for statement in sorted(statements, key=lambda s: (s.record.record_id, s.party, s.key_id)):
        why = why_it_does_not_count(statement, now)
        if why is None:
            good.append(statement)
        else:
            bad.append(refused(statement, why))
    return good, bad
