"""What a worker does beside its jobs: sends messages, tells of endings, renews, warns, deletes old uploads, and says that it is alive."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import delete

from consent.registry import Registry
from dubgate.service.clock import iso
from dubgate.service.database import changing, put_over
from dubgate.service.messages import deliver_one
from dubgate.service.renewing import schedule
from dubgate.service.retention import delete_due
from dubgate.service.tables import WORKER
from dubgate.service.telling import tell_of_endings, tell_of_revoked_gates
from dubgate.service.trusting import TrustFile
from dubgate.service.warning import Warnings
from dubgate.service.working import Worker

LOG = logging.getLogger("dubgate.service")
EVERY_S, RENEW_EVERY_S, WARN_EVERY_S, DELETE_EVERY_S, AT_ONCE = 1.0, 60.0, 300.0, 600.0, 50


@dataclass
class Chores:
    """A thread beside a worker."""

    worker: Worker
    registry: Registry
    trust: TrustFile | None
    warnings: Warnings
    _due: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Until the worker stops."""
        while not self.worker.stopping.wait(EVERY_S):
            self.once()
        with changing(self.worker.engine) as connection:
            connection.execute(delete(WORKER).where(WORKER.c.worker_id == self.worker.worker_id))

    def start(self) -> threading.Thread:
        """Run in a thread."""
        thread = threading.Thread(target=self.run, name="chores", daemon=True)
        thread.start()
        return thread

    def once(self) -> None:
        """One round; a chore that fails is logged and tried again in the next."""
        worker = self.worker
        self._do("alive", 10.0, self._alive)
        self._do("endings", 0.0, lambda: tell_of_endings(worker.engine, self.registry, worker.own, worker.clock()))
        self._do("gates", RENEW_EVERY_S, self._gates)
        self._do(
            "renewals", RENEW_EVERY_S, lambda: schedule(worker.engine, worker.own, worker.settings, worker.clock())
        )
        self._do("warnings", WARN_EVERY_S, lambda: self.warnings.look(self.registry, self.trust, worker.clock()))
        self._do("messages", 0.0, self._messages)
        self._do("retention", DELETE_EVERY_S, self._retention)

    def _do(self, name: str, every_s: float, chore: Callable[[], object]) -> None:
        if time.monotonic() < self._due.get(name, 0.0):
            return
        self._due[name] = time.monotonic() + every_s
        try:
            chore()
        except Exception:  # a chore that fails must not end the others
            LOG.exception("a chore failed: %s", name)

    def _alive(self) -> None:
        now = iso(self.worker.clock())
        with changing(self.worker.engine) as connection:
            put_over(connection, WORKER, {"worker_id": self.worker.worker_id, "started_at": now, "seen_at": now})

    def _retention(self) -> None:
        delete_due(self.worker.engine, self.registry, self.worker.settings, self.worker.clock())

    def _gates(self) -> None:
        if self.trust is not None:
            tell_of_revoked_gates(self.worker.engine, self.trust.store(self.worker.clock()), self.worker.clock())

    def _messages(self) -> None:
        worker = self.worker
        allow = worker.settings.allow_private_webhooks
        for _ in range(AT_ONCE):
            if worker.stopping.is_set() or not deliver_one(
                worker.engine, worker.own, worker.clock, allow_private=allow
            ):
                return
