"""The page on which a statement is signed: every field of it, the statement verbatim, and one button for the passkey."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.approvals import Approval
from consent.requests import Request as Asked
from consent.web import scope
from consent.web.acting import acted
from consent.web.deciding import record_approval
from consent.web.page import go, render
from consent.web.signing import ToSign, proposed, signed
from consent.web.statement_fields import fields_of
from consent.web.visiting import Posted, SignedIn, Visitor
from consent.web.watching import told_asker

router = APIRouter()


@router.get("/sign/{challenge_id}")
def show(request: Request, who: SignedIn, challenge_id: str) -> Response:
    """What is about to be signed."""
    waiting = proposed(who, challenge_id)
    return render(
        request,
        "sign.html",
        who,
        waiting=waiting,
        options=json.dumps(waiting.options),
        groups=fields_of(json.loads(waiting.shown), who.language),
        kind=waiting.about["kind"],
        back=str(waiting.about.get("back", "/requests")),
    )


@router.post("/sign/{challenge_id}")
def sign(request: Request, who: SignedIn, form: Posted, challenge_id: str) -> Response:
    """Take the passkey's answer; what was signed enters the ledger, or nothing does."""
    waiting = proposed(who, challenge_id)
    envelope = signed(who, waiting, form.get("answer"))
    path, said = _DO[waiting.about["kind"]](who, waiting, envelope)
    return go(request, path, said=said)


def _approval(who: Visitor, waiting: ToSign, envelope: str) -> tuple[str, str]:
    [record] = _approvals(waiting)
    _record(who, [(str(waiting.about["request_id"]), record)], envelope)
    return f"/approvals/{record.approval_id}", "approved"


def _approval_list(who: Visitor, waiting: ToSign, envelope: str) -> tuple[str, str]:
    pairs = list(zip(map(str, waiting.about["request_ids"]), _approvals(waiting), strict=True))
    _record(who, pairs, envelope)
    return "/requests?all=1", "approved_list"


def _record(who: Visitor, pairs: Sequence[tuple[str, Approval]], envelope: str) -> None:
    """All of the approvals enter the ledger with the answers to their requests, or none does."""
    with who.desk.registry.write() as writer:
        for request_id, record in pairs:
            history = scope.request_of(writer, who, request_id)
            _still_the_same(history.request, record)
            record_approval(writer, record, envelope, request_id, by=who.party_id)
    _hand_to_gate(who, [a for _, a in pairs], envelope)
    told_asker(who.desk, [r for r, _ in pairs], "approved", "")


def _still_the_same(asked: Asked, record: Approval) -> None:
    from consent.errors import RecordError

    sounds = {s.packets_sha256 for s in record.sounds}
    if sounds != {asked.release.packets_sha256} or record.title_id != asked.release.title_ids[0]:
        raise RecordError("the request is about another sound now")


def _hand_to_gate(who: Visitor, approvals: Sequence[Approval], envelope: str) -> None:
    """A delivery's own folder gets the envelope, and it is judged again; what decides is in the ledger either way."""
    from consent.web.protocols import CannotAnswerError

    judge = who.desk.judge
    for sound in {s.packets_sha256 for a in approvals for s in a.sounds} if judge is not None else ():
        delivery_id = judge.of_sound(sound) if judge is not None else None
        if judge is not None and delivery_id is not None:
            try:
                judge.record(delivery_id, envelope)
            except CannotAnswerError:
                continue


def _approvals(waiting: ToSign) -> list[Approval]:
    """The approvals in a statement: what enters the ledger is read from the bytes that were signed."""
    predicate = json.loads(waiting.shown)["predicate"]
    listed = predicate.get("approvals", [predicate])
    return [Approval.model_validate_json(json.dumps({k: v for k, v in p.items() if k != "schema"})) for p in listed]


def _answer(who: Visitor, waiting: ToSign, envelope: str) -> tuple[str, str]:
    from consent.web.pages.deliveries import judged_again

    return judged_again(who, str(waiting.about["delivery_id"]), str(waiting.about["finding"]), envelope)


_DO: dict[str, Callable[[Visitor, ToSign, str], tuple[str, str]]] = {
    "approval": _approval,
    "approvals": _approval_list,
    "act": acted,
    "answer": _answer,
}
Fields = list[tuple[str, list[tuple[str, Any]]]]
