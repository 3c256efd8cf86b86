"""`annex.json`: what is not for the public, bound to the certificate by its digest.

What people signed, with the keys that the registry listed for them; the ledger entry of the release with its salt; every
finding with its subject and value. Whoever holds it can verify each signature offline.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dubgate.certificate.claim import Claim
from dubgate.certificate.opening import STATEMENT_PAYLOAD, ed25519_key, open_payload
from dubgate.certificate.refusals import AlteredAnnex, Refused
from dubgate.certificate.strict_fields import Fields, read_json

SCHEMA = "certificate-annex/1.0"


@dataclass(frozen=True, slots=True)
class SignedCopy:
    """An envelope as it came, by which party, and the public key (hex) that the registry listed for it."""

    kind: str
    envelope: bytes
    party: str
    public: str


def annex_bytes(signed: Sequence[SignedCopy], entry: dict[str, str], findings: Sequence[dict[str, Any]]) -> bytes:
    """The annex; `entry` is the release's own record (`body`) and `salt` in the ledger, empty where it has none."""
    data = {
        "schema": SCHEMA,
        "entry": entry,
        "signed": [
            {"kind": s.kind, "party": s.party, "public": s.public, "envelope": json.loads(s.envelope)} for s in signed
        ],
        "findings": list(findings),
    }
    return json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n"


def check_annex(data: bytes, claim: Claim, name: str) -> None:
    """The annex is the one that the verdict names, and everything that people signed in it verifies.

    Raises:
        AlteredAnnex
    """
    if hashlib.sha256(data).hexdigest() != claim.annex_sha256:
        raise AlteredAnnex("it is not the annex that the verdict names", where=name)
    try:
        fields = Fields(read_json(data, name), name, SCHEMA)
        found = fields.each("signed", _payload_sha256)
    except Refused as error:
        raise AlteredAnnex(f"{error.reason}: {error.what}", where=error.where) from None
    if found != tuple((s.kind, s.sha256) for s in claim.signed):
        raise AlteredAnnex("what was signed is not what the verdict rests on", where=name)


def _payload_sha256(data: Any, name: str) -> tuple[str, str]:
    """The kind and payload digest of one signed object, once its own signature verified."""
    fields = Fields(data, name)
    key = ed25519_key(fields.text("public"))
    payload, _ = open_payload(fields.take("envelope"), {key.keyid: key}, payload_type=STATEMENT_PAYLOAD, name=name)
    return fields.text("kind"), hashlib.sha256(payload).hexdigest()
