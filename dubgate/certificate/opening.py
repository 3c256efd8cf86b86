"""Opening a DSSE envelope with listed keys, strictly and fast: Ed25519 by `cryptography`, other keys by securesystemslib.

Reference: DSSE v1.0. The bytes that were signed stay bytes; only what a listed key signed is parsed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding
from consent.passkeys import PasskeyError, PasskeyKey, assertion_in
from consent.signed_entries import SignatureEntry, ed25519_verifies, signature_problem
from dubgate.certificate.refusals import BadSignature, Malformed, UnknownKey, WrongPredicate, WrongType
from dubgate.certificate.strict_fields import Fields, read_json

MAX_SIGNATURES = 16


@dataclass(frozen=True, slots=True)
class SigningKey:
    """The public half of a key as securesystemslib describes it; `public` is hex for Ed25519, else PEM."""

    keytype: str
    scheme: str
    public: str

    @property
    def keyid(self) -> str:
        """The name that securesystemslib gives it: SHA-256 over its canonical JSON (OLPC's)."""
        kind, scheme, public = (_quoted(text) for text in (self.keytype, self.scheme, self.public))
        canonical = f'{{"keytype":{kind},"keyval":{{"public":{public}}},"scheme":{scheme}}}'
        return hashlib.sha256(canonical.encode()).hexdigest()

    def data(self) -> dict[str, Any]:
        """As it stands in a trust store."""
        return {"keytype": self.keytype, "scheme": self.scheme, "public": self.public}

    @classmethod
    def read(cls, data: Any, name: str) -> SigningKey:
        """From its JSON form."""
        fields = Fields(data, name)
        key = cls(fields.text("keytype"), fields.text("scheme"), fields.text("public"))
        fields.done()
        return key

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Whether this key signed `data`."""
        if self.keytype == "ed25519":
            return ed25519_verifies(self.public, signature, data)
        return _other(self, signature, data)


def _quoted(text: str) -> str:
    """A string in OLPC canonical JSON, which escapes nothing but the quote and the backslash."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ed25519_key(public_hex: str) -> SigningKey:
    """An Ed25519 key from its 32 bytes in hex."""
    return SigningKey("ed25519", "ed25519", public_hex)


def _other(key: SigningKey, signature: bytes, data: bytes) -> bool:
    """ECDSA, RSA and what else a key service signs with."""
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Key, Signature  # type: ignore[attr-defined]

    described = {"keytype": key.keytype, "scheme": key.scheme, "keyval": {"public": key.public}}
    try:
        Key.from_dict(key.keyid, described).verify_signature(Signature(key.keyid, signature.hex()), data)
    except (UnverifiedSignatureError, ValueError):
        return False
    return True


def open_payload(
    envelope: Any, keys: Mapping[str, SigningKey | PasskeyKey], *, payload_type: str, name: str
) -> tuple[bytes, str]:
    """The payload of an envelope that one of `keys` (by key id) signed, and that key's id.

    Raises:
        Malformed, WrongType, UnknownKey, BadSignature.
    """
    fields = Fields(envelope, name)
    kind, payload = fields.text("payloadType"), _base64(fields.text("payload"), name)
    signatures = fields.each("signatures", _signature)
    fields.done()
    if kind != payload_type:
        raise WrongType(f"its payload is of type {kind[:80]!a}, not {payload_type}", where=name)
    if not 0 < len(signatures) <= MAX_SIGNATURES:
        raise Malformed(f"it has {len(signatures)} signatures", where=name)
    known = [entry for entry in signatures if entry.keyid in keys]
    if not known:
        raise UnknownKey("no listed key signed it", where=name, remedy="Who signed it must be in the trust store.")
    signed = pre_authentication_encoding(payload, kind)
    for entry in known:
        if _signed_by(keys[entry.keyid], entry, signed):
            return payload, entry.keyid
    raise BadSignature("the signature is not over these bytes", where=name)


def _signed_by(key: SigningKey | PasskeyKey, entry: SignatureEntry, signed: bytes) -> bool:
    if isinstance(key, PasskeyKey):
        return not signature_problem(key, entry, signed)
    return entry.assertion is None and key.verifies(entry.signature, signed)


def _signature(data: Any, name: str) -> SignatureEntry:
    fields = Fields(data, name)
    keyid, signature = fields.text("keyid"), _base64(fields.text("sig"), name)
    members = fields.take("webauthn") if fields.has("webauthn") else None
    fields.done()
    if members is None:
        return SignatureEntry(keyid, signature)
    try:
        return SignatureEntry(keyid, signature, assertion_in(members if isinstance(members, dict) else {}, signature))
    except PasskeyError as error:
        raise Malformed(str(error), where=name) from None


def _base64(text: str, name: str) -> bytes:
    """Base64 in its one form: what decodes to the same bytes and is written otherwise is refused."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = None
    if data is None or base64.b64encode(data).decode() != text:
        raise Malformed("not base64", where=name)
    return data


@dataclass(frozen=True, slots=True)
class Statement:
    """An in-toto Statement that a listed key signed: its subjects' SHA-256, its predicate, its payload's digest."""

    subjects: tuple[str, ...]
    predicate: Any  # not yet read
    payload: bytes
    keyid: str

    @property
    def sha256(self) -> str:
        """By which another statement names this one."""
        return hashlib.sha256(self.payload).hexdigest()


def open_statement(
    envelope: Any, keys: Mapping[str, SigningKey | PasskeyKey], *, predicate_type: str, name: str
) -> Statement:
    """The statement of an envelope that one of `keys` signed.

    Raises:
        Malformed, WrongType, UnknownKey, BadSignature, WrongPredicate.
    """
    payload, keyid = open_payload(envelope, keys, payload_type=PAYLOAD_TYPE, name=name)
    fields = Fields(read_json(payload, name), name)
    if fields.text("_type") != STATEMENT_TYPE:
        raise WrongPredicate("it is not an in-toto Statement v1", where=name)
    if (stated := fields.text("predicateType")) != predicate_type:
        raise WrongPredicate(f"it states {stated[:80]!a}, not {predicate_type}", where=name)
    subjects, predicate = fields.each("subject", _subject), fields.take("predicate")
    fields.done()
    return Statement(subjects, predicate, payload, keyid)


def _subject(data: Any, name: str) -> str:
    fields = Fields(data, name)
    fields.text("name")
    digest = fields.inner("digest")
    fields.done()
    sha256 = digest.sha256("sha256")
    digest.done()
    return sha256
