"""Where a rule comes from and when it holds: dates, whether its source was verified, who confirmed it, what chooses it.

A rule says these things for itself, or its pack says them for all of its rules.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from consent.partners import Partner
from consent.vocabulary import Channel
from dubgate.policy.bands import PackModel
from dubgate.regions import expand

EVERYWHERE: Literal["everywhere"] = "everywhere"
# A day begins first at UTC+14 and ends last at UTC-12: a law counts from the first of these moments to the last.
_FIRST, _LAST = timedelta(hours=14), timedelta(hours=12)


class Status(StrEnum):
    """Whether somebody read the primary text that a rule names; what is unverified warns and never holds back."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"


def _calendar_day(text: str) -> str:
    date.fromisoformat(text)
    return text


def _known_territories(codes: tuple[str, ...]) -> tuple[str, ...]:
    expand(codes)
    return codes


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_calendar_day)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]
Territories = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_known_territories)]


class Effective(PackModel):
    """When a rule is in force: from its first day, until the first day on which it is not any more."""

    start: Day | None = Field(None, alias="from")
    until: Day | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start is None and self.until is None:
            raise ValueError("effective needs from, until or both")
        if self.start is not None and self.until is not None and self.until <= self.start:
            raise ValueError("it ends before it begins")
        return self

    def meets(self, start: datetime, end: datetime | None) -> bool:
        """Whether any moment of `[start, end)` (or `start` itself) lies in it, wherever on earth its days are counted."""
        ends_after = self.start is None or end is None or max(end, start + timedelta.resolution) > self._opens
        return ends_after and (self.until is None or start < self._closes)

    @property
    def _opens(self) -> datetime:
        return _midnight(self.start or "0001-01-02") - _FIRST

    @property
    def _closes(self) -> datetime:
        return _midnight(self.until or "9999-12-30") + _LAST

    def __str__(self) -> str:
        parts = [f"from {self.start}"] if self.start else []
        return ", ".join([*parts, *([f"until {self.until}"] if self.until else [])])


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)


class Counsel(PackModel):
    """Who confirmed the wording of a rule, its severity, or both, and when."""

    by: Words
    on: Day
    confirms: Annotated[tuple[Literal["wording", "severity"], ...], Field(min_length=1)]

    def __str__(self) -> str:
        return f"{' and '.join(self.confirms)} confirmed by {self.by} on {self.on}"


class ChosenBy(PackModel):
    """What of a delivery chooses a pack: one of each kind that is named; all kinds that are named."""

    territories: Territories | None = None
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)] | None = None
    partners: Annotated[tuple[Partner, ...], Field(min_length=1)] | None = None
    agreements: Annotated[tuple[Words, ...], Field(min_length=1)] | None = None  # words of the agreement a grant names

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("chosen_by needs territories, channels, partners or agreements, or is 'everywhere'")
        return self
