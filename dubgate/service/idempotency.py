"""Idempotency keys: the same write sent twice is done once, and answered twice with the same words."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from dubgate.service.clock import iso
from dubgate.service.problems import Problem
from dubgate.service.tables import IDEMPOTENCY

KEPT = timedelta(days=7)
PATTERN = r"^[A-Za-z0-9._:-]{8,128}$"
_SHAPE = re.compile(PATTERN + r"\Z")


def digest_of(route: str, body: Any) -> str:
    """What must be the same where the key is the same."""
    return hashlib.sha256(json.dumps([route, body], sort_keys=True).encode()).hexdigest()


def earlier_answer(connection: Connection, organisation: str, key: str, request_sha256: str) -> Any | None:
    """What was answered under this key before; None where nothing was.

    Raises:
        Problem: 409 where it was another request, 422 where the key is malformed.
    """
    if not key:
        return None
    if not _SHAPE.match(key):
        raise Problem(422, "an idempotency key is 8 to 128 letters, digits or ._:-")
    query = select(IDEMPOTENCY).where(IDEMPOTENCY.c.organisation == organisation, IDEMPOTENCY.c.key == key)
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    if row["request_sha256"] != request_sha256:
        raise Problem(409, "this idempotency key was used for another request", kind="idempotency-key-reused")
    return json.loads(row["answer"])


def keep_answer(
    connection: Connection, organisation: str, key: str, request_sha256: str, answer: Any, now: datetime
) -> None:
    """Remember an answer, in the transaction of what was done; old ones are forgotten."""
    if not key:
        return
    connection.execute(delete(IDEMPOTENCY).where(IDEMPOTENCY.c.created_at < iso(now - KEPT)))
    row = {
        "organisation": organisation,
        "key": key,
        "request_sha256": request_sha256,
        "status": 202,
        "answer": json.dumps(answer),
        "created_at": iso(now),
    }
    connection.execute(insert(IDEMPOTENCY), row)
