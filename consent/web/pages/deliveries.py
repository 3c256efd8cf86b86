"""A reviewer's queue and one delivery: its verdict, every finding with why and remedy, and what a person may answer."""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.views import View
from consent.web import accounts, scope
from consent.web.answering import concerns, own_voices
from consent.web.catalogue import text
from consent.web.page import go, render
from consent.web.protocols import Answer, AnswerKind, CannotAnswerError, Finding, Judge, Judged, Summary
from consent.web.returning import notes_of
from consent.web.signing import propose
from consent.web.visiting import Form, NotYoursError, Posted, SignedIn, Visitor

router = APIRouter()
WEIGHT = {"block": 0, "hold": 1, "unknown": 2, "warn": 3, "waived": 4, "pass": 5, "not_applicable": 6}
REASONS = ("creative intent", "best possible", "false alarm")
DAYS = (7, 30, 90)
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


def judge_of(who: Visitor) -> Judge:
    """The gate behind the desk.

    Raises:
        NotYoursError: there is none.
    """
    if who.desk.judge is None:
        raise NotYoursError
    return who.desk.judge


def delivery_of(view: View, who: Visitor, delivery_id: str, *, listening: bool = False) -> Summary:
    """A delivery that the visitor may see; with `listening`, one that they may hear as a whole.

    Raises:
        NotYoursError: there is none of this id.
    """
    found = judge_of(who).dossier(delivery_id) if _ID.match(delivery_id) else None
    if found is None:
        raise NotYoursError
    allowed = scope.may_hear_all if listening else scope.may_review
    if not allowed(view, who, found.summary):
        raise NotYoursError
    return found.summary


@router.get("/deliveries")
def queue(request: Request, who: SignedIn, all: str = "") -> Response:
    """What is held or blocked, the newest first; with `all`, what was released too."""
    if not (who.reviewer or who.vendor):
        raise NotYoursError
    with who.desk.registry.view() as view:
        found = judge_of(who).deliveries() if who.desk.judge is not None else ()
        mine = [s for s in found if scope.may_hear_all(view, who, s)]
    rows = [s for s in mine if all or s.decision != "release"]
    return render(request, "deliveries.html", who, rows=rows, all=bool(all), judged=who.desk.judge is not None)


@router.get("/deliveries/{delivery_id}")
def one(request: Request, who: SignedIn, delivery_id: str, finding: str = "", was: str = "") -> Response:
    """One delivery."""
    judge = judge_of(who)
    with who.desk.registry.view() as view:
        summary = delivery_of(view, who, delivery_id, listening=True)
        reviews = scope.may_review(view, who, summary) and summary.submitted_by not in who.ids
    judged = judge.last(delivery_id)
    findings = sorted(judged.findings if judged else (), key=lambda f: (WEIGHT[f.outcome], f.rule, f.name))
    shown: dict[str, Any] = {
        "summary": summary,
        "judged": judged,
        "open": [f for f in findings if WEIGHT[f.outcome] <= 3],
        "answered": [f for f in findings if f.decided_by and WEIGHT[f.outcome] > 3],
        "n_passed": sum(f.outcome == "pass" for f in findings),
        "reviews": reviews,
        "chosen": finding,
        "was": was if was in ("release", "hold", "block") else "",
        "notes": [n for n in notes_of(who.desk, delivery_id) if reviews or n.returned_at is not None],
        "sound": who.desk.listening is not None,
        "reasons": REASONS,
        "terms": DAYS,
        "ready": accounts.n_passkeys(who.desk, who.account.account_id) > 0,
        "predecessor": judge.dossier(summary.predecessor_id) if summary.predecessor_id else None,
    }
    return render(request, "delivery.html", who, **shown)


@router.post("/deliveries/{delivery_id}/judge")
def judge_now(request: Request, who: SignedIn, form: Posted, delivery_id: str) -> Response:
    """Judge again now, from what was measured."""
    with who.desk.registry.view() as view:
        delivery_of(view, who, delivery_id)
    before = judge_of(who).last(delivery_id)
    judge_of(who).judge(delivery_id)
    return go(request, f"/deliveries/{delivery_id}?was={before.decision if before else ''}", said="judged")


@router.post("/deliveries/{delivery_id}/answer")
def answer(request: Request, who: SignedIn, form: Posted, delivery_id: str) -> Response:
    """Write the statement of an answer, to be signed by its author."""
    with who.desk.registry.view() as view:
        summary = _answerable(view, who, delivery_id, form.get("finding"))
        at = view.now
    said = _answer(form, who.language)
    _find(judge_of(who).last(delivery_id), said.finding_key)
    payload = judge_of(who).draft(delivery_id, said, by=who.party_id, at=at)
    about = {"kind": "answer", "delivery_id": summary.delivery_id, "finding": said.finding_key}
    return go(request, f"/sign/{propose(who, payload, {**about, 'back': f'/deliveries/{delivery_id}'})}")


def _answerable(view: View, who: Visitor, delivery_id: str, key: str) -> Summary:
    """A delivery that the visitor may answer about: as its reviewer, or because their own voice was hit in it.

    Raises:
        NotYoursError: neither.
    """
    found = judge_of(who).dossier(delivery_id) if _ID.match(delivery_id) else None
    if found is None:
        raise NotYoursError
    if scope.may_review(view, who, found.summary):
        return found.summary
    if concerns(_find(judge_of(who).last(delivery_id), key), found, own_voices(view, who)):
        return found.summary
    raise NotYoursError


def _find(judged: Judged | None, key: str) -> Finding:
    found = next((f for f in judged.findings if f.key == key), None) if judged is not None else None
    if found is None:
        raise NotYoursError
    return found


def _answer(form: Form, language: str) -> Answer:
    kinds: dict[str, AnswerKind] = {"waive": "waive", "attest": "attest", "sign_off": "sign_off"}
    if form.get("kind") not in kinds:
        raise RecordError(text("answer.kind", language))
    if not form.get("words"):
        raise RecordError(text("decide.no_reason", language))
    days = int(form.get("days")) if form.get("days") in map(str, DAYS) else 30
    reason = form.get("reason") if form.get("reason") in REASONS else ""
    kind = kinds[form.get("kind")]
    return Answer(kind, form.get("finding"), form.get("words"), form.get("agreed") != "no", reason, days)


def judged_again(who: Visitor, delivery_id: str, finding: str, envelope: str) -> tuple[str, str]:
    """Keep a signed answer, judge again at once, and show the change."""
    judge = judge_of(who)
    before = judge.last(delivery_id)
    try:
        judge.record(delivery_id, envelope)
    except CannotAnswerError as error:
        raise RecordError(str(error)) from None
    with who.desk.registry.view() as view:
        found = judge.dossier(delivery_id)
        if found is None or not scope.may_hear_all(view, who, found.summary):
            return "/requests", "answered"
    was = before.decision if before is not None else "unjudged"
    return f"/deliveries/{delivery_id}?was={was}&finding={finding}", "answered"
