"""Erasing some of what is sealed for a person: the key is destroyed, and only what may stay is sealed anew.

The ledger committed to salt and content, not to the ciphertext, so what stays keeps its salt and still verifies. A copy
of the old ciphertexts, in a backup or a log, opens with nothing any more.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from consent.store import SEALED, Store

_NONCE_BYTES = 12


def sealed_entries(store: Store) -> dict[str, tuple[int, ...]]:
    """For each holder (`party:…`, `voice:…`), the entries whose contents are sealed here, in ledger order."""
    found: dict[str, list[int]] = {}
    query = select(SEALED.c.holder, SEALED.c.leaf_index).order_by(SEALED.c.leaf_index)
    for holder, index in store.connection.execute(query):
        found.setdefault(str(holder), []).append(int(index))
    return {holder: tuple(found[holder]) for holder in sorted(found)}


def erase_entries(store: Store, holder: str, gone: tuple[int, ...]) -> list[int]:
    """Destroy a holder's key and the contents of `gone`; seal the others under a fresh key.

    Returns:
        The entries whose contents are gone.

    Raises:
        StoreError: something that stays could not be opened, or there is no registry key; nothing was erased.
    """
    stays = set(sealed_entries(store).get(holder, ())) - set(gone)
    kept = {i: content for i, content in _opened(store, holder).items() if i in stays} if stays else {}
    erased = [index for index in store.erase(holder) if index not in kept]
    if kept:
        key = AESGCM(store._key_of(holder, create=True))
        rows = [{"leaf_index": i, "holder": holder, "content": _sealed(key, i, plain)} for i, plain in kept.items()]
        store.connection.execute(insert(SEALED), rows)
    return erased


def _opened(store: Store, holder: str) -> dict[int, bytes]:
    """Salt and content of everything that is sealed for a holder."""
    key = AESGCM(store._key_of(holder, create=False))
    rows = store.connection.execute(select(SEALED.c.leaf_index, SEALED.c.content).where(SEALED.c.holder == holder))
    return {int(i): key.decrypt(c[:_NONCE_BYTES], c[_NONCE_BYTES:], f"entry {i}".encode()) for i, c in rows}


def _sealed(key: AESGCM, index: int, plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, plain, f"entry {index}".encode())
