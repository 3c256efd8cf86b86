"""Inviting somebody: at once where the party never had an account; else a second operator agrees, a day passes, announced.

One operator alone opens nobody's account a second time, and makes no second operator: who reads the party's registered
addresses is told, and can stop it until the day is over.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from consent.entries import iso, parse_time
from consent.errors import RecordError
from consent.parties import Party
from consent.vocabulary import Role
from consent.web import accounts
from consent.web.accounts import Account
from consent.web.desk import Desk
from consent.web.rows import INVITATION


def invite(desk: Desk, party_id: str, email: str, language: str, *, by: str) -> bool:
    """Invite a party as the operator `by`; whether the invitation went out at once.

    Raises:
        RecordError: no such party, no address, or the address has or had an account.
    """
    with desk.registry.view() as view:
        party = view.party(party_id)
    if party is None:
        raise RecordError(f"no party {party_id!r} is registered")
    plain = accounts.address(email)
    if _needs_second(desk, party):
        _ask(desk, party, plain, language, by)
        return False
    accounts.invite(desk, party_id, plain, language, first=True)
    _announce(desk, party_id, "mail.invite_made", email=plain, by=by)
    return True


def _needs_second(desk: Desk, party: Party) -> bool:
    """Somebody who has or had an account is reached by it; and whoever makes operators could agree with themselves."""
    return Role.OPERATOR in party.roles or bool(accounts.ever_of_party(desk, party.party_id))


def _ask(desk: Desk, party: Party, email: str, language: str, by: str) -> None:
    accounts.require_free(desk, email)
    row = {"invitation_id": f"in-{uuid.uuid4().hex[:20]}", "party_id": party.party_id, "email": email}
    desk.tables.run(insert(INVITATION).values(language=language, asked_by=by, asked_at=iso(desk.clock()), **row))
    _announce(desk, party.party_id, "mail.invite_asked", email=email, by=by)


def waiting(desk: Desk, party_id: str | None = None) -> list[dict[str, Any]]:
    """The invitations that are under way, of one party or of all."""
    living = select(INVITATION).where(INVITATION.c.ended_at.is_(None)).order_by(INVITATION.c.asked_at)
    return desk.tables.all(living if party_id is None else living.where(INVITATION.c.party_id == party_id))


def agree(desk: Desk, invitation_id: str, operator: Account) -> datetime:
    """A second operator agrees; when the invitation goes out.

    Raises:
        RecordError: there is none, somebody agreed already, or it is the operator's own asking or account.
    """
    row = next((r for r in waiting(desk) if r["invitation_id"] == invitation_id), None)
    if row is None:
        raise RecordError("no such invitation is under way")
    if operator.party_id in (row["asked_by"], row["party_id"]):
        raise RecordError("a second operator agrees, neither who asked nor who is invited")
    due = desk.clock() + desk.settings.recovery_delay
    same = (INVITATION.c.invitation_id == invitation_id) & INVITATION.c.agreed_by.is_(None)
    if desk.tables.run(update(INVITATION).where(same).values(agreed_by=operator.party_id, due_at=iso(due))) != 1:
        raise RecordError("somebody has agreed already")
    when = iso(due)[:16].replace("T", " ")
    _announce(desk, row["party_id"], "mail.invite_agreed", email=row["email"], by=operator.party_id, due=when)
    return due


def stop(desk: Desk, invitation_id: str, party_id: str | None = None) -> bool:
    """Stop an invitation that is under way, of this party where one is named; whether there was one."""
    living = (INVITATION.c.invitation_id == invitation_id) & INVITATION.c.ended_at.is_(None)
    if party_id is not None:
        living &= INVITATION.c.party_id == party_id
    return desk.tables.run(update(INVITATION).where(living).values(ended_at=iso(desk.clock()), outcome="stopped")) > 0


def send_due(desk: Desk) -> int:
    """Send every invitation to which a second operator agreed and whose day is over; how many."""
    now, sent = desk.clock(), 0
    for row in waiting(desk):
        if row["agreed_by"] is None or row["due_at"] is None or parse_time(row["due_at"]) > now:
            continue
        same = (INVITATION.c.invitation_id == row["invitation_id"]) & INVITATION.c.ended_at.is_(None)
        if desk.tables.run(update(INVITATION).where(same).values(ended_at=iso(now), outcome="sent")) == 1:
            sent += _sent(desk, row)
    return sent


def _sent(desk: Desk, row: dict[str, Any]) -> bool:
    try:
        accounts.invite(desk, row["party_id"], row["email"], row["language"])
    except RecordError:  # the address got another account meanwhile
        return False
    return True


def _announce(desk: Desk, party_id: str, key: str, *, email: str, **values: Any) -> None:
    """Tell every address that the registry or the desk has of the party, but the one that is invited."""
    known = {a.email: a for a in accounts.ever_of_party(desk, party_id)}
    if (registered := _registered(desk, party_id)) is not None:
        known.setdefault(registered.email, registered)
    for account in known.values():
        if account.email != email:
            accounts.tell(desk, account, key, link=desk.link("/security"), email=email, **values)


def _registered(desk: Desk, party_id: str) -> Account | None:
    """The address that is sealed beside the party in the registry."""
    with desk.registry.view() as view:
        personal = view.personal(f"party:{party_id}", Party) if view.store.keyring is not None else None
    try:
        return Account("", party_id, accounts.address((personal and personal.contact) or ""), "en")
    except RecordError:
        return None
