"""Recovery of an account whose passkeys are lost: its address asks, another person's operator agrees, a day passes, announced.

Nothing is opened before all three; whoever still has a passkey or the address can stop it until then.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from consent.entries import iso, parse_time
from consent.errors import RecordError
from consent.web import accounts, ceremonies, sessions, unkeying
from consent.web.accounts import Account
from consent.web.desk import Desk
from consent.web.rows import ACCOUNT, RECOVERY


def begin(desk: Desk, account_id: str) -> None:
    """The registered address asked; operators are told. A second asking changes nothing."""
    account = accounts.by_id(desk, account_id)
    if account is None or waiting(desk, account_id) is not None:
        return
    row = {"recovery_id": f"rc-{uuid.uuid4().hex[:20]}", "account_id": account_id, "asked_at": iso(desk.clock())}
    desk.tables.run(insert(RECOVERY).values(**row))
    accounts.tell(desk, account, "mail.recovery_asked", link=desk.link("/sign-in"))


def waiting(desk: Desk, account_id: str) -> dict[str, Any] | None:
    """The recovery of an account that is under way."""
    living = (RECOVERY.c.account_id == account_id) & RECOVERY.c.ended_at.is_(None)
    row = desk.tables.one(select(RECOVERY).where(living))
    return None if row is None else dict(row)


def all_waiting(desk: Desk) -> list[dict[str, Any]]:
    """Every recovery that is under way, with its account's party and address."""
    joined = select(RECOVERY, ACCOUNT.c.party_id, ACCOUNT.c.email).join(
        ACCOUNT, ACCOUNT.c.account_id == RECOVERY.c.account_id
    )
    return desk.tables.all(joined.where(RECOVERY.c.ended_at.is_(None)).order_by(RECOVERY.c.asked_at))


def agree(desk: Desk, recovery_id: str, operator: Account) -> datetime:
    """An operator agrees to another party's recovery; when the link goes out.

    Raises:
        RecordError: there is none, somebody agreed already, or it is the operator's own.
    """
    row = desk.tables.one(select(RECOVERY).where(RECOVERY.c.recovery_id == recovery_id, RECOVERY.c.ended_at.is_(None)))
    account = accounts.by_id(desk, row["account_id"]) if row is not None else None
    if row is None or account is None:
        raise RecordError("no such recovery is under way")
    if account.party_id == operator.party_id:
        raise RecordError("nobody agrees to the recovery of their own account")
    due = desk.clock() + desk.settings.recovery_delay
    same = (RECOVERY.c.recovery_id == recovery_id) & RECOVERY.c.approved_by.is_(None)
    if desk.tables.run(update(RECOVERY).where(same).values(approved_by=operator.party_id, due_at=iso(due))) != 1:
        raise RecordError("somebody has agreed already")
    accounts.tell(
        desk, account, "mail.recovery_agreed", link=desk.link("/sign-in"), due=iso(due)[:16].replace("T", " ")
    )
    return due


def stop(desk: Desk, account_id: str) -> bool:
    """Stop the recovery of an account; whether there was one."""
    living = (RECOVERY.c.account_id == account_id) & RECOVERY.c.ended_at.is_(None)
    values = {"ended_at": iso(desk.clock()), "outcome": "stopped"}
    return desk.tables.run(update(RECOVERY).where(living).values(**values)) > 0


def send_due(desk: Desk) -> int:
    """Send the link of every recovery whose delay has passed; how many. Run by the desk's daily round and on operators' pages."""
    now, sent = desk.clock(), 0
    for row in all_waiting(desk):
        if row["due_at"] is None or parse_time(row["due_at"]) > now or row["outcome"] == "sent":
            continue
        account = accounts.by_id(desk, row["account_id"])
        same = (RECOVERY.c.recovery_id == row["recovery_id"]) & RECOVERY.c.outcome.is_(None)
        if account is not None and desk.tables.run(update(RECOVERY).where(same).values(outcome="sent")) == 1:
            accounts.send_link(desk, account, "recovered")
            sent += 1
    return sent


def open_again(desk: Desk, account_id: str) -> bool:
    """The recovery's link was used: the lost passkeys are revoked, every session ends, and a new passkey may be made.

    Whether it was opened: whoever stops a recovery stops it after its link was sent too.
    """
    account, agreed = accounts.by_id(desk, account_id), waiting(desk, account_id)
    if account is None or agreed is None or not agreed["approved_by"]:
        return False
    sent = (RECOVERY.c.recovery_id == agreed["recovery_id"]) & RECOVERY.c.ended_at.is_(None)
    ended = {"ended_at": iso(desk.clock()), "outcome": "opened"}
    if desk.tables.run(update(RECOVERY).where(sent & (RECOVERY.c.outcome == "sent")).values(**ended)) != 1:
        return False
    for row in ceremonies.passkeys_of(desk, account_id):
        unkeying.remove_passkey(desk, account, row["credential_id"], by=str(agreed["approved_by"]), last_too=True)
    sessions.end_all(desk, account_id)
    accounts.tell(desk, account, "mail.recovery_opened", link=desk.link("/sign-in"))
    return True
