"""The titles that a rights holder holds, and one title: what was asked, approved, released and refused for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.approvals import Approval
from consent.releases import Release
from consent.report_lines import approval_line, of_kind, use_line
from consent.requests import RequestHistory
from consent.titles import Refusal
from consent.views import View
from consent.web import scope
from consent.web.page import render
from consent.web.visiting import NotYoursError, SignedIn, Start, Visitor

router = APIRouter()
A_PAGE = 50


@router.get("/titles")
def titles(request: Request, who: SignedIn, start: Start = 0) -> Response:
    """Every title that the visitor's house holds."""
    if not who.holder:
        raise NotYoursError
    with who.desk.registry.view() as view:
        held = scope.held_titles(view, who)
        part = held[max(0, start) : max(0, start) + A_PAGE]
        waiting: dict[str, int] = {}
        for history in scope.waiting_for(view, who):
            title_id = history.request.release.title_ids[0]
            waiting[title_id] = waiting.get(title_id, 0) + 1
        rows = [(t, who.desk.titles.name(t), waiting.get(t, 0)) for t in part]
    return render(request, "titles.html", who, rows=rows, total=len(held), start=start, step=A_PAGE)


@router.get("/titles/{title_id}")
def title(request: Request, who: SignedIn, title_id: str) -> Response:
    """One title."""
    with who.desk.registry.view() as view:
        found = scope.title_of(view, who, title_id)
        who.desk.titles.refresh(view)
        key = [f"title:{title_id}"]
        shown: dict[str, Any] = {
            "title": found.title,
            "above": found.above,
            "below": [(t, who.desk.titles.name(t)) for t in who.desk.titles.below(title_id)[:A_PAGE]],
            "asked": [
                (h.request, str(h.status(view.now)), scope.delivery_of(who, h.request))
                for h in islice(_asked(view, who, title_id), A_PAGE)
            ],
            "approvals": [approval_line(view, a, view.now) for a in _approvals(view, key[0], who)],
            "releases": [use_line(r, (), view.now) for r in _releases(view, key[0])],
            "refusals": [r for _, r in of_kind(view, key, Refusal) if r.by in who.ids],
        }
    return render(request, "title.html", who, **shown)


def _asked(view: View, who: Visitor, title_id: str) -> Iterator[RequestHistory]:
    """What the visitor was asked about this title."""
    return (h for h in scope.asked_of(view, who) if title_id in h.request.release.title_ids)


def _approvals(view: View, key: str, who: Visitor) -> list[Approval]:
    """The newest approvals by the visitor's house."""
    found = (e.record for e in view.store.newest([key], Approval, A_PAGE))
    return [a for a in found if isinstance(a, Approval) and who.ids & {a.by, a.for_holder_id}]


def _releases(view: View, key: str) -> list[Release]:
    """The newest decisions about the title."""
    return [r for e in view.store.newest([key], Release, A_PAGE) if isinstance(r := e.record, Release)]
