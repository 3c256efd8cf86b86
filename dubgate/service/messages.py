"""Webhooks: who wants to be told what, and the outbox of signed messages, sent with growing pauses until they arrive.

Standard Webhooks 1.0.0, as consent/webhooks.py sends them: the id of a message stays the same over every attempt and
replay, so that a receiver can drop what it has. A message is written in the transaction of what it tells.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import rfc8785
from sqlalchemy import Connection, Engine, and_, insert, or_, select, update

from consent.webhooks import PREFIX, Endpoint, Resolve, secret_bytes, send
from dubgate.service.clock import Clock, iso
from dubgate.service.database import changing, looking, put_once
from dubgate.service.own_key import OwnKey
from dubgate.service.tables import MESSAGE, WEBHOOK

KINDS = ("verdict", "withdrawal", "takedown", "warning")
PAUSES_S = (5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600)  # before the second attempt, the third, …
LEASE_S = 60


@dataclass(frozen=True, slots=True)
class Told:
    """A message to be sent to everybody who subscribed to its kind for its organisation."""

    message_id: str
    organisation: str
    kind: str
    data: Mapping[str, Any]
    at: datetime

    def body(self) -> str:
        """The payload that Standard Webhooks recommends: type, timestamp, data."""
        return rfc8785.dumps(
            {"type": f"dubgate.{self.kind}", "timestamp": iso(self.at), "data": dict(self.data)}
        ).decode()


def message_id(kind: str, about: str) -> str:
    """The same for the same event, so that nobody is told twice."""
    return f"msg-{hashlib.sha256(f'{kind} {about}'.encode()).hexdigest()[:40]}"


def new_secret() -> str:
    """A webhook's secret, shown once."""
    return PREFIX + b64encode(secrets.token_bytes(32)).decode()


def subscribe(
    connection: Connection,
    own: OwnKey,
    *,
    organisation: str,
    url: str,
    kinds: Sequence[str],
    asks_for: frozenset[str],
    secret: str,
    allow_private: bool,
    now: datetime,
) -> str:
    """Remember an endpoint; its secret is encrypted.

    Raises:
        WebhookError: not such an URL or secret.
    """
    Endpoint(url, allow_private=allow_private)
    secret_bytes(secret)
    webhook_id = f"wh-{secrets.token_hex(12)}"
    row = {
        "webhook_id": webhook_id,
        "organisation": organisation,
        "url": url,
        "kinds": json.dumps(sorted(set(kinds))),
        "asks_for": json.dumps(sorted(asks_for)),
        "secret": own.encrypted(webhook_id, secret.encode()),
        "created_at": iso(now),
        "removed_at": None,
    }
    connection.execute(insert(WEBHOOK), row)
    return webhook_id


def subscriptions(engine: Engine, organisation: str) -> list[dict[str, Any]]:
    """An organisation's endpoints, without their secrets."""
    query = select(WEBHOOK).where(WEBHOOK.c.organisation == organisation, WEBHOOK.c.removed_at.is_(None))
    with looking(engine) as connection:
        rows = connection.execute(query.order_by(WEBHOOK.c.created_at)).mappings().all()
    return [{"webhook_id": r["webhook_id"], "url": r["url"], "kinds": json.loads(r["kinds"]), "created_at": r["created_at"]} for r in rows]  # fmt: skip


def unsubscribe(connection: Connection, organisation: str, webhook_id: str, now: datetime) -> bool:
    """Forget an endpoint; whether there was one."""
    own = and_(WEBHOOK.c.webhook_id == webhook_id, WEBHOOK.c.organisation == organisation)
    alive = update(WEBHOOK).where(own, WEBHOOK.c.removed_at.is_(None))
    return connection.execute(alive.values(removed_at=iso(now), secret=b"")).rowcount == 1


def tell(connection: Connection, told: Told) -> int:
    """Put a message into the outbox of everybody who wants it; how many are new."""
    rows = connection.execute(select(WEBHOOK).where(WEBHOOK.c.removed_at.is_(None))).mappings().all()
    wanting = [
        r for r in rows if told.organisation in json.loads(r["asks_for"]) and told.kind in json.loads(r["kinds"])
    ]
    new = 0
    for row in wanting:
        message = {
            "message_id": told.message_id,
            "webhook_id": row["webhook_id"],
            "organisation": row["organisation"],
            "kind": told.kind,
            "body": told.body(),
            "created_at": iso(told.at),
            "attempts": 0,
            "next_at": iso(told.at),
            "delivered_at": None,
            "error": None,
        }
        new += put_once(connection, MESSAGE, message)
    return new


def page(engine: Engine, organisation: str, *, before: tuple[str, str] | None, limit: int) -> list[dict[str, Any]]:
    """An organisation's messages, newest first."""
    of = MESSAGE.c
    query = select(MESSAGE).where(of.organisation == organisation)
    if before is not None:
        place = of.message_id + "/" + of.webhook_id
        query = query.where(or_(of.created_at < before[0], and_(of.created_at == before[0], place < before[1])))
    query = query.order_by(of.created_at.desc(), (of.message_id + "/" + of.webhook_id).desc()).limit(limit)
    with looking(engine) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def replay(connection: Connection, organisation: str, webhook_id: str, named: str, now: datetime) -> bool:
    """Send a message again, under its own id; whether there is such a one."""
    own = and_(MESSAGE.c.organisation == organisation, MESSAGE.c.webhook_id == webhook_id)
    again = {"next_at": iso(now), "delivered_at": None, "attempts": 0, "error": None}
    return connection.execute(update(MESSAGE).where(own, MESSAGE.c.message_id == named).values(**again)).rowcount == 1


def deliver_one(
    engine: Engine, own: OwnKey, clock: Clock, *, allow_private: bool, resolve: Resolve | None = None
) -> bool:
    """Send the message that has been due for longest; whether there was one."""
    now = clock()
    row = _claim(engine, now)
    if row is None:
        return False
    error, delivered, gone = "the webhook was removed", False, True
    if row["removed_at"] is None:
        secret = own.decrypted(row["webhook_id"], row["secret"]).decode()
        endpoint = Endpoint(row["url"], allow_private=allow_private)
        came = send(
            endpoint, row["message_id"], row["body"].encode(), secret,
            clock=clock, pause=lambda _: None, resolve=resolve, pauses=(),
        )  # fmt: skip
        error, delivered, gone = came.error or "", came.delivered, came.status == 410
    _note(engine, row, clock(), error=error, delivered=delivered, gone=gone)
    return True


def _claim(engine: Engine, now: datetime) -> Any:
    """The message, put off for as long as one attempt may take."""
    due = select(MESSAGE.c.message_id, MESSAGE.c.webhook_id).where(MESSAGE.c.next_at <= iso(now))
    with changing(engine) as connection:
        query = due.order_by(MESSAGE.c.next_at).limit(1)
        if connection.dialect.name == "postgresql":
            query = query.with_for_update(skip_locked=True)
        found = connection.execute(query).one_or_none()
        if found is None:
            return None
        own = and_(MESSAGE.c.message_id == found.message_id, MESSAGE.c.webhook_id == found.webhook_id)
        later = iso(now + timedelta(seconds=LEASE_S))
        connection.execute(update(MESSAGE).where(own).values(next_at=later, attempts=MESSAGE.c.attempts + 1))
        columns = (MESSAGE.c.message_id, MESSAGE.c.webhook_id, MESSAGE.c.body, MESSAGE.c.attempts)
        joined = MESSAGE.join(WEBHOOK, WEBHOOK.c.webhook_id == MESSAGE.c.webhook_id)
        query_all = select(*columns, WEBHOOK.c.url, WEBHOOK.c.secret, WEBHOOK.c.removed_at).select_from(joined)
        return connection.execute(query_all.where(own)).mappings().one()


def _note(engine: Engine, row: Any, now: datetime, *, error: str, delivered: bool, gone: bool) -> None:
    """What came of an attempt: delivered, to be tried again, or given up."""
    attempts = int(row["attempts"])
    over = delivered or gone or attempts > len(PAUSES_S)
    pause = 0 if over else PAUSES_S[attempts - 1]
    values = {
        "delivered_at": iso(now) if delivered else None,
        "error": None if delivered else error[:300],
        "next_at": None if over else iso(now + timedelta(seconds=pause)),
    }
    own = and_(MESSAGE.c.message_id == row["message_id"], MESSAGE.c.webhook_id == row["webhook_id"])
    with changing(engine) as connection:
        connection.execute(update(MESSAGE).where(own).values(**values))
