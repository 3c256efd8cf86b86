"""Whether the release stood in the ledger before it was certified: the checkpoint's signature and the proofs under it."""

from __future__ import annotations

from datetime import datetime

from consent.checkpoint import Checkpoint, VerifierKey, open_note, read_body
from consent.errors import SignatureError
from consent.ledger import leaf_hash, verify_inclusion
from dubgate.certificate.claim import LedgerPart, Proof
from dubgate.certificate.refusals import LedgerProof, Malformed, UnknownLedger
from dubgate.certificate.strict_fields import SHA256, iso, read_json
from dubgate.certificate.trust import TrustStore

RELEASE_RECORD = "consent-release/1.0"
CERTIFICATION_RECORD = "consent-certification/1.0"  # of a renewed or package certificate


def check_ledger(
    part: LedgerPart,
    trust: TrustStore,
    signed_at: datetime,
    now: datetime,
    name: str,
    record: str = RELEASE_RECORD,
) -> Checkpoint:
    """The checkpoint, once a listed key signed it and every entry is under its root; the first is the certificate's own.

    Args:
        record: the schema of that entry.

    Raises:
        UnknownLedger, KeyRevoked, KeyNotValid, LedgerProof.
    """
    checkpoint = _checkpoint(part.checkpoint, trust, signed_at, now, name)
    for proof in part.proofs:
        _check_proof(proof, checkpoint, name)
    if not part.proofs:
        raise LedgerProof("it proves no entry of the ledger", where=name)
    leaf = _leaf(part.proofs[0], name)
    if leaf.get("record") != record or leaf.get("recorded_at") != iso(signed_at):
        raise LedgerProof("the entry that it proves is not that of this release", where=name)
    return checkpoint


def _checkpoint(note: str, trust: TrustStore, signed_at: datetime, now: datetime, name: str) -> Checkpoint:
    try:
        claimed = read_body(note)
    except SignatureError as error:
        raise LedgerProof(str(error), where=name) from None
    listed = trust.ledger_keys(claimed.origin)
    if not listed:
        raise UnknownLedger(f"no key is listed for the ledger {claimed.origin[:100]!r}", where=name)
    for entry in listed:
        try:
            opened = open_note(note, VerifierKey(entry.origin, bytes.fromhex(entry.public)))
        except (SignatureError, ValueError):
            continue
        entry.validity.require(signed_at, now, f"{name}: checkpoint")
        return opened
    raise LedgerProof("no listed key of the ledger signed the checkpoint", where=name)


def _check_proof(proof: Proof, checkpoint: Checkpoint, name: str) -> None:
    if not all(SHA256.fullmatch(p) for p in proof.path):
        raise Malformed("a proof's path is not of SHA-256 in hex", where=name)
    path = [bytes.fromhex(p) for p in proof.path]
    leaf = _leaf(proof, name)
    inside = verify_inclusion(leaf_hash(proof.leaf.encode()), proof.index, checkpoint.size, path, checkpoint.root)
    if not inside or leaf.get("index") != proof.index:
        raise LedgerProof(f"entry {proof.index} is not under the checkpoint's root", where=name)


def _leaf(proof: Proof, name: str) -> dict[str, object]:
    leaf = read_json(proof.leaf.encode(), name)
    if not isinstance(leaf, dict):
        raise Malformed("a leaf is an object", where=name)
    return leaf
