"""One grant: in plain words and verbatim, its history; and ending it, with the consequences shown first."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.consequences import record_ending, touched
from consent.denials import GrantHistory
from consent.errors import RecordError
from consent.report_lines import Proofs, event_line, of_kind
from consent.terms import Grant
from consent.views import View
from consent.vocabulary import EventKind
from consent.web import scope
from consent.web.catalogue import text
from consent.web.once import once
from consent.web.page import go, render
from consent.web.statement_fields import fields_of
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor
from consent.web.voicing import told_grant
from consent.web.watching import told_of_ending

router = APIRouter()
WORDS = {"withdraw": EventKind.WITHDRAWN, "suspend": EventKind.SUSPENDED, "resume": EventKind.RESUMED}


@router.get("/grants/{grant_id}")
def grant(request: Request, who: SignedIn, grant_id: str) -> Response:
    """A grant that the visitor speaks for."""
    with who.desk.registry.view() as view:
        history = scope.grant_of(view, who, grant_id)
        entry = next(e for e, g in of_kind(view, [f"grant:{grant_id}"], Grant) if g == history.grant)
        shown: dict[str, Any] = {
            "history": history,
            "told": told_grant(view, history, who.language),
            "events": [event_line(e) for e in history.events],
            "proof": Proofs(view.store, view.store.size()).of(entry),
            "n_touched": len(touched(view, f"grant:{grant_id}", view.now).releases),
        }
    data = json.loads(history.grant.model_dump_json(exclude_none=True))
    return render(request, "grant.html", who, groups=fields_of({"predicate": data}, who.language), **shown)


@router.get("/grants/{grant_id}/{word}")
def consequences(request: Request, who: SignedIn, grant_id: str, word: str) -> Response:
    """What withdrawing or suspending would touch, before it is done."""
    if word not in WORDS:
        raise NotYoursError
    with who.desk.registry.view() as view:
        history = scope.grant_of(view, who, grant_id)
        impact = touched(view, f"grant:{grant_id}", view.now)
        names = scope.title_names(view, {r.title_id for r in (*impact.releases, *impact.standing)})
        told = told_grant(view, history, who.language)
    return render(
        request, "ending.html", who, history=history, told=told, impact=impact, names=names, act=word, most=100
    )


@router.post("/grants/{grant_id}/{word}")
def end(request: Request, who: SignedIn, form: Posted, grant_id: str, word: str) -> Response:
    """Withdraw, suspend or resume: at once. A suspension needs no passkey and can be undone."""
    if word not in WORDS:
        raise NotYoursError
    with who.desk.registry.view() as view:
        _require_possible(view, scope.grant_of(view, who, grant_id), word, who)
    if word == "withdraw" and not form.get("sure"):
        raise RecordError(text("ending.not_sure", who.language))
    with once(who, form) as first:
        if first:
            reason = form.get("reason") or None
            ending = record_ending(who.desk.registry, f"grant:{grant_id}", WORDS[word], by=who.party_id, reason=reason)
            told_of_ending(who.desk, ending)
    return go(request, f"/grants/{grant_id}", said=f"grant_{word}" if first else "already")


def _require_possible(view: View, history: GrantHistory, word: str, who: Visitor) -> None:
    status = history.state(view.now).status(view.now)
    ended = status is None or (not status.alive and status.kind is not EventKind.SUSPENDED)
    if word == "withdraw" and ended:
        raise RecordError(text("ending.over", who.language))
