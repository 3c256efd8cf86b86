"""Requests: what a party is asked to decide about one sound, and what became of the question.

A yes is never a word in here: it is the signed approval, grant, permission or attestation itself, and the next judging
finds it. A no is: it stands, in the words of who was asked, until the same party lifts it or another sound is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent.approvals import Candidate
from consent.events import RecordedEvent
from consent.strict import Id, Line, Record, Strict, Text, Time
from consent.vocabulary import EventKind


class RequestKind(StrEnum):
    """What is missing."""

    APPROVAL = "approval"
    GRANT = "grant"
    PERMISSION = "permission"
    ENROLMENT = "enrolment"
    ATTESTATION = "attestation"
    STATEMENT = "statement"
    SIGN_OFF = "sign_off"
    CLAIM = "claim"


class RequestStatus(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DEFERRED = "deferred"
    ANSWERED = "answered"
    REFUSED = "refused"
    SETTLED = "settled"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


_STATUS = {
    EventKind.DEFERRED: RequestStatus.DEFERRED,
    EventKind.CONFIRMED: RequestStatus.ANSWERED,
    EventKind.REFUSED: RequestStatus.REFUSED,
    EventKind.SETTLED: RequestStatus.SETTLED,
    EventKind.WITHDRAWN: RequestStatus.WITHDRAWN,
    EventKind.SUPERSEDED: RequestStatus.SUPERSEDED,
    EventKind.LIFTED: RequestStatus.OPEN,
}
# Who was asked says these; who asked says the others.
ANSWERS = frozenset({EventKind.CONFIRMED, EventKind.REFUSED, EventKind.DEFERRED, EventKind.LIFTED})
ASKERS = frozenset({EventKind.SETTLED, EventKind.WITHDRAWN, EventKind.SUPERSEDED})
WAITING = frozenset({RequestStatus.OPEN, RequestStatus.DEFERRED})


class Wanted(Strict):
    """One thing that is missing: the check that says so, whom or what it is about, and the question in plain words."""

    what: RequestKind
    rule: Line
    about: Line
    question: Text

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same question as another."""
        return (self.what, self.rule, self.about)


class Request(Record):
    """One party is asked to decide; `release` is everything that the decision is about, by digest where it has bytes."""

    schema_name: ClassVar[str] = "consent-request/1.0"

    request_id: Id
    to: Id
    asked_by: Id
    release: Candidate
    wanted: Annotated[tuple[Wanted, ...], Field(min_length=1, max_length=10_000)]
    asked_at: Time
    expires_at: Time

    @property
    def record_id(self) -> str:
        """The request's id."""
        return self.request_id

    def found_under(self) -> tuple[str, ...]:
        """By request, who is asked, who asks, title and sound."""
        parties = (f"party:{self.to}", f"party:{self.asked_by}")
        title = f"title:{self.release.title_ids[0]}"
        return (f"request:{self.request_id}", *parties, title, f"sound:{self.release.packets_sha256}")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.expires_at <= self.asked_at:
            raise ValueError("the request expires before it was asked")
        if self.to == self.asked_by:
            raise ValueError("nobody asks themselves")
        keys = [w.key for w in self.wanted]
        if len(set(keys)) != len(keys):
            raise ValueError("the same thing is asked twice")
        return self


@dataclass(frozen=True, slots=True)
class RequestHistory:
    """A request, when it was recorded, and what was said to it."""

    request: Request
    recorded_at: datetime
    events: tuple[RecordedEvent, ...] = ()

    def status(self, at: datetime) -> RequestStatus | None:
        """Where it stands, as known at a moment; None before it was recorded. A refusal does not expire."""
        if self.recorded_at > at:
            return None
        last = self._last(at)
        status = RequestStatus.OPEN if last is None else _STATUS[last.event.kind]
        return RequestStatus.EXPIRED if status in WAITING and self.request.expires_at <= at else status

    def waiting(self, at: datetime) -> bool:
        """Whether an answer is still awaited."""
        return self.status(at) in WAITING

    def refusal(self, at: datetime) -> RecordedEvent | None:
        """The standing no, if there is one."""
        return self._last(at) if self.status(at) is RequestStatus.REFUSED else None

    def _last(self, at: datetime) -> RecordedEvent | None:
        """The last word: recorded by then, in ledger order; where it comes into force is its recording."""
        known = [e for e in self.events if e.recorded_at <= at and e.event.kind in _STATUS]
        return max(known, key=lambda e: e.leaf_index, default=None)


def asks_the_same(history: RequestHistory, release: Candidate, wanted: Sequence[Wanted]) -> bool:
    """Whether a request already asks all of this about the very same release."""
    asked = {w.key for w in history.request.wanted}
    return history.request.release == release and {w.key for w in wanted} <= asked
