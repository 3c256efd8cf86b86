"""Requests: who is asked for what when only other people's decisions are missing, and which questions are closed again.

Read from a judgement's open findings; parties come from the registry alone. What the vendor can mend itself is asked of
nobody, and who refused for good is not asked again.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consent.asking import request_histories
from consent.events import Event
from consent.requests import Request, RequestHistory, RequestKind, Wanted, asks_the_same
from consent.uses import UseNotice
from consent.vocabulary import EventKind
from consent.writing import Addition, Writer
from dubgate.certificate.records import signed
from dubgate.policy.approval_checks import at_hand
from dubgate.policy.findings import Finding, Outcome
from dubgate.whom_to_ask import Release, approvals_of, wanted_by_party

OPEN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Asking:
    """What came of asking: requests newly opened, those still waiting, those closed, holders told of a use, open ends.

    `mend` are findings that the vendor has to see to first; `nobody` those for which the registry names nobody.
    """

    opened: tuple[Request, ...] = ()
    waiting: tuple[Request, ...] = ()
    closed: tuple[Request, ...] = ()
    refused: tuple[Request, ...] = ()
    told: tuple[UseNotice, ...] = ()
    mend: tuple[Finding, ...] = ()
    nobody: tuple[Finding, ...] = ()


def ask(writer: Writer, release: Release, findings: Sequence[Finding], *, key: Any = None) -> Asking:
    """Open, keep and close requests as a judgement's findings want it; in one transaction, so nothing is asked twice.

    Args:
        key: the submitter's private key, for a registry that wants every event signed.

    Raises:
        RecordError: the submitter is not registered, or the registry wants a signature and there is no key.
    """
    open_ = [f for f in findings if f.outcome > Outcome.WARN]
    histories = request_histories(writer, f"sound:{release.candidate.packets_sha256}")
    before = [h for h in histories if h.request.asked_by == release.candidate.submitted_by]
    asked, nobody = wanted_by_party(writer, release, open_, before)
    closed = _close(writer, release, before, asked, key)
    mend = tuple(f for f in open_ if f.who_can_resolve is None)
    refused = tuple(h.request for h in before if h.refusal(writer.now) is not None)
    waiting = tuple(h.request for h in before if h.waiting(writer.now) and h.request not in closed)
    if mend:
        return Asking(waiting=waiting, closed=closed, refused=refused, mend=mend, nobody=tuple(nobody))
    told = _tell(writer, release) if any(f.rule == "RH-004" for f in open_) else ()
    opened = tuple(r for to, wanted in asked.items() if (r := _open(writer, release, to, wanted, before)) is not None)
    return Asking(opened, waiting, closed, refused, told, (), tuple(nobody))


def _open(
    writer: Writer, release: Release, to: str, wanted: Sequence[Wanted], before: Sequence[RequestHistory]
) -> Request | None:
    """A new request, unless one that asks all of this is waiting for the same party's answer."""
    mine = [h for h in before if h.request.to == to and h.waiting(writer.now)]
    if any(asks_the_same(h, release.candidate, wanted) for h in mine):
        return None
    request = Request(
        request_id=f"rq-{uuid.uuid4().hex[:20]}",
        to=to,
        asked_by=release.candidate.submitted_by or "",
        release=release.candidate,
        wanted=tuple(wanted),
        asked_at=writer.now,
        expires_at=writer.now + timedelta(days=OPEN_DAYS),
    )
    writer.add(Addition(request))
    return request


def _close(
    writer: Writer,
    release: Release,
    before: Sequence[RequestHistory],
    asked: dict[str, list[Wanted]],
    key: Any,
) -> tuple[Request, ...]:
    """Close what is no longer missing, and what asks about another release or less than is missing now."""
    closed = []
    for history in before:
        if not history.waiting(writer.now):
            continue
        request, missing = history.request, asked.get(history.request.to, [])
        still = {w.key for w in missing} & {w.key for w in request.wanted}
        if still and asks_the_same(history, release.candidate, missing):
            continue
        answered = not still and request.release == release.candidate
        kind = EventKind.SETTLED if answered else EventKind.SUPERSEDED
        event = Event(
            event_id=f"ev-{uuid.uuid4().hex}",
            target="request",
            target_id=request.request_id,
            kind=kind,
            effective_at=writer.now,
            by=request.asked_by,
            reason="nothing of it is missing any more" if answered else "the release or what it lacks has changed",
        )
        writer.add(Addition(event, envelope=signed(event, key)))
        closed.append(request)
    return tuple(closed)


def _tell(writer: Writer, release: Release) -> tuple[UseNotice, ...]:
    """Tell the holders of standing approvals that cover this release, once; it spends one of their number."""
    title = writer.title(release.candidate.title_ids[0])
    if title is None:
        return ()
    told = []
    for history in at_hand(title, release.candidate, approvals_of(writer, release), writer, release.at):
        approval = history.approval
        if approval.standing is None or any(u.notice.tells_of(release.candidate) for u in history.uses):
            continue
        told.append(writer.notice_use(approval.approval_id, release.candidate, release.candidate.submitted_by or ""))
    return tuple(told)


def answer(
    writer: Writer, target: str, kind: EventKind, *, by: str, reason: str | None = None, key: Any = None
) -> Event:
    """Record what a party says to a request (`request:…`) or to a notice of use (`use_notice:…`).

    Raises:
        RecordError: there is no such thing, somebody else is asked, or it is too late.
    """
    word, _, target_id = target.partition(":")
    event = Event.model_validate(
        {
            "event_id": f"ev-{uuid.uuid4().hex}",
            "target": word,
            "target_id": target_id,
            "kind": kind,
            "effective_at": writer.now,
            "by": by,
            "reason": reason,
        }
    )
    writer.add(Addition(event, envelope=signed(event, key)))
    return event


def commands(request: Request, manifest: str, registry: str) -> Iterator[str]:
    """The commands with which a party answers a request: yes by the signed thing itself, no by a refusal."""
    registry = shlex.quote(registry)
    own = f"--as {request.to} --key KEY --registry {registry}"
    for wanted in request.wanted:
        if wanted.what is RequestKind.ENROLMENT:
            yield f"dubgate enrol VOICE RECORDING --supplied-by {request.to} --confirmed-by {request.to} --registry {registry}"
        else:
            yield from _command(wanted, shlex.quote(manifest), own, registry)
    yield f"dubgate request --refuse {request.request_id} {own} --reason WHY"


def _command(wanted: Wanted, manifest: str, own: str, registry: str) -> Iterator[str]:
    if wanted.what is RequestKind.APPROVAL:
        yield f"dubgate approve {manifest} {own}"
    elif wanted.what is RequestKind.ATTESTATION:
        yield f"dubgate approve {manifest} {own} --attest {wanted.rule} --about '{wanted.about}' --answer yes"
    elif wanted.what is RequestKind.STATEMENT:
        yield f"dubgate approve {manifest} {own} --human"
    elif wanted.what is RequestKind.SIGN_OFF:
        yield f"dubgate approve {manifest} {own} --sign-off {wanted.rule.removeprefix('SGN-').lower().replace('-', '_')}"
    else:  # a grant, a permission: what was agreed, written down
        yield f"dubgate consent draft {manifest} --out seed.yaml --registry {registry}"
        yield f"dubgate consent import seed.yaml --registry {registry}"
