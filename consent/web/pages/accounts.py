"""An operator's page: who may sign in as whom, recoveries that wait for a second person, and the outbox."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.parties import Party
from consent.web import accounts, inviting, recovery, scope
from consent.web.catalogue import LANGUAGES, text
from consent.web.once import once
from consent.web.page import go, render
from consent.web.visiting import NotYoursError, Posted, SignedIn, Visitor

router = APIRouter()
A_PAGE = 100


def _require_operator(who: Visitor) -> None:
    if not who.operator:
        raise NotYoursError


def _require_operator_by_passkey(who: Visitor) -> None:
    """Whoever reads an operator's mail makes, ends and opens nobody's account."""
    _require_operator(who)
    if who.session.level != "passkey":
        raise RecordError(text("accounts.passkey", who.language))


@router.get("/accounts")
def show(request: Request, who: SignedIn) -> Response:
    """Accounts, recoveries and messages."""
    _require_operator(who)
    recovery.send_due(who.desk)
    inviting.send_due(who.desk)
    known = accounts.all_accounts(who.desk)
    with who.desk.registry.view() as view:
        named = [(a, scope.name_of(view, a.party_id, Party)) for a in known[:A_PAGE]]
    shown: dict[str, Any] = {
        "named": named,
        "total": len(known),
        "waiting": recovery.all_waiting(who.desk),
        "invitations": inviting.waiting(who.desk),
        "messages": who.desk.outbox.all(30),
    }
    return render(request, "accounts.html", who, **shown)


@router.post("/accounts")
def invite(request: Request, who: SignedIn, form: Posted) -> Response:
    """Give a party an account: at once where it never had one, else once a second operator has agreed."""
    _require_operator_by_passkey(who)
    language = form.get("language") if form.get("language") in LANGUAGES else LANGUAGES[0]
    said = "already"
    with once(who, form) as first:
        if first:
            to = (form.get("party_id"), form.get("email"), language)
            said = "invited" if inviting.invite(who.desk, *to, by=who.party_id) else "invite_asked"
    return go(request, "/accounts", said=said)


@router.post("/invitations/{invitation_id}/agree")
def agree_to_invite(request: Request, who: SignedIn, form: Posted, invitation_id: str) -> Response:
    """Agree to another operator's invitation; it goes out after the delay."""
    _require_operator_by_passkey(who)
    inviting.agree(who.desk, invitation_id, who.account)
    return go(request, "/accounts", said="invite_agreed")


@router.post("/invitations/{invitation_id}/stop")
def stop_invitation(request: Request, who: SignedIn, form: Posted, invitation_id: str) -> Response:
    """Stop an invitation: as an operator, or as the party that it is for."""
    if not inviting.stop(who.desk, invitation_id, None if who.operator else who.party_id):
        raise NotYoursError
    return go(request, "/accounts" if who.operator else "/security", said="invite_stopped")


@router.post("/accounts/{account_id}/end")
def end(request: Request, who: SignedIn, form: Posted, account_id: str) -> Response:
    """End an account: nobody signs in with it any more."""
    _require_operator_by_passkey(who)
    if account_id == who.account.account_id:
        raise RecordError(text("accounts.own", who.language))
    if (ending := accounts.by_id(who.desk, account_id)) is None:
        raise NotYoursError
    accounts.end_account(who.desk, account_id)
    accounts.tell(who.desk, ending, "mail.account_ended", by=who.party_id)
    return go(request, "/accounts", said="account_ended")


@router.post("/recoveries/{recovery_id}/agree")
def agree(request: Request, who: SignedIn, form: Posted, recovery_id: str) -> Response:
    """Agree to somebody else's recovery; the link goes out after the delay."""
    _require_operator_by_passkey(who)
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
