"""The exceptions of consent: each means that the registry could not answer, never that a consent is lacking.

ConsentError
├── RecordError       a record, seed or import that was handed in breaks its rules
│   └── SignatureError  a signature that does not verify, or whose signer may not sign this
└── StoreError        the registry is missing, locked, damaged, sealed or of another version
"""

from __future__ import annotations


class ConsentError(Exception):
    """What went wrong, where, and what to do about it; the same three parts as dubgate's errors.

    Args:
        what: one sentence without a final full stop.
        where: the file, line, record or table concerned.
        remedy: what the reader can do.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what)

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.remedy}" if self.remedy else text


class RecordError(ConsentError):
    """Something handed in contradicts itself, the schema, or what the registry already holds."""


class SignatureError(RecordError):
    """A signature that does not verify, or whose signer has no right to sign this at this time."""


class StoreError(ConsentError):
    """The registry cannot be read or written as it stands."""
