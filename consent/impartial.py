"""Whose word does not count in their own cause: who may confirm a claim, settle a contest or end a refusal."""

from __future__ import annotations

from consent.errors import RecordError
from consent.events import Event
from consent.lookup import Lookup
from consent.strict import Record
from consent.titles import Claim, Refusal
from consent.vocabulary import EventKind, Role


def require_impartial(view: Lookup, event: Event, record: Record) -> None:
    """Check that an event which opens something is not said by who gains from it, nor an erasure by who did none.

    Raises:
        RecordError: it is.
    """
    if event.kind is EventKind.ERASED:
        raise RecordError("an erasure is recorded by erasing", remedy="Erase with `dubgate voices erase`.")
    if isinstance(record, Claim):
        _of_claim(view, event, record)
    if isinstance(record, Refusal):
        _of_refusal(view, event, record)


def require_second_operator(view: Lookup, claim: Claim, by: str) -> None:
    """Check that who vouches for a claim is an operator, and of none of the houses that gain by it.

    Raises:
        RecordError: it is not.
    """
    party = view.party(by)
    houses = {h.house_id for holder in claim.holder_ids if (h := view.party(holder)) is not None}
    if party is None or Role.OPERATOR not in party.roles or party.house_id in houses:
        raise RecordError(f"{by} is not a second operator, who alone can confirm a claim or settle a contest")


def _of_claim(view: Lookup, event: Event, claim: Claim) -> None:
    if event.kind in (EventKind.CONFIRMED, EventKind.SETTLED):
        require_second_operator(view, claim, event.by)


def _of_refusal(view: Lookup, event: Event, refusal: Refusal) -> None:
    """What ends a refusal opens a use: the refuser ends it, and an operator only declares it invalid."""
    party = view.party(event.by)
    operator = party is not None and Role.OPERATOR in party.roles
    if event.by != refusal.by and not (operator and event.kind is EventKind.INVALIDATED):
        raise RecordError(f"only {refusal.by} can lift this refusal, and an operator declare it invalid")
