"""What a rights holder decides at the desk, as records of the ledger: approvals to be signed, refusals, conditions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from consent.approvals import Approval, ApprovedSound
from consent.errors import RecordError
from consent.events import Event
from consent.regions import expand
from consent.requests import Request
from consent.shown import Shown
from consent.strict import Window
from consent.vocabulary import ApprovalDecision, ApprovalKind, EventKind
from consent.web.catalogue import text
from consent.web.telling import Story
from consent.web.wording import places, span
from consent.writing import Addition, Writer

APPROVAL_DAYS = 180
CONDITION_KINDS = ("label", "credit", "line", "other")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a holder adds to its yes: fewer territories, an earlier end, and conditions that hold until they are met."""

    territories: tuple[str, ...] = ()
    until: datetime | None = None
    conditions: tuple[str, ...] = ()

    @property
    def narrower(self) -> bool:
        return bool(self.territories or self.until or self.conditions)


def terms_of(territories: str, until: str, named: Sequence[tuple[str, str]], language: str) -> Terms:
    """The terms in a form's fields; `named` are conditions by their kind and words.

    Raises:
        RecordError: a territory or day that is none.
    """
    codes = tuple(dict.fromkeys(c.upper() for c in territories.replace(",", " ").split()))
    try:
        expand(codes)
        end = datetime.combine(datetime.fromisoformat(until).date(), time(), UTC) if until else None
    except ValueError as error:
        raise RecordError(str(error)) from None
    said = [f"{text(f'condition.{kind}', language)}: {words}" for kind, words in named if words]
    return Terms(codes, end + timedelta(days=1) if end else None, tuple(dict.fromkeys(said)))


def approval_of(story: Story, request: Request, terms: Terms, *, by: str, at: datetime, language: str) -> Approval:
    """The approval that is to be signed: of exactly what was shown.

    Raises:
        RecordError: the terms leave nothing, or the request lacks a digest that an approval names.
    """
    release = request.release
    places_, window = _within(request, terms)
    if None in (release.script_sha256, release.original_sha256, release.label_plan_sha256):
        raise RecordError("the request lacks the digest of script, original or label plan")
    shown = (*_unnarrowed(story, terms, language), *_added(terms, request, places_, window, language))
    return Approval(
        approval_id=f"ap-{uuid.uuid4().hex[:24]}",
        kind=ApprovalKind.FINAL_SOUND,
        decision=ApprovalDecision.CONDITIONS if terms.conditions else ApprovalDecision.APPROVE,
        by=by,
        for_holder_id=request.to,
        title_id=release.title_ids[0],
        language=release.language,
        territories=places_,
        territories_excluded=() if terms.territories else release.territories_excluded,
        channels=release.channels,
        window=window,
        partners=release.partners,
        style=release.style,
        sounds=(ApprovedSound(packets_sha256=release.packets_sha256, pcm_sha256=release.pcm_sha256),),
        label_plan_sha256=release.label_plan_sha256,
        script_sha256=release.script_sha256,
        original_sha256=release.original_sha256,
        casting_sha256=release.casting_sha256,
        conditions=terms.conditions,
        shown=shown,
        signed_at=at,
        expires_at=at + timedelta(days=APPROVAL_DAYS),
    )


def _within(request: Request, terms: Terms) -> tuple[tuple[str, ...], Window]:
    release = request.release
    asked = expand(release.territories, release.territories_excluded)
    if terms.territories and not expand(terms.territories) <= asked:
        raise RecordError("these territories go beyond what was asked for")
    if terms.until is None:
        return terms.territories or release.territories, release.window
    if terms.until <= release.window.start or (release.window.end is not None and terms.until > release.window.end):
        raise RecordError("this day lies outside the period that was asked for")
    return terms.territories or release.territories, Window(start=release.window.start, end=terms.until)


def _unnarrowed(story: Story, terms: Terms, language: str) -> tuple[Shown, ...]:
    """The story's fields, without those that the terms replace: nothing wider than the approval is signed as shown."""
    gone = [text("field.territories", language)] if terms.territories else []
    gone += [text("field.window", language)] if terms.until else []
    return tuple(f for f in story.fields if f.what not in gone)


def _added(
    terms: Terms, request: Request, territories: tuple[str, ...], window: Window, language: str
) -> tuple[Shown, ...]:
    def field(what: str, said: str) -> Shown:
        return Shown(what=text(f"field.{what}", language), said=said)

    narrowed = [field("territories", places(territories, (), language))] if terms.territories else []
    narrowed += [field("window", span(window.start, window.end, language))] if terms.until else []
    decision = "conditions" if terms.conditions else "approve"
    said = field("decision", text(f"decision.{decision}", language))
    return (*narrowed, *(field("condition", c) for c in terms.conditions), said, field("for", request.to))


def record_approval(writer: Writer, approval: Approval, envelope: str, request_id: str, *, by: str) -> None:
    """Append a signed approval, and that the request was answered; both, or nothing.

    Raises:
        RecordError: the signature is not over this, or the request no longer waits.
    """
    writer.add(Addition(approval, envelope=envelope))
    answer(writer, request_id, EventKind.CONFIRMED, by=by, reason=None)


def answer(
    writer: Writer, request_id: str, kind: EventKind, *, by: str, reason: str | None, event_id: str = ""
) -> None:
    """Record what a party says to a request.

    Raises:
        RecordError: somebody else is asked, or it no longer waits.
    """
    event = Event(
        event_id=event_id or f"ev-{uuid.uuid4().hex}",
        target="request",
        target_id=request_id,
        kind=kind,
        effective_at=writer.now,
        by=by,
        reason=reason,
    )
    writer.add(Addition(event))
