"""Signed checkpoints of the ledger in C2SP's tlog-checkpoint form: three lines under an Ed25519 note signature.

A checkpoint that somebody else keeps is what exposes a rewritten or rolled-back registry. References:
c2sp.org/tlog-checkpoint, c2sp.org/signed-note.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consent.errors import SignatureError

_ED25519 = b"\x01"
_DASH = "\N{EM DASH}"
_NAME = re.compile(r"[^\s+]{1,200}")
MAX_NOTE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The ledger called `origin` had `size` entries with this root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A key's name and its 32 public bytes; in text `name+hash+key` (signed-note's vkey)."""

    name: str
    public: bytes

    @property
    def key_hash(self) -> bytes:
        """The four bytes that name the key in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


def verifier_key(text: str) -> VerifierKey:
    """Read a vkey.

    Raises:
        SignatureError: not one, not Ed25519, or its hash is not that of its key.
    """
    try:
        name, key_hash, encoded = text.strip().split("+", 2)
        data = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise SignatureError(
            f"{text[:60]!r} is not a verifier key, such as name+hash+key",
            remedy="`dubgate consent checkpoint --sign-with KEY --out FILE` writes it into FILE.vkey.",
        ) from None
    key = VerifierKey(name, data[1:])
    if data[:1] != _ED25519 or len(key.public) != 32 or key.key_hash.hex() != key_hash or not _NAME.fullmatch(name):
        raise SignatureError(f"{text[:60]!r} is not an Ed25519 verifier key, or its hash is wrong")
    return key


def sign(checkpoint: Checkpoint, private_key: Ed25519PrivateKey, *, name: str | None = None) -> str:
    """The signed note; the key's name is the ledger's origin unless told otherwise."""
    key = VerifierKey(name or checkpoint.origin, private_key.public_key().public_bytes_raw())
    if not _NAME.fullmatch(key.name):
        raise SignatureError(f"{key.name!r} cannot name a key: no spaces, no plus")
    signature = private_key.sign(checkpoint.body().encode())
    return f"{checkpoint.body()}\n{_DASH} {key.name} {base64.b64encode(key.key_hash + signature).decode()}\n"


def open_note(note: str, key: VerifierKey) -> Checkpoint:
    """The checkpoint of a note that `key` signed; signatures by other keys beside it are passed over.

    Raises:
        SignatureError: malformed, or `key` did not sign it.
    """
    text, separator, signatures = note.rpartition("\n\n")
    if len(note.encode()) > MAX_NOTE_BYTES or not separator or not signatures.endswith("\n"):
        raise SignatureError("not a signed checkpoint")
    body = text + "\n"
    if not any(_signed(line, body, key) for line in signatures.splitlines()):
        raise SignatureError(f"the checkpoint is not signed by {key.name}")
    return read_body(body)


def read_body(body: str) -> Checkpoint:
    """The three lines of a checkpoint; further lines are extensions and are passed over.

    Raises:
        SignatureError: malformed.
    """
    lines = body.split("\n")
    if len(lines) < 4 or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]{0,17}", lines[1]):
        raise SignatureError("not a checkpoint: origin, size and root on three lines")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (ValueError, binascii.Error):
        root = b""
    if len(root) != 32:
        raise SignatureError("the checkpoint's root is not a SHA-256 in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def _signed(line: str, body: str, key: VerifierKey) -> bool:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != _DASH or name != key.name:
        return False
    try:
        data = base64.b64decode(encoded, validate=True)
        Ed25519PublicKey.from_public_bytes(key.public).verify(data[4:], body.encode())
    except (ValueError, binascii.Error, InvalidSignature):
        return False
    return data[:4] == key.key_hash
