"""Sessions, one-time links and rate limits: random tokens of which only a hash is kept, with an end to each of them."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from consent.entries import iso, parse_time
from consent.web.desk import Desk
from consent.web.rows import ATTEMPT, LINK, NONCE, SESSION, hashed, new_secret

COOKIE = "desk"
SEEN_EVERY = timedelta(seconds=60)
KEPT_ATTEMPTS = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in: by a link, a passkey or a recovery code (`level`)."""

    token_hash: str
    account_id: str
    csrf: str
    level: str
    created_at: datetime
    expires_at: datetime

    def says(self, csrf: str) -> bool:
        """Whether a form carries this session's own token."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode())


def start(desk: Desk, account_id: str, level: str) -> str:
    """A new session; its token, for the cookie alone."""
    token, now = new_secret(), desk.clock()
    row = {"token_hash": hashed(token), "account_id": account_id, "csrf": new_secret(), "level": level}
    times = {"created_at": iso(now), "seen_at": iso(now), "expires_at": iso(now + desk.settings.session)}
    desk.tables.run(insert(SESSION).values(**row, **times))
    return token


def find(desk: Desk, token: str) -> Session | None:
    """The session of a token; None where there is none, it is over, or nobody used it for too long."""
    row = desk.tables.one(select(SESSION).where(SESSION.c.token_hash == hashed(token)))
    now = desk.clock()
    if row is None or row["ended_at"] is not None:
        return None
    seen, expires = parse_time(row["seen_at"]), parse_time(row["expires_at"])
    if now >= expires or now - seen >= desk.settings.idle:
        return None
    if now - seen >= SEEN_EVERY:
        same = SESSION.c.token_hash == row["token_hash"]
        desk.tables.run(update(SESSION).where(same).values(seen_at=iso(now)))
    own = (row["token_hash"], row["account_id"], row["csrf"], row["level"])
    return Session(*own, parse_time(row["created_at"]), expires)


def end(desk: Desk, session: Session) -> None:
    """Sign out."""
    same = SESSION.c.token_hash == session.token_hash
    desk.tables.run(update(SESSION).where(same).values(ended_at=iso(desk.clock())))


def end_all(desk: Desk, account_id: str, *, but: str = "") -> int:
    """End every session of an account but one; how many."""
    living = (SESSION.c.account_id == account_id) & SESSION.c.ended_at.is_(None) & (SESSION.c.token_hash != but)
    return desk.tables.run(update(SESSION).where(living).values(ended_at=iso(desk.clock())))


def sessions_of(desk: Desk, account_id: str) -> list[dict[str, str]]:
    """The sessions of an account that are not over, the newest first."""
    now = iso(desk.clock())
    living = (SESSION.c.account_id == account_id) & SESSION.c.ended_at.is_(None) & (SESSION.c.expires_at > now)
    return desk.tables.all(select(SESSION).where(living).order_by(SESSION.c.created_at.desc()))


def new_link(desk: Desk, account_id: str, purpose: str, lives: timedelta) -> str:
    """A link that works once; its token, for one message alone. Earlier ones of the same purpose end."""
    token, now = new_secret(), desk.clock()
    earlier = (LINK.c.account_id == account_id) & (LINK.c.purpose == purpose) & LINK.c.used_at.is_(None)
    row = {"token_hash": hashed(token), "account_id": account_id, "purpose": purpose, "expires_at": iso(now + lives)}
    with desk.tables.begin() as connection:
        connection.execute(update(LINK).where(earlier).values(used_at=iso(now)))
        connection.execute(insert(LINK).values(**row))
    return token


def read_link(desk: Desk, token: str, *purposes: str) -> str | None:
    """Whose link it is, without using it; None where it is used, over, or of another purpose."""
    row = desk.tables.one(select(LINK).where(_usable(desk, token, purposes)))
    return None if row is None else str(row["account_id"])


def use_link(desk: Desk, token: str, *purposes: str) -> str | None:
    """Whose link it is, and now it is used; of two at once, one gets it."""
    account_id = read_link(desk, token, *purposes)
    if account_id is None:
        return None
    n = desk.tables.run(update(LINK).where(_usable(desk, token, purposes)).values(used_at=iso(desk.clock())))
    return account_id if n == 1 else None


def _usable(desk: Desk, token: str, purposes: tuple[str, ...]) -> ColumnElement[bool]:
    alive = LINK.c.used_at.is_(None) & (LINK.c.expires_at > iso(desk.clock()))
    return (LINK.c.token_hash == hashed(token)) & LINK.c.purpose.in_(purposes) & alive


def limited(desk: Desk, name: str, most: int, within: timedelta) -> bool:
    """Whether this has been tried too often; every call counts as a try."""
    now = desk.clock()
    with desk.tables.begin() as connection:
        connection.execute(delete(ATTEMPT).where(ATTEMPT.c.at < iso(now - KEPT_ATTEMPTS)))
        recent = (ATTEMPT.c.name == name) & (ATTEMPT.c.at > iso(now - within))
        n = connection.execute(select(func.count()).select_from(ATTEMPT).where(recent)).scalar_one()
        connection.execute(insert(ATTEMPT).values(name=name, at=iso(now)))
    return int(n) >= most


def use_nonce(desk: Desk, nonce: str) -> bool:
    """Take a form's number; whether nobody had taken it before."""
    with desk.tables.begin() as connection:
        known = connection.execute(select(NONCE.c.nonce).where(NONCE.c.nonce == nonce)).first()
        if known is None:
            connection.execute(insert(NONCE).values(nonce=nonce, used_at=iso(desk.clock())))
    return known is None


def give_back_nonce(desk: Desk, nonce: str) -> None:
    """Nothing was recorded under this number: the form may be sent again."""
    desk.tables.run(delete(NONCE).where(NONCE.c.nonce == nonce))


def raise_level(desk: Desk, session: Session, level: str) -> None:
    """This session goes on with more proof of who it is."""
    same = SESSION.c.token_hash == session.token_hash
    desk.tables.run(update(SESSION).where(same).values(level=level))
