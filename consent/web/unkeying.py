"""A passkey taken away: its key ends in the ledger, then nobody signs in with it; the last way in is kept.

Whether another one is left is asked in the very transaction that ends the key, where no other removal can come between.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select, update

from consent.entries import iso
from consent.errors import RecordError
from consent.events import Event
from consent.views import View
from consent.vocabulary import EventKind
from consent.web.accounts import Account
from consent.web.ceremonies import passkeys_of, standing
from consent.web.desk import Desk
from consent.web.rows import CREDENTIAL
from consent.writing import Addition

LAST = "this is the only passkey; add another one first"


def remove_passkey(desk: Desk, account: Account, credential_id: str, *, by: str = "", last_too: bool = False) -> None:
    """Take a passkey away: in the ledger, where `by` (its owner, unless said) revokes its key, and then here.

    Args:
        last_too: the account's last one may go, since a recovery opens it anew.

    Raises:
        RecordError: it is none of this account or its last one, or the registry wants a signature for it.
    """
    if credential_id not in {row["credential_id"] for row in passkeys_of(desk, account.account_id)}:
        raise RecordError("no such passkey")
    ended = _revoke(desk, account, credential_id, by or account.party_id, last_too=last_too)
    forget_passkey(desk, account, credential_id, last_too=last_too or ended)


def require_another(view: View, desk: Desk, account: Account, credential_id: str) -> None:
    """Another of the account's passkeys signs, as the ledger stands in the transaction that ends this one's key.

    Asked earlier, two removals at once would each find the other's passkey.

    Raises:
        RecordError: it is the last one.
    """
    others = (row["credential_id"] for row in passkeys_of(desk, account.account_id))
    if not any(standing(view, other) for other in others if other != credential_id):
        raise RecordError(LAST)


def forget_passkey(desk: Desk, account: Account, credential_id: str, *, last_too: bool = True) -> None:
    """Nobody signs in here with a passkey whose key is revoked in the ledger.

    Raises:
        RecordError: it is the account's last one, where that is to be kept.
    """
    own = (CREDENTIAL.c.account_id == account.account_id) & CREDENTIAL.c.ended_at.is_(None)
    same = (CREDENTIAL.c.credential_id == credential_id) & (CREDENTIAL.c.account_id == account.account_id)
    with desk.tables.begin() as connection:
        left = connection.execute(select(CREDENTIAL.c.credential_id).where(own & ~same)).first()
        if left is None and not last_too:
            raise RecordError(LAST)
        connection.execute(update(CREDENTIAL).where(same).values(ended_at=iso(desk.clock())))


def _revoke(desk: Desk, account: Account, credential_id: str, by: str, *, last_too: bool) -> bool:
    """End the key in the ledger, once: what signs is the key there, whatever the desk's own tables say; whether it stood."""
    with desk.registry.write() as writer:
        key = standing(writer, credential_id)
        if key is None:
            return False
        if not last_too:
            require_another(writer, desk, account, credential_id)
        event = Event(
            event_id=f"ev-{uuid.uuid4().hex}",
            target="key",
            target_id=key.key_id,
            kind=EventKind.REVOKED,
            effective_at=writer.now,
            by=by,
            reason="removed at the desk by its owner"
            if by == account.party_id
            else "its owner's account was recovered",
        )
        writer.add(Addition(event))
        return True
