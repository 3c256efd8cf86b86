"""Accounts: an address and a language for a party of the registry, invitations, and recovery codes."""

from __future__ import annotations

import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select, update

from consent.entries import iso
from consent.errors import RecordError
from consent.web import sessions
from consent.web.catalogue import text
from consent.web.desk import Desk
from consent.web.outbox import Message
from consent.web.rows import ACCOUNT, CODE, CREDENTIAL, hashed

_EMAIL = re.compile(r"[^@\s<>\"'(),;:\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
N_CODES = 10
_TAKEN = "this address already has an account, or had one"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in, as whom, and how they are reached."""

    account_id: str
    party_id: str
    email: str
    language: str


def address(text_: str) -> str:
    """An e-mail address in the form in which it is kept.

    Raises:
        RecordError: not one.
    """
    plain = text_.strip()
    if not _EMAIL.fullmatch(plain):
        raise RecordError("not an e-mail address")
    return plain.lower()


def add_account(desk: Desk, party_id: str, email: str, language: str = "en", *, first: bool = False) -> Account:
    """Give a party of the registry an account; with `first`, only where it never had one.

    Raises:
        RecordError: no such party, no address, or the address (with `first`, the party) has or had an account.
    """
    with desk.registry.view() as view:
        if view.party(party_id) is None:
            raise RecordError(f"no party {party_id!r} is registered")
    account = Account(f"ac-{uuid.uuid4().hex[:20]}", party_id, address(email), language)
    values = {"account_id": account.account_id, "party_id": party_id, "email": account.email, "language": language}
    with desk.tables.begin() as connection:
        if connection.execute(select(ACCOUNT.c.email).where(ACCOUNT.c.email == account.email)).first() is not None:
            raise RecordError(_TAKEN)
        if first and connection.execute(select(ACCOUNT.c.email).where(ACCOUNT.c.party_id == party_id)).first():
            raise RecordError("this party has or had an account")
        connection.execute(insert(ACCOUNT).values(created_at=iso(desk.clock()), **values))
    return account


def invite(desk: Desk, party_id: str, email: str, language: str = "en", *, first: bool = False) -> str:
    """Give a party an account (with `first`, only where it never had one) and send the link that opens it; the link.

    Raises:
        RecordError: no such party, no address, or the address (with `first`, the party) has or had an account.
    """
    return send_link(desk, add_account(desk, party_id, email, language, first=first), "invite")


def send_link(desk: Desk, account: Account, purpose: str) -> str:
    """Send an account a link that works once; the link."""
    lives = desk.settings.link if purpose == "sign_in" else desk.settings.invitation
    url = desk.link(f"/sign-in/link/{sessions.new_link(desk, account.account_id, purpose, lives)}")
    tell(desk, account, f"mail.{purpose}", link=url, secret=True)
    return url


def tell(desk: Desk, account: Account, key: str, *, link: str = "", secret: bool = False, **values: Any) -> None:
    """Send a message of the catalogue: `KEY.subject` and `KEY.words`, in the account's language."""
    subject, words = (text(f"{key}.{part}", account.language, **values) for part in ("subject", "words"))
    checkpoint = desk.registry.head().body()
    desk.outbox.send(Message(account.email, key.removeprefix("mail."), subject, words, checkpoint, link), secret=secret)


def by_email(desk: Desk, email: str) -> Account | None:
    """The account of an address."""
    return _account(desk, ACCOUNT.c.email == email.strip().lower())


def by_id(desk: Desk, account_id: str) -> Account | None:
    """An account that has not ended."""
    return _account(desk, ACCOUNT.c.account_id == account_id)


def of_party(desk: Desk, party_id: str) -> list[Account]:
    """The accounts of a party."""
    living = (ACCOUNT.c.party_id == party_id) & ACCOUNT.c.ended_at.is_(None)
    return [_of(row) for row in desk.tables.all(select(ACCOUNT).where(living).order_by(ACCOUNT.c.created_at))]


def require_free(desk: Desk, email: str) -> None:
    """Check that no account has or had this address.

    Raises:
        RecordError: one has.
    """
    if desk.tables.one(select(ACCOUNT.c.email).where(ACCOUNT.c.email == email)) is not None:
        raise RecordError(_TAKEN)


def ever_of_party(desk: Desk, party_id: str) -> list[Account]:
    """The accounts that a party has or had."""
    query = select(ACCOUNT).where(ACCOUNT.c.party_id == party_id).order_by(ACCOUNT.c.created_at)
    return [_of(row) for row in desk.tables.all(query)]


def all_accounts(desk: Desk) -> list[Account]:
    """Every account that has not ended."""
    query = select(ACCOUNT).where(ACCOUNT.c.ended_at.is_(None)).order_by(ACCOUNT.c.party_id)
    return [_of(row) for row in desk.tables.all(query)]


def end_account(desk: Desk, account_id: str) -> None:
    """Nobody signs in with it any more; its sessions end."""
    same = ACCOUNT.c.account_id == account_id
    desk.tables.run(update(ACCOUNT).where(same).values(ended_at=iso(desk.clock())))
    sessions.end_all(desk, account_id)


def set_language(desk: Desk, account_id: str, language: str) -> None:
    """The language of pages and messages."""
    desk.tables.run(update(ACCOUNT).where(ACCOUNT.c.account_id == account_id).values(language=language))


def _account(desk: Desk, where: ColumnElement[bool]) -> Account | None:
    row = desk.tables.one(select(ACCOUNT).where(where, ACCOUNT.c.ended_at.is_(None)))
    return None if row is None else _of(row)


def _of(row: Mapping[str, Any]) -> Account:
    return Account(*(str(row[c]) for c in ("account_id", "party_id", "email", "language")))


def new_codes(desk: Desk, account_id: str) -> tuple[str, ...]:
    """Fresh recovery codes, shown once; those before them end."""
    codes = tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4)) for _ in range(N_CODES)
    )
    rows = [{"code_hash": hashed(f"{account_id} {code}"), "account_id": account_id} for code in codes]
    with desk.tables.begin() as connection:
        connection.execute(delete(CODE).where(CODE.c.account_id == account_id))
        connection.execute(insert(CODE), rows)
    return codes


def codes_left(desk: Desk, account_id: str) -> int:
    """How many recovery codes are unused."""
    return len(desk.tables.all(select(CODE).where(CODE.c.account_id == account_id, CODE.c.used_at.is_(None))))


def use_code(desk: Desk, account_id: str, code: str) -> bool:
    """Whether this is an unused code of the account; now it is used."""
    plain = code.strip().lower().replace(" ", "-")
    same = (CODE.c.code_hash == hashed(f"{account_id} {plain}")) & CODE.c.used_at.is_(None)
    return desk.tables.run(update(CODE).where(same).values(used_at=iso(desk.clock()))) == 1


def n_passkeys(desk: Desk, account_id: str) -> int:
    """How many passkeys an account has."""
    living = (CREDENTIAL.c.account_id == account_id) & CREDENTIAL.c.ended_at.is_(None)
    return len(desk.tables.all(select(CREDENTIAL.c.credential_id).where(living)))


def well_kept(desk: Desk, account_id: str) -> bool:
    """Whether losing one passkey locks nobody out: there are two, or a passkey and recovery codes."""
    n = n_passkeys(desk, account_id)
    return n >= 2 or (n == 1 and codes_left(desk, account_id) > 0)
