"""Certificates from fixed test keys, without a registry; `python made_vectors.py` writes the published vectors again.

The keys are no secret: each is 32 bytes of text that says so. Never list them in a real trust store.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import ledger
from consent.checkpoint import Checkpoint
from consent.checkpoint import sign as sign_note
from consent.dsse import STATEMENT_TYPE
from dubgate.certificate.annex import SignedCopy, annex_bytes
from dubgate.certificate.claim import Claim, LedgerPart, ModelUsed, PackUsed, Proof, Scope, SignedUsed
from dubgate.certificate.dsse import public_of, sign, signer_of
from dubgate.certificate.file import certificate_bytes
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.measured import Measured, measured_statement
from dubgate.certificate.opening import SigningKey, ed25519_key
from dubgate.certificate.strict_fields import iso
from dubgate.certificate.trust import TrustedGate, TrustedLedger, TrustStore, Validity
from dubgate.certificate.verdict import Verdict, verdict_statement

VECTORS = Path(__file__).parent / "vectors"
VERIFIER, ORIGIN = "urn:dubgate:gate:vectors", "dubgate-registry/vectors"
AT = datetime(2026, 12, 2, 12, tzinfo=UTC)
NOW = AT + timedelta(minutes=5)
DAY = timedelta(days=1)
DUB = b"These bytes stand for a dub; a certificate is about bytes, whatever they are.\n"
VALID = Validity(AT - 100 * DAY, AT + 265 * DAY)


def test_key(name: str) -> Any:
    """A private key that is no secret."""
    return Ed25519PrivateKey.from_private_bytes(f"TEST KEY, NO SECRET: {name}".ljust(32).encode())


test_key.__test__ = False  # type: ignore[attr-defined]
ROOT, GATE, LEDGER, HOLDER, STRANGER = map(test_key, ("root", "gate", "ledger", "holder", "stranger"))


def listed(private: Any) -> SigningKey:
    return ed25519_key(public_of(private).public_hex)


TRUST = TrustStore(
    1,
    AT - DAY,
    AT + 30 * DAY,
    (TrustedGate(VERIFIER, listed(GATE), VALID, ("DUBGATE_RELEASE",)),),
    (TrustedLedger(ORIGIN, listed(LEDGER).public, VALID),),
)
APPROVAL = sign(
    {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": "1" * 64}}],
        "predicateType": "urn:dubgate:approval:1.0",
        "predicate": {"schema": "vector/1.0", "says": "a rights holder's approval stands here"},
    },
    signer_of(HOLDER),
)
COPY = SignedCopy("urn:dubgate:approval:1.0", APPROVAL, "holder-1", listed(HOLDER).public)


def payload_sha256(envelope: bytes) -> str:
    import base64

    return hashlib.sha256(base64.b64decode(json.loads(envelope)["payload"])).hexdigest()


ANNEX = annex_bytes([COPY], {"body": "{}", "salt": "00"}, [])
PACKS = (PackUsed("core", "2026.11", "2" * 64), PackUsed("quality-lipsync", "2026.11", "3" * 64))
MODELS = (ModelUsed("speaker_encoder", "wespeaker", "4" * 64, False),)
MEASURED = Measured(("core/CON-001", "core/RH-001", "quality-lipsync/TIM-ONSET"), (), ())
CLAIM = Claim(
    release_id="rel-vector",
    decision="release",
    title_id="last-train",
    scope=Scope(("AT", "CH", "DE"), ("svod", "avod"), "de", AT - DAY, AT + 365 * DAY),
    packets_sha256="1" * 64,
    pcm_sha256=None,
    packs=PACKS,
    models=MODELS,
    grant_ids=("g-1", "g-2"),
    signed=(SignedUsed(COPY.kind, payload_sha256(APPROVAL)),),
    reasons=(),
    expires_at=AT + DAY,
    annex_sha256=hashlib.sha256(ANNEX).hexdigest(),
)


def ledger_part(at: datetime = AT, record: str = "consent-release/1.0", *, key: Any = LEDGER) -> LedgerPart:
    """A ledger of five entries, of which the last is the release's and the second a grant's."""
    names = ["consent-party/1.0", "consent-grant/1.0", "consent-title/1.0", "consent-approval/1.0", record]
    leaves = [
        rfc8785.dumps(
            {
                "schema": "consent-leaf/1.0",
                "index": index,
                "recorded_at": iso(at if index == 4 else at - DAY),
                "record": name,
                "commitment": hashlib.sha256(f"salted {index}".encode()).hexdigest(),
            }
        )
        for index, name in enumerate(names)
    ]
    nodes: dict[tuple[int, int], bytes] = {}

    def read(level: int, position: int) -> bytes:
        return nodes[level, position]

    for index, leaf in enumerate(leaves):
        for level, position, value in ledger.completed_by(index, ledger.leaf_hash(leaf), read):
            nodes[level, position] = value
    note = sign_note(Checkpoint(ORIGIN, 5, ledger.root(5, read)), key)
    proofs = (Proof(leaves[i].decode(), i, tuple(h.hex() for h in ledger.inclusion_proof(i, 5, read))) for i in (4, 1))
    return LedgerPart(note, tuple(proofs))


CERTIFIED = replace(CLAIM, ledger=ledger_part())


@dataclass(frozen=True)
class Made:
    """A certificate with the parts that a test may change before it is signed."""

    claim: Claim = CERTIFIED
    measured: Measured = MEASURED
    result: str = "PASSED"
    level: str = "DUBGATE_RELEASE"
    verifier: str = VERIFIER
    file_sha256: str = hashlib.sha256(DUB).hexdigest()
    at: datetime = AT
    key: Any = GATE

    def measurements(self) -> dict[str, Any]:
        return measured_statement(self.measured, self.file_sha256, self.claim.packs, self.claim.models)

    def statement(self) -> dict[str, Any]:
        sha256 = hashlib.sha256(rfc8785.dumps(self.measurements())).hexdigest()
        verdict = Verdict(
            self.verifier, "0.1.0", self.at, self.file_sha256, self.result, self.level, sha256, self.claim
        )
        return verdict_statement(verdict)

    def data(self) -> bytes:
        signer = signer_of(self.key)
        return certificate_bytes(sign(self.statement(), signer), sign(self.measurements(), signer))

    def with_claim(self, **changes: Any) -> Made:
        return replace(self, claim=replace(self.claim, **changes))


FAILED = replace(
    Made().with_claim(decision="block", reasons=("CON-002",), grant_ids=()),
    result="FAILED",
    level="FAILED",
    measured=Measured((), (), ("core/CON-002",)),
)
# name: (certificate, how verify is asked, the reason; None where it verifies)
CASES: dict[str, tuple[bytes, dict[str, str], str | None]] = {
    "released": (Made().data(), {}, None),
    "failed": (FAILED.data(), {}, "failed"),
    "unknown-key": (replace(Made(), key=STRANGER).data(), {}, "unknown-key"),
    "embedded-level": (replace(Made(), level="DUBGATE_RELEASE_EMBEDDED").data(), {}, "level-not-accepted"),
    "other-territory": (Made().data(), {"territory": "FR"}, "other-territory"),
    "other-channel": (Made().data(), {"channel": "theatrical"}, "other-channel"),
    "expired": (Made().data(), {"now": iso(AT + DAY)}, "expired"),
    "altered-payload": (
        Made().data().replace(b'"payload": "eyJf', b'"payload": "eyJe', 1),
        {},
        "bad-signature",
    ),
}


def write() -> None:
    """Write every vector."""
    VECTORS.mkdir(exist_ok=True)
    (VECTORS / "dub.bin").write_bytes(DUB)
    (VECTORS / "annex.json").write_bytes(ANNEX)
    (VECTORS / "root.hex").write_text(listed(ROOT).public + "\n", encoding="ascii")
    (VECTORS / "trust.json").write_bytes(trust_store_bytes(TRUST, signer_of(ROOT)))
    cases = []
    for name, (certificate, asked, reason) in CASES.items():
        (VECTORS / f"{name}.json").write_bytes(certificate)
        use = {"territory": "DE", "channel": "svod", "now": iso(NOW)} | asked
        cases.append({"certificate": f"{name}.json", **use, "reason": reason})
    (VECTORS / "cases.json").write_text(json.dumps(cases, indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    write()
