"""API tokens: made once, kept as a hash, for one party of the registry, with scopes that keep duties apart, expiring.

A token is `dgt_ID_SECRET`. Its secret is 32 random bytes, so that a plain SHA-256 of it is as good as any slow hash.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, insert, select, update

from consent.registry import Registry
from consent.vocabulary import Role
from consent.writing import Writer
from dubgate.errors import InputError
from dubgate.service.acts import record_act
from dubgate.service.clock import iso, moment
from dubgate.service.database import looking
from dubgate.service.tables import TOKEN

SCOPES = ("read", "submit", "approve", "admin")
# Who submits approves nothing, and who runs the service does neither.
APART = (frozenset({"submit", "approve"}), frozenset({"submit", "admin"}), frozenset({"approve", "admin"}))
SHAPE = re.compile(r"dgt_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\Z")
MAX_DAYS = 366


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is: never its secret."""

    token_id: str
    organisation: str
    party: str
    scopes: frozenset[str]
    asks_for: frozenset[str]
    expires_at: datetime

    def may(self, scope: str) -> bool:
        """Whether the token has a scope."""
        return scope in self.scopes


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as it is shown once."""

    token_id: str
    token: str
    caller: Caller

    def __repr__(self) -> str:
        return f"NewToken({self.token_id!r}, …)"


def issue(
    registry: Registry,
    *,
    party: str,
    scopes: Sequence[str],
    by: str,
    days: int = 90,
    asks_for: Sequence[str] = (),
    note: str = "",
) -> NewToken:
    """Make a token; that it was made stands in the ledger, its hash in the service's table, in one transaction.

    Raises:
        InputError: unknown scopes or parties, scopes that belong apart, too long a time, or `by` is no operator.
    """
    chosen = frozenset(scopes)
    _check_scopes(chosen, days)
    token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    token = f"dgt_{token_id}_{secret}"
    with registry.write() as writer:
        organisation = _houses(writer, party, by, asks_for)
        caller = Caller(
            token_id,
            organisation,
            party,
            chosen,
            frozenset({organisation, *asks_for}),
            writer.now + timedelta(days=days),
        )
        record_act(writer, by=by, verb="token.issued", about=token_id, token_id=None, what=_described(caller))
        _keep(writer.store.connection, token, caller, by, note, writer.now)
    return NewToken(token_id, token, caller)


_SEE = "Who is, and in which roles: dubgate consent show --registry REGISTRY."


def _check_scopes(chosen: frozenset[str], days: int) -> None:
    if not chosen or chosen - set(SCOPES):
        raise InputError(f"scopes are some of {', '.join(SCOPES)}")
    if both := next((pair for pair in APART if pair <= chosen), None):
        raise InputError(f"one token cannot {' and '.join(sorted(both))}", remedy="Make two, for two people.")
    if not 1 <= days <= MAX_DAYS:
        raise InputError(f"a token lives 1 to {MAX_DAYS} days")


def _houses(writer: Writer, party: str, by: str, asks_for: Sequence[str]) -> str:
    """The party's house, once everybody named is known and `by` is an operator."""
    issuer, owner = writer.party(by), writer.party(party)
    if issuer is None or Role.OPERATOR not in issuer.roles:
        raise InputError(f"{by} is no operator of this registry", where="--by", remedy=_SEE)
    if unknown := [p for p in (party, *asks_for) if writer.party(p) is None]:
        raise InputError(f"no party {unknown[0]!r} is registered", remedy=_SEE)
    assert owner is not None
    return owner.house_id


def _described(caller: Caller) -> dict[str, object]:
    return {
        "party": caller.party,
        "scopes": sorted(caller.scopes),
        "asks_for": sorted(caller.asks_for),
        "expires_at": iso(caller.expires_at),
    }


def _keep(connection: Connection, token: str, caller: Caller, by: str, note: str, now: datetime) -> None:
    row = {
        "token_id": caller.token_id,
        "secret_sha256": hashed(token),
        "organisation": caller.organisation,
        "party": caller.party,
        "scopes": json.dumps(sorted(caller.scopes)),
        "asks_for": json.dumps(sorted(caller.asks_for)),
        "note": note[:200],
        "created_at": iso(now),
        "created_by": by,
        "expires_at": iso(caller.expires_at),
        "revoked_at": None,
    }
    connection.execute(insert(TOKEN), row)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def revoke(registry: Registry, token_id: str, *, by: str) -> bool:
    """End a token now; whether it was alive."""
    with registry.write() as writer:
        alive = (TOKEN.c.token_id == token_id) & TOKEN.c.revoked_at.is_(None)
        done = writer.store.connection.execute(update(TOKEN).where(alive).values(revoked_at=iso(writer.now))).rowcount
        if done:
            record_act(writer, by=by, verb="token.revoked", about=token_id, token_id=None, what={})
    return done == 1


def caller_of(engine: Engine, token: str, now: datetime) -> Caller | None:
    """Whose token it is; None where it is unknown, expired, revoked, or not of the shape of one."""
    if not SHAPE.fullmatch(token):
        return None
    with looking(engine) as connection:
        row = connection.execute(select(TOKEN).where(TOKEN.c.secret_sha256 == hashed(token))).mappings().one_or_none()
    if row is None or row["revoked_at"] is not None or moment(row["expires_at"]) <= now:
        return None
    scopes, asks_for = frozenset(json.loads(row["scopes"])), frozenset(json.loads(row["asks_for"]))
    return Caller(row["token_id"], row["organisation"], row["party"], scopes, asks_for, moment(row["expires_at"]))


def listed(engine: Engine) -> list[dict[str, object]]:
    """Every token, without its hash."""
    with looking(engine) as connection:
        rows = connection.execute(select(TOKEN).order_by(TOKEN.c.created_at)).mappings().all()
    return [{k: v for k, v in row.items() if k != "secret_sha256"} for row in rows]
