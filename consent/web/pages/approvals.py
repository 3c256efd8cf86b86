"""One approval: what was signed, how it stands, its conditions, its proof; and taking it back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.approvals import Approval
from consent.conditions import open_conditions
from consent.consequences import touched
from consent.errors import RecordError
from consent.events import Event
from consent.report_lines import approval_line, of_kind
from consent.shown import Shown
from consent.views import View
from consent.vocabulary import EventKind, Role
from consent.web import scope
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.catalogue import text
from consent.web.page import render
from consent.web.statement_fields import fields_of
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor
from consent.web.wording import places, span, spoken

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
    condition, path = form.get("condition"), f"/approvals/{approval_id}"

    def act(view: View) -> Act:
        approval = _own(view, who, approval_id)
        if condition not in approval.conditions:
            raise RecordError("the approval has no such condition")
        shown = _shown(view, approval, text("approval.mark_met", who.language), who.language, condition=condition)
        event = _event(view, who, approval, EventKind.CONFIRMED, condition, shown)
        return Act((event,), path, "met", path, loosens=True)

    return perform(request, who, form, act)


def _own(view: View, who: Visitor, approval_id: str) -> Approval:
    """An approval for which the visitor may speak: their own, or their house's as its rights holder.

    Raises:
        NotYoursError: there is none of this id.
    """
    approval = scope.approval_of(view, who, approval_id)
    if who.party_id != approval.by and not who.decides_for(approval.for_holder_id, Role.RIGHTS_HOLDER):
        raise NotYoursError
    return approval


def _event(view: View, who: Visitor, approval: Approval, kind: EventKind, reason: str, shown: Sequence[Shown]) -> Event:
    """In the name of whoever signed the approval, or of the house for which it was signed."""
    by = who.party_id if who.party_id == approval.by else approval.for_holder_id
    return event_of(view, f"approval:{approval.approval_id}", kind, by=by, reason=reason, shown=shown)


def _shown(view: View, approval: Approval, act: str, language: str, **more: str) -> tuple[Shown, ...]:
    """What the page says of an approval, to be signed with what is said about it."""
    names = scope.title_names(view, [approval.title_id])
    places_ = places(approval.territories, approval.territories_excluded, language)
    return shown_as(
        language,
        act=act,
        title=f"{names.get(approval.title_id, approval.title_id)} ({approval.title_id})",
        language=f"{spoken(approval.language, language)} ({approval.language})",
        territories=places_,
        window=span(approval.window.start, approval.window.end, language),
        **more,
    )


@router.post("/approvals/{approval_id}/withdraw")
def withdraw(request: Request, who: SignedIn, form: Posted, approval_id: str) -> Response:
    """Take an approval back: at once, with the releases that rested on it told."""
    if not form.get("reason"):
        raise RecordError(text("decide.no_reason", who.language))
    path = f"/approvals/{approval_id}"

    def act(view: View) -> Act:
        approval = _own(view, who, approval_id)
        n = len(touched(view, f"approval:{approval_id}", view.now).releases)
        follows = text("approval.impact", who.language, n=n)
        shown = _shown(view, approval, text("approval.withdraw", who.language), who.language, consequences=follows)
        return Act(
            (_event(view, who, approval, EventKind.WITHDRAWN, form.get("reason"), shown),), path, "withdrawn", path
        )

    return perform(request, who, form, act)
