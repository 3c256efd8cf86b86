"""DSSE envelopes over in-toto Statements, Ed25519 through securesystemslib; the bytes that were signed stay bytes.

References: DSSE v1.0 (secure-systems-lab), in-toto attestation framework v1 (Statement).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE, loads_strictly
from consent.passkeys import PasskeyKey
from consent.signed_entries import read_entry, signature_problem
from dubgate.errors import DubgateError, InputError

MAX_ENVELOPE_BYTES = 4_000_000


class SignatureError(DubgateError):
    """An envelope whose signature does not verify, or that does not say what it must."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key: 32 bytes as lower-case hex. `keyid` is securesystemslib's."""

    public_hex: str

    @property
    def keyid(self) -> str:
        return str(self._sslib().keyid)

    def _sslib(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

        try:
            raw = bytes.fromhex(self.public_hex)
            return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(raw))
        except ValueError as error:
            raise SignatureError(f"not an Ed25519 public key in hex: {error}") from error


@dataclass(frozen=True, slots=True)
class Opened:
    """A verified envelope: the statement, who signed, and the digest of the envelope's payload."""

    statement: dict[str, Any]
    key: PublicKey | PasskeyKey
    payload_sha256: str

    @property
    def predicate(self) -> dict[str, Any]:
        return dict(self.statement["predicate"])


def sign(statement: dict[str, Any], signer: Any) -> bytes:
    """A DSSE envelope over the canonical JSON (RFC 8785) of `statement`, as JSON bytes."""
    import rfc8785
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload=rfc8785.dumps(statement), payload_type=PAYLOAD_TYPE, signatures={})
    envelope.sign(signer)
    return json.dumps(envelope.to_dict(), sort_keys=True, indent=1).encode() + b"\n"


def open_envelope(
    data: bytes, keys: Sequence[PublicKey | PasskeyKey], *, predicate_type: str, name: str = "envelope"
) -> Opened:
    """The statement of an envelope that one of `keys` signed, as securesystemslib verifies it or as a passkey.

    Raises:
        SignatureError: it is malformed, of another type, or no listed key's signature over these bytes verifies.
    """
    import hashlib

    envelope = _parse(data, name)
    payload = bytes(envelope.payload)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise SignatureError(f"the payload is of type {envelope.payload_type!r}, not {PAYLOAD_TYPE}", where=name)
    key = _verified_by(envelope, keys, name)
    statement = _statement(payload, predicate_type, name)
    return Opened(statement, key, hashlib.sha256(payload).hexdigest())


def _verified_by(envelope: Any, keys: Sequence[PublicKey | PasskeyKey], name: str) -> PublicKey | PasskeyKey:
    from securesystemslib.exceptions import VerificationError

    problems: list[str] = []
    for key in keys:
        if isinstance(key, PasskeyKey):
            problem = _passkey_problem(envelope, key)
            if not problem:
                return key
            problems.append(problem)
            continue
        try:
            envelope.verify([key._sslib()], 1)
        except VerificationError:
            continue
        return key
    what = "; ".join(problems) or "no listed key signed it"
    raise SignatureError(what, where=name, remedy="the signer's key must be in the registry")


def _passkey_problem(envelope: Any, key: PasskeyKey) -> str:
    """Why the envelope does not carry this passkey's assertion over its payload; empty where it does."""
    signature = envelope.signatures.get(key.keyid)
    if signature is None:
        return "no listed key signed it"
    entry = {"keyid": key.keyid, "sig": base64.b64encode(bytes.fromhex(signature.signature)).decode()}
    try:
        return signature_problem(key, read_entry(entry | signature.unrecognized_fields), envelope.pae())
    except ValueError as error:
        return str(error)


def _parse(data: bytes, name: str) -> Any:
    from securesystemslib.dsse import Envelope

    if len(data) > MAX_ENVELOPE_BYTES:
        raise SignatureError("larger than 4 MB", where=name)
    plain = strict_json(data, name)
    if not isinstance(plain, dict) or set(plain) != {"payload", "payloadType", "signatures"} or not plain["signatures"]:
        raise SignatureError("not a DSSE envelope", where=name)
    try:
        base64.b64decode(plain["payload"], validate=True)
        return Envelope.from_dict(plain)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SignatureError(f"not a DSSE envelope: {error}", where=name) from error


def _statement(payload: bytes, predicate_type: str, name: str) -> dict[str, Any]:
    statement = strict_json(payload, name)
    if not isinstance(statement, dict) or set(statement) != {"_type", "subject", "predicateType", "predicate"}:
        raise SignatureError("the payload is not an in-toto Statement", where=name)
    if statement["_type"] != STATEMENT_TYPE or not isinstance(statement["predicate"], dict):
        raise SignatureError("the payload is not an in-toto Statement v1", where=name)
    if statement["predicateType"] != predicate_type:
        raise SignatureError(f"it states {statement['predicateType']!r}, not {predicate_type!r}", where=name)
    return statement


def strict_json(data: bytes, name: str) -> Any:
    """JSON without repeated keys, NaN or infinities.

    Raises:
        SignatureError: it is not that.
    """
    try:
        return loads_strictly(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SignatureError(f"not strict JSON: {error}", where=name) from error


def new_private_key() -> Any:
    """A fresh Ed25519 private key (cryptography's object)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def signer_of(private_key: Any) -> Any:
    """securesystemslib's signer for an Ed25519 private key."""
    from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

    return CryptoSigner(private_key, SSlibKey.from_crypto(private_key.public_key()))


def public_of(private_key: Any) -> PublicKey:
    """The public half."""
    return PublicKey(private_key.public_key().public_bytes_raw().hex())


def save_private_key(private_key: Any, path: Path, passphrase: bytes | None) -> None:
    """Write PKCS8 PEM with mode 0600, encrypted where a passphrase is given; never over an existing file."""
    import os

    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    data = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InputError("a file is already there", where=str(path), remedy="choose another name") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _why(error: Exception) -> str:
    """The library's own words, without its reading list."""
    said = str(error)
    return "it is no PEM file" if "PEM" in said else said.split(". ")[0][:200]


def load_private_key(path: Path, passphrase: bytes | None) -> Any:
    """The Ed25519 private key of a PEM file.

    Raises:
        InputError: missing, not a key of this kind, or the passphrase is wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        raise InputError(f"cannot read this signing key: {error.strerror}", where=str(path)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        remedy = "A private key in PEM (`dubgate keys new` makes one), with its own passphrase."
        raise InputError(f"cannot read this signing key: {_why(error)}", where=str(path), remedy=remedy) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError("not an Ed25519 key", where=str(path), remedy="make one with `dubgate keys new`")
    return key
