"""COSE public keys as authenticators give them (RFC 9052): read in their one canonical form, and asked about a signature.

Three kinds, those that WebAuthn names first: ES256 on P-256, EdDSA on Ed25519, RS256 with 2048 to 4096 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_COSE_BYTES = 1024
ES256, EDDSA, RS256 = -7, -8, -257
ALGORITHMS = {ES256: "ES256", EDDSA: "EdDSA", RS256: "RS256"}
_KTY, _ALG, _CRV, _X, _Y = 1, 3, -1, -2, -3
_N, _E = -1, -2  # of an RSA key
# (kty, alg) -> the labels that such a key has, no more and no less
_LABELS = {
    (2, ES256): {_KTY, _ALG, _CRV, _X, _Y},
    (1, EDDSA): {_KTY, _ALG, _CRV, _X},
    (3, RS256): {_KTY, _ALG, _N, _E},
}


class CoseError(ValueError):
    """Not a COSE key of a kind that is used here, in its canonical form."""


def algorithm_of(cose: bytes) -> str:
    """`ES256`, `EdDSA` or `RS256`, once the key is whole and lies on its curve.

    Raises:
        CoseError
    """
    fields = _fields(cose)
    _public(fields)
    return ALGORITHMS[fields[_ALG]]


def verifies(cose: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the key made this signature over `data`; a key that cannot be read signed nothing."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        fields = _fields(cose)
        key = _public(fields)
        if fields[_ALG] == ES256:
            key.verify(signature, data, ec.ECDSA(SHA256()))
        elif fields[_ALG] == EDDSA:
            key.verify(signature, data)
        else:
            key.verify(signature, data, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, CoseError, ValueError):
        return False
    return True


def _public(fields: Mapping[int, Any]) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    try:
        if fields[_ALG] == ES256:
            if fields[_CRV] != 1 or len(fields[_X]) != 32 or len(fields[_Y]) != 32:
                raise CoseError("an ES256 key is a point on P-256")
            point = b"\x04" + fields[_X] + fields[_Y]
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        if fields[_ALG] == EDDSA:
            if fields[_CRV] != 6 or len(fields[_X]) != 32:
                raise CoseError("an EdDSA key is of Ed25519")
            return ed25519.Ed25519PublicKey.from_public_bytes(fields[_X])
        n, e = (int.from_bytes(fields[label], "big") for label in (_N, _E))
        if fields[_N][:1] == b"\0" or fields[_E] != b"\x01\x00\x01" or not 2048 <= n.bit_length() <= 4096:
            raise CoseError("an RS256 key has 2048 to 4096 bits and the exponent 65537")
        return rsa.RSAPublicNumbers(e, n).public_key()
    except CoseError:
        raise
    except (TypeError, ValueError) as error:
        raise CoseError(f"not a point or number of its kind: {error}") from None


def _fields(cose: bytes) -> dict[int, Any]:
    """The labels of a key; exactly those of its kind."""
    if len(cose) > MAX_COSE_BYTES:
        raise CoseError("larger than 1 KB")
    reader = _Cbor(cose)
    fields = reader.key_map()
    if reader.left:
        raise CoseError("something stands behind the key")
    kty, alg = fields.get(_KTY), fields.get(_ALG)
    if not isinstance(kty, int) or not isinstance(alg, int) or (kty, alg) not in _LABELS:
        raise CoseError("neither ES256, EdDSA nor RS256")
    if set(fields) != _LABELS[(kty, alg)]:
        raise CoseError("it lacks a part, or has one too many")
    return fields


class _Cbor:
    """Just enough of CBOR (RFC 8949): maps of small integers to integers and byte strings, shortest forms only."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def key_map(self) -> dict[int, Any]:
        major, count = self._head()
        if major != 5 or count > 16:
            raise CoseError("not a map")
        found: dict[int, Any] = {}
        for _ in range(count):
            label = self._integer(*self._head())
            if label in found:
                raise CoseError("a part stands twice")
            found[label] = self._value()
        if list(found) != sorted(found, key=lambda k: (k < 0, abs(k))):
            raise CoseError("its parts are not in canonical order")
        return found

    def _value(self) -> int | bytes:
        major, value = self._head()
        return self._take(value) if major == 2 else self._integer(major, value)

    def _integer(self, major: int, value: int) -> int:
        if major not in (0, 1):
            raise CoseError("an integer or a byte string is wanted")
        return value if major == 0 else -1 - value

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        major, short = first >> 5, first & 31
        if short < 24:
            return major, short
        if short not in (24, 25):
            raise CoseError("too large, or of no length")
        value = int.from_bytes(self._take(1 if short == 24 else 2), "big")
        if value < (24 if short == 24 else 256):
            raise CoseError("not in its shortest form")
        return major, value

    def _take(self, n: int) -> bytes:
        if n > self.left:
            raise CoseError("it is cut short")
        self._at += n
        return self._data[self._at - n : self._at]
