"""What the listening page loads as it is needed: lines, pictures of F0 and level, sound by range, short excerpts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from consent.web import scope
from consent.web.answering import may_hear, own_findings
from consent.web.page import render
from consent.web.pages.deliveries import delivery_of, judge_of
from consent.web.pictures import contour
from consent.web.protocols import Listening, Summary, Which
from consent.web.resubmitted import changes_between
from consent.web.returning import notes_of
from consent.web.visiting import NotYoursError, SignedIn, Start, Visitor

router = APIRouter()
A_PAGE, MOST_LINES = 40, 200
EXCERPT_S, PICTURE_S = 20.0, 60.0
KEPT = {
    "cache-control": "private, no-cache"
}  # asked each time: people sign over what they heard, not what lay there before


def _listening(who: Visitor) -> Listening:
    if who.desk.listening is None:
        raise NotYoursError
    return who.desk.listening


def _heard_by(who: Visitor, delivery_id: str) -> Summary:
    with who.desk.registry.view() as view:
        return delivery_of(view, who, delivery_id, listening=True)


@router.get("/deliveries/{delivery_id}/lines")
def lines(
    request: Request, who: SignedIn, delivery_id: str, start: Start = 0, count: int = A_PAGE, order: str = "flagged"
) -> Response:
    """A stretch of the lines, as a piece of the page."""
    _heard_by(who, delivery_id)
    found = _listening(who).lines(
        delivery_id, start=max(0, start), count=min(max(1, count), MOST_LINES), flagged_first=order != "time"
    )
    return render(request, "lines.html", who, found=found, start=max(0, start), order=order, delivery_id=delivery_id)


@router.get("/deliveries/{delivery_id}/timeline.json")
def timeline(who: SignedIn, delivery_id: str) -> Response:
    """Where the lines lie and how they fared: start, end, outcome, id; for the bar over the whole programme."""
    _heard_by(who, delivery_id)
    found = _listening(who).lines(delivery_id, start=0, count=20_000, flagged_first=False)
    marks = [[round(x.start_s, 2), round(x.end_s, 2), x.outcome, x.line_id] for x in found.lines]
    return JSONResponse({"lines": marks}, headers=KEPT)


@router.get("/deliveries/{delivery_id}/changes")
def changes(request: Request, who: SignedIn, delivery_id: str) -> Response:
    """What a resubmission changed against the delivery that it replaces, line by line."""
    summary = _heard_by(who, delivery_id)
    if summary.predecessor_id is None:
        raise NotYoursError
    _heard_by(who, summary.predecessor_id)
    notes = notes_of(who.desk, summary.predecessor_id)
    found = changes_between(_listening(who), summary.predecessor_id, delivery_id, notes)
    return render(request, "changes.html", who, summary=summary, before=summary.predecessor_id, changes=found)


@router.get("/deliveries/{delivery_id}/picture.svg")
def picture(who: SignedIn, delivery_id: str, start: float, end: float) -> Response:
    """F0 and level of original and dub over a stretch."""
    _heard_by(who, delivery_id)
    if not 0 <= start < end <= start + PICTURE_S:
        raise NotYoursError
    found = _listening(who).curves(delivery_id, start, end)
    if found is None:
        raise NotYoursError
    return Response(contour(found, who.language), media_type="image/svg+xml", headers=KEPT)


@router.get("/deliveries/{delivery_id}/sound/{which}")
def sound(who: SignedIn, delivery_id: str, which: Which) -> Response:
    """The whole programme, by range, for whoever may hear it."""
    _heard_by(who, delivery_id)
    found = _listening(who).sound(delivery_id, which)
    if found is None:
        raise NotYoursError
    return FileResponse(found.path, media_type=found.media_type, headers=KEPT)


@router.get("/deliveries/{delivery_id}/excerpt/{which}")
def excerpt(who: SignedIn, delivery_id: str, which: Which, start: float, end: float) -> Response:
    """At most 20 s: for whoever may hear the whole, and of their own clips, and of what was found of
    their own voice, for whoever was asked or is heard."""
    found = judge_of(who).dossier(delivery_id)
    if found is None or not 0 <= start < end <= start + EXCERPT_S:
        raise NotYoursError
    with who.desk.registry.view() as view:
        whole = scope.may_hear_all(view, who, found.summary)
        voices = {v.voice_id for v in scope.voices_of(view, who)}
        mine = {c.character for c in found.cast if set(c.voice_ids) & voices}
        asked = scope.asked_about(view, who, found.summary.packets_sha256)
        own = own_findings(view, who, judge_of(who), found) if who.performer else ()
    clips = [c for c in found.clips if asked or c.character in mine]
    inside = any(c.start_s <= start and end <= c.end_s + 0.05 for c in clips) or may_hear(start, end, own)
    if not whole and not inside:
        raise NotYoursError
    data = _listening(who).excerpt(delivery_id, which, start, end)
    if data is None:
        raise NotYoursError
    return Response(data, media_type="audio/flac", headers=KEPT)
