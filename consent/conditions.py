"""Conditions of an approval: each holds until the party that set it says that it is met."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from consent.events import RecordedEvent
from consent.vocabulary import EventKind

if TYPE_CHECKING:
    from consent.approvals import Approval


def open_conditions(approval: Approval, events: Iterable[RecordedEvent], at: datetime) -> tuple[str, ...]:
    """The conditions that nobody of the approval's own party has marked as met by then, word for word."""
    own = frozenset((approval.by, approval.for_holder_id))
    said = (e.event for e in events if e.event.kind is EventKind.CONFIRMED and e.counts(at))
    met = {event.reason for event in said if event.by in own}
    return tuple(c for c in approval.conditions if c not in met)
