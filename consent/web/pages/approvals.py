"""One approval: what was signed, how it stands, its conditions, its proof; and taking it back."""

from __future__ import annotations

import json
import uuid
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.approvals import Approval
from consent.conditions import open_conditions
from consent.consequences import record_ending, touched
from consent.errors import RecordError
from consent.events import Event
from consent.report_lines import approval_line, of_kind
from consent.views import View
from consent.vocabulary import EventKind, Role
from consent.web import scope
from consent.web.catalogue import text
from consent.web.once import once
from consent.web.page import go, render
from consent.web.statement_fields import fields_of
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor, require_more_than_a_link
from consent.web.watching import told_of_ending
from consent.writing import Addition

router = APIRouter()


@router.get("/approvals/{approval_id}")
def one(request: Request, who: SignedIn, approval_id: str) -> Response:
    """An approval of the visitor's house."""
    with who.desk.registry.view() as view:
        approval = scope.approval_of(view, who, approval_id)
        entry = next(e for e, a in of_kind(view, [f"approval:{approval_id}"], Approval) if a == approval)
        line = approval_line(view, approval, view.now)
        history = next(h for h in view.approvals([approval.title_id]) if h.approval == approval)
        shown: dict[str, Any] = {
            "approval": approval,
            "line": line,
            "entry": entry,
            "title": scope.title_names(view, [approval.title_id]).get(approval.title_id, approval.title_id),
            "open": open_conditions(approval, history.events, view.now),
            "impact": touched(view, f"approval:{approval_id}", view.now),
        }
    groups = fields_of({"predicate": json.loads(approval.model_dump_json(exclude_none=True))}, who.language)
    return render(request, "approval.html", who, groups=groups, **shown)


@router.get("/approvals/{approval_id}/envelope.json")
def envelope(request: Request, who: SignedIn, approval_id: str) -> Response:
    """The signed statement as it stands in the ledger, to be kept and verified elsewhere."""
    with who.desk.registry.view() as view:
        approval = scope.approval_of(view, who, approval_id)
        entry = next(e for e, a in of_kind(view, [f"approval:{approval_id}"], Approval) if a == approval)
    if entry.envelope is None:
        raise NotYoursError
    head = {"content-disposition": f'attachment; filename="{approval_id}.dsse.json"'}
    return Response(entry.envelope, media_type="application/json", headers=head)


@router.post("/approvals/{approval_id}/met")
def met(request: Request, who: SignedIn, form: Posted, approval_id: str) -> Response:
    """Mark a condition as met: the party that set it says so."""
    require_more_than_a_link(who)
    condition = form.get("condition")
    with once(who, form) as first:
        if first:
            with who.desk.registry.write() as writer:
                approval = _own(writer, who, approval_id)
                if condition not in approval.conditions:
                    raise RecordError("the approval has no such condition")
                by = who.party_id if who.party_id == approval.by else approval.for_holder_id
                writer.add(Addition(_event(approval_id, EventKind.CONFIRMED, by, condition, writer.now)))
    return go(request, f"/approvals/{approval_id}", said="met" if first else "already")


def _own(view: View, who: Visitor, approval_id: str) -> Approval:
    """An approval for which the visitor may speak: their own, or their house's as its rights holder.

    Raises:
        NotYoursError: there is none of this id.
    """
    approval = scope.approval_of(view, who, approval_id)
    if who.party_id != approval.by and not who.decides_for(approval.for_holder_id, Role.RIGHTS_HOLDER):
        raise NotYoursError
    return approval


def _event(approval_id: str, kind: EventKind, by: str, reason: str, at: object) -> Event:
    said = {"target": "approval", "target_id": approval_id, "kind": kind, "by": by, "reason": reason}
    return Event.model_validate({"event_id": f"ev-{uuid.uuid4().hex}", "effective_at": at, **said})


@router.post("/approvals/{approval_id}/withdraw")
def withdraw(request: Request, who: SignedIn, form: Posted, approval_id: str) -> Response:
    """Take an approval back: at once, with the releases that rested on it told."""
    if not form.get("reason"):
        raise RecordError(text("decide.no_reason", who.language))
    with who.desk.registry.view() as view:
        approval = _own(view, who, approval_id)
    by = who.party_id if who.party_id == approval.by else approval.for_holder_id
    with once(who, form) as first:
        if first:
            ending = record_ending(
                who.desk.registry,
                f"approval:{approval_id}",
                EventKind.WITHDRAWN,
                by=by,
                reason=form.get("reason"),
            )
            told_of_ending(who.desk, ending)
    return go(request, f"/approvals/{approval_id}", said="withdrawn" if first else "already")
