"""Passkey ceremonies: a challenge that lives ten minutes and works once, for registering, signing in, or signing a statement.

A registered passkey signs in here and, as a key of its party in the ledger, signs what people decide.
"""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from consent.entries import iso
from consent.parties import Party, PartyKey, Passkey
from consent.views import View
from consent.web.accounts import Account
from consent.web.desk import Desk
from consent.web.rows import CHALLENGE, CREDENTIAL

LIVES = timedelta(minutes=10)
KEY_LIVES = timedelta(days=365 * 5)
MAX_ANSWER = 64_000
_REFUSED = (WebAuthnException, ValueError, KeyError, TypeError)
VERIFIED = UserVerificationRequirement.REQUIRED


class CeremonyError(Exception):
    """An answer that does not fit: late, used, forged, of another passkey. `key` is its text in the catalogue."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Begun:
    """A ceremony: its number, and the options for the browser as plain data."""

    challenge_id: str
    options: dict[str, Any]


def remember(desk: Desk, purpose: str, account_id: str | None, challenge: bytes, about: dict[str, Any]) -> str:
    """Keep a challenge until its answer comes; its number."""
    row = {"challenge_id": f"ch-{uuid.uuid4().hex}", "purpose": purpose, "account_id": account_id}
    ends = iso(desk.clock() + LIVES)
    values = {**row, "challenge": challenge, "about": json.dumps(about), "expires_at": ends}
    desk.tables.run(insert(CHALLENGE).values(**values))
    return str(row["challenge_id"])


def recall(desk: Desk, challenge_id: str, purpose: str, account_id: str | None) -> tuple[bytes, dict[str, Any]]:
    """A challenge that still waits, and what it is about.

    Raises:
        CeremonyError: there is none of this number for this account, or it is over.
    """
    row = desk.tables.one(select(CHALLENGE).where(CHALLENGE.c.challenge_id == challenge_id))
    if row is None or row["purpose"] != purpose or row["account_id"] != account_id:
        raise CeremonyError("ceremony.unknown")
    if row["used_at"] is not None:
        raise CeremonyError("ceremony.used")
    if row["expires_at"] <= iso(desk.clock()):
        raise CeremonyError("ceremony.late")
    return bytes(row["challenge"]), json.loads(row["about"])


def spend(desk: Desk, challenge_id: str) -> None:
    """Use a challenge up; of two at once, one does.

    Raises:
        CeremonyError: somebody was faster.
    """
    same = (CHALLENGE.c.challenge_id == challenge_id) & CHALLENGE.c.used_at.is_(None)
    if desk.tables.run(update(CHALLENGE).where(same).values(used_at=iso(desk.clock()))) != 1:
        raise CeremonyError("ceremony.used")


def begin_registration(desk: Desk, account: Account) -> Begun:
    """Options for a new passkey of this account."""
    challenge = secrets.token_bytes(32)
    chosen = AuthenticatorSelectionCriteria(resident_key=ResidentKeyRequirement.REQUIRED, user_verification=VERIFIED)
    options = generate_registration_options(
        rp_id=desk.settings.rp_id,
        rp_name="dubgate",
        user_name=account.email,
        user_id=account.account_id.encode(),
        challenge=challenge,
        authenticator_selection=chosen,
        exclude_credentials=_descriptors(r["credential_id"] for r in passkeys_of(desk, account.account_id)),
    )
    number = remember(desk, "register", account.account_id, challenge, {})
    return Begun(number, json.loads(options_to_json(options)))


def finish_registration(desk: Desk, account: Account, party: Party, challenge_id: str, answer: str, name: str) -> None:
    """Keep a new passkey, here and as a key of its party in the ledger.

    Raises:
        CeremonyError: the answer does not fit.
        RecordError: the ledger does not take it.
    """
    challenge, _ = recall(desk, challenge_id, "register", account.account_id)
    try:
        made = verify_registration_response(
            credential=_answer(answer),
            expected_challenge=challenge,
            expected_rp_id=desk.settings.rp_id,
            expected_origin=desk.settings.origin,
            require_user_verification=True,
        )
    except _REFUSED:
        raise CeremonyError("ceremony.refused") from None
    spend(desk, challenge_id)
    now, own = desk.clock(), base64url(made.credential_id)
    desk.registry.add(_party_key(desk, party, own, made.credential_public_key))
    desk.tables.run(
        insert(CREDENTIAL).values(
            credential_id=own,
            account_id=account.account_id,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name[:100] or "passkey",
            created_at=iso(now),
        )
    )


def _party_key(desk: Desk, party: Party, credential_id: str, cose: bytes) -> PartyKey:
    now = desk.clock()
    return PartyKey(
        key_id=f"pk-{uuid.uuid4().hex[:24]}",
        party_id=party.party_id,
        passkey=Passkey(
            cose_hex=cose.hex(), credential_id=credential_id, rp_id=desk.settings.rp_id, origins=(desk.settings.origin,)
        ),
        roles=party.roles,
        not_before=now - timedelta(minutes=5),
        not_after=now + KEY_LIVES,
    )


def begin_sign_in(desk: Desk) -> Begun:
    """Options for signing in with any passkey of this desk."""
    challenge = secrets.token_bytes(32)
    options = generate_authentication_options(
        rp_id=desk.settings.rp_id, challenge=challenge, user_verification=VERIFIED
    )
    return Begun(remember(desk, "sign_in", None, challenge, {}), json.loads(options_to_json(options)))


def finish_sign_in(desk: Desk, challenge_id: str, answer: str) -> str:
    """The account whose passkey answered.

    Raises:
        CeremonyError: the answer does not fit.
    """
    challenge, _ = recall(desk, challenge_id, "sign_in", None)
    found = _answer(answer)
    row = desk.tables.one(
        select(CREDENTIAL).where(CREDENTIAL.c.credential_id == str(found.get("id")), CREDENTIAL.c.ended_at.is_(None))
    )
    if row is None:
        raise CeremonyError("ceremony.unknown_passkey")
    try:
        said = verify_authentication_response(
            credential=found,
            expected_challenge=challenge,
            expected_rp_id=desk.settings.rp_id,
            expected_origin=desk.settings.origin,
            credential_public_key=bytes(row["public_key"]),
            credential_current_sign_count=int(row["sign_count"]),
            require_user_verification=True,
        )
    except _REFUSED:
        raise CeremonyError("ceremony.refused") from None
    spend(desk, challenge_id)
    same = CREDENTIAL.c.credential_id == row["credential_id"]
    used = {"sign_count": said.new_sign_count, "last_used_at": iso(desk.clock())}
    desk.tables.run(update(CREDENTIAL).where(same).values(**used))
    return str(row["account_id"])


def signing_options(desk: Desk, account_id: str, challenge: bytes) -> dict[str, Any]:
    """Options for signing a statement with one of the account's own passkeys."""
    options = generate_authentication_options(
        rp_id=desk.settings.rp_id,
        challenge=challenge,
        allow_credentials=_descriptors(r["credential_id"] for r in passkeys_of(desk, account_id)),
        user_verification=VERIFIED,
    )
    found: dict[str, Any] = json.loads(options_to_json(options))
    return found


def passkeys_of(desk: Desk, account_id: str) -> list[dict[str, Any]]:
    """The passkeys of an account that were not removed."""
    living = (CREDENTIAL.c.account_id == account_id) & CREDENTIAL.c.ended_at.is_(None)
    return desk.tables.all(select(CREDENTIAL).where(living).order_by(CREDENTIAL.c.created_at))


def standing_key(desk: Desk, account: Account, credential_id: str) -> PartyKey | None:
    """The ledger's key of one of the account's passkeys; None where there is none that still stands."""
    if credential_id not in {row["credential_id"] for row in passkeys_of(desk, account.account_id)}:
        return None
    with desk.registry.view() as view:
        return standing(view, credential_id)


def standing(view: View, credential_id: str) -> PartyKey | None:
    """The ledger's key of a passkey; None where there is none that still stands."""
    key = view.record(f"credential:{credential_id}", PartyKey)
    holder = view.key(key.keyid, view.now) if key is not None else None
    return None if holder is None or holder.problem else key


def _descriptors(ids: Iterable[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64.urlsafe_b64decode(i + "=" * (-len(i) % 4))) for i in ids]


def _answer(text: str) -> dict[str, Any]:
    """The browser's answer as data.

    Raises:
        CeremonyError: it is none.
    """
    try:
        found = json.loads(text) if len(text) <= MAX_ANSWER else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CeremonyError("ceremony.refused")
    return found


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
