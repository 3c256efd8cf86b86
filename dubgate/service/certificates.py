"""The index of certificates by the digest of the file: what `may-publish` compares, under a seal of the service's own key.

Rows only grow. A row whose seal does not hold is never believed: its document is then verified whole, like a stranger's.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, and_, or_, select

from consent.checkpoint import VerifierKey, open_note, read_body
from consent.errors import SignatureError
from consent.views import View
from dubgate.certificate.claim import Scope
from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.refusals import Malformed
from dubgate.certificate.trust import TrustStore
from dubgate.certificate.verdict import certificate_id
from dubgate.regions import expand
from dubgate.service.asked import AskedStore
from dubgate.service.clock import iso, moment
from dubgate.service.database import looking, put_once, put_over
from dubgate.service.own_key import OwnKey
from dubgate.service.tables import CERTIFICATE, STANDING
from dubgate.standing import release_and_ends, require_nothing_ended

MAX_KEYS = 20_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What a certificate says, as far as publishing asks; every signature in it was verified when the facts were taken."""

    certificate_id: str
    organisation: str
    job_id: str
    file_sha256: str
    document_sha256: str
    release_id: str
    title_id: str | None
    result: str
    level: str
    decision: str
    reasons: tuple[str, ...]
    verifier: str
    keyid: str
    ledger_origin: str | None
    ledger_public: str | None  # the key that signed its checkpoint
    verified_at: datetime
    expires_at: datetime
    language: str | None
    territories: frozenset[str]  # countries
    channels: frozenset[str]
    window_start: datetime | None
    window_end: datetime | None
    partners: frozenset[str] = frozenset()

    def data(self) -> dict[str, Any]:
        """As JSON-able data."""
        out: dict[str, Any] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            plain = iso(value) if isinstance(value, datetime) else value
            out[name] = sorted(plain) if isinstance(plain, frozenset) else plain
        return out

    def text(self) -> str:
        """As the row keeps it, and as the seal covers it."""
        return json.dumps(self.data(), sort_keys=True)


_TIMES = ("verified_at", "expires_at", "window_start", "window_end")


def read_facts(text: str) -> Facts:
    """The facts of a row whose seal holds."""
    data = json.loads(text)
    data |= {k: None if data[k] is None else moment(data[k]) for k in _TIMES}
    # A row that was sealed before certificates named partners has none.
    data |= {name: frozenset(data.get(name, ())) for name in ("territories", "channels", "partners")}
    return Facts(**data | {"reasons": tuple(data["reasons"])})


def facts_of(opened: Certificate, document: bytes, trust: TrustStore, organisation: str, job_id: str) -> Facts:
    """The facts of a certificate that was verified against this trust store."""
    verdict, claim = opened.verdict, opened.verdict.claim
    scope: Scope | None = claim.scope
    origin, public = (None, None) if claim.ledger is None else _ledger(claim.ledger.checkpoint, trust)
    return Facts(
        certificate_id=certificate_id(opened.statement),
        organisation=organisation,
        job_id=job_id,
        file_sha256=verdict.file_sha256,
        document_sha256=hashlib.sha256(document).hexdigest(),
        release_id=claim.release_id,
        title_id=claim.title_id,
        result=verdict.result,
        level=verdict.level,
        decision=claim.decision,
        reasons=claim.reasons,
        verifier=verdict.verifier,
        keyid=opened.gate.key.keyid,
        ledger_origin=origin,
        ledger_public=public,
        verified_at=verdict.verified_at,
        expires_at=claim.expires_at,
        language=None if scope is None else scope.language,
        territories=frozenset() if scope is None else frozenset(expand(scope.territories)),
        channels=frozenset() if scope is None else frozenset(scope.channels),
        window_start=None if scope is None else scope.window_start,
        window_end=None if scope is None else scope.window_end,
        partners=frozenset() if scope is None else frozenset(scope.partners),
    )


def _ledger(note: str, trust: TrustStore) -> tuple[str, str | None]:
    """The ledger's name and the listed key that signed its checkpoint."""
    origin = read_body(note).origin
    for entry in trust.ledger_keys(origin):
        with contextlib.suppress(SignatureError, ValueError):
            open_note(note, VerifierKey(origin, bytes.fromhex(entry.public)))
            return origin, entry.public
    return origin, None


def put(connection: Connection, facts: Facts, document: bytes, own: OwnKey, now: datetime, *, source: str) -> bool:
    """Enter a certificate, once; whether it is new. `source` is the digest of where its delivery lay."""
    text = facts.text()
    row = {
        **{k: getattr(facts, k) for k in ("certificate_id", "organisation", "job_id", "file_sha256", "release_id")},
        "recorded_at": iso(now),
        "source_sha256": source,
        "result": facts.result,
        "keyid": facts.keyid,
        "expires_at": iso(facts.expires_at),
        "facts": text,
        "seal": own.seal(text.encode()),
        "document": document,
    }
    return put_once(connection, CERTIFICATE, row)


@dataclass(frozen=True, slots=True)
class Standing:
    """That everything a certificate rests on stood when the ledger had `size` entries, and until when that holds."""

    certificate_id: str
    asked_size: int
    asked_at: datetime
    until: datetime
    keys: tuple[tuple[str, str], ...]

    def row(self) -> dict[str, Any]:
        """The row, without its seal."""
        return {
            "certificate_id": self.certificate_id,
            "asked_size": self.asked_size,
            "asked_at": iso(self.asked_at),
            "until": iso(self.until),
            "keys": json.dumps(sorted(self.keys)),
        }


def standing_seal(row: Mapping[str, Any]) -> bytes:
    """What the seal of a standing covers."""
    names = ("certificate_id", "asked_size", "asked_at", "until", "keys")
    return "\n".join(str(row[k]) for k in names).encode()


def ask_whole(opened: Certificate, store: AskedStore, origin: str, now: datetime) -> Standing:
    """Ask the registry everything that a certificate rests on.

    Raises:
        NotPassed, ConsentEnded: with every reason.
        LedgerRewritten: the registry is not the one that the certificate was made from.
    """
    view = View(store, now)
    size = store.size()
    release, ended = release_and_ends(opened, view, origin, now)
    require_nothing_ended(release, ended)
    if len(store.keys) > MAX_KEYS:
        raise Malformed("it rests on more than can be looked up")
    named = certificate_id(opened.statement)
    return Standing(named, size, now, store.holds_until(now), tuple(sorted(store.keys)))


def keep_standing(connection: Connection, standing: Standing, own: OwnKey) -> None:
    """Keep a standing for the next question; without it the registry is only asked whole again."""
    row = standing.row()
    put_over(connection, STANDING, {**row, "seal": own.seal(standing_seal(row))})


def document_of(engine: Engine, certificate: str, organisations: frozenset[str]) -> bytes | None:
    """The certificate's own bytes, if it is of one of these organisations."""
    query = select(CERTIFICATE.c.document).where(
        CERTIFICATE.c.certificate_id == certificate, CERTIFICATE.c.organisation.in_(organisations)
    )
    with looking(engine) as connection:
        found = connection.execute(query).scalar_one_or_none()
    return None if found is None else bytes(found)


def page(
    engine: Engine, organisations: frozenset[str], *, before: tuple[str, str] | None, limit: int
) -> list[tuple[str, dict[str, Any]]]:
    """Certificates of these organisations, newest first: when each was recorded, and its facts."""
    of = CERTIFICATE.c
    query = select(of.recorded_at, of.facts).where(of.organisation.in_(organisations))
    if before is not None:
        earlier = and_(of.recorded_at == before[0], of.certificate_id < before[1])
        query = query.where(or_(of.recorded_at < before[0], earlier))
    query = query.order_by(of.recorded_at.desc(), of.certificate_id.desc()).limit(limit)
    with looking(engine) as connection:
        return [(row.recorded_at, json.loads(row.facts)) for row in connection.execute(query)]


def opened_of(document: bytes, trust: TrustStore, now: datetime) -> Certificate:
    """A certificate's document, verified whole.

    Raises:
        Refused
    """
    return open_certificate(document, trust, now, "certificate")


def ids_of(engine: Engine, organisations: frozenset[str]) -> frozenset[str]:
    """The ids of all certificates of these organisations."""
    query = select(CERTIFICATE.c.certificate_id).where(CERTIFICATE.c.organisation.in_(organisations))
    with looking(engine) as connection:
        return frozenset(connection.execute(query).scalars())
