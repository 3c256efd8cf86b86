"""Names, contacts and templates under a key per person: AES-256-GCM, each key wrapped under the registry's own key.

The registry's key is a file that only its operator reads; whoever has the database without it has ciphertext, and
whoever has both has nothing of a person whose wrapped key was deleted.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent.errors import RecordError, StoreError

KEY_BYTES = 32
_WHICH = "Name the key file that was made with the registry (beside an SQLite file: NAME.key), or its safe copy."
_NONCE_BYTES = 12
_SALT_BYTES = 16


class Keyring:
    """The registry's own key, which wraps those of persons and voices."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise StoreError("the registry's key is not 32 bytes", where="registry key", remedy=_WHICH)
        self._key = AESGCM(key)

    def __repr__(self) -> str:
        return "Keyring(…)"

    def new_key(self, holder: str) -> tuple[bytes, bytes]:
        """A fresh key for `holder`, plain and wrapped."""
        key = AESGCM.generate_key(bit_length=8 * KEY_BYTES)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return key, nonce + self._key.encrypt(nonce, key, b"person-key " + holder.encode())

    def unwrap(self, holder: str, wrapped: bytes) -> bytes:
        """The plain key of `holder`.

        Raises:
            StoreError: it was wrapped under another registry's key, for another holder, or was altered.
        """
        try:
            return self._key.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], b"person-key " + holder.encode())
        except InvalidTag:
            raise StoreError(
                f"the key of {holder} does not open with this registry key",
                remedy="Name the key file that the registry was made with (DUBGATE_REGISTRY_KEY).",
            ) from None


def seal(key: bytes, place: str, content: bytes) -> tuple[bytes, str]:
    """`content` with a fresh salt, encrypted for one place, and the salted commitment that the ledger keeps."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, salt + content, place.encode()), commitment(salt, content)


def unseal(key: bytes, place: str, sealed: bytes, expected: str | None) -> bytes:
    """The content, checked against the ledger's commitment.

    Raises:
        StoreError: altered, moved from another place, or not what the ledger committed to.
    """
    try:
        plain = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except InvalidTag:
        raise StoreError("a sealed content was altered or moved", where=place) from None
    salt, content = plain[:_SALT_BYTES], plain[_SALT_BYTES:]
    if commitment(salt, content) != expected:
        raise StoreError("a sealed content is not the one that the ledger committed to", where=place)
    return content


def commitment(salt: bytes, content: bytes) -> str:
    """SHA-256 over a salt and a content: it shows the content to whoever has both, and nothing without the salt."""
    return hashlib.sha256(salt + content).hexdigest()


def new_keyring(path: Path) -> Keyring:
    """Write a fresh registry key, readable by its owner only, never over an existing file.

    Raises:
        RecordError: a file is already there, or the place cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RecordError(f"the registry's key cannot be written ({error.strerror})", where=str(path)) from None
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key.hex() + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)  # half a key opens nothing
        raise RecordError(f"the registry's key cannot be written ({error.strerror})", where=str(path)) from None
    return Keyring(key)


def read_keyring(path: Path) -> Keyring | None:
    """The key in a file; None where there is no file, so that a registry opens without its sealed contents.

    Raises:
        StoreError: the file is there and is not a registry key.
    """
    try:
        return Keyring(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"the registry's key cannot be read ({error.strerror})", where=str(path)) from None
    except ValueError:
        raise StoreError("not a registry key", where=str(path), remedy=_WHICH) from None
