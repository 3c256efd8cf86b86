"""What DSSE v1 and in-toto v1 fix, once for every reader and writer of envelopes: types, the encoding that is signed, JSON.

Two readers that see two things in one text let a signature over one of them pass for the other.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class RepeatedKeyError(ValueError):
    """An object of JSON names a key twice, so that it says two things."""


def pre_authentication_encoding(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """What is signed: type and payload, with their lengths in bytes (DSSE v1, PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def loads_strictly(text: str | bytes) -> Any:
    """JSON that says one thing.

    Raises:
        RepeatedKeyError: an object names a key twice.
        ValueError: it is not JSON, or holds NaN or an infinity.
        RecursionError: it is nested too deep.
    """
    return json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_refuse_constant)


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RepeatedKeyError("a key is repeated")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
