"""Standing refusals: "no AI dub in any form", in one's own words, for titles or voices; and lifting one again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.report_lines import of_kind, refusal_line
from consent.shown import Shown
from consent.titles import Refusal
from consent.views import View
from consent.vocabulary import EventKind, Role, Technique
from consent.web import scope
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.catalogue import text
from consent.web.page import render
from consent.web.visiting import Form, NotYoursError, Posted, SignedIn, Visitor

router = APIRouter()
MOST = 200


@router.get("/refusals")
def refusals(request: Request, who: SignedIn) -> Response:
    """One's standing refusals, and the form for a new one."""
    if not (who.holder or who.performer):
        raise NotYoursError
    with who.desk.registry.view() as view:
        found = of_kind(view, [f"party:{p}" for p in who.ids], Refusal)
        lines = [(r, refusal_line(view, e, r, view.now)["status"]) for e, r in found if r.by in who.ids]
        held = scope.held_titles(view, who)[:MOST]
        names = scope.title_names(view, {*held, *(t for r, _ in lines for t in r.title_ids)})
        voices = [v.voice_id for v in scope.voices_of(view, who)] if who.performer else []
    techniques = [str(t) for t in Technique]
    return render(
        request,
        "refusals.html",
        who,
        lines=lines,
        held=[(t, names.get(t, t)) for t in held],
        names=names,
        voices=voices,
        techniques=techniques,
    )


@router.post("/refusals")
def refuse(request: Request, who: SignedIn, form: Posted) -> Response:
    """Set a standing refusal; it wins over every grant and approval from now on."""
    if not form.get("words"):
        raise RecordError(text("decide.no_reason", who.language))
    return perform(
        request, who, form, lambda view: Act((_refusal(view, who, form),), "/refusals", "refusal_set", "/refusals")
    )


def _refusal(view: View, who: Visitor, form: Form) -> Refusal:
    titles, voices = tuple(dict.fromkeys(form.all("title_id"))), tuple(dict.fromkeys(form.all("voice_id")))
    for title_id in titles:
        scope.title_of(view, who, title_id)
    for voice_id in voices:
        scope.voice_of(view, who, voice_id)
    if not titles and not voices:
        raise RecordError(text("refusals.none", who.language))
    by = who.party.house_id if titles and who.holder and not voices else who.party_id
    return Refusal(
        refusal_id=f"rf-{uuid.uuid4().hex[:24]}",
        by=by,
        title_ids=titles,
        voice_ids=voices,
        techniques=tuple(Technique(t) for t in form.all("technique") if t in {str(x) for x in Technique}),
        not_before=view.now,
        words={who.language: form.get("words")},
        shown=_shown(view, titles, voices, who.language),
    )


@router.post("/refusals/{refusal_id}/lift")
def lift(request: Request, who: SignedIn, form: Posted, refusal_id: str) -> Response:
    """Lift one's own refusal, or that of the house as its rights holder."""

    def act(view: View) -> Act:
        refusal = view.record(f"refusal:{refusal_id}", Refusal)
        if refusal is None or not who.decides_for(refusal.by, Role.RIGHTS_HOLDER):
            raise NotYoursError
        words = refusal.words.get(who.language) or next(iter(refusal.words.values()))
        shown = shown_as(who.language, act=text("refusals.lift", who.language), words=words)
        shown = (*shown, *(_shown(view, refusal.title_ids, refusal.voice_ids, who.language) or ()))
        event = event_of(view, f"refusal:{refusal_id}", EventKind.LIFTED, by=refusal.by, shown=shown)
        return Act((event,), "/refusals", "refusal_lifted", "/refusals", loosens=True)

    return perform(request, who, form, act)


def _shown(view: View, titles: Sequence[str], voices: Sequence[str], language: str) -> tuple[Shown, ...] | None:
    """The titles and voices by the names that the page gives."""
    joint, names = "、" if language == "ja" else ", ", scope.title_names(view, titles)
    named = joint.join(names.get(t, t) for t in titles)
    return shown_as(language, title=named, voice=joint.join(voices)) or None
