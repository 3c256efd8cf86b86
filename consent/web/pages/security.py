"""One's own account: passkeys, recovery codes, sessions, and a recovery that somebody else began."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.errors import RecordError
from consent.parties import Party, PartyKey
from consent.views import View
from consent.vocabulary import EventKind
from consent.web import accounts, ceremonies, inviting, recovery, scope, sessions, unkeying
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.catalogue import text
from consent.web.page import go, render
from consent.web.visiting import Posted, RefusedFormError, SignedIn, Visitor, wants_signatures

router = APIRouter()


def may_change_keys(who: Visitor) -> bool:
    """Whether this session may add or remove a passkey: by a link alone only the first one is made.

    Else whoever reads somebody's mail would have a key with which approvals are signed.
    """
    if who.session.level in ("passkey", "code", "recovery"):
        return True
    return accounts.n_passkeys(who.desk, who.account.account_id) == 0


@router.get("/security")
def security(request: Request, who: SignedIn) -> Response:
    """Passkeys, codes and sessions."""
    return _page(request, who)


def _page(request: Request, who: Visitor, codes: tuple[str, ...] = ()) -> Response:
    desk, own = who.desk, who.account.account_id
    begun = ceremonies.begin_registration(desk, who.account) if may_change_keys(who) else None
    with desk.registry.view() as view:
        name = scope.name_of(view, who.party_id, Party)
    return render(
        request,
        "security.html",
        who,
        name=name,
        begun=begun,
        options=json.dumps(begun.options) if begun else "",
        passkeys=ceremonies.passkeys_of(desk, own),
        codes=codes,
        n_codes=accounts.codes_left(desk, own),
        well_kept=accounts.well_kept(desk, own),
        sessions=sessions.sessions_of(desk, own),
        recovering=recovery.waiting(desk, own),
        inviting=inviting.waiting(desk, who.party_id),
    )


def _require(who: Visitor) -> None:
    if not may_change_keys(who):
        raise RefusedFormError("refused.level")


@router.post("/security/passkeys")
def add_passkey(request: Request, who: SignedIn, form: Posted) -> Response:
    """Keep a new passkey, and tell its owner that there is one more."""
    _require(who)
    ceremonies.finish_registration(
        who.desk, who.account, who.party, form.get("challenge_id"), form.get("answer"), form.get("name")
    )
    if who.session.level in ("link", "recovery"):  # whoever made the first passkey here goes on as its owner
        sessions.raise_level(who.desk, who.session, "passkey")
    accounts.tell(who.desk, who.account, "mail.passkey_added", link=who.desk.link("/security"))
    return go(request, "/security", said="passkey_added")


@router.post("/security/passkeys/{credential_id}/remove")
def remove_passkey(request: Request, who: SignedIn, form: Posted, credential_id: str) -> Response:
    """Remove a passkey; the last way in is kept."""
    _require(who)
    own = who.account.account_id
    if accounts.n_passkeys(who.desk, own) < 2:
        raise RecordError(unkeying.LAST)
    if wants_signatures(who) and ceremonies.standing_key(who.desk, who.account, credential_id) is not None:
        return perform(request, who, form, lambda view: _removal(view, who, credential_id))
    unkeying.remove_passkey(who.desk, who.account, credential_id, by=who.party_id)
    accounts.tell(who.desk, who.account, "mail.passkey_removed", link=who.desk.link("/security"))
    return go(request, "/security", said="passkey_removed")


def _removal(view: View, who: Visitor, credential_id: str) -> Act:
    """That a key is revoked, to be signed with any of the account's passkeys."""
    key = view.record(f"credential:{credential_id}", PartyKey)
    rows = ceremonies.passkeys_of(who.desk, who.account.account_id)
    name = next((str(r["name"]) for r in rows if r["credential_id"] == credential_id), "")
    if key is None or not name:
        raise RecordError("no such passkey")
    shown = shown_as(who.language, act=text("security.remove", who.language), passkey=name)
    event = event_of(view, f"key:{key.key_id}", EventKind.REVOKED, by=who.party_id, reason=None, shown=shown)
    return Act((event,), "/security", "passkey_removed", "/security")


@router.post("/security/codes")
def codes(request: Request, who: SignedIn, form: Posted) -> Response:
    """Make new recovery codes; they are shown this once."""
    _require(who)
    if accounts.n_passkeys(who.desk, who.account.account_id) == 0:
        raise RecordError("recovery codes stand beside a passkey; make that first")
    made = accounts.new_codes(who.desk, who.account.account_id)
    accounts.tell(who.desk, who.account, "mail.codes_made", link=who.desk.link("/security"))
    return _page(request, who, made)


@router.post("/security/sessions/end")
def end_others(request: Request, who: SignedIn, form: Posted) -> Response:
    """End every other session."""
    sessions.end_all(who.desk, who.account.account_id, but=who.session.token_hash)
    return go(request, "/security", said="sessions_ended")


@router.post("/security/recovery/stop")
def stop_recovery(request: Request, who: SignedIn, form: Posted) -> Response:
    """Stop a recovery that somebody else began."""
    recovery.stop(who.desk, who.account.account_id)
    return go(request, "/security", said="recovery_stopped")
