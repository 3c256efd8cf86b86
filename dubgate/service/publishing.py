"""May these bytes be published, for this use, at this moment? Yes only with a valid certificate and living consents.

Everything else is a refusal with a reason that a machine can branch on, and the largest scope that would be released.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from consent.database import reading
from consent.errors import ConsentError
from consent.registry import Registry
from dubgate.certificate.claim import PASSED
from dubgate.certificate.covering import require_channel, require_partner, require_places, require_window
from dubgate.certificate.refusals import (
    ConsentEnded,
    Expired,
    LevelNotAccepted,
    Malformed,
    NotPassed,
    NotYetValid,
    OtherLanguage,
    Refused,
)
from dubgate.certificate.trust import TrustStore
from dubgate.service.asked import AskedStore
from dubgate.service.certificates import (
    Facts,
    Standing,
    ask_whole,
    facts_of,
    keep_standing,
    opened_of,
    read_facts,
)
from dubgate.service.clock import Clock
from dubgate.service.database import changing
from dubgate.service.index_rows import AMONG, CHANGED, ROWS, Row
from dubgate.service.own_key import OwnKey
from dubgate.service.quick import Quick
from dubgate.service.trusting import TrustFile, require_trusted
from dubgate.standing import of_a_use_alone

MOST_ROWS = 50


class NoCertificate(Refused):
    """The service knows no certificate for these bytes."""

    reason = "no-certificate"


class NotConfigured(Refused):
    """The service has no trust store, so it believes nobody."""

    reason = "no-trust-store"


@dataclass(frozen=True, slots=True)
class Use:
    """Where (countries), how, in which language, and when; and by which partner, where the release names partners."""

    territories: frozenset[str]
    channel: str
    language: str
    at: datetime
    partner: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The certificate under which it may be published."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Denied:
    """Why not, and what would be released instead: None where nothing of these bytes would."""

    refusal: Refused
    largest: Facts | None


class Publishing:
    """Answers the question from the index, the trust store and the registry; nothing is remembered but by seal."""

    def __init__(self, engine: Engine, registry: Registry, trust: TrustFile | None, own: OwnKey, clock: Clock) -> None:
        self.engine, self.registry, self.trust, self.own, self.clock = engine, registry, trust, own, clock
        self.origin = registry.head().origin
        kind = engine.dialect.name
        self._rows = Quick(engine, ROWS.format(changed=CHANGED[kind], among=AMONG[kind], limit=MOST_ROWS))

    def ask(self, digest: str, use: Use, organisations: frozenset[str]) -> Allowed | Denied:
        """The answer. A database that does not answer is an error, never a yes.

        Raises:
            StoreError, ConsentError: it could not be asked.
        """
        now = self.clock()
        try:
            if self.trust is None:
                raise NotConfigured("this service has no trust store", remedy="Name one in its settings: trust.")
            store = self.trust.store(now)
            rows = self._found(digest, organisations)
            if not rows:
                raise NoCertificate("no certificate for these bytes is known here")
        except Refused as refusal:
            return Denied(refusal, None)
        return self._judged(rows, digest, use, store, now)

    def _found(self, digest: str, organisations: frozenset[str]) -> list[Row]:
        rows = self._rows.rows(digest=digest, organisations=sorted(organisations))
        return [Row(**dict(zip(Row.__slots__, row, strict=True))) for row in rows]

    def _judged(self, rows: Sequence[Row], digest: str, use: Use, store: TrustStore, now: datetime) -> Allowed | Denied:
        """The newest certificate that covers the use, unless a no about these bytes is as new or newer.

        A no that is in this registry, of a use alone, is passed by for that title: the ledger says what it ends of it.
        """
        refusals: list[Refused] = []
        passed_by: set[str | None] = set()
        allowed: Facts | None = None
        since = ""  # when the certificate that allows it was recorded
        for k, row in enumerate(rows):
            if allowed is not None and row.recorded_at != since:
                break
            facts: Facts | None = None
            try:
                facts = self._facts(row, digest, store, now)
                _require_valid(facts, store, use.at, now)
                if allowed is None:
                    _require_covers(facts, use)
                    self._require_standing(facts, row, store, use.at, now)
                    allowed, since = facts, row.recorded_at
            except Refused as refusal:
                refusals.append(refusal)
                is_no = facts is None or facts.result != PASSED  # whoever signed it; what cannot be read may be one
                if is_no and facts is not None and self._of_a_use_alone(facts):
                    passed_by.add(facts.title_id)
                elif is_no:  # what use it is about it need not say: only a yes after it counts
                    allowed, rows = None, [r for r in rows[:k] if r.recorded_at != row.recorded_at]
                    break
        if allowed is not None and {allowed.title_id}.issuperset(passed_by):
            return Allowed(allowed)
        return Denied(refusals[0], self._largest(rows, digest, store, now))

    def _of_a_use_alone(self, facts: Facts) -> bool:
        return facts.ledger_origin == self.origin and of_a_use_alone(facts.reasons)

    def _facts(self, row: Row, digest: str, store: TrustStore, now: datetime) -> Facts:
        """The row's facts under its seal; where that does not hold, those of its document, verified whole.

        Raises:
            Refused
        """
        sealed = self.own.sealed(row.facts.encode(), row.seal)
        facts = read_facts(row.facts) if sealed else self._verified(row, store, now)
        if facts.file_sha256 != digest:
            raise Malformed("the index has a certificate for other bytes here")
        return facts

    def _verified(self, row: Row, store: TrustStore, now: datetime) -> Facts:
        try:
            told = json.loads(row.facts)
            named = str(told["certificate_id"])
        except (ValueError, KeyError, TypeError):
            raise Malformed("the index of certificates is damaged") from None
        document = self._document(named)
        found = facts_of(opened_of(document, store, now), document, store, "", "")
        if found.certificate_id != named:
            raise Malformed("the index names another certificate than its document is")
        return found

    def _document(self, named: str) -> bytes:
        query = text("SELECT document FROM service_certificate WHERE certificate_id = :named")
        with reading(self.engine) as connection:
            found = connection.execute(query, {"named": named}).scalar_one_or_none()
        if found is None:
            raise Malformed("the index names a certificate that is not there")
        return bytes(found)

    def _require_standing(self, facts: Facts, row: Row, store: TrustStore, at: datetime, now: datetime) -> None:
        """Everything that it rests on stands now, and at the moment asked for.

        Raises:
            ConsentEnded, LedgerRewritten
        """
        if not row.stands(facts, self.own, now):
            self._ask(facts, store, now, keep=True)
        if at > now and not row.stands(facts, self.own, at):
            self._ask(facts, store, at, keep=False)

    def _ask(self, facts: Facts, store: TrustStore, at: datetime, *, keep: bool) -> Standing:
        opened = opened_of(self._document(facts.certificate_id), store, self.clock())
        with reading(self.engine) as connection:
            standing = ask_whole(opened, AskedStore(connection), self.origin, at)
        if keep:
            with contextlib.suppress(ConsentError), changing(self.engine) as connection:
                keep_standing(connection, standing, self.own)
        return standing

    def _largest(self, rows: Sequence[Row], digest: str, store: TrustStore, now: datetime) -> Facts | None:
        """The widest of the certificates that hold now, whatever the use."""
        return max(
            self._holding(rows, digest, store, now), key=lambda f: len(f.territories) * len(f.channels), default=None
        )

    def _holding(self, rows: Sequence[Row], digest: str, store: TrustStore, now: datetime) -> Iterator[Facts]:
        for row in rows:
            with contextlib.suppress(Refused):
                facts = self._facts(row, digest, store, now)
                _require_valid(facts, store, now, now)
                self._require_standing(facts, row, store, now, now)
                yield facts


def _require_valid(facts: Facts, store: TrustStore, at: datetime, now: datetime) -> None:
    """Its key counts, it passed at a level that is accepted, and it has not expired, now and at the moment asked for.

    Raises:
        Refused
    """
    gate = require_trusted(facts, store, max(at, now))
    store.require_current(max(at, now))
    if facts.result != PASSED:
        raise NotPassed(f"the gate said {facts.decision}: {', '.join(facts.reasons[:20])}")
    if facts.level not in gate.levels:
        raise LevelNotAccepted(f"{facts.level} is not accepted from {facts.verifier}")
    if facts.verified_at > now:
        raise NotYetValid(f"it is dated {facts.verified_at.isoformat()}, which is still to come")
    if max(at, now) >= facts.expires_at:
        raise Expired(f"it expired on {facts.expires_at.isoformat()}")


def _require_covers(facts: Facts, use: Use) -> None:
    """The release covers the whole use.

    Raises:
        OtherLanguage, OtherTerritory, OtherChannel, OtherPartner, OutsideWindow
    """
    if use.language != facts.language:
        raise OtherLanguage(f"the release is in {facts.language}, not {use.language}")
    require_places(facts.territories, use.territories)
    require_channel(sorted(facts.channels), use.channel)
    require_partner(sorted(facts.partners), use.partner)
    require_window(facts.window_start, facts.window_end, use.at)


LONGEST_AHEAD = timedelta(days=1)

__all__ = ["LONGEST_AHEAD", "Allowed", "ConsentEnded", "Denied", "Publishing", "Use"]
