"""A passkey's assertion as a signature: WebAuthn whose challenge is the SHA-256 of DSSE's pre-authentication encoding.

It is kept with authenticatorData and clientDataJSON, and verified offline, by whoever knows the key, the relying party's
id and its origins. References: W3C Web Authentication Level 3, section 7.2; DSSE v1.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent import cose
from consent.dsse import loads_strictly

MAX_CLIENT_DATA_BYTES = 8_192
MAX_AUTHENTICATOR_BYTES = 4_096
MAX_SIGNATURE_BYTES = 1_024
MAX_CREDENTIAL_BYTES = 1_023  # the specification's own bound
USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED, EXTENDED = 0x01, 0x04, 0x08, 0x10, 0x40, 0x80
MEMBERS = ("authenticator_data", "client_data_json", "credential_id")  # beside keyid and sig in an envelope
_HEAD_BYTES = 37  # rpIdHash, flags, counter


class PasskeyError(ValueError):
    """An assertion that does not sign this, or is no assertion; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class PasskeyKey:
    """What a passkey is verified with: its COSE key, its credential's id, the relying party and the allowed origins."""

    cose: bytes
    credential_id: bytes
    rp_id: str
    origins: tuple[str, ...]

    @property
    def keyid(self) -> str:
        """The key's name in a DSSE envelope, made as securesystemslib names other keys."""
        said = f'{{"keytype":"webauthn","keyval":{{"public":"{self.cose.hex()}"}},"scheme":"webauthn"}}'
        return hashlib.sha256(said.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Assertion:
    """An assertion as a browser gave it, byte for byte."""

    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes
    credential_id: bytes

    @property
    def counter(self) -> int:
        """How often the authenticator says that it has signed; 0 where it does not count."""
        return int.from_bytes(self.authenticator_data[33:_HEAD_BYTES], "big")

    def members(self) -> dict[str, Any]:
        """The entry of a DSSE envelope's `signatures`, without its key id."""
        values = {name: base64.b64encode(getattr(self, name)).decode() for name in MEMBERS}
        return {"sig": base64.b64encode(self.signature).decode(), "webauthn": values}


def challenge_of(signed: bytes) -> bytes:
    """What the authenticator is asked to sign: SHA-256 of the pre-authentication encoding `signed`."""
    return hashlib.sha256(signed).digest()


def check_assertion(key: PasskeyKey, assertion: Assertion, signed: bytes) -> None:
    """Whether this key's owner, present and verified, signed `signed` at one of the key's origins.

    Raises:
        PasskeyError: the first thing that is wrong.
    """
    if not hmac.compare_digest(assertion.credential_id, key.credential_id):
        raise PasskeyError("it is of another credential")
    _check_client_data(key, assertion.client_data_json, challenge_of(signed))
    _check_authenticator_data(key, assertion.authenticator_data)
    data = assertion.authenticator_data + hashlib.sha256(assertion.client_data_json).digest()
    if len(assertion.signature) > MAX_SIGNATURE_BYTES or not cose.verifies(key.cose, assertion.signature, data):
        raise PasskeyError("the passkey's signature does not verify")


def _check_client_data(key: PasskeyKey, data: bytes, challenge: bytes) -> None:
    client = _client_data(data)
    if client.get("type") != "webauthn.get":
        raise PasskeyError("it is no assertion: its type is not webauthn.get")
    if client.get("challenge") != _base64url(challenge):
        raise PasskeyError("something else was signed: the challenge is another")
    if client.get("origin") not in key.origins:
        raise PasskeyError(f"it was signed at {str(client.get('origin'))[:100]!a}, which is none of the key's origins")
    if client.get("crossOrigin", False) is not False or "topOrigin" in client:
        raise PasskeyError("it was signed inside another site's page")


def _client_data(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_CLIENT_DATA_BYTES:
        raise PasskeyError("its client data is larger than 8 KB")
    try:
        client = loads_strictly(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PasskeyError(f"its client data is not strict JSON: {error}") from None
    if not isinstance(client, dict):
        raise PasskeyError("its client data is no object")
    return client


def _check_authenticator_data(key: PasskeyKey, data: bytes) -> None:
    if not _HEAD_BYTES <= len(data) <= MAX_AUTHENTICATOR_BYTES:
        raise PasskeyError("its authenticator data is of no such length")
    flags = data[32]
    if not hmac.compare_digest(data[:32], hashlib.sha256(key.rp_id.encode()).digest()):
        raise PasskeyError("it is for another relying party")
    if not flags & USER_PRESENT:
        raise PasskeyError("nobody was present")
    if not flags & USER_VERIFIED:
        raise PasskeyError("who was present was not verified (no biometric, PIN or password)")
    if flags & BACKED_UP and not flags & BACKUP_ELIGIBLE:
        raise PasskeyError("its flags contradict each other")
    if flags & ATTESTED:
        raise PasskeyError("it is a registration and no assertion")
    if bool(flags & EXTENDED) != (len(data) > _HEAD_BYTES):
        raise PasskeyError("its authenticator data is longer or shorter than it says")


def assertion_in(members: Mapping[str, Any], signature: bytes) -> Assertion:
    """The assertion in the `webauthn` member of an envelope's signature entry.

    Raises:
        PasskeyError: a member is missing, unknown, or not base64 in its one form.
    """
    if set(members) != set(MEMBERS):
        raise PasskeyError(f"a passkey's signature carries {', '.join(MEMBERS)}")
    values = [_unbase64(members[name]) for name in MEMBERS]
    return _sized(Assertion(values[0], values[1], signature, values[2]))


def assertion_of(response: Mapping[str, Any]) -> Assertion:
    """The assertion in what a browser gives: `PublicKeyCredential.toJSON()`, base64url throughout.

    Fields that the specification has and nothing rests on (authenticatorAttachment, extension results) are left alone.

    Raises:
        PasskeyError: it is not such an answer.
    """
    inner = response.get("response")
    if response.get("type") != "public-key" or not isinstance(inner, Mapping):
        raise PasskeyError("the answer is not that of a passkey")
    if response.get("rawId", response.get("id")) != response.get("id"):
        raise PasskeyError("the answer names two credentials")
    said = (inner.get("authenticatorData"), inner.get("clientDataJSON"), inner.get("signature"), response.get("id"))
    return _sized(Assertion(*(unbase64url(value) for value in said)))


def check_counter(assertion: Assertion, last: int) -> None:
    """Whether an authenticator that counts has counted on since `last`; one that does not says 0 for ever.

    Raises:
        PasskeyError: it went back or stood still, so that there may be two of it.
    """
    if (assertion.counter or last) and assertion.counter <= last:
        raise PasskeyError("the passkey's counter did not go up: it may have been copied")


def _sized(assertion: Assertion) -> Assertion:
    if not 1 <= len(assertion.credential_id) <= MAX_CREDENTIAL_BYTES:
        raise PasskeyError("its credential id is of no such length")
    return assertion


def unbase64url(text: Any) -> bytes:
    """Base64url without padding, in its one form.

    Raises:
        PasskeyError
    """
    if not isinstance(text, str) or len(text) > 3 * MAX_CLIENT_DATA_BYTES:
        raise PasskeyError("not base64url")
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise PasskeyError("not base64url") from None
    if _base64url(data) != text:
        raise PasskeyError("not base64url in its one form")
    return data


def _unbase64(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) > 3 * MAX_CLIENT_DATA_BYTES:
        raise PasskeyError("not base64")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PasskeyError("not base64") from None
    if base64.b64encode(data).decode() != text:
        raise PasskeyError("not base64 in its one form")
    return data


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
