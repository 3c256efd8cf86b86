"""Signing what was shown: the desk keeps the statement, shows every field of it, and takes a passkey's signature over it alone.

The challenge is the SHA-256 of the statement's DSSE encoding; the page computes it again from the text that it shows.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.dsse import pre_authentication_encoding
from consent.errors import SignatureError
from consent.parties import PartyKey
from consent.passkey_signing import last_counter, signed_envelope
from consent.passkeys import challenge_of
from consent.web.ceremonies import CeremonyError, base64url, recall, remember, signing_options, spend
from consent.web.desk import Desk
from consent.web.visiting import Visitor


@dataclass(frozen=True, slots=True)
class ToSign:
    """A statement that waits for its author's signature: its bytes, what it is about, and the browser's options."""

    challenge_id: str
    payload: bytes
    about: Mapping[str, Any]
    options: Mapping[str, Any]

    @property
    def shown(self) -> str:
        """The statement, verbatim."""
        return self.payload.decode()

    @property
    def challenge(self) -> str:
        """What the passkey is asked to sign, in base64url."""
        return str(self.options["challenge"])


def propose(who: Visitor, payload: bytes, about: Mapping[str, Any]) -> str:
    """Keep a statement until its author signs it; the number of its page."""
    challenge = challenge_of(pre_authentication_encoding(payload))
    kept = {**about, "payload": base64.b64encode(payload).decode()}
    return remember(who.desk, "sign", who.account.account_id, challenge, kept)


def proposed(who: Visitor, challenge_id: str) -> ToSign:
    """A statement that still waits.

    Raises:
        CeremonyError: there is none of this number for this account, or it is over.
    """
    challenge, about = recall(who.desk, challenge_id, "sign", who.account.account_id)
    payload = base64.b64decode(about.pop("payload"))
    if challenge != challenge_of(pre_authentication_encoding(payload)):
        raise CeremonyError("ceremony.refused")
    options = signing_options(who.desk, who.account.account_id, challenge)
    return ToSign(challenge_id, payload, about, options)


def signed(who: Visitor, waiting: ToSign, answer: str) -> str:
    """The envelope over the statement, once the visitor's own passkey signed it; the statement is spent.

    Raises:
        CeremonyError: another's passkey, another challenge, a copy of an authenticator, or it is spent already.
    """
    key, last = _key_of(who.desk, who, answer)
    try:
        envelope = signed_envelope(waiting.payload, key, answer, last_counter=last)
    except SignatureError:
        raise CeremonyError("ceremony.refused") from None
    spend(who.desk, waiting.challenge_id)
    return envelope


def _key_of(desk: Desk, who: Visitor, answer: str) -> tuple[PartyKey, int]:
    """The ledger's key of the passkey that answered; it must be the visitor's own and stand now."""
    import json

    try:
        found = json.loads(answer) if len(answer) <= 64_000 else {}
        credential_id = str(found["id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CeremonyError("ceremony.refused") from None
    with desk.registry.view() as view:
        key = view.record(f"credential:{credential_id}", PartyKey)
        holder = view.key(key.keyid, view.now) if key is not None else None
        if key is None or holder is None or key.party_id != who.party_id:
            raise CeremonyError("ceremony.unknown_passkey")
        if holder.problem:
            raise CeremonyError("ceremony.ended_passkey")
        return key, last_counter(view, key)


__all__ = ["ToSign", "base64url", "propose", "proposed", "signed"]
