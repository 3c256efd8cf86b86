"""A key's card through its life: made, rotated, revoked, listed, and put into the trust store's next version."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from dubgate.certificate.dsse import PublicKey
from dubgate.certificate.keys import SUFFIX, Card, card_for, card_path, read_card
from dubgate.certificate.opening import SigningKey, ed25519_key
from dubgate.certificate.trust import TrustedGate, TrustedLedger, TrustStore, Validity, read_trust
from dubgate.errors import InputError


def new_card(
    path: Path, purpose: str, public: PublicKey, now: datetime, until: datetime, *, replaces: str | None = None
) -> Card:
    """The card of a new key file; never over one that is there.

    Raises:
        InputError: a file is already there.
    """
    if path.name.endswith(SUFFIX) or path.exists():
        raise InputError("a file is already there, or it is a card's name", where=str(path), remedy="Choose another.")
    card = Card(purpose, ed25519_key(public.public_hex), now, until, replaces=replaces)
    _write_new(card_path(path), card)
    return card


def new_service_card(path: Path, purpose: str, uri: str, public: Path, now: datetime, until: datetime) -> Path:
    """The card of a key in a key service or HSM.

    Raises:
        InputError: the public key cannot be read, or is of a kind that is not used here.
    """
    place = path if path.name.endswith(SUFFIX) else card_path(path)
    _write_new(place, Card(purpose, _public_of(public), now, until, uri=uri))
    return place


def _public_of(path: Path) -> SigningKey:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    try:
        key = SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"cannot read this public key: {error}", where=str(path)) from None
    return SigningKey(key.keytype, key.scheme, key.keyval["public"])


def rotated(old: Path, path: Path, public: PublicKey, now: datetime, old_until: datetime, until: datetime) -> Card:
    """A card that takes over from a valid key's, for the same purpose; the old key ends at `old_until`.

    Raises:
        InputError: the old key is not valid now, or a file is already there.
    """
    before = read_card(old)
    card_for(old, before.purpose, now)
    card = new_card(path, before.purpose, public, now, until, replaces=before.key.keyid)
    _write(card_path(old), replace(before, not_after=min(before.not_after, old_until)))
    return card


def revoked(path: Path, reason: str, now: datetime) -> Card:
    """The card, marked as revoked from now on; one that was revoked stays as it was."""
    card = read_card(path)
    if card.revoked_at is None:
        card = replace(card, revoked_at=now, reason=reason)
        _write(card_path(path), card)
    return card


def cards_in(folder: Path) -> list[tuple[Path, Card]]:
    """Every card in a folder, in order of names."""
    return [(path, read_card(path)) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def next_trust_store(
    place: Path,
    root: SigningKey,
    gates: Sequence[Path],
    ledgers: Sequence[Path],
    verifier: str,
    origin: str,
    levels: tuple[str, ...],
    now: datetime,
    until: datetime,
) -> TrustStore:
    """A trust store of these keys, one version after the one at `place` (1 where there is none).

    Raises:
        InputError: a card is missing, or of another purpose.
        Refused: what lies at `place` is not a trust store of this root key.
    """
    version = read_trust(place.read_bytes(), root, place.name).version + 1 if place.exists() else 1
    listed = tuple(
        TrustedGate(verifier, card.key, _validity(card), levels) for card in (_of(path, "gate") for path in gates)
    )
    witnessing = tuple(
        TrustedLedger(origin, card.key.public, _validity(card)) for card in (_of(path, "ledger") for path in ledgers)
    )
    return TrustStore(version, now, until, listed, witnessing)


def _of(path: Path, purpose: str) -> Card:
    """A card for this purpose, whether it is still valid or not: revoked keys are listed as revoked."""
    card = read_card(path)
    if card.purpose != purpose:
        raise InputError(f"this key is for {card.purpose}, and a {purpose} key is wanted", where=str(path))
    return card


def _validity(card: Card) -> Validity:
    return Validity(card.not_before, card.not_after, card.revoked_at)


def _write_new(place: Path, card: Card) -> None:
    if place.exists():
        raise InputError("a card is already there", where=str(place), remedy="Choose another name.")
    _write(place, card)


def _write(place: Path, card: Card) -> None:
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        partial.write_text(json.dumps(card.data(), indent=1) + "\n", encoding="utf-8")
        partial.replace(place)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(place)) from None
