"""A software authenticator: real passkeys of each kind, and what a browser gives for a challenge, wrong where asked."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from consent.parties import Passkey

RP_ID, ORIGIN = "desk.example.org", "https://desk.example.org"
PRESENT_AND_VERIFIED = 0x05


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def cbor(value: Any) -> bytes:
    """Just what COSE keys are made of."""
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    return _head(0, value) if value >= 0 else _head(1, -1 - value)


def _head(major: int, value: int) -> bytes:
    if value < 24:
        return bytes([major << 5 | value])
    return bytes([major << 5 | 24, value]) if value < 256 else bytes([major << 5 | 25]) + value.to_bytes(2, "big")


def private_key(algorithm: str) -> Any:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def cose_of(private: Any) -> bytes:
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        point = public.public_numbers()
        return cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return cbor({1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()})
    numbers = public.public_numbers()
    n = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
    return cbor({1: 3, 3: -257, -1: n, -2: b"\x01\x00\x01"})


@dataclass
class MadePasskey:
    """One authenticator with one credential; `counter` counts on where it is not None."""

    algorithm: str = "ES256"
    rp_id: str = RP_ID
    origin: str = ORIGIN
    counter: int | None = None
    credential_id: bytes = b"credential-of-a-test"
    private: Any = field(default=None)

    def __post_init__(self) -> None:
        self.private = self.private or private_key(self.algorithm)

    @property
    def cose(self) -> bytes:
        return cose_of(self.private)

    def registered(self, **changes: Any) -> Passkey:
        """What the registry keeps of it."""
        said = {
            "cose_hex": self.cose.hex(),
            "credential_id": base64url(self.credential_id),
            "rp_id": self.rp_id,
            "origins": (self.origin,),
        }
        return Passkey(**(said | changes))

    def answer(
        self,
        challenge: bytes,
        *,
        flags: int = PRESENT_AND_VERIFIED,
        behind: bytes = b"",
        client: dict[str, Any] | None = None,
        client_json: bytes | None = None,
    ) -> dict[str, Any]:
        """`PublicKeyCredential.toJSON()` of an assertion; `client` changes or adds to the client data."""
        said = {"type": "webauthn.get", "challenge": base64url(challenge), "origin": self.origin, "crossOrigin": False}
        data = json.dumps(said | (client or {})).encode() if client_json is None else client_json
        if self.counter is not None:
            self.counter += 1
        authenticator = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags])
        authenticator += (self.counter or 0).to_bytes(4, "big") + behind
        return {
            "id": base64url(self.credential_id),
            "rawId": base64url(self.credential_id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": base64url(authenticator),
                "clientDataJSON": base64url(data),
                "signature": base64url(self._sign(authenticator + hashlib.sha256(data).digest())),
                "userHandle": None,
            },
        }

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(SHA256()))
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        signature: bytes = self.private.sign(data, padding.PKCS1v15(), SHA256())
        return signature
