"""Keys with one purpose each: a private key file, and beside it a card that says what it is for and until when.

A card is JSON (`gate.pem` has `gate.pem.card.json`). A key without a card for the purpose asked is refused, so that the
key of a webhook can never sign a verdict. A card may also stand for a key in a key service or HSM, by its URI.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dubgate.certificate.dsse import load_private_key, public_of, signer_of
from dubgate.certificate.opening import SigningKey, ed25519_key
from dubgate.certificate.refusals import Malformed
from dubgate.certificate.strict_fields import Fields, iso, read_json
from dubgate.certificate.trust import PAYLOAD_TYPE, TrustStore
from dubgate.errors import InputError

SCHEMA = "key-card/1.0"
SUFFIX = ".card.json"
PURPOSES = ("gate", "ledger", "webhook", "root")
# URI scheme -> the extra of securesystemslib that it needs
EXTRAS = {"awskms": "awskms", "azurekms": "azurekms", "gcpkms": "gcpkms", "hv": "vault", "hsm": "hsm"}

Passphrase = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Card:
    """What a key is for, its public half, from when until when it signs; `uri` where it lies in a key service."""

    purpose: str
    key: SigningKey
    not_before: datetime
    not_after: datetime
    replaces: str | None = None  # the key id that it took over from
    revoked_at: datetime | None = None
    reason: str | None = None
    uri: str | None = None

    def data(self) -> dict[str, Any]:
        """As it is kept."""
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "purpose": self.purpose,
            "key": self.key.data(),
            "not_before": iso(self.not_before),
            "not_after": iso(self.not_after),
        }
        if self.revoked_at is not None:
            out["revoked_at"] = iso(self.revoked_at)
        texts = {"replaces": self.replaces, "reason": self.reason, "uri": self.uri}
        return out | {name: value for name, value in texts.items() if value is not None}

    def status(self, now: datetime) -> str:
        """`valid`, `revoked`, `expired` or `not yet valid`."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if now >= self.not_after:
            return "expired"
        return "valid" if self.not_before <= now else "not yet valid"


def card_path(key: Path) -> Path:
    """Where the card of a key file lies; a card itself is its own."""
    return key if key.name.endswith(SUFFIX) else key.with_name(key.name + SUFFIX)


def read_card(path: Path) -> Card:
    """The card of a key file.

    Raises:
        InputError: it is missing, or not a card.
    """
    place = card_path(path)
    try:
        fields = Fields(read_json(place.read_bytes(), place.name), place.name, SCHEMA)
        card = _card(fields)
        fields.done()
    except FileNotFoundError:
        remedy = "Make keys for signing with `dubgate keys new PATH --purpose gate`."
        if not path.exists():
            raise InputError("no such key", where=str(path), remedy=remedy) from None
        raise InputError("no card says what this key is for", where=str(path), remedy=remedy) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(place)) from None
    except Malformed as error:
        raise InputError(f"not a key's card: {error.what}", where=str(place)) from None
    return card


def _card(fields: Fields) -> Card:
    card = Card(
        purpose=fields.text("purpose"),
        key=SigningKey.read(fields.take("key"), fields.name),
        not_before=fields.time("not_before"),
        not_after=fields.time("not_after"),
        replaces=fields.text("replaces") if fields.has("replaces") else None,
        revoked_at=fields.time("revoked_at") if fields.has("revoked_at") else None,
        reason=fields.text("reason") if fields.has("reason") else None,
        uri=fields.text("uri") if fields.has("uri") else None,
    )
    if card.purpose not in PURPOSES:
        raise Malformed(f"its purpose is none of {', '.join(PURPOSES)}", where=fields.name)
    return card


def card_for(path: Path, purpose: str, now: datetime) -> Card:
    """The card of a key that may be used for this, now.

    Raises:
        InputError: it is for another purpose, revoked, or out of its time.
    """
    card = read_card(path)
    if card.purpose != purpose:
        raise InputError(f"this key is for {card.purpose}, and a {purpose} key is wanted", where=str(path))
    if (status := card.status(now)) != "valid":
        raise InputError(f"this key is {status}", where=str(path), remedy="Make another with `dubgate keys rotate`.")
    return card


def private_for(path: Path, purpose: str, now: datetime, passphrase: Passphrase) -> Any:
    """The Ed25519 private key of a file, for its one purpose.

    Raises:
        InputError: not for this, not now, another key than its card's, or the passphrase is wrong.
    """
    card = card_for(path, purpose, now)
    if card.uri is not None or path.name.endswith(SUFFIX):
        raise InputError(f"a {purpose} key is a file of its own", where=str(path))
    try:
        encrypted = b"ENCRYPTED" in path.read_bytes()[:64]
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    private = load_private_key(path, passphrase(purpose) if encrypted else None)
    if ed25519_key(public_of(private).public_hex) != card.key:
        raise InputError("this is not the key of its card", where=str(path))
    return private


def signer_for(path: Path, purpose: str, now: datetime, passphrase: Passphrase) -> Any:
    """securesystemslib's signer for a key file, or for a key service where its card names one.

    Raises:
        InputError: as private_for; or the key service cannot be reached, or its extra is not installed.
    """
    card = card_for(path, purpose, now)
    if card.uri is None:
        return signer_of(private_for(path, purpose, now, passphrase))
    return service_signer(card.uri, card.key)


def service_signer(uri: str, key: SigningKey) -> Any:
    """A signer in a key service or HSM, as securesystemslib finds it by URI.

    Raises:
        InputError: an unknown scheme, an extra that is missing, or a service that does not answer.
    """
    from securesystemslib.exceptions import UnsupportedLibraryError
    from securesystemslib.signer import Key, Signer  # type: ignore[attr-defined]

    scheme = uri.partition(":")[0]
    described = {"keytype": key.keytype, "scheme": key.scheme, "keyval": {"public": key.public}}
    try:
        return Signer.from_priv_key_uri(uri, Key.from_dict(key.keyid, described))
    except (UnsupportedLibraryError, ImportError):
        extra = EXTRAS.get(scheme, scheme)
        remedy = f"Install it: pip install 'securesystemslib[{extra}]'."
        raise InputError(f"keys by {scheme}: need an extra that is not installed", where=uri, remedy=remedy) from None
    except Exception as error:  # key services raise what they like
        raise InputError(f"the key cannot be used: {type(error).__name__}: {error}", where=uri) from error


def trust_store_bytes(store: TrustStore, root_signer: Any) -> bytes:
    """A trust store, signed by the root key."""
    import rfc8785
    from securesystemslib.dsse import Envelope

    envelope = Envelope(payload=rfc8785.dumps(store.data()), payload_type=PAYLOAD_TYPE, signatures={})
    envelope.sign(root_signer)
    return json.dumps(envelope.to_dict(), sort_keys=True, indent=1).encode() + b"\n"
