"""`annex.json`: what is not for the public, bound to the certificate by its digest.

What people signed, with the keys that the registry listed for them; the ledger entry of the release with its salt; every
finding with its subject and value. Whoever holds it can verify each signature offline.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from consent.dsse import PAYLOAD_TYPE
from consent.passkeys import PasskeyKey
from consent.signed_entries import Verifier
from dubgate.certificate.claim import Claim
from dubgate.certificate.opening import ed25519_key, open_payload
from dubgate.certificate.refusals import AlteredAnnex, Malformed, Refused
from dubgate.certificate.strict_fields import Fields, read_json

SCHEMA = "certificate-annex/1.0"
MAX_FINDINGS = 1_000_000


@dataclass(frozen=True, slots=True)
class SignedCopy:
    """An envelope as it came, by which party, and the public key (Ed25519 in hex, or a passkey) that was listed for it."""

    kind: str
    envelope: bytes
    party: str
    public: Verifier

    def data(self) -> dict[str, Any]:
        """As it stands in the annex."""
        own = {"public": self.public} if isinstance(self.public, str) else {"passkey": _passkey_data(self.public)}
        return {"kind": self.kind, "party": self.party, **own, "envelope": json.loads(self.envelope)}


def annex_bytes(
    signed: Sequence[SignedCopy],
    entry: dict[str, str],
    findings: Sequence[dict[str, Any]],
    judged_sha256: str | None = None,
) -> bytes:
    """The annex; `entry` is the release's own record (`body`) and `salt` in the ledger, empty where it has none.

    `judged_sha256` is of the kept measurements, by which it can be judged again.
    """
    data: dict[str, Any] = {
        "schema": SCHEMA,
        "entry": entry,
        "signed": [s.data() for s in signed],
        "findings": list(findings),
    }
    if judged_sha256 is not None:
        data["judged_sha256"] = judged_sha256
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
        fields.take("entry")
        fields.each("findings", lambda item, _: item, MAX_FINDINGS)
        if fields.has("judged_sha256"):
            fields.sha256("judged_sha256")
        fields.done()
    except Refused as error:
        raise AlteredAnnex(f"{error.reason}: {error.what}", where=error.where) from None
    if found != tuple((s.kind, s.sha256) for s in claim.signed):
        raise AlteredAnnex("what was signed is not what the verdict rests on", where=name)


def _payload_sha256(data: Any, name: str) -> tuple[str, str]:
    """The kind and payload digest of one signed object, once its own signature verified."""
    fields = Fields(data, name)
    kind, envelope, _ = fields.text("kind"), fields.take("envelope"), fields.text("party")
    key = _passkey(fields.inner("passkey")) if fields.has("passkey") else ed25519_key(fields.text("public"))
    fields.done()
    payload, _ = open_payload(envelope, {key.keyid: key}, payload_type=PAYLOAD_TYPE, name=name)
    return kind, hashlib.sha256(payload).hexdigest()


def _passkey_data(key: PasskeyKey) -> dict[str, Any]:
    credential = base64.b64encode(key.credential_id).decode()
    return {
        "cose_hex": key.cose.hex(),
        "credential_id": credential,
        "rp_id": key.rp_id,
        "origins": list(key.origins),
    }


def _passkey(fields: Fields) -> PasskeyKey:
    try:
        cose = bytes.fromhex(fields.text("cose_hex"))
        credential = base64.b64decode(fields.text("credential_id"), validate=True)
    except ValueError:
        raise Malformed("a passkey's key is in hex and its credential in base64", where=fields.name) from None
    key = PasskeyKey(cose, credential, fields.text("rp_id"), fields.texts("origins"))
    fields.done()
    return key
