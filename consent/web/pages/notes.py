"""Notes to the vendor: written line by line, sent back together, and read by whoever submitted the delivery."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.web import scope
from consent.web.catalogue import text
from consent.web.once import once
from consent.web.page import go, render
from consent.web.pages.deliveries import delivery_of, judge_of
from consent.web.returning import add_note, audition_markers, markers_csv, notes_of, returned, send_back
from consent.web.visiting import Form, NotYoursError, Posted, SignedIn, Visitor
from consent.web.watching import told_of_return

router = APIRouter()


@router.post("/deliveries/{delivery_id}/notes")
def add(request: Request, who: SignedIn, form: Posted, delivery_id: str) -> Response:
    """Write a note down, as a draft that only reviewers see."""
    with who.desk.registry.view() as view:
        delivery_of(view, who, delivery_id)
    if not form.get("words"):
        raise RecordError(text("decide.no_reason", who.language))
    with once(who, form) as first:
        if first:
            line = form.get("line_id")[:200] or None
            add_note(who.desk, delivery_id, who.party_id, form.get("words"), line_id=line, span=_span(form))
    return go(request, f"/deliveries/{delivery_id}", said="noted" if first else "already")


def _span(form: Form) -> tuple[float, float] | None:
    try:
        start, end = float(form.get("start_s")), float(form.get("end_s"))
    except ValueError:
        return None
    return (start, end) if 0 <= start <= end <= 360_000 else None


@router.post("/deliveries/{delivery_id}/return")
def give_back(request: Request, who: SignedIn, form: Posted, delivery_id: str) -> Response:
    """Send the delivery back with its notes; who submitted it is told."""
    with who.desk.registry.view() as view:
        summary = delivery_of(view, who, delivery_id)
    with once(who, form) as first:
        if first:
            if send_back(who.desk, delivery_id) == 0:
                raise RecordError(text("notes.none", who.language))
            told_of_return(who.desk, summary, who.party_id)
    return go(request, f"/deliveries/{delivery_id}", said="returned" if first else "already")


@router.get("/returned/{delivery_id}")
def read(request: Request, who: SignedIn, delivery_id: str) -> Response:
    """The notes for whoever submitted the delivery, with the markers to load into an editor."""
    summary, successors = _submitted(who, delivery_id)
    notes = returned(notes_of(who.desk, delivery_id))
    return render(request, "returned.html", who, summary=summary, notes=notes, successors=successors)


@router.get("/returned/{delivery_id}/{form_}")
def markers(who: SignedIn, delivery_id: str, form_: str) -> Response:
    """The notes as a file."""
    _submitted(who, delivery_id)
    notes = returned(notes_of(who.desk, delivery_id))
    kinds = {"notes.csv": (markers_csv, "text/csv"), "markers.txt": (audition_markers, "text/plain")}
    if form_ not in kinds:
        raise NotYoursError
    make, media_type = kinds[form_]
    head = {"content-disposition": f'attachment; filename="{delivery_id}-{form_}"'}
    return Response(make(notes), media_type=f"{media_type}; charset=utf-8", headers=head)


def _submitted(who: Visitor, delivery_id: str) -> tuple[object, list[object]]:
    with who.desk.registry.view() as view:
        summary = delivery_of(view, who, delivery_id, listening=True)
        if not (who.vendor and summary.submitted_by in who.ids) and not scope.may_review(view, who, summary):
            raise NotYoursError
    later: list[object] = [s for s in judge_of(who).deliveries() if s.predecessor_id == delivery_id]
    return summary, later
