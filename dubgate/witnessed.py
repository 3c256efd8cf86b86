"""The ledger's part of a certificate: a checkpoint signed after the release was appended, and the proofs under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from consent.checkpoint import sign
from consent.registry import Registry
from dubgate.certificate.claim import LedgerPart, Proof


def ledger_part(registry: Registry, leaf_indexes: Sequence[int], ledger_key: Any) -> LedgerPart:
    """Proofs of these entries under the ledger's head of now.

    Args:
        ledger_key: cryptography's Ed25519 private key, by which the ledger's checkpoints are signed.
    """
    head = registry.head()
    proofs = []
    for index in leaf_indexes:
        leaf, path = registry.inclusion(index, head.size)
        proofs.append(Proof(leaf, index, tuple(step.hex() for step in path)))
    return LedgerPart(sign(head, ledger_key), tuple(proofs))
