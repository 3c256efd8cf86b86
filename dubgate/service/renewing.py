"""Renewal by itself: a release that is live, or soon will be, is judged again before its certificate expires.

A renewal is a whole judging, from kept measurements where nothing changed, and a new certificate. Where the newest
decision about a delivery was a no, nothing is renewed: people have to look. What expires stops publishing; it takes
nothing down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, and_, exists, select

from dubgate.certificate.claim import PASSED
from dubgate.service import jobs
from dubgate.service.certificates import Facts, read_facts
from dubgate.service.clock import iso
from dubgate.service.database import changing, looking
from dubgate.service.own_key import OwnKey
from dubgate.service.settings import Settings
from dubgate.service.sources import source_of as place_of
from dubgate.service.tables import CERTIFICATE, JOB

OUTAGE = timedelta(days=7)  # for so long after it expired a renewal is still tried
AT_ONCE = 200
_LATER = CERTIFICATE.alias("later")


def source_of(engine: Engine, certificate_id: str, organisation: str) -> dict[str, Any] | None:
    """Where the delivery of a certificate lay; None where this organisation has no such certificate."""
    own = and_(CERTIFICATE.c.certificate_id == certificate_id, CERTIFICATE.c.organisation == organisation)
    query = select(JOB.c.request).join(CERTIFICATE, CERTIFICATE.c.job_id == JOB.c.job_id).where(own)
    with looking(engine) as connection:
        request = connection.execute(query).scalar_one_or_none()
    return None if request is None else place_of(json.loads(request))


def newest(
    engine: Engine, own: OwnKey, *, after: datetime, until: datetime | None, limit: int
) -> Iterator[tuple[Any, Facts]]:
    """The rows, and facts under seal, of certificates that passed and that no later decision about their delivery follows.

    Only those that expire after `after`, and at `until` at the latest where it is given.
    """
    of = CERTIFICATE.c
    same = and_(_LATER.c.source_sha256 == of.source_sha256, _LATER.c.recorded_at > of.recorded_at)
    query = select(of.certificate_id, of.organisation, of.job_id, of.source_sha256, of.facts, of.seal)
    query = query.where(of.result == PASSED, of.expires_at > iso(after), ~exists().where(same))
    if until is not None:
        query = query.where(of.expires_at <= iso(until))
    with looking(engine) as connection:
        rows = connection.execute(query.order_by(of.expires_at).limit(limit)).all()
    for row in rows:
        if own.sealed(row.facts.encode(), row.seal):
            yield row, read_facts(row.facts)


def schedule(engine: Engine, own: OwnKey, settings: Settings, now: datetime) -> int:
    """Queue a renewal of everything that will expire soon and is still wanted; how many are new."""
    ahead = now + timedelta(hours=settings.jobs.renew_ahead_hours)
    queued = 0
    for row, facts in newest(engine, own, after=now - OUTAGE, until=ahead, limit=AT_ONCE):
        if facts.window_end is None or facts.window_end > max(now, facts.expires_at):
            queued += _queue(engine, row, now)
    return queued


def _queue(engine: Engine, row: Any, now: datetime) -> bool:
    """One job an hour at most, and none beside one that is open."""
    with changing(engine) as connection:
        before = connection.execute(select(JOB).where(JOB.c.job_id == row.job_id)).mappings().one()
        named = f"renew:{row.certificate_id}:"
        open_ = and_(JOB.c.once.startswith(named, autoescape=True), JOB.c.state.in_((jobs.QUEUED, jobs.RUNNING)))
        if connection.execute(select(JOB.c.job_id).where(open_).limit(1)).first() is not None:
            return False
        request = {**place_of(json.loads(before["request"])), "renews": row.certificate_id}
        return jobs.add(
            connection, job_id=jobs.new_job_id(), organisation=before["organisation"], party=before["party"],
            token_id=None, kind=jobs.RENEW, request=request, now=now, once=f"{named}{now:%Y%m%d%H}",
        )  # fmt: skip
