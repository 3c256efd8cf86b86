"""The durable job table: submitted, claimed with a lease, renewed by heartbeats, ended once, cancelled cleanly.

Whoever holds a lease is named with a number of the attempt; every change that a worker makes asks for both, so that a
worker that was given up cannot change what its successor does.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, and_, func, or_, select, update

from dubgate.service.clock import iso, moment
from dubgate.service.database import changing, looking, put_once
from dubgate.service.tables import JOB

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
ENDED = (DONE, FAILED, CANCELLED)
CHECK, RENEW, REQUEST = "check", "renew", "request"
MOST_ATTEMPTS = 12  # workers that a job may take with it (killed, out of memory) before it is given up


class LeaseLostError(Exception):
    """Another worker has the job now, or it was cancelled: whatever this one does counts no more."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands."""

    job_id: str
    organisation: str
    party: str
    token_id: str | None
    kind: str
    request: dict[str, Any]
    state: str
    stage: str
    progress: float
    attempts: int
    cancel_requested: bool
    decision: str | None
    release_id: str | None
    certificate_id: str | None
    error: dict[str, Any] | None
    pending: bytes | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    changed_at: datetime
    lease_owner: str | None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


def _job(row: Any) -> Job:
    return Job(
        **{k: row[k] for k in ("job_id", "organisation", "party", "token_id", "kind", "state", "stage", "progress")},
        **{k: row[k] for k in ("attempts", "decision", "release_id", "certificate_id", "pending", "lease_owner")},
        started_at=None if row["started_at"] is None else moment(row["started_at"]),
        finished_at=None if row["finished_at"] is None else moment(row["finished_at"]),
        request=json.loads(row["request"]),
        error=None if row["error"] is None else json.loads(row["error"]),
        cancel_requested=bool(row["cancel_requested"]),
        created_at=moment(row["created_at"]),
        changed_at=moment(row["changed_at"]),
    )


def new_job_id() -> str:
    """A job's id; also that of its delivery at the desk."""
    return f"job-{uuid.uuid4().hex[:24]}"


def add(
    connection: Connection,
    *,
    job_id: str,
    organisation: str,
    party: str,
    token_id: str | None,
    kind: str,
    request: Mapping[str, Any],
    now: datetime,
    once: str | None = None,
) -> bool:
    """Queue a job, unless one that is the same by `once` was queued before; whether it was."""
    row = {
        "job_id": job_id,
        "organisation": organisation,
        "party": party,
        "token_id": token_id,
        "kind": kind,
        "request": json.dumps(request, sort_keys=True),
        "state": QUEUED,
        "stage": "waiting",
        "progress": 0.0,
        "attempts": 0,
        "not_before": iso(now),
        "cancel_requested": 0,
        "once": once,
        "created_at": iso(now),
        "changed_at": iso(now),
    }
    return put_once(connection, JOB, row)


def n_open(connection: Connection, organisation: str) -> int:
    """How many jobs of an organisation are waiting or running."""
    query = select(func.count()).where(JOB.c.organisation == organisation, JOB.c.state.in_((QUEUED, RUNNING)))
    return int(connection.execute(query).scalar_one())


def get(engine: Engine, job_id: str, organisation: str | None = None) -> Job | None:
    """A job; with `organisation`, only if it is that one's."""
    query = select(JOB).where(JOB.c.job_id == job_id)
    if organisation is not None:
        query = query.where(JOB.c.organisation == organisation)
    with looking(engine) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _job(row)


def page(
    engine: Engine, organisation: str, *, states: Sequence[str] = (), before: tuple[str, str] | None, limit: int
) -> list[Job]:
    """Jobs of an organisation, newest first; `before` is the creation time and id of the last one seen."""
    query = select(JOB).where(JOB.c.organisation == organisation)
    if states:
        query = query.where(JOB.c.state.in_(states))
    if before is not None:
        earlier = and_(JOB.c.created_at == before[0], JOB.c.job_id < before[1])
        query = query.where(or_(JOB.c.created_at < before[0], earlier))
    query = query.order_by(JOB.c.created_at.desc(), JOB.c.job_id.desc()).limit(limit)
    with looking(engine) as connection:
        return [_job(row) for row in connection.execute(query).mappings()]


def claim(engine: Engine, worker_id: str, now: datetime, *, lease_s: float, kinds: Sequence[str] = ()) -> Job | None:
    """The oldest job that is due, or whose worker has not been heard of for its lease; None where there is none.

    A job that took MOST_ATTEMPTS workers with it before anything was decided fails for good.
    """
    waiting = and_(JOB.c.state == QUEUED, JOB.c.not_before <= iso(now))
    orphaned = and_(JOB.c.state == RUNNING, JOB.c.lease_until < iso(now))
    query = select(JOB.c.job_id).where(or_(waiting, orphaned)).order_by(JOB.c.not_before, JOB.c.job_id).limit(1)
    if kinds:
        query = query.where(JOB.c.kind.in_(kinds))
    with changing(engine) as connection:
        connection.execute(_deadly(orphaned).values(**_given_up(now)))
        if connection.dialect.name == "postgresql":
            query = query.with_for_update(skip_locked=True)
        job_id = connection.execute(query).scalar_one_or_none()
        if job_id is None:
            return None
        values = {
            "state": RUNNING,
            "stage": "claimed",
            "attempts": JOB.c.attempts + 1,
            "lease_owner": worker_id,
            "lease_until": iso(now + timedelta(seconds=lease_s)),
            "started_at": func.coalesce(JOB.c.started_at, iso(now)),
            "changed_at": iso(now),
        }
        connection.execute(update(JOB).where(JOB.c.job_id == job_id).values(**values))
        return _job(connection.execute(select(JOB).where(JOB.c.job_id == job_id)).mappings().one())


def _deadly(orphaned: Any) -> Any:
    """The jobs whose workers died too often; what is decided already is only to be written out, however often."""
    undecided = and_(JOB.c.decision.is_(None), JOB.c.release_id.is_(None))
    return update(JOB).where(and_(orphaned, undecided, JOB.c.attempts >= MOST_ATTEMPTS))


def _given_up(now: datetime) -> dict[str, Any]:
    error = {"reason": "workers-died", "detail": f"{MOST_ATTEMPTS} workers died over it; nothing was decided"}
    ended = {"state": FAILED, "stage": "failed", "finished_at": iso(now), "changed_at": iso(now)}
    return {**ended, "error": json.dumps(error), "lease_owner": None, "lease_until": None}


def _held(job: Job) -> Any:
    """The row, as long as this attempt holds it."""
    own = and_(JOB.c.lease_owner == job.lease_owner, JOB.c.attempts == job.attempts)
    return and_(JOB.c.job_id == job.job_id, JOB.c.state == RUNNING, own)


def _change(connection: Connection, job: Job, now: datetime, **values: Any) -> None:
    """Change a job that this attempt holds.

    Raises:
        LeaseLostError
    """
    done = connection.execute(update(JOB).where(_held(job)).values(**values, changed_at=iso(now)))
    if done.rowcount != 1:
        raise LeaseLostError(job.job_id)


def beat(
    engine: Engine, job: Job, now: datetime, *, lease_s: float, stage: str | None = None, progress: float | None = None
) -> bool:
    """Keep the lease and say how far it is; whether somebody wants it cancelled.

    Raises:
        LeaseLostError
    """
    told = {k: v for k, v in (("stage", stage), ("progress", progress)) if v is not None}
    with changing(engine) as connection:
        _change(connection, job, now, lease_until=iso(now + timedelta(seconds=lease_s)), **told)
        wanted = connection.execute(select(JOB.c.cancel_requested).where(JOB.c.job_id == job.job_id)).scalar_one()
    return bool(wanted)


def decide(connection: Connection, job: Job, now: datetime, *, decision: str, release_id: str, pending: bytes) -> None:
    """Note what was decided, in the very transaction in which it enters the ledger.

    Raises:
        LeaseLostError: then that transaction must not stand either.
    """
    free = update(JOB).where(_held(job), JOB.c.cancel_requested == 0, JOB.c.release_id.is_(None))
    values = {"decision": decision, "release_id": release_id, "pending": pending, "stage": "decided"}
    if connection.execute(free.values(**values, changed_at=iso(now))).rowcount != 1:
        raise LeaseLostError(job.job_id)


def finish(
    connection: Connection, job: Job, now: datetime, *, decision: str | None = None, certificate_id: str | None = None
) -> None:
    """The job is done; what it made is written in the same transaction.

    Raises:
        LeaseLostError
    """
    made = {k: v for k, v in (("decision", decision), ("certificate_id", certificate_id)) if v is not None}
    ended = {"state": DONE, "stage": "done", "progress": 1.0, "finished_at": iso(now), "pending": None, "error": None}
    _change(connection, job, now, **ended, **made, lease_owner=None, lease_until=None)


def fail(engine: Engine, job: Job, now: datetime, error: Mapping[str, Any], *, again_at: datetime | None) -> None:
    """The attempt failed: to be tried again at a moment, or for good.

    Raises:
        LeaseLostError
    """
    told: dict[str, Any] = {"error": json.dumps(error), "lease_owner": None, "lease_until": None}
    if again_at is None:
        told |= {"state": FAILED, "stage": "failed", "finished_at": iso(now)}
    else:
        told |= {"state": QUEUED, "stage": "waiting to be tried again", "not_before": iso(again_at)}
    with changing(engine) as connection:
        _change(connection, job, now, **told)


def put_back(engine: Engine, job: Job, now: datetime) -> None:
    """The worker stops: the job waits for the next one, and the attempt does not count.

    Raises:
        LeaseLostError
    """
    waiting = {"state": QUEUED, "stage": "waiting", "lease_owner": None, "lease_until": None, "not_before": iso(now)}
    with changing(engine) as connection:
        _change(connection, job, now, **waiting, attempts=JOB.c.attempts - 1)


def cancelled(engine: Engine, job: Job, now: datetime) -> None:
    """A running job stopped because somebody wanted it.

    Raises:
        LeaseLostError
    """
    ended = {
        "state": CANCELLED,
        "stage": "cancelled",
        "finished_at": iso(now),
        "lease_owner": None,
        "lease_until": None,
    }
    with changing(engine) as connection:
        _change(connection, job, now, **ended)


def ask_to_cancel(connection: Connection, job_id: str, organisation: str, now: datetime) -> None:
    """Cancel what waits; ask the worker of what runs. What was decided already runs to its end."""
    own = and_(JOB.c.job_id == job_id, JOB.c.organisation == organisation)
    ended = {"state": CANCELLED, "stage": "cancelled", "finished_at": iso(now), "changed_at": iso(now)}
    undecided = JOB.c.release_id.is_(None)
    done = connection.execute(update(JOB).where(own, JOB.c.state == QUEUED, undecided).values(**ended)).rowcount
    if not done:
        running = update(JOB).where(own, JOB.c.state == RUNNING, undecided)
        connection.execute(running.values(cancel_requested=1, changed_at=iso(now)))
