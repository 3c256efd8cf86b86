"""Pages: a limit, and a signed cursor that says where the last page ended."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from dubgate.service.own_key import OwnKey
from dubgate.service.problems import Problem

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before.")]


def place_of(own: OwnKey, kind: str, cursor: str | None) -> tuple[str, str] | None:
    """Where a page begins.

    Raises:
        Problem: 404, for a cursor that was made up or is another list's.
    """
    if cursor is None:
        return None
    parts = (own.cursor(cursor) or "").split("\n")
    if len(parts) != 3 or parts[0] != kind:
        raise Problem(404, "no cursor of this list", kind="no-such-page")
    return parts[1], parts[2]


def next_of(own: OwnKey, kind: str, full: bool, at: str, named: str) -> str | None:
    """The cursor of the next page, where this one was full."""
    return own.signed_cursor(f"{kind}\n{at}\n{named}") if full else None
