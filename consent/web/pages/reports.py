"""Consent reports for a period, a title or a voice: on the screen, for print, as PDF, CSV and JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from consent.report import uses_csv
from consent.views import View
from consent.web import scope
from consent.web.page import iso_minute, render
from consent.web.paper import to_pdf
from consent.web.pictures import bars
from consent.web.reporting import A_PAGE, Chosen, Found, chosen_lines, counted
from consent.web.visiting import NotYoursError, SignedIn, Start, Visitor

router = APIRouter()
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@router.get("/reports")
def report(
    request: Request,
    who: SignedIn,
    since: str = "",
    until: str = "",
    title: str = "",
    voice: str = "",
    start: Start = 0,
) -> Response:
    """The report as a page, which prints."""
    with who.desk.registry.view() as view:
        chosen = _chosen(view, who, since, until, title, voice)
        found = chosen_lines(view, who, chosen, start=max(0, start))
        names = _names(who, found)
    charts = [
        (key, Markup(bars(counted(found.every, field, who.language))))
        for key, field in (("by_decision", "decision"), ("by_language", "language"), ("by_month", "decided_at"))
        if found.every
    ]
    return render(
        request,
        "reports.html",
        who,
        chosen=chosen,
        found=found,
        names=names,
        charts=charts,
        start=start,
        step=A_PAGE,
        query=chosen.query(),
    )


def _chosen(view: View, who: Visitor, since: str, until: str, title: str, voice: str) -> Chosen:
    """What the report is about.

    Raises:
        NotYoursError: a title or a voice that is none of the visitor's.
    """
    if title:
        scope.title_of(view, who, title)
    if voice:
        scope.voice_of(view, who, voice)
    last = _day(until)
    end = view.now + timedelta(microseconds=1) if last is None else last + timedelta(days=1)  # now counts too
    first = _day(since) or end - timedelta(days=90)
    return Chosen(first, max(first, end), title, voice, last.date().isoformat() if last is not None else "")


def _names(who: Visitor, found: Found) -> dict[str, str]:
    """The names of the titles that are shown or chosen from."""
    shown = {*(u["title_id"] for u in found.uses), *(a["title_id"] for a in found.approvals), *found.titles[:200]}
    shown |= {t for g in found.grants for t in g["titles"]}
    with who.desk.registry.view() as view:
        who.desk.titles.refresh(view)
    return {t: who.desk.titles.name(t) for t in shown}


def _day(text_: str) -> datetime | None:
    if not _DAY.match(text_):
        return None
    try:
        return datetime.fromisoformat(text_).replace(tzinfo=UTC)
    except ValueError:
        return None


@router.get("/reports/report.{form}")
def download(who: SignedIn, form: str, since: str = "", until: str = "", title: str = "", voice: str = "") -> Response:
    """The report as a file: the JSON carries a proof for every line."""
    kinds = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json"}
    if form not in kinds:
        raise NotYoursError
    with who.desk.registry.view() as view:
        chosen = _chosen(view, who, since, until, title, voice)
        found = chosen_lines(view, who, chosen, proofs=True)
        names = _names(who, found)
    head = who.desk.registry.head()
    data: dict[str, Any] = {
        "schema": "consent-desk-report/1.0",
        "party_id": who.party_id,
        "from": chosen.since.isoformat(),
        "until": chosen.until.isoformat(),
        "title": title or None,
        "voice": voice or None,
        "checkpoint": head.body(),
        "grants": found.grants,
        "approvals": found.approvals,
        "uses": found.uses,
    }
    if form == "json":
        body: str | bytes = json.dumps(data, indent=1)
    elif form == "csv":
        body = uses_csv(found.uses)
    else:
        body = to_pdf(data, names, who.language)
    name = f"consent-{who.party_id}-{iso_minute(who.desk.clock())}.{form}"
    return Response(body, media_type=kinds[form], headers={"content-disposition": f'attachment; filename="{name}"'})
