"""Voices: whose they are, which recordings enrolled them, and three separate permissions to compare them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent.strict import Id, Ids, Line, Record, Sha256, Text, Time, Window
from consent.terms import Count, Evidence
from consent.vocabulary import LegalBasis, PermissionKind, Subject


class Voice(Record):
    """A voice subject. Its name is not here: names lie sealed, under a key that erasure destroys.

    `owner_id` is the party whose voice it is (for a synthetic voice, its maker); `agent_ids` may confirm and sign too.
    """

    schema_name: ClassVar[str] = "consent-voice/1.0"

    voice_id: Id
    subject: Subject
    owner_id: Id
    agent_ids: Ids = ()
    blend_of: Ids = ()
    jurisdiction: Line | None = None

    @property
    def record_id(self) -> str:
        """The voice's id."""
        return self.voice_id

    def found_under(self) -> tuple[str, ...]:
        """By voice and by the parties that speak for it."""
        return (f"voice:{self.voice_id}", f"party:{self.owner_id}", *(f"party:{a}" for a in self.agent_ids))

    @model_validator(mode="after")
    def _blend(self) -> Self:
        if (self.subject is Subject.BLEND) != (len(self.blend_of) >= 2):
            raise ValueError("a blend names the two or more voices that it is made of, and only a blend does")
        return self


class Permission(Record):
    """One of `match`, `protect`, `keep`, with its term and the law that it rests on."""

    schema_name: ClassVar[str] = "consent-permission/1.0"

    permission_id: Id
    voice_id: Id
    kind: PermissionKind
    given_by: Id
    legal_basis: LegalBasis
    not_before: Time
    not_after: Time
    evidence: tuple[Evidence, ...] = ()

    @property
    def record_id(self) -> str:
        """The permission's id."""
        return self.permission_id

    @property
    def term(self) -> Window:
        """`[not_before, not_after)`; a biometric permission without an end is refused."""
        return Window(start=self.not_before, end=self.not_after)

    def found_under(self) -> tuple[str, ...]:
        """By permission, voice, and kind of permission."""
        return (f"permission:{self.permission_id}", f"voice:{self.voice_id}", f"permission-kind:{self.kind}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.not_after <= self.not_before:
            raise ValueError("the term ends before it starts")
        return self


class Enrolment(Record):
    """A recording turned into a template: by which encoder, from how much speech, supplied and confirmed by whom.

    The template itself lies sealed beside the history. Until the owner or an agent confirmed, a match is unknown.
    """

    schema_name: ClassVar[str] = "consent-enrolment/1.0"

    enrolment_id: Id
    voice_id: Id
    encoder_sha256: Sha256
    dimension: Annotated[int, Field(gt=0, le=65_536)]
    speech_s: Annotated[float, Field(ge=10.0, le=360_000.0)]
    audio_sha256: Sha256
    supplied_by: Id
    confirmed_by: Id | None = None
    supersedes: Id | None = None
    n_segments: Count | None = None

    @property
    def record_id(self) -> str:
        """The enrolment's id."""
        return self.enrolment_id

    def found_under(self) -> tuple[str, ...]:
        """By enrolment, voice and encoder."""
        return (f"enrolment:{self.enrolment_id}", f"voice:{self.voice_id}", f"encoder:{self.encoder_sha256}")


class SearchHalt(Record):
    """An operator switched the search for protected voices off, in the words of the law that it rests on, until a day.

    While it stands nobody is looked for, and the question goes to people: the rule is attested, never passed.
    """

    schema_name: ClassVar[str] = "consent-search-halt/1.0"

    halt_id: Id
    by: Id
    legal_basis: Text
    not_before: Time
    not_after: Time

    @property
    def record_id(self) -> str:
        """The halt's id."""
        return self.halt_id

    @property
    def term(self) -> Window:
        """`[not_before, not_after)`; a search that is off for ever is refused."""
        return Window(start=self.not_before, end=self.not_after)

    def found_under(self) -> tuple[str, ...]:
        """By halt and operator."""
        return (f"search_halt:{self.halt_id}", f"party:{self.by}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.not_after <= self.not_before:
            raise ValueError("the term ends before it starts")
        return self
