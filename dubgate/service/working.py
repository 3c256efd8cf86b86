"""A worker: takes one job at a time, judges it, records and signs the decision, and can be killed at any moment.

Two facts make each job end once. A decision enters the ledger in the transaction in which the job notes it, held by a
lease and the number of the attempt. And everything after that is repeated from what was noted, until it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from consent.errors import ConsentError, RecordError
from consent.registry import Registry
from consent.writing import Writer
from dubgate.certifying import Gate
from dubgate.deciding import Decided
from dubgate.errors import DubgateError, InputError
from dubgate.judging_again import judge_again
from dubgate.service import jobs
from dubgate.service.asking import ask_for_decisions
from dubgate.service.clock import Clock, utc_now
from dubgate.service.database import changing, trying
from dubgate.service.fetching import fetch
from dubgate.service.filing import file_certificate, file_reports
from dubgate.service.jobs import Job, LeaseLostError
from dubgate.service.judging import Hear, Outcome, Render, judge, rendered
from dubgate.service.own_key import OwnKey
from dubgate.service.settings import Settings
from dubgate.service.signing import (
    Pending,
    certificate_of,
    decide,
    pending_of,
    read_pending,
    require_another_hand,
    require_standing_still,
)
from dubgate.service.sources import manifest_of
from dubgate.service.verdicts import kept_of

Reached = Callable[[str], None]


class StoppedError(BaseException):
    """The job is not wanted any more, or the worker is to stop; nothing that hears may catch it."""


@dataclass
class Worker:
    """`hear`, `render` and `reached` are for tests: a fake ear, no page, and a look at each stage that a job comes to."""

    settings: Settings
    engine: Engine
    own: OwnKey
    gate: Gate | None
    worker_id: str
    hear: Hear = judge_again
    render: Render = rendered
    clock: Clock = utc_now
    reached: Reached = lambda stage: None
    interrupt: Callable[[], None] | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    hearing: bool = False  # whether an interruption may raise now

    def step(self) -> bool:
        """Do the next job to its end, or as far as it comes; whether there was one."""
        now = self.clock()
        job = trying(lambda: jobs.claim(self.engine, self.worker_id, now, lease_s=self.settings.jobs.lease_seconds))
        if job is None:
            return False
        try:
            self.reached("claimed")
            with self._kept_alive(job) as beat:
                self._do(job, beat)
        except LeaseLostError:
            self._after_loss(job)
        except StoppedError:
            self._stopped(job)
        except Exception as error:  # noqa: BLE001 - a job that breaks must not break its worker
            self._failed(job, error)
        return True

    def _do(self, job: Job, beat: _Beat) -> None:
        if job.pending is not None:
            self._sign(job, read_pending(self.own.decrypted(job.job_id, job.pending)))
            return
        manifest = self._manifest(job, beat)
        with self._listening():
            outcome = judge(
                job, self.settings, manifest, clock=self.clock, hear=self.hear, render=self.render,
                progress=beat.progress, reached=self.reached,
            )  # fmt: skip
        if job.kind == jobs.REQUEST:
            self._ask(job, outcome)
        elif self.gate is None:
            self._finish_unsigned(job, outcome)
        else:
            self._decide(job, outcome, self.gate)

    def _manifest(self, job: Job, beat: _Beat) -> Path:
        if "url" not in job.request:
            return manifest_of(job.request, job.organisation, self.settings)
        with self._listening():
            folder = self.settings.data / "fetched" / job.job_id
            return fetch(str(job.request["url"]), job.organisation, self.settings, folder, beat.progress)

    def _decide(self, job: Job, outcome: Outcome, gate: Gate) -> None:
        def within(writer: Writer, decided: Decided) -> None:
            self.reached("deciding")
            pending = pending_of(decided)
            kept = self.own.encrypted(job.job_id, pending.data())
            jobs.decide(
                writer.store.connection, job, self.clock(),
                decision=pending.decision, release_id=pending.release_id, pending=kept,
            )  # fmt: skip
            require_another_hand(writer, pending.release_id, job.party)
            file_reports(writer.store.connection, job, outcome.reports | kept_of(decided, job.job_id, self.own))
            self.reached("noted")

        with Registry.open(self.settings.registry, clock=self.clock) as registry:
            release_id = f"rel-{job.job_id}"
            pending = decide(outcome.judged.judgement, outcome.watched, registry, gate, release_id, within)
        self.reached("decided")
        self._sign(job, pending)

    def _sign(self, job: Job, pending: Pending) -> None:
        if self.gate is None:
            raise InputError("a decision waits for its signature, and this worker has no keys", where=job.job_id)
        with Registry.open(self.settings.registry, clock=self.clock, read_only=True) as registry:
            require_standing_still(pending, registry, self.clock())
            document = certificate_of(pending, registry, self.gate)
            self.reached("signed")
            origin = registry.head().origin
        filed = file_certificate(job, pending, document, self.gate, self.own, self.engine, origin, self.clock())
        with changing(self.engine) as connection:
            filed(connection)
            self.reached("filing")
        self.reached("filed")

    def _finish_unsigned(self, job: Job, outcome: Outcome) -> None:
        decision = outcome.judged.judgement.verdict.decision.name.lower()
        with changing(self.engine) as connection:
            file_reports(connection, job, outcome.reports)
            jobs.finish(connection, job, self.clock(), decision=decision)

    def _ask(self, job: Job, outcome: Outcome) -> None:
        with Registry.open(self.settings.registry, clock=self.clock) as registry:
            answer = ask_for_decisions(outcome.judged, registry, self.clock())
        decision = outcome.judged.judgement.verdict.decision.name.lower()
        with changing(self.engine) as connection:
            file_reports(connection, job, {**outcome.reports, "requests.json": answer})
            jobs.finish(connection, job, self.clock(), decision=decision)

    # When it does not go well

    def _failed(self, job: Job, error: Exception) -> None:
        """Tried again later, unless it is the delivery that is wrong, or it was tried often enough."""
        now, tried = self.clock(), job.attempts
        final = isinstance(error, InputError) or tried >= self.settings.jobs.attempts
        refused = isinstance(error, RecordError) or isinstance(error.__cause__, RecordError)
        pause = 0.0 if refused else self.settings.jobs.backoff_seconds * 2 ** (tried - 1)
        again_at = None if final else now + timedelta(seconds=pause)
        self._quietly(lambda: jobs.fail(self.engine, job, now, self._told(error), again_at=again_at))

    def _told(self, error: Exception) -> dict[str, Any]:
        """What the submitter reads: where in the delivery, never where on this machine."""
        kind = type(error).__name__
        if not isinstance(error, DubgateError | ConsentError):
            return {"kind": kind, "what": "the service failed; its log says how", "where": None, "remedy": None}
        told = {"kind": kind, "what": error.what, "where": error.where, "remedy": error.remedy}
        return {k: v if v is None else self._without_places(v) for k, v in told.items()}

    def _without_places(self, text: str) -> str:
        places = (str(self.settings.data), str(self.settings.data.resolve()))
        for place in places:
            text = text.replace(place, "…")
        return text[:2000]

    def _after_loss(self, job: Job) -> None:
        """Cancelled while it was judged; or another worker has it, and then there is nothing to do."""
        found = jobs.get(self.engine, job.job_id)
        if found is not None and found.cancel_requested and found.lease_owner == self.worker_id:
            self._quietly(lambda: jobs.cancelled(self.engine, job, self.clock()))

    def _stopped(self, job: Job) -> None:
        if self.stopping.is_set():
            self._quietly(lambda: jobs.put_back(self.engine, job, self.clock()))
        else:
            self._after_loss(job)

    def _quietly(self, work: Callable[[], None]) -> None:
        try:
            trying(work)
        except (LeaseLostError, ConsentError):
            return  # its lease runs out, and another worker takes it

    # Signs of life

    @contextmanager
    def _kept_alive(self, job: Job) -> Iterator[_Beat]:
        beat = _Beat(self, job)
        beat.thread.start()
        try:
            yield beat
        finally:
            beat.over.set()
            beat.thread.join()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self.hearing = True
        try:
            yield
        finally:
            self.hearing = False

    def stop(self) -> None:
        """Put the running job back and take no other."""
        self.stopping.set()
        self.interrupted()

    def interrupted(self) -> None:
        """Called in the thread that works: raise where a delivery is being heard, and only there."""
        if self.hearing:
            self.hearing = False
            raise StoppedError


class _Beat:
    """Keeps a job's lease from another thread, and hears whether it is still wanted."""

    def __init__(self, worker: Worker, job: Job) -> None:
        self.worker, self.job = worker, job
        self.over, self.unwanted = threading.Event(), threading.Event()
        self.stage, self.done = "starting", 0.0
        self.thread = threading.Thread(target=self._run, name=f"beat-{job.job_id}", daemon=True)

    def progress(self, stage: str, share: float) -> None:
        """What hearing reports; raises where nobody wants the result any more."""
        self.stage, self.done = stage[:100], min(1.0, max(0.0, share))
        if self.unwanted.is_set() or self.worker.stopping.is_set():
            raise StoppedError

    def _run(self) -> None:
        lease = self.worker.settings.jobs.lease_seconds
        while not self.over.wait(min(lease / 4, 2.0)):
            if not self._kept(lease) and not self.unwanted.is_set():
                self.unwanted.set()
                if self.worker.interrupt is not None:
                    self.worker.interrupt()

    def _kept(self, lease: float) -> bool:
        """Whether the job is still this worker's, and wanted."""
        now: datetime = self.worker.clock()
        try:
            told = {"stage": self.stage, "progress": self.done}
            return not jobs.beat(self.worker.engine, self.job, now, lease_s=lease, **told)  # type: ignore[arg-type]
        except LeaseLostError:
            return False
        except ConsentError:
            return True  # the database was away; the lease decides
