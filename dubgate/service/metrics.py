"""Prometheus metrics: requests by route and status, answers by reason, jobs by state, the age of the oldest that waits."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import Engine, func, select

from dubgate.service.clock import moment, utc_now
from dubgate.service.database import looking
from dubgate.service.jobs import QUEUED
from dubgate.service.tables import JOB, MESSAGE, WORKER

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """One process's numbers, and at each scrape those of the job table."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dubgate_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "dubgate_request_seconds", "Time to answer.", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.answers = Counter("dubgate_may_publish", "Answers to may-publish.", ["reason"], registry=self.registry)
        self._jobs = Gauge("dubgate_jobs", "Jobs by state.", ["state"], registry=self.registry)
        self._oldest = Gauge(
            "dubgate_oldest_waiting_seconds", "How long the oldest job has been waiting.", registry=self.registry
        )
        self._messages = Gauge(
            "dubgate_messages_waiting", "Webhook messages that are not delivered.", registry=self.registry
        )
        self._workers = Gauge("dubgate_workers", "Workers seen in the last minute.", registry=self.registry)

    def text(self, engine: Engine) -> bytes:
        """The exposition format."""
        with looking(engine) as connection:
            rows = connection.execute(
                select(JOB.c.state, func.count(), func.min(JOB.c.not_before)).group_by(JOB.c.state)
            ).all()
            waiting = connection.execute(select(func.count()).where(MESSAGE.c.next_at.is_not(None))).scalar_one()
            seen = connection.execute(select(WORKER.c.seen_at)).scalars().all()
        now = utc_now()
        self._jobs.clear()
        for state, n, _ in rows:
            self._jobs.labels(state).set(n)
        oldest = next((since for state, _, since in rows if state == QUEUED), None)
        self._oldest.set(0 if oldest is None else max(0.0, (now - moment(oldest)).total_seconds()))
        self._messages.set(waiting)
        self._workers.set(sum((now - moment(at)).total_seconds() < 60 for at in seen))
        return generate_latest(self.registry)
