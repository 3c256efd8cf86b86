"""Ending something, and what follows: the event, the live releases that rested on it, the notice to take them down."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from consent.approvals import Approval
from consent.entries import Entry
from consent.errors import RecordError
from consent.events import TERMINAL, Event
from consent.lookup import keyids_in
from consent.parties import PartyKey
from consent.registry import Registry
from consent.releases import Impact, Release, live, takedown_notice
from consent.strict import problems
from consent.terms import Grant
from consent.titles import Claim
from consent.views import View
from consent.vocabulary import EventKind, RevocationEffect
from consent.voices import Enrolment
from consent.writing import Addition, Writer


@dataclass(frozen=True, slots=True)
class Ending:
    """An event that was recorded, when, and the releases that it touches."""

    event: Event
    recorded_at: datetime
    impact: Impact

    def notice(self) -> dict[str, Any]:
        """The takedown notice, as plain data."""
        return takedown_notice(
            f"{self.event.target}:{self.event.target_id}",
            self.event.reason or str(self.event.kind),
            self.impact,
            effective_at=max(self.event.effective_at, self.recorded_at),
            at=self.recorded_at,
        )


def record_ending(
    registry: Registry,
    target: str,
    kind: EventKind,
    *,
    by: str,
    effective_at: datetime | None = None,
    reason: str | None = None,
    strike: bool = False,
    envelope: str | None = None,
    sign: Callable[[Event], str | None] | None = None,
) -> Ending:
    """Record that something ended, is suspended or resumed, and say in the same moment what rested on it.

    Args:
        target: `grant:…`, `permission:…`, `approval:…`, `claim:…`, `refusal:…`, `key:…` or `enrolment:…`.
        effective_at: now where it is not said; an end never reaches back before its recording.
        sign: makes the envelope in which `by` signs the very event that is recorded; else `envelope` is kept as it is.

    Raises:
        RecordError: no such record, or `by` may not say so.
    """
    word, _, target_id = target.partition(":")
    said = {"target": word, "target_id": target_id, "kind": kind, "by": by, "reason": reason, "strike": strike}
    with registry.write() as writer:
        try:
            event = Event.model_validate(
                {"event_id": uuid.uuid4().hex, "effective_at": effective_at or writer.now} | said
            )
        except ValidationError as error:
            raise problems(error, target) from None
        try:
            return enter(writer, event, envelope if sign is None else sign(event))
        except RecordError as error:  # whoever asked named the target; the event's id nobody ever saw
            error.where = target
            raise


def enter(writer: Writer, event: Event, envelope: str | None = None) -> Ending:
    """Record an event in a transaction that is open, and say in the same moment what rested on what it ends.

    Raises:
        RecordError: no such record, or `by` may not say so.
    """
    impact = touched(writer, f"{event.target}:{event.target_id}", writer.now)
    entry = writer.add(Addition(event, envelope=envelope))
    return Ending(event, entry.recorded_at, impact)


def touched(view: View, target: str, at: datetime) -> Impact:
    """The live releases that ending `target` touches, and the versions beside them that it leaves standing.

    A grant or an approval touches what rests on it; a claim, what was released of its titles where it reaches; a key,
    what rests on the grants and approvals that it signed; an enrolment, what its voice was matched for. A permission
    touches none: its end erases the template and leaves the grant.
    """
    word, _, target_id = target.partition(":")
    found = view.impact(target, at)
    if word in ("claim", "key", "enrolment"):
        more = {"claim": _of_claim, "key": _of_key, "enrolment": _of_enrolment}[word](view, target_id)
        found = Impact(live(_once(more), at), RevocationEffect.STOP_DISTRIBUTION)
    elif word == "permission":
        found = replace(found, releases=())
    return replace(found, standing=_beside(view, found, at))


def _once(releases: Iterator[Release]) -> tuple[Release, ...]:
    return tuple({r.release_id: r for r in releases}.values())


def _of_claim(view: View, claim_id: str) -> Iterator[Release]:
    claim = view.record(f"claim:{claim_id}", Claim)
    titles = view.titles_under([claim.title_id]) if claim is not None else ()
    for release in (r for t in titles for r in view.releases(f"title:{t}")):
        if claim is not None and claim.reaches(release.language, release.territories, release.territories_excluded):
            yield release


def _of_key(view: View, key_id: str) -> Iterator[Release]:
    key = view.record(f"key:{key_id}", PartyKey)
    if key is None:
        return
    for kind, word in ((Grant, "grant"), (Approval, "approval")):
        for entry in view.store.entries(f"party:{key.party_id}", kind):
            if key.keyid in keyids_in(entry.envelope):
                yield from view.releases(f"{word}:{entry.record.record_id}")


def _of_enrolment(view: View, enrolment_id: str) -> Iterator[Release]:
    enrolment = view.record(f"enrolment:{enrolment_id}", Enrolment)
    if enrolment is not None:
        yield from view.releases(f"voice:{enrolment.voice_id}")


def _beside(view: View, impact: Impact, at: datetime) -> tuple[Release, ...]:
    """Live releases of the same title in the same language that are not touched; the newest first."""
    gone = {r.release_id for r in impact.releases}
    places = {(r.title_id, r.language) for r in impact.releases}
    known = (r for title in sorted({t for t, _ in places}) for r in view.releases(f"title:{title}"))
    beside = [r for r in live(tuple(known), at) if r.release_id not in gone and (r.title_id, r.language) in places]
    return tuple(sorted(beside, key=lambda r: r.decided_at, reverse=True))


def endings(view: View) -> Iterator[Ending]:
    """Every end or suspension in the history with the releases that it touched, to write lost notices again."""
    for entry in view.store.of_kind(Event):
        event = entry.record
        if isinstance(event, Event) and event.kind in TERMINAL | {EventKind.SUSPENDED}:
            yield from _ending(view, event, entry)


def _ending(view: View, event: Event, entry: Entry) -> Iterator[Ending]:
    if event.target in ("grant", "permission", "approval", "claim", "key", "enrolment"):
        impact = touched(view, f"{event.target}:{event.target_id}", entry.recorded_at)
        if impact.releases:
            yield Ending(event, entry.recorded_at, impact)
