"""Titles, claims on the rights in them, and standing refusals, as they are recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent import languages
from consent.regions import expand
from consent.shown import AllShown
from consent.strict import Excluded, Id, Identifier, Ids, Line, Record, Territories, Time, Window
from consent.terms import Count, Evidence, LocalisedText
from consent.vocabulary import ApprovalKind, Level, Quorum, Right, Technique


class Title(Record):
    """A work, and the one that it belongs to. `approvals` says what its holder wants to approve."""

    schema_name: ClassVar[str] = "consent-title/1.0"

    title_id: Id
    level: Level
    name: Line
    parent_id: Id | None = None
    identifiers: tuple[Identifier, ...] = ()
    approvals: Annotated[tuple[ApprovalKind, ...], Field(min_length=1)] = (ApprovalKind.FINAL_SOUND,)

    @property
    def record_id(self) -> str:
        """The title's id."""
        return self.title_id

    def found_under(self) -> tuple[str, ...]:
        """By title and by each identifier."""
        return (f"title:{self.title_id}", *(f"identifier:{i}" for i in self.identifiers))

    @model_validator(mode="after")
    def _schemes(self) -> Self:
        wrong = [i for i in self.identifiers if i.partition(":")[0] not in ("eidr", "isan", "internal")]
        if wrong:
            raise ValueError(f"a title is identified by eidr, isan or internal, not {wrong[0]!r}")
        if self.parent_id == self.title_id:
            raise ValueError("a title cannot belong to itself")
        return self


@dataclass(frozen=True, slots=True)
class TitleRecord:
    """A title with everything above it, nearest first."""

    title: Title
    above: tuple[Title, ...] = ()

    @property
    def title_ids(self) -> tuple[str, ...]:
        """The ids of the title and of everything above it, nearest first."""
        return (self.title.title_id, *(t.title_id for t in self.above))


class Claim(Record):
    """One holder, or several joint ones, claim a right in a title, for languages, territories and a window.

    `lead_id` acts for the others under a mandate. A claim counts once a second operator confirmed it.
    """

    schema_name: ClassVar[str] = "consent-claim/1.0"

    claim_id: Id
    title_id: Id
    holder_ids: Annotated[Ids, Field(min_length=1)]
    right: Right
    languages: Annotated[tuple[str, ...], Field(max_length=500)] = ()
    territories: Territories
    territories_excluded: Excluded = ()
    not_before: Time
    not_after: Time | None = None
    quorum: Quorum = Quorum.ALL
    lead_id: Id | None = None
    quorum_n: Count | None = None
    recorded_by: Id
    confirmed_by: Id | None = None
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)]

    @property
    def record_id(self) -> str:
        """The claim's id."""
        return self.claim_id

    @property
    def term(self) -> Window:
        """`[not_before, not_after)`."""
        return Window(start=self.not_before, end=self.not_after)

    def reaches(self, language: str, territories: tuple[str, ...], excluded: tuple[str, ...] = ()) -> bool:
        """Whether the claim is for any part of a release in this language and these territories."""
        spoken = not self.languages or any(languages.covers(tag, language) for tag in self.languages)
        return spoken and bool(expand(self.territories, self.territories_excluded) & expand(territories, excluded))

    def found_under(self) -> tuple[str, ...]:
        """By claim, title and holders."""
        return (f"claim:{self.claim_id}", f"title:{self.title_id}", *(f"party:{h}" for h in self.holder_ids))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for tag in self.languages:
            if languages.canonical(tag) != tag:
                raise ValueError(f"{tag!r} is not in canonical form")
        if self.quorum is Quorum.LEAD and self.lead_id not in self.holder_ids:
            raise ValueError("the lead is one of the holders")
        if self.quorum is Quorum.SOME and not 1 <= (self.quorum_n or 0) <= len(self.holder_ids):
            raise ValueError("quorum_n is between 1 and the number of holders")
        if self.confirmed_by == self.recorded_by:
            raise ValueError("a claim is confirmed by somebody other than who recorded it")
        if self.not_after is not None and self.not_after <= self.not_before:
            raise ValueError("the term ends before it starts")
        return self


class Refusal(Record):
    """A standing refusal in the refuser's words, which wins over every grant; empty lists mean all of them."""

    schema_name: ClassVar[str] = "consent-refusal/1.0"

    refusal_id: Id
    by: Id
    title_ids: Ids = ()
    voice_ids: Ids = ()
    characters: tuple[Line, ...] = ()
    techniques: tuple[Technique, ...] = ()
    languages: tuple[str, ...] = ()
    territories: tuple[str, ...] = ()
    not_before: Time
    not_after: Time | None = None
    words: LocalisedText
    shown: AllShown | None = None

    @property
    def record_id(self) -> str:
        """The refusal's id."""
        return self.refusal_id

    def found_under(self) -> tuple[str, ...]:
        """By refusal, refuser, titles and voices."""
        titles, voices = (f"title:{t}" for t in self.title_ids), (f"voice:{v}" for v in self.voice_ids)
        return (f"refusal:{self.refusal_id}", f"party:{self.by}", *titles, *voices)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.title_ids and not self.voice_ids:
            raise ValueError("a refusal names the titles or the voices that it is for")
        expand(self.territories)
        for tag in self.languages:
            languages.canonical(tag)
        if self.not_after is not None and self.not_after <= self.not_before:
            raise ValueError("the term ends before it starts")
        return self
