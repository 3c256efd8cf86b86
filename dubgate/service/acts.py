"""Writes through the service enter the ledger: who did what about what, and the digest of what it was."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping

import rfc8785

from consent.acts import Act
from consent.writing import Addition, Writer


def record_act(
    writer: Writer,
    *,
    by: str,
    verb: str,
    about: str,
    token_id: str | None,
    what: Mapping[str, object],
    request_id: str | None = None,
) -> Act:
    """Append an act in the transaction in which it is done.

    Raises:
        RecordError: `by` is not registered.
    """
    act = Act(
        act_id=f"act-{uuid.uuid4().hex}",
        by=by,
        verb=verb,
        about=about,
        token_id=token_id,
        request_id=request_id,
        what_sha256=hashlib.sha256(rfc8785.dumps(dict(what))).hexdigest(),  # type: ignore[arg-type]
    )
    writer.add(Addition(act))
    return act
