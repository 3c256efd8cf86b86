"""One grant: in plain words and verbatim, its history; and ending it, with the consequences shown first."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.consequences import touched
from consent.denials import GrantHistory
from consent.errors import RecordError
from consent.events import Event
from consent.releases import Release
from consent.report_lines import Proofs, event_line, of_kind
from consent.shown import Shown
from consent.terms import Grant
from consent.views import View
from consent.vocabulary import EventKind
from consent.web import scope
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.catalogue import text
from consent.web.catalogue import word as word_of
from consent.web.page import render
from consent.web.statement_fields import fields_of
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor, has_passkey
from consent.web.voicing import told_grant
from consent.web.wording import places_short, span

router = APIRouter()
MOST = 100
WORDS = {"withdraw": EventKind.WITHDRAWN, "suspend": EventKind.SUSPENDED, "resume": EventKind.RESUMED}


@router.get("/grants/{grant_id}")
def grant(request: Request, who: SignedIn, grant_id: str) -> Response:
    """A grant that the visitor speaks for."""
    with who.desk.registry.view() as view:
        history = scope.grant_of(view, who, grant_id)
        entry = next(e for e, g in of_kind(view, [f"grant:{grant_id}"], Grant) if g == history.grant)
        said = view.store.entries(f"grant:{grant_id}", Event)
        mine = {e.leaf_index for e in said if e.envelope is not None and scope.may_take(who, e.record)}
        shown: dict[str, Any] = {
            "history": history,
            "told": told_grant(view, history, who.language),
            "events": [event_line(e) | {"mine": e.leaf_index in mine} for e in history.events[-MOST:]],
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
        request, "ending.html", who, history=history, told=told, impact=impact, names=names, act=word, most=MOST
    )


@router.post("/grants/{grant_id}/{word}")
def end(request: Request, who: SignedIn, form: Posted, grant_id: str, word: str) -> Response:
    """Withdraw, suspend or resume: at once. A suspension needs no passkey and can be undone."""
    if word not in WORDS:
        raise NotYoursError
    path = f"/grants/{grant_id}"

    def act(view: View) -> Act:
        history = scope.grant_of(view, who, grant_id)
        _require_possible(view, history, word, who)
        if word == "withdraw" and not form.get("sure"):
            raise RecordError(text("ending.not_sure", who.language))
        shown = _shown(view, history, word, who.language)
        reason = form.get("reason") or None
        event = event_of(view, f"grant:{grant_id}", WORDS[word], by=who.party_id, reason=reason, shown=shown)
        return Act((event,), path, f"grant_{word}", path, loosens=word == "resume" and has_passkey(who))

    return perform(request, who, form, act)


def _shown(view: View, history: GrantHistory, word: str, language: str) -> tuple[Shown, ...]:
    """What the page of consequences says, to be signed with the act."""
    told, impact = told_grant(view, history, language), touched(view, f"grant:{history.grant.grant_id}", view.now)
    names = scope.title_names(view, {r.title_id for r in (*impact.releases, *impact.standing)})
    effect = (text(f"grant.effect.{impact.effect}", language),) if word == "withdraw" else ()
    follows = (text("ending.touches", language, n=len(impact.releases)), *effect)
    return shown_as(
        language,
        act=text(f"ending.ask_{word}", language),
        consent=" ".join(told.sentences),
        consequences=" ".join(follows),
        releases="\n".join(_said(r, names, language) for r in impact.releases[:MOST]),
        beside="\n".join(_said(r, names, language) for r in impact.standing[:MOST]),
    )


def _said(release: Release, names: dict[str, str], language: str) -> str:
    where = places_short(release.territories, release.territories_excluded, language)
    channels = ", ".join(word_of("channel", c, language) for c in release.channels)
    term = span(release.window.start, release.window.end, language)
    return f"{names.get(release.title_id, release.title_id)}, {release.language}: {where}; {channels}; {term}"


def _require_possible(view: View, history: GrantHistory, word: str, who: Visitor) -> None:
    status = history.state(view.now).status(view.now)
    ended = status is None or (not status.alive and status.kind is not EventKind.SUSPENDED)
    if word == "withdraw" and ended:
        raise RecordError(text("ending.over", who.language))
