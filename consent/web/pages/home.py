"""The first page: what waits for this visitor, and what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.entries import iso
from consent.parties import Party
from consent.views import View
from consent.web import accounts, recovery, scope
from consent.web.page import render
from consent.web.visiting import SignedIn, Visitor
from consent.web.voicing import ending_soon, unconfirmed

router = APIRouter()
NEWEST = 8
SOON = timedelta(days=90)


@router.get("/")
def home(request: Request, who: SignedIn) -> Response:
    """What waits, what ends soon, and what was decided lately."""
    with who.desk.registry.view() as view:
        waiting = scope.waiting_for(view, who)
        names = scope.title_names(view, (h.request.release.title_ids[0] for h in waiting[:50]))
        voices = scope.voices_of(view, who) if who.performer else ()
        shown: dict[str, Any] = {
            "waiting": [(h.request, scope.delivery_of(who, h.request)) for h in waiting[:NEWEST]],
            "n_waiting": len(waiting),
            "names": names,
            "ending": ending_soon(view, voices, iso(view.now), iso(view.now + SOON))[:NEWEST],
            "unconfirmed": [e for v in voices for e in unconfirmed(view, v.voice_id)][:NEWEST],
            "n_voices": len(voices),
            "held": _held(view, who)[:NEWEST],
            "name": scope.name_of(view, who.party_id, Party),
        }
    recovering = recovery.all_waiting(who.desk) if who.operator else []
    well_kept = accounts.well_kept(who.desk, who.account.account_id)
    return render(request, "home.html", who, recovering=recovering, well_kept=well_kept, **shown)


def _held(view: View, who: Visitor) -> list[Any]:
    """The deliveries that wait for a reviewer."""
    if who.desk.judge is None or not who.reviewer:
        return []
    waiting = (s for s in who.desk.judge.deliveries() if s.decision in ("hold", "block"))
    return [s for s in waiting if scope.may_review(view, who, s)]
