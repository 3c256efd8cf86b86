"""What a delivery.yaml says of how the dub was made, who is credited and what was asked before: strict frozen models."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from consent.strict import Id, Line, Sha256, Strict, Text
from consent.vocabulary import TrainingKind
from dubgate.delivery.manifest_fields import Moment, RelativePath, without_repeats


class Purpose(StrEnum):
    """Why a dub was made by machine; a purpose outside this list is none that a reader can compare."""

    ACCESS = "access"
    NOT_SERVED = "language_otherwise_not_served"
    PROTOTYPING = "prototyping"
    CREATIVE_RANGE = "creative_range"
    SCHEDULE = "schedule"
    COST = "cost"


SAVING_ONLY = frozenset({Purpose.SCHEDULE, Purpose.COST})


class RecordFile(Strict):
    """A file that the production record names, by its bytes."""

    path: RelativePath
    sha256: Sha256


class Tool(Strict):
    """A program or model that made a part of the dub; `registered_as` is its entry in the company's register of tools."""

    name: Line
    version: Line
    vendor: Line | None = None
    registered_as: Id | None = None
    settings: dict[Line, Line | int | float | bool] = Field(default_factory=dict)
    training_data: Literal["consented", "licensed", "public_domain", "undisclosed"] | None = None


class Reviewer(Strict):
    """A registered person who checked the dub, and as what."""

    party: Id
    role: Line


class Revision(Strict):
    """A change after the first version: the sound before and after it, by digest of the file."""

    at: Moment
    by: Id
    what: Text
    previous_sha256: Sha256 | None = None
    sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.previous_sha256 is not None and self.previous_sha256 == self.sha256:
            raise ValueError("a revision whose bytes are those before it changed nothing")
        return self


Purposes = Annotated[tuple[Purpose, ...], Field(max_length=6), AfterValidator(without_repeats)]


class ProductionRecord(Strict):
    """How the dub was made. Free words in `purpose` are shown to people; `purposes` are what rules read."""

    purpose: Text | None = None
    purposes: Purposes = ()
    tools: Annotated[tuple[Tool, ...], Field(min_length=1)]
    prompts: tuple[RecordFile, ...] = ()
    references: tuple[RecordFile, ...] = ()
    settings: tuple[RecordFile, ...] = ()
    logs: tuple[RecordFile, ...] = ()
    # What a watermark's detector reported of the dub; left out of the record's digest where there is none, as before it was known.
    watermarks: tuple[RecordFile, ...] = Field((), exclude_if=lambda files: not files)
    used_to_train: tuple[TrainingKind, ...] | None = None  # None: not stated; empty: nothing was trained with it
    reviewers: tuple[Reviewer, ...] = ()
    revisions: tuple[Revision, ...] = ()

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.purpose is None and not self.purposes:
            raise ValueError("say why the dub was made: 'purposes', from the vocabulary, or 'purpose', in words")
        return self


class CreditRole(StrEnum):
    """As what a person is credited in a dub."""

    ADAPTER = "adapter"
    DUBBING_DIRECTOR = "dubbing_director"
    PERFORMER = "performer"
    VOICE_OWNER = "voice_owner"
    MIXER = "mixer"
    PROJECT_MANAGER = "project_manager"


class Credited(Strict):
    """A person on the dub card, written as the card writes the name."""

    role: CreditRole
    name: Line
    character: Line | None = None
    party: Id | None = None

    @model_validator(mode="after")
    def _who_speaks_what(self) -> Self:
        if self.character is not None and self.role not in (CreditRole.PERFORMER, CreditRole.VOICE_OWNER):
            raise ValueError("only a performer or the owner of a voice is credited with a character")
        return self


class Credits(Strict):
    """Who made the dub, and the card (text, CSV or JSON) that is shown at its end."""

    card: RelativePath | None = None
    people: Annotated[tuple[Credited, ...], Field(max_length=500)] = ()
