"""Warnings three days ahead: whatever will stop a live release at a known moment is told before it does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from consent.database import reading
from consent.registry import Registry
from consent.views import View
from dubgate.certificate.file import Certificate
from dubgate.certificate.refusals import Refused
from dubgate.certificate.trust import TrustStore
from dubgate.errors import DubgateError
from dubgate.service.asked import AskedStore, every_moment
from dubgate.service.certificates import Facts, document_of, opened_of
from dubgate.service.clock import iso
from dubgate.service.database import changing
from dubgate.service.messages import Told, message_id, tell
from dubgate.service.own_key import OwnKey
from dubgate.service.renewing import OUTAGE, newest
from dubgate.service.settings import Settings
from dubgate.service.trusting import TrustFile
from dubgate.standing import release_and_ends

AT_ONCE = 200
LOOK_AGAIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stop:
    """That something will stop a release, when, and why."""

    at: datetime
    reasons: tuple[str, ...]


@dataclass
class Warnings:
    """Looks at each live release once an hour."""

    engine: Engine
    own: OwnKey
    settings: Settings
    _looked: dict[str, datetime] = field(default_factory=dict)

    def look(self, registry: Registry, trust: TrustFile | None, now: datetime) -> int:
        """Warn of what will stop a live release within the time ahead; how many messages are new."""
        if trust is None:
            return 0
        try:
            store = trust.store(now)
        except (Refused, DubgateError):
            return 0  # readiness says so already
        self._looked = {k: at for k, at in self._looked.items() if now - at < LOOK_AGAIN}
        new, origin, n = 0, registry.head().origin, 0
        for row, facts in newest(self.engine, self.own, after=now - OUTAGE, until=None, limit=10 * AT_ONCE):
            if row.certificate_id in self._looked or (facts.window_end is not None and facts.window_end <= now):
                continue
            if (n := n + 1) > AT_ONCE:
                break
            self._looked[row.certificate_id] = now
            new += self._warn(row, facts, store, origin, now)
        return new

    def _warn(self, row: Any, facts: Facts, store: TrustStore, origin: str, now: datetime) -> int:
        document = document_of(self.engine, facts.certificate_id, frozenset({facts.organisation}))
        if document is None:
            return 0
        until = now + timedelta(hours=self.settings.jobs.warn_ahead_hours)
        try:
            opened = opened_of(document, store, min(now, facts.verified_at))
        except Refused:
            return 0
        with reading(self.engine) as connection:
            stops = [
                *keys_ending(facts, store, now, until),
                *stops_of(opened, AskedStore(connection), origin, now, until),
            ]
        with changing(self.engine) as connection:
            return sum(tell(connection, _told(row, facts, stop, now)) for stop in stops)


def stops_of(opened: Certificate, store: AskedStore, origin: str, now: datetime, until: datetime) -> Iterator[Stop]:
    """The first known moment at which something that the release rests on ends; none where it does not stand even now."""
    view = View(store, now)
    _, ended = release_and_ends(opened, view, origin, now)
    scope = opened.verdict.claim.scope
    end = None if scope is None else scope.window_end
    if ended:
        return
    for moment in sorted(m for m in every_moment(store.given.values()) if now < m <= until):
        if end is not None and moment >= end:
            return  # its own window is over then
        _, ended = release_and_ends(opened, view, origin, moment)
        if ended:
            yield Stop(moment, ended)
            return


def keys_ending(facts: Facts, store: TrustStore, now: datetime, until: datetime) -> Iterator[Stop]:
    """The trust store, the gate's key, the ledger's key: without them no certificate counts."""
    if now < store.expires_at <= until:
        yield Stop(store.expires_at, ("the trust store expires",))
    for gate in store.gates:
        if gate.key.keyid == facts.keyid and now < gate.validity.not_after <= until:
            yield Stop(gate.validity.not_after, ("the gate's key ends",))
    for entry in store.ledgers:
        if entry.public == facts.ledger_public and now < entry.validity.not_after <= until:
            yield Stop(entry.validity.not_after, ("the ledger's key ends",))


def _told(row: Any, facts: Facts, stop: Stop, now: datetime) -> Told:
    data = {
        "release_id": facts.release_id,
        "certificate_id": facts.certificate_id,
        "title_id": facts.title_id,
        "language": facts.language,
        "stops_at": iso(stop.at),
        "reasons": list(stop.reasons),
    }
    about = f"{row.source_sha256} {iso(stop.at)} {' '.join(stop.reasons)}"  # a renewal is no news
    return Told(message_id("warning", about), facts.organisation, "warning", data, now)
