"""Signs records of the consent registry as their authors: DSSE around a Statement whose predicate is the record."""

from __future__ import annotations

from typing import Any

from consent.signatures import predicate_type
from consent.strict import Record
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import statement


def signed(record: Record, key: Any) -> str | None:
    """The envelope in which a record's author signs it; None without a key."""
    if key is None:
        return None
    return sign(statement(predicate_type(record), record, ()), signer_of(key)).decode()
