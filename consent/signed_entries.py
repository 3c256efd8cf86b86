"""One entry of a DSSE envelope's `signatures`, in either form that parties sign in: Ed25519, or a passkey's assertion."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.passkeys import Assertion, PasskeyError, PasskeyKey, assertion_in, check_assertion

Verifier = str | PasskeyKey  # an Ed25519 key in hex, or a passkey


@dataclass(frozen=True, slots=True)
class SignatureEntry:
    """Which key is said to have signed, and its signature; with the assertion that it belongs to for a passkey."""

    keyid: str
    signature: bytes
    assertion: Assertion | None = None


def read_entry(data: Any) -> SignatureEntry:
    """An entry as it stands in an envelope: `keyid`, `sig`, and `webauthn` where a passkey signed.

    Raises:
        ValueError: a member is missing, unknown, of another type, or not base64.
    """
    if not isinstance(data, Mapping) or set(data) not in ({"keyid", "sig"}, {"keyid", "sig", "webauthn"}):
        raise ValueError("a signature has keyid, sig, and webauthn where a passkey signed")
    keyid, sig = data["keyid"], data["sig"]
    if not isinstance(keyid, str) or not isinstance(sig, str):
        raise ValueError("keyid and sig are texts")
    try:
        signature = base64.b64decode(sig, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("sig is not base64") from None
    if "webauthn" not in data:
        return SignatureEntry(keyid, signature)
    if not isinstance(data["webauthn"], Mapping):
        raise PasskeyError("webauthn is no object")
    return SignatureEntry(keyid, signature, assertion_in(data["webauthn"], signature))


def signature_problem(verifier: Verifier, entry: SignatureEntry, signed: bytes) -> str:
    """Why this is not `verifier`'s signature over the pre-authentication encoding `signed`; empty where it is."""
    if isinstance(verifier, PasskeyKey):
        return _passkey_problem(verifier, entry, signed)
    if entry.assertion is not None or not ed25519_verifies(verifier, entry.signature, signed):
        return "the signature does not verify"
    return ""


def _passkey_problem(key: PasskeyKey, entry: SignatureEntry, signed: bytes) -> str:
    if entry.assertion is None:
        return "a passkey's signature comes with its assertion"
    try:
        check_assertion(key, entry.assertion, signed)
    except PasskeyError as error:
        return str(error)
    return ""


def ed25519_verifies(public_hex: str, signature: bytes, signed: bytes) -> bool:
    """Whether an Ed25519 key (32 bytes in hex) signed these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_hex)).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True
