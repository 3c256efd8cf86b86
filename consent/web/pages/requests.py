"""Requests: the list of what waits, one request with everything that is needed to decide, and the decisions themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.asking import request_histories
from consent.errors import RecordError
from consent.events import Event
from consent.passkey_signing import to_sign
from consent.requests import Request as Asked
from consent.requests import RequestHistory, RequestKind
from consent.shown import Shown
from consent.views import View
from consent.vocabulary import EventKind, Role
from consent.web import accounts, scope
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.answering import own_findings
from consent.web.batch import propose_list
from consent.web.catalogue import text
from consent.web.deciding import CONDITION_KINDS, approval_of, terms_of
from consent.web.granting import given, grant_of_request
from consent.web.page import go, render
from consent.web.protocols import Dossier, Judge
from consent.web.signing import propose
from consent.web.telling import Story, approves_sound, dossier_of, story_of
from consent.web.visiting import (
    PERFORMING,
    Form,
    NotYoursError,
    Posted,
    SignedIn,
    Start,
    Visitor,
)

router = APIRouter()
A_PAGE = 50
MOST_SHOWN = 200


@router.get("/requests")
def requests(request: Request, who: SignedIn, all: str = "", start: Start = 0) -> Response:
    """What waits for the visitor; with `all`, what was decided too."""
    with who.desk.registry.view() as view:
        found = scope.asked_of(view, who) if all else scope.waiting_for(view, who)
        part = found[max(0, start) : max(0, start) + A_PAGE]
        names = scope.title_names(view, (h.request.release.title_ids[0] for h in part))
        rows = [_row(view, h, names) | {"delivery": scope.delivery_of(who, h.request)} for h in part]
    return render(request, "requests.html", who, rows=rows, all=bool(all), total=len(found), start=start, step=A_PAGE)


def _row(view: View, history: RequestHistory, names: dict[str, str]) -> dict[str, Any]:
    asked = history.request
    return {
        "request": asked,
        "title": names.get(asked.release.title_ids[0], asked.release.title_ids[0]),
        "status": str(history.status(view.now)),
        "waiting": history.waiting(view.now),
        "approves": approves_sound(asked),
        "kinds": sorted({str(w.what) for w in asked.wanted}),
    }


@router.get("/requests/{request_id}")
def one(request: Request, who: SignedIn, request_id: str) -> Response:
    """One request: the story, the clips, every field, and the decision."""
    judge = who.desk.judge
    with who.desk.registry.view() as view:
        history = scope.request_of(view, who, request_id)
        asked = history.request
        story = story_of(view, asked, dossier_of(who.desk.judge, asked), who.language)
        refusal = history.refusal(view.now)
        mine = list(scope.voices_of(view, who)) if who.performer else []
        shown: dict[str, Any] = {
            "history": history,
            "asked": asked,
            "status": str(history.status(view.now)),
            "waiting": history.waiting(view.now) and who.decides_for(asked.to, Role.RIGHTS_HOLDER, *PERFORMING),
            "mine": asked.to in who.ids,
            "refusal": refusal,
            "approves": approves_sound(asked),
            "sound": who.desk.listening is not None,
            "questions_ja": _questions_ja(judge, story.dossier, {w.rule for w in asked.wanted}),
            "wanted": [w for w in asked.wanted if w.what is not RequestKind.APPROVAL],
            "voices": _to_grant(story, asked, [v.voice_id for v in mine if v.owner_id == who.party_id]),
            "to_voices": _to_see(story, asked, [v.voice_id for v in mine]),
            "own": own_findings(view, who, judge, story.dossier) if judge is not None and story.dossier else (),
        }
    ready = accounts.well_kept(who.desk, who.account.account_id)
    return render(
        request, "request.html", who, story=story, ready=ready, condition_kinds=CONDITION_KINDS, days=180, **shown
    )


def _questions_ja(judge: Judge | None, dossier: Dossier | None, rules: Collection[str]) -> dict[str, str]:
    """What was asked, in Japanese, by its English: that is kept, and the finding that it was asked of has both.

    A question that no finding asks any more stays in English.
    """
    judged = judge.last(dossier.summary.delivery_id) if judge is not None and dossier is not None else None
    found = [f for f in (judged.findings if judged is not None else ()) if f.rule in rules and f.why_ja and f.ja]
    return {f"{f.why}: {f.en}": f"{f.why_ja}: {f.ja}" for f in found}


def _to_grant(story: Story, asked: Asked, owned: list[str]) -> list[str]:
    """The visitor's own voices for which a consent was asked for: those that speak in it, all where nobody says who does."""
    if not any(w.what is RequestKind.GRANT for w in asked.wanted):
        return []
    return _cast(story, owned) if story.dossier is not None else owned


def _to_see(story: Story, asked: Asked, voices: list[str]) -> list[str]:
    """The voices on whose pages a recording is confirmed, or a comparison permitted, where that was asked for."""
    kinds = {RequestKind.ENROLMENT, RequestKind.PERMISSION}
    return (_cast(story, voices) or voices) if any(w.what in kinds for w in asked.wanted) else []


def _cast(story: Story, voices: list[str]) -> list[str]:
    spoken = {v for c in (story.dossier.cast if story.dossier else ()) for v in c.voice_ids}
    return [v for v in voices if v in spoken]


@router.post("/requests/{request_id}/approve")
def approve(request: Request, who: SignedIn, form: Posted, request_id: str) -> Response:
    """Write the statement that the holder will sign, and show it."""
    _require_two_ways_in(who)
    named = [(kind, form.get(f"condition_{kind}")) for kind in CONDITION_KINDS]
    terms = terms_of(form.get("territories"), form.get("until"), named, who.language)
    if form.get("decision") == "conditions" and not terms.narrower:
        raise RecordError(text("decide.no_condition", who.language))
    if form.get("decision") != "conditions":
        terms = terms_of("", "", (), who.language)
    with who.desk.registry.view() as view:
        history = _waiting(view, who, request_id)
        story = story_of(view, history.request, dossier_of(who.desk.judge, history.request), who.language)
        if story.differs:
            raise RecordError(text("decide.differs", who.language))
        record = approval_of(story, history.request, terms, by=who.party_id, at=view.now, language=who.language)
    payload = to_sign(record).payload
    number = propose(who, payload, {"kind": "approval", "request_id": request_id})
    return go(request, f"/sign/{number}")


def _own(view: View, who: Visitor, request_id: str) -> None:
    """Check that the visitor answers for whom a request is to: themselves, or their house as its rights holder.

    Raises:
        NotYoursError: a house's other people see what it was asked, and say nothing in its name.
    """
    if not who.decides_for(scope.request_of(view, who, request_id).request.to, Role.RIGHTS_HOLDER, *PERFORMING):
        raise NotYoursError


def _require_two_ways_in(who: Visitor) -> None:
    if not accounts.well_kept(who.desk, who.account.account_id):
        raise RecordError(text("decide.secure_first", who.language))


def _waiting(view: View, who: Visitor, request_id: str) -> RequestHistory:
    """A request to the visitor that waits for an approval.

    Raises:
        RecordError: it was decided, or changed meanwhile.
    """
    history = scope.request_of(view, who, request_id)
    if history.request.to not in who.ids or not who.holder or not approves_sound(history.request):
        raise NotYoursError
    if not history.waiting(view.now):
        raise RecordError(text("decide.closed", who.language, status=str(history.status(view.now))))
    return history


@router.post("/requests/{request_id}/refuse")
def refuse(request: Request, who: SignedIn, form: Posted, request_id: str) -> Response:
    """Say no, in one's own words; it blocks the release of this sound until the same party lifts it."""
    return _refuse(request, who, form, (request_id,))


@router.post("/requests/refuse")
def refuse_all(request: Request, who: SignedIn, form: Posted) -> Response:
    """Say no to all that are ticked, in one gesture."""
    chosen = form.all("request_id")
    if not chosen:
        raise RecordError(text("decide.none_chosen", who.language))
    return _refuse(request, who, form, chosen)


def _refuse(request: Request, who: Visitor, form: Form, ids: Iterable[str]) -> Response:
    reason = form.get("reason")
    if not reason:
        raise RecordError(text("decide.no_reason", who.language))
    chosen = tuple(dict.fromkeys(ids))[:A_PAGE]
    path = f"/requests/{chosen[0]}" if len(chosen) == 1 else "/requests"

    def act(view: View) -> Act:
        said = [_answer(view, who, r, EventKind.REFUSED, reason, "decide.refuse") for r in chosen]
        return Act(tuple(said), path, "refused", path)

    return perform(request, who, form, act)


def _answer(view: View, who: Visitor, request_id: str, kind: EventKind, reason: str, act: str) -> Event:
    """What the visitor answers to a request, with what they were shown of it.

    Raises:
        NotYoursError: it is not theirs to answer.
    """
    _own(view, who, request_id)
    shown: tuple[Shown, ...] = ()
    if view.store.wants_signatures():
        asked = scope.request_of(view, who, request_id).request
        story = story_of(view, asked, dossier_of(who.desk.judge, asked), who.language)
        shown = (*shown_as(who.language, act=text(act, who.language)), *story.fields)[:MOST_SHOWN]
    return event_of(view, f"request:{request_id}", kind, by=who.party_id, reason=reason or None, shown=shown)


@router.post("/requests/{request_id}/grant")
def grant(request: Request, who: SignedIn, form: Posted, request_id: str) -> Response:
    """Write the grant that covers this release and nothing more, to be signed by the voice's owner."""
    _require_two_ways_in(who)

    def act(view: View) -> Act:
        history = scope.request_of(view, who, request_id)
        voice = scope.voice_of(view, who, form.get("voice_id"))
        if voice.owner_id != who.party_id or not history.waiting(view.now):
            raise NotYoursError
        story = story_of(view, history.request, dossier_of(who.desk.judge, history.request), who.language)
        if story.differs:
            raise RecordError(text("decide.differs", who.language))
        record = grant_of_request(story, history.request, voice.voice_id, by=who.party_id, language=who.language)
        answer = _answer(view, who, request_id, EventKind.CONFIRMED, "", "request.grant_title")
        records = (record, given(record), answer)
        return Act(records, f"/grants/{record.grant_id}", "granted", f"/requests/{request_id}", always_signed=True)

    return perform(request, who, form, act)


@router.post("/requests/{request_id}/lift")
def lift(request: Request, who: SignedIn, form: Posted, request_id: str) -> Response:
    """Take one's own no back: the request waits again."""
    return _say(request, who, form, request_id, EventKind.LIFTED, "lifted", "request.lift")


@router.post("/requests/{request_id}/defer")
def defer(request: Request, who: SignedIn, form: Posted, request_id: str) -> Response:
    """Say that the answer comes later."""
    return _say(request, who, form, request_id, EventKind.DEFERRED, "deferred", "decide.later")


def _say(
    request: Request, who: Visitor, form: Form, request_id: str, kind: EventKind, said: str, act_key: str
) -> Response:
    path = f"/requests/{request_id}"

    def act(view: View) -> Act:
        event = _answer(view, who, request_id, kind, form.get("reason"), act_key)
        return Act((event,), path, said, path, loosens=kind is EventKind.LIFTED)

    return perform(request, who, form, act)


@router.post("/requests/approve")
def approve_all(request: Request, who: SignedIn, form: Posted) -> Response:
    """Begin a list: each statement is shown and signed in turn, and the list goes on by itself."""
    _require_two_ways_in(who)
    chosen = tuple(dict.fromkeys(form.all("request_id")))[:A_PAGE]
    if not chosen:
        raise RecordError(text("decide.none_chosen", who.language))
    with who.desk.registry.view() as view:
        histories = [_waiting(view, who, request_id) for request_id in chosen]
        number = propose_list(who, view, [h.request for h in histories])
    return go(request, f"/sign/{number}")


def requests_of_sound(view: View, packets_sha256: str) -> tuple[RequestHistory, ...]:
    """Every request about one sound."""
    return request_histories(view, f"sound:{packets_sha256}")
