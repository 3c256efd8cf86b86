"""Requests and notices of use at the registry's door and in a view: who may say what, and what was said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from consent.approvals import Approval
from consent.errors import RecordError
from consent.events import Event, RecordedEvent
from consent.metering import require_use_left
from consent.requests import ANSWERS, ASKERS, Request, RequestHistory
from consent.strict import Record
from consent.uses import UseHistory, UseNotice
from consent.views import View
from consent.vocabulary import EventKind, Role

# Who decides for a house what its other people may not loosen.
DECIDING = frozenset(
    {
        Role.RIGHTS_HOLDER,
        Role.PERFORMER,
        Role.AGENT,
        Role.GUARDIAN,
        Role.ESTATE,
        Role.HEIR,
        Role.TTS_VENDOR,
    }
)
ASKED: dict[str, type[Record]] = {"request": Request, "use_notice": UseNotice}


def request_histories(view: View, key: str) -> tuple[RequestHistory, ...]:
    """The requests under a key (`sound:…`, `party:…`, `title:…`, `request:…`), in ledger order."""
    entries = view.store.entries(key, Request)
    return tuple(_history(view, e.record, e.recorded_at) for e in entries)


def all_requests(view: View) -> tuple[RequestHistory, ...]:
    """Every request that was ever opened."""
    return tuple(_history(view, e.record, e.recorded_at) for e in view.store.of_kind(Request))


def _history(view: View, record: Record, recorded_at: datetime) -> RequestHistory:
    assert isinstance(record, Request)
    return RequestHistory(record, recorded_at, view.events(f"request:{record.request_id}"))


def admit_request(view: View, request: Request) -> None:
    """Check a request: the parties and the title exist, and it does not ask into the past."""
    _known(view, request.to, request.asked_by)
    for title_id in request.release.title_ids:
        if view.title(title_id) is None:
            raise RecordError(f"no title {title_id!r} is registered")
    if request.expires_at <= view.now:
        raise RecordError("the request has already expired")


def admit_use_notice(view: View, notice: UseNotice) -> None:
    """Check a notice of use: it is of a standing approval, to its holder, with all of the time to object, and one is left.

    Raises:
        RecordError: it is not, or the approval's number is used up.
    """
    _known(view, notice.to, notice.by)
    approval = view.record(f"approval:{notice.approval_id}", Approval)
    if approval is None or approval.standing is None:
        raise RecordError(f"{notice.approval_id!r} is no standing approval of this registry")
    if notice.to != approval.for_holder_id:
        raise RecordError(f"the notice goes to {approval.for_holder_id}, for whom the approval was given")
    if notice.object_until < view.now + timedelta(hours=approval.standing.objection_hours):
        raise RecordError(f"the holder has {approval.standing.objection_hours} hours to object, from now on")
    require_use_left(view, approval, notice)


def admit_answer(view: View, event: Event, record: Record) -> None:
    """Check an event of a request or a notice of use: who may say it, and whether it can still be said.

    Raises:
        RecordError: somebody else's answer, an answer to what is closed, or an objection after its time.
    """
    if isinstance(record, Request):
        _answer(view, event, record)
    if isinstance(record, UseNotice):
        _objection(view, event, record)


def _answer(view: View, event: Event, request: Request) -> None:
    who = {**dict.fromkeys(ANSWERS, request.to), **dict.fromkeys(ASKERS, request.asked_by)}.get(event.kind)
    if who is None:
        raise RecordError(f"a request is not {event.kind}")
    if who not in (event.by, view.house_of(event.by)):
        raise RecordError(f"only {who} may say this")
    history = RequestHistory(request, view.now, view.events(f"request:{request.request_id}"))
    if event.kind is EventKind.LIFTED:
        _lift(view, event, request.to, history.refusal(view.now))
    if event.kind is not EventKind.LIFTED and not history.waiting(view.now):
        raise RecordError(f"the request is {history.status(view.now)}, no longer open")


def _lift(view: View, event: Event, to: str, said: RecordedEvent | None) -> None:
    """A no is lifted by who said it, by whom it was asked of, or by who decides for that house as the registry has it."""
    if said is None:
        raise RecordError("only a refusal can be lifted")
    party = view.party(event.by)
    decides = party is not None and bool(DECIDING & set(party.roles))
    if event.by not in (said.event.by, to) and not decides:
        raise RecordError(f"{said.event.by} said this no: only they, or who decides for {to}, may lift it")


def _objection(view: View, event: Event, notice: UseNotice) -> None:
    if event.kind not in (EventKind.OBJECTED, EventKind.LIFTED):
        raise RecordError(f"a notice of use is not {event.kind}")
    if notice.to not in (event.by, view.house_of(event.by)):
        raise RecordError(f"only {notice.to} may object to this use")
    if event.kind is EventKind.LIFTED:
        history = UseHistory(notice, view.now, view.events(f"use_notice:{notice.notice_id}"))
        _lift(view, event, notice.to, history.objection(view.now))
    if event.kind is EventKind.OBJECTED and view.now >= notice.object_until:
        raise RecordError(
            f"the time to object ended on {notice.object_until.isoformat()}",
            remedy="Withdraw the approval: dubgate consent withdraw approval:ID.",
        )


def _known(view: View, *party_ids: str) -> None:
    for party_id in party_ids:
        if view.party(party_id) is None:
            raise RecordError(f"no party {party_id!r} is registered")


ASKING: dict[type[Record], Callable[[View, Any], None]] = {Request: admit_request, UseNotice: admit_use_notice}
