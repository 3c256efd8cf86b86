"""The service's own key: 32 bytes in a file, from which one key for each purpose is derived.

It seals rows of the certificate index, encrypts webhook secrets and annexes at rest, and signs page cursors. It signs
nothing that anybody outside believes: verdicts and checkpoints have keys of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dubgate.errors import InputError

_BYTES, _NONCE = 32, 12


class OwnKey:
    """One key a purpose, all from one secret."""

    def __init__(self, secret: bytes) -> None:
        self._seal, self._encrypt, self._cursor = (
            HKDF(SHA256(), _BYTES, salt=None, info=b"dubgate service " + purpose).derive(secret)
            for purpose in (b"seal", b"encrypt", b"cursor")
        )

    def __repr__(self) -> str:
        return "OwnKey(…)"

    def seal(self, what: bytes) -> str:
        """A seal over the bytes of a row, so that nobody without the key can make or change one."""
        return hmac.digest(self._seal, what, "sha256").hex()

    def sealed(self, what: bytes, seal: str) -> bool:
        """Whether the seal is over these bytes."""
        return hmac.compare_digest(self.seal(what), seal)

    def encrypted(self, about: str, content: bytes) -> bytes:
        """The content, to be read with this key for the same purpose only."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._encrypt).encrypt(nonce, content, about.encode())

    def decrypted(self, about: str, content: bytes) -> bytes:
        """The content of `encrypted`.

        Raises:
            InputError: another key, or altered.
        """
        try:
            return AESGCM(self._encrypt).decrypt(content[:_NONCE], content[_NONCE:], about.encode())
        except (InvalidTag, ValueError):
            raise InputError(
                f"{about} does not open with this key", remedy="Name the key_file it was made with."
            ) from None

    def signed_cursor(self, text: str) -> str:
        """A page's place as an opaque text."""
        tag = hmac.digest(self._cursor, text.encode(), "sha256")[:9]
        return base64.urlsafe_b64encode(tag + text.encode()).decode().rstrip("=")

    def cursor(self, given: str) -> str | None:
        """What `signed_cursor` was given; None where it was made up."""
        try:
            raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        except ValueError:
            return None
        tag, text = raw[:9], raw[9:]
        good = hmac.compare_digest(tag, hmac.digest(self._cursor, text, hashlib.sha256)[:9])
        return text.decode("utf-8", "strict") if good else None


def own_key(path: Path) -> OwnKey:
    """The key in a file, made at the first call.

    Raises:
        InputError: it cannot be read or written, or others can read it.
    """
    try:
        _make(path)
        mode = path.stat().st_mode & 0o077
        secret = base64.b64decode(path.read_bytes().strip(), validate=True)
    except (OSError, ValueError) as error:
        raise InputError(f"the service's key cannot be used: {error}", where=str(path)) from None
    if mode:
        raise InputError("others can read the service's key", where=str(path), remedy=f"chmod 600 {path}")
    if len(secret) != _BYTES:
        raise InputError("not the service's key: 32 bytes in base64", where=str(path))
    return OwnKey(secret)


def _make(path: Path) -> None:
    """Whole or not at all: two processes that start together end with one key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(waiting, path)
    except FileExistsError:
        pass
    finally:
        waiting.unlink()
