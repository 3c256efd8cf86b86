"""The moment, and texts of moments as the service keeps them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from consent.entries import iso

Clock = Callable[[], datetime]

__all__ = ["Clock", "iso", "moment", "utc_now"]


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def moment(text: str) -> datetime:
    """A kept text of `iso`."""
    return datetime.fromisoformat(text)
