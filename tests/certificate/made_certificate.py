"""A gate with keys and a trust store, and the right delivery's certificate; signed for real, in a real registry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from made_delivery import NOW, World, make_world

from consent.registry import Registry
from consent.terms import Grant
from dubgate.certificate.claim import LEVEL_EMBEDDED
from dubgate.certificate.dsse import new_private_key, public_of, signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.opening import SigningKey, ed25519_key
from dubgate.certificate.trust import TrustedGate, TrustedLedger, TrustStore, Validity
from dubgate.certifying import Certified, Gate, certify
from dubgate.delivery.manifest import load_delivery
from dubgate.judgement import Judgement
from dubgate.release import CheckRequest, quality_request
from dubgate.verifying import Verified, verify
from dubgate.watching import watch

VERIFIER = "urn:dubgate:gate:test"
AT = NOW + timedelta(days=12)  # when it is judged and certified: the release window began the day before
LATER = AT + timedelta(minutes=5)
YEAR = timedelta(days=365)
VALID = Validity(NOW - YEAR, NOW + YEAR)


def key_of(private: Any) -> SigningKey:
    return ed25519_key(public_of(private).public_hex)


@dataclass(frozen=True)
class Keys:
    """Private keys of a root, a gate and a ledger."""

    root: Any
    gate: Any
    ledger: Any


@dataclass(frozen=True)
class Place:
    """A world, keys, and the trust store that lists them."""

    world: World
    keys: Keys
    trust: TrustStore
    right: Judgement | None = None  # the right delivery's, where it was judged before

    @property
    def file(self) -> Path:
        return self.world.delivery.dub.published.path

    def world_grants(self) -> list[Grant]:
        """The grants that the right delivery rests on."""
        voices = {v for entry in self.world.delivery.cast for v in entry.voice_ids}
        with Registry.open(self.world.registry, read_only=True) as opened, opened.view() as view:
            found = [h.grant for v in sorted(voices) for h in view.grants(v)]
        return [g for g in found if "last-train" in g.title_ids]

    def judged(self) -> Judgement:
        """The right delivery, judged at AT."""
        return self.right or self.world.judged(at=AT)

    def copied(self, folder: Path) -> Place:
        """Another place of the same kind, whose registry and files may be spoilt."""
        shutil.copytree(self.world.folder, folder, dirs_exist_ok=True)
        registry, manifest = folder / "registry.db", folder / "delivery" / "delivery.yaml"
        delivery = load_delivery(manifest)
        request = CheckRequest(manifest, str(registry), packs=(str(folder / "house.yaml"),))
        world = World(folder, registry, self.world.keys, delivery, quality_request(delivery, request))
        return Place(world, self.keys, self.trust, self.judged())

    def gate(self) -> Gate:
        return Gate(VERIFIER, "op-1", signer_of(self.keys.gate), self.keys.ledger)

    def certified(self, folder: Path, judgement: Judgement | None = None, *, at: datetime = AT) -> Certified:
        """The certificate of a judgement; by default of the right delivery's."""
        folder.mkdir(parents=True, exist_ok=True)
        watched = watch(self.world.delivery.root / "delivery.yaml")
        judged = judgement or self.judged()
        return certify(judged, watched, str(self.world.registry), self.gate(), folder, clock=lambda: at)

    def verified(self, certificate: Path | bytes, **how: Any) -> Verified:
        """Verified for a use that the right delivery is released for, unless told otherwise."""
        asked: dict[str, Any] = {"territory": "DE", "channel": "svod", "trust": self.trust, "now": LATER}
        return verify(certificate, how.pop("file", self.file), **(asked | how))

    def trust_file(self, folder: Path, store: TrustStore | None = None, root: Any = None) -> Path:
        """The trust store as a file that the root key signed."""
        path = folder / "trust.json"
        path.write_bytes(trust_store_bytes(store or self.trust, signer_of(root or self.keys.root)))
        return path


def make_place(folder: Path) -> Place:
    """Everything, made anew below `folder`."""
    world = make_world(folder)
    keys = Keys(new_private_key(), new_private_key(), new_private_key())
    with Registry.open(world.registry, read_only=True) as opened:
        origin = opened.head().origin
    gates = (TrustedGate(VERIFIER, key_of(keys.gate), VALID, (LEVEL_EMBEDDED,)),)
    ledgers = (TrustedLedger(origin, key_of(keys.ledger).public, VALID),)
    return Place(world, keys, TrustStore(1, NOW - YEAR, NOW + YEAR, gates, ledgers))


@contextmanager
def writing(place: Place, at: datetime) -> Iterator[Registry]:
    """The registry, open for writing at a moment."""
    with Registry.open(place.world.registry, clock=lambda: at) as opened:
        yield opened


def with_gate(store: TrustStore, **changes: Any) -> TrustStore:
    """The store with its one gate changed."""
    return replace(store, gates=(replace(store.gates[0], **changes),))
