"""An operator's page: who may sign in as whom, recoveries that wait for a second person, and the outbox."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.parties import Party
from consent.web import accounts, recovery, scope
from consent.web.catalogue import LANGUAGES, text
from consent.web.once import once
from consent.web.page import go, render
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor

router = APIRouter()
A_PAGE = 100


def _require_operator(who: Visitor) -> None:
    if not who.operator:
        raise NotYoursError


@router.get("/accounts")
def show(request: Request, who: SignedIn) -> Response:
    """Accounts, recoveries and messages."""
    _require_operator(who)
    recovery.send_due(who.desk)
    known = accounts.all_accounts(who.desk)
    with who.desk.registry.view() as view:
        named = [(a, scope.name_of(view, a.party_id, Party)) for a in known[:A_PAGE]]
    waiting = recovery.all_waiting(who.desk)
    messages = who.desk.outbox.all(30)
    return render(request, "accounts.html", who, named=named, total=len(known), waiting=waiting, messages=messages)


@router.post("/accounts")
def invite(request: Request, who: SignedIn, form: Posted) -> Response:
    """Give a party an account; the invitation goes to its address."""
    _require_operator(who)
    language = form.get("language") if form.get("language") in LANGUAGES else LANGUAGES[0]
    with once(who, form) as first:
        if first:
            accounts.invite(who.desk, form.get("party_id"), form.get("email"), language)
    return go(request, "/accounts", said="invited" if first else "already")


@router.post("/accounts/{account_id}/end")
def end(request: Request, who: SignedIn, form: Posted, account_id: str) -> Response:
    """End an account: nobody signs in with it any more."""
    _require_operator(who)
    if account_id == who.account.account_id:
        raise RecordError(text("accounts.own", who.language))
    accounts.end_account(who.desk, account_id)
    return go(request, "/accounts", said="account_ended")


@router.post("/recoveries/{recovery_id}/agree")
def agree(request: Request, who: SignedIn, form: Posted, recovery_id: str) -> Response:
    """Agree to somebody else's recovery; the link goes out after the delay."""
    _require_operator(who)
    if who.session.level != "passkey":
        raise RecordError(text("accounts.passkey", who.language))
    recovery.agree(who.desk, recovery_id, who.account)
    return go(request, "/accounts", said="recovery_agreed")


@router.post("/recoveries/{recovery_id}/stop")
def stop(request: Request, who: SignedIn, form: Posted, recovery_id: str) -> Response:
    """Stop a recovery."""
    _require_operator(who)
    waiting = next((r for r in recovery.all_waiting(who.desk) if r["recovery_id"] == recovery_id), None)
    if waiting is None:
        raise NotYoursError
    recovery.stop(who.desk, str(waiting["account_id"]))
    return go(request, "/accounts", said="recovery_stopped")
