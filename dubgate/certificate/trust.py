"""The trust store: whose signatures a publisher accepts, for what, from when until when; signed by an offline root key.

A DSSE envelope over JSON. It is versioned and expires, so that an old one can neither be kept in use nor put back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from dubgate.certificate.claim import LEVELS
from dubgate.certificate.opening import SigningKey, open_payload
from dubgate.certificate.refusals import (
    KeyNotValid,
    KeyRevoked,
    Malformed,
    Refused,
    TrustExpired,
    TrustMalformed,
    TrustUnsigned,
)
from dubgate.certificate.strict_fields import Fields, iso, read_json

SCHEMA = "trust-store/1.0"
PAYLOAD_TYPE = "application/vnd.dubgate.trust-store+json"
MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when a key may sign, and since when it may not at all."""

    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None

    def require(self, signed_at: datetime, now: datetime, name: str) -> None:
        """The key may sign at `signed_at`, and its signature counts at `now`.

        Raises:
            KeyRevoked: whatever it signed before: a revoked key can date what it signs as it likes.
            KeyNotValid: before or after its time.
        """
        if self.revoked_at is not None and self.revoked_at <= now:
            raise KeyRevoked(f"the key was revoked on {self.revoked_at.date().isoformat()}", where=name)
        if not (self.not_before <= signed_at and max(signed_at, now) < self.not_after):
            until = self.not_after.isoformat()
            raise KeyNotValid(f"the key is valid from {self.not_before.isoformat()} until {until}", where=name)

    def data(self) -> dict[str, str]:
        """As it stands in the store."""
        out = {"not_before": iso(self.not_before), "not_after": iso(self.not_after)}
        return out | ({"revoked_at": iso(self.revoked_at)} if self.revoked_at is not None else {})

    @classmethod
    def read(cls, fields: Fields) -> Validity:
        """From the fields of an entry."""
        revoked = fields.time("revoked_at") if fields.has("revoked_at") else None
        return cls(fields.time("not_before"), fields.time("not_after"), revoked)


@dataclass(frozen=True, slots=True)
class TrustedGate:
    """A key that signs verdicts for one verifier, and the levels that are accepted from it."""

    verifier: str
    key: SigningKey
    validity: Validity
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustedLedger:
    """An Ed25519 key that signs the checkpoints of the ledger called `origin`; `public` is hex."""

    origin: str
    public: str
    validity: Validity


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What the root key listed; `sha256` is of the bytes that it signed."""

    version: int
    issued_at: datetime
    expires_at: datetime
    gates: tuple[TrustedGate, ...]
    ledgers: tuple[TrustedLedger, ...]
    sha256: str = field(default="", compare=False)

    def data(self) -> dict[str, Any]:
        """What the root key signs."""
        return {
            "schema": SCHEMA,
            "version": self.version,
            "issued_at": iso(self.issued_at),
            "expires_at": iso(self.expires_at),
            "gates": [
                {"verifier": g.verifier, "key": g.key.data(), "levels": list(g.levels), **g.validity.data()}
                for g in self.gates
            ],
            "ledgers": [{"origin": e.origin, "public": e.public, **e.validity.data()} for e in self.ledgers],
        }

    def require_current(self, now: datetime) -> None:
        """Refuse a store that has expired or is dated later than now.

        Raises:
            TrustExpired
        """
        if not self.issued_at <= now < self.expires_at:
            until = self.expires_at.isoformat()
            what = f"the trust store is valid from {self.issued_at.isoformat()} until {until}"
            raise TrustExpired(what, remedy="Ask who holds the root key for a newer one.")

    def gate(self, keyid: str) -> TrustedGate:
        """The gate whose key this is."""
        return next(g for g in self.gates if g.key.keyid == keyid)

    def ledger_keys(self, origin: str) -> Sequence[TrustedLedger]:
        """The keys that may sign for a ledger."""
        return [entry for entry in self.ledgers if entry.origin == origin]


def read_trust(data: bytes, root: SigningKey, name: str = "trust store") -> TrustStore:
    """A trust store that the root key signed. Whether it is current, and newer than what was seen, is asked apart.

    Raises:
        TrustUnsigned, TrustMalformed.
    """
    if len(data) > MAX_BYTES:
        raise TrustMalformed("larger than 4 MB", where=name)
    try:
        plain = read_json(data, name)
    except Malformed as error:
        raise TrustMalformed(error.what, where=name) from None
    try:
        payload, _ = open_payload(plain, {root.keyid: root}, payload_type=PAYLOAD_TYPE, name=name)
    except Refused as error:
        what = f"the root key {root.keyid[:16]}… did not sign this trust store: {error.what}"
        raise TrustUnsigned(what, where=name) from None
    try:
        return _store(payload, name)
    except Malformed as error:
        raise TrustMalformed(error.what, where=error.where) from None


def _store(payload: bytes, name: str) -> TrustStore:
    fields = Fields(read_json(payload, name), name, SCHEMA)
    store = TrustStore(
        version=fields.number("version"),
        issued_at=fields.time("issued_at"),
        expires_at=fields.time("expires_at"),
        gates=fields.each("gates", _gate),
        ledgers=fields.each("ledgers", _ledger),
        sha256=sha256(payload).hexdigest(),
    )
    fields.done()
    keyids = [g.key.keyid for g in store.gates]
    if len(set(keyids)) != len(keyids):
        raise Malformed("a key is listed for two gates", where=name)
    if {g.key.public for g in store.gates} & {e.public for e in store.ledgers}:
        raise Malformed("a key is listed as a gate's and as a ledger's", where=name)
    return store


def _gate(data: Any, name: str) -> TrustedGate:
    fields = Fields(data, name)
    key = SigningKey.read(fields.take("key"), f"{name}: key")
    gate = TrustedGate(fields.text("verifier"), key, Validity.read(fields), fields.texts("levels"))
    fields.done()
    if not gate.levels or set(gate.levels) - set(LEVELS):
        raise Malformed(f"levels are some of {', '.join(LEVELS)}", where=name)
    return gate


def _ledger(data: Any, name: str) -> TrustedLedger:
    fields = Fields(data, name)
    ledger = TrustedLedger(fields.text("origin"), fields.text("public"), Validity.read(fields))
    fields.done()
    return ledger
