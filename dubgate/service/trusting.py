"""The trust store in force: read again when its file changes, never an older one than was seen, refused once it expires."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dubgate.certificate.opening import ed25519_key
from dubgate.certificate.refusals import Refused, TrustMalformed, UnknownKey, UnknownLedger, WrongVerifier
from dubgate.certificate.trust import TrustedGate, TrustStore, read_trust
from dubgate.certificate.trust_seen import remember
from dubgate.errors import InputError
from dubgate.service.certificates import Facts
from dubgate.service.settings import Trust

LOOK_AGAIN_S = 1.0


@dataclass
class TrustFile:
    """A trust store's file, and what it said when it was last looked at."""

    settings: Trust
    seen: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _store: TrustStore | None = None
    _state: tuple[int, int, int] = (0, 0, 0)
    _looked: float = -1e9

    def store(self, now: datetime) -> TrustStore:
        """The store, if it is current.

        Raises:
            Refused: it is not signed by the root key, older than one seen before, expired, or dated later than now.
        """
        with self._lock:
            if self._store is None or time.monotonic() - self._looked > LOOK_AGAIN_S:
                self._look()
            store = self._store
        assert store is not None
        store.require_current(now)
        return store

    def _look(self) -> None:
        place = self.settings.store
        try:
            found = place.stat()
            state = (found.st_ino, found.st_size, found.st_ctime_ns)  # which nobody sets
            if self._store is None or state != self._state:
                root = ed25519_key(self.settings.root)
                store = read_trust(place.read_bytes(), root, place.name)
                remember(store, root.keyid, self.seen)
                self._store, self._state = store, state
            self._looked = time.monotonic()
        except OSError as error:
            self._store = None
            raise TrustMalformed(f"the trust store cannot be read: {error.strerror}", where=place.name) from None
        except (Refused, InputError):
            self._store = None
            raise


def require_trusted(facts: Facts, store: TrustStore, now: datetime) -> TrustedGate:
    """The gate that signed, if the trust store lists its key for it, and the key counts now.

    Raises:
        UnknownKey, WrongVerifier, KeyRevoked, KeyNotValid, UnknownLedger.
    """
    gate = next((g for g in store.gates if g.key.keyid == facts.keyid), None)
    if gate is None:
        raise UnknownKey(f"no gate with the key {facts.keyid[:16]}… is listed")
    if gate.verifier != facts.verifier:
        raise WrongVerifier(f"the key that signed is {gate.verifier!r}'s now")
    gate.validity.require(facts.verified_at, now, "the gate's key")
    if facts.ledger_origin is not None:
        _require_ledger(facts, store, now)
    return gate


def _require_ledger(facts: Facts, store: TrustStore, now: datetime) -> None:
    """The key that signed the ledger's checkpoint is still listed, and counts."""
    keys = store.ledger_keys(facts.ledger_origin or "")
    entry = next((e for e in keys if e.public == facts.ledger_public), None)
    if entry is None:
        raise UnknownLedger(f"no key for the ledger {facts.ledger_origin} is listed that signed its checkpoint")
    entry.validity.require(facts.verified_at, now, "the ledger's key")
