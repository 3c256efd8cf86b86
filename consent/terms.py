"""Grant and Use: what a performer allowed, and what a release would do with the voice; frozen, without behaviour.

Fields follow the consent-record schema of the design's reference (performer agreements, ISO/IEC TS 27560, CAWG).
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent.strict import (
    Excluded,
    Id,
    Ids,
    Language,
    Languages,
    Line,
    Record,
    Sha256,
    Strict,
    Territories,
    Text,
    Time,
    Window,
)
from consent.vocabulary import (
    Capacity,
    Channel,
    ContentLimit,
    EvidenceKind,
    PayBasis,
    Performance,
    Representation,
    RevocationEffect,
    Technique,
    TrainingKind,
    TrainingUse,
)

Positive = Annotated[float, Field(gt=0, le=1_000_000_000)]
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
LocalisedText = Annotated[dict[Language, Text], Field(min_length=1, max_length=100)]


class Evidence(Strict):
    """A document or recording that shows an agreement, by the digest of its bytes."""

    kind: EvidenceKind
    sha256: Sha256
    media_type: Line | None = None
    esign_envelope: Line | None = None


class Training(Strict):
    """Whether something may be trained; `constrained` counts only with its explanation."""

    kind: TrainingKind
    use: TrainingUse
    constraint_info: Text | None = None


class VoiceAsset(Strict):
    """The vendor's actual voice that the grant is for; with `trained_for`, the titles that it was made for."""

    vendor_id: Id
    voice: Line
    model_version: Line
    trained_for: Ids = ()


class ModelLifecycle(Strict):
    """Where the voice model lies and until when; its deletion is proved by a `model_deleted` event."""

    storage_location: Line | None = None
    deletion_due: Time


class Compensation(Strict):
    """The payment agreed; the amount may be withheld, the reference may not."""

    ref: Line
    basis: PayBasis
    amount: Positive | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    union_code: Line | None = None
    paid_evidence_sha256: Sha256 | None = None


class Minor(Strict):
    """Who consents for a minor, and the day on which that ends."""

    guardian_id: Id
    expires_at_majority: Time
    court_order_sha256: Sha256 | None = None


class Estate(Strict):
    """Who consents for somebody who died."""

    party_id: Id
    registry_claim: Line | None = None


class Revocation(Strict):
    """How the grant can be taken back."""

    revocable: bool = True
    notice_days: Annotated[int, Field(ge=0, le=3650)] = 0
    effect: RevocationEffect = RevocationEffect.STOP_DISTRIBUTION
    strike_suspension: bool = True


class Notice(Strict):
    """What the performer was shown before agreeing."""

    version: Line
    language: Language
    sha256: Sha256
    shown_at: Time


class Grant(Record):
    """One version of what was agreed; nothing in it changes: a new version is a new row, its state is its events'."""

    schema_name: ClassVar[str] = "consent-grant/1.0"

    grant_id: Id
    version: Count = 1
    supersedes: Id | None = None
    voice_id: Id
    granted_by: Id
    capacity: Capacity = Capacity.SELF
    authority_sha256: Sha256 | None = None
    representation: Representation = Representation.NONE
    cba_ref: Line | None = None
    licensee_id: Id | None = None
    sublicensee_ids: Ids = ()
    title_ids: Annotated[Ids, Field(min_length=1)]
    characters: tuple[Line, ...] = ()
    intended_use: Annotated[Text, Field(min_length=40)]
    techniques: Annotated[tuple[Technique, ...], Field(min_length=1)]
    performances: Annotated[tuple[Performance, ...], Field(min_length=1)]
    languages: Languages
    covers_subtags: bool = True
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    not_before: Time
    not_after: Time | None = None
    perpetual_ack: bool = False
    max_uses: Count | None = None
    max_minutes: Positive | None = None
    exclusive: bool = False
    content_limits: tuple[ContentLimit, ...] = ()
    training: tuple[Training, ...] = ()
    voice_assets: tuple[VoiceAsset, ...] = ()
    model_lifecycle: ModelLifecycle | None = None
    label_required: bool = True
    label_text: LocalisedText | None = None
    credit_text: Line | None = None
    compensation: Compensation | None = None
    minor: Minor | None = None
    estate: Estate | None = None
    survives_death: bool = False
    revocation: Revocation = Revocation()
    notice: Notice | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)]
    applicable_law: tuple[Line, ...] = ()

    @property
    def record_id(self) -> str:
        """The grant's id; a new version carries a new one and names the old in `supersedes`."""
        return self.grant_id

    @property
    def term(self) -> Window:
        """The agreed term, `[not_before, not_after)`."""
        return Window(start=self.not_before, end=self.not_after)

    def found_under(self) -> tuple[str, ...]:
        """By grant, voice, licensee and titles."""
        licensee = (f"party:{self.licensee_id}",) if self.licensee_id else ()
        titles = tuple(f"title:{t}" for t in self.title_ids)
        return (f"grant:{self.grant_id}", f"voice:{self.voice_id}", f"party:{self.granted_by}", *licensee, *titles)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.not_after is None and not self.perpetual_ack:
            raise ValueError("a grant without an end (not_after) needs perpetual_ack: true")
        if self.not_after is not None and self.not_after <= self.not_before:
            raise ValueError("the term ends before it starts")
        if (self.version == 1) != (self.supersedes is None) or self.supersedes == self.grant_id:
            raise ValueError("a first version supersedes nothing, a later one names the version before it")
        if len({t.kind for t in self.training}) != len(self.training):
            raise ValueError("training: a kind is repeated")
        if self.capacity is not Capacity.SELF and self.authority_sha256 is None:
            raise ValueError("whoever grants for somebody else shows the authority (authority_sha256)")
        return self


class Use(Strict):
    """What a release would do with one voice.

    `title_ids` is the title and everything above it, nearest first; `window` is the release window, an open end means
    for ever; `minutes` is None where it was not measured, which a metered grant refuses.
    """

    title_ids: Annotated[tuple[Id, ...], Field(min_length=1)]
    character: Line | None = None
    language: Language
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    window: Window
    technique: Technique
    performance: Performance = Performance.NEW
    minutes: Annotated[float, Field(ge=0)] | None = None
    uses: Annotated[int, Field(ge=1)] = 1
    licensee_id: Id | None = None
    voice_asset: VoiceAsset | None = None
    training: tuple[TrainingKind, ...] = ()
