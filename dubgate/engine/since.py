"""What ended in the registry since a batch was begun: all of it is judged as at one moment, and its exit code is read later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from consent.approvals import Approval
from consent.entries import Entry
from consent.events import TERMINAL, Event
from consent.titles import Refusal
from consent.views import View
from consent.vocabulary import ApprovalDecision, EventKind
from dubgate.release import open_registry

_ENDS = TERMINAL | {EventKind.SUSPENDED, EventKind.CONTESTED, EventKind.OBJECTED, EventKind.DIED}


def ended_in(location: str, began: datetime) -> tuple[str, ...]:
    """The same of a registry where it lies.

    Raises:
        RegistryError: it cannot be asked.
    """
    with open_registry(location) as registry, registry.view() as view:
        return ended_since(view, began)


def told_of(ended: Sequence[str], began: datetime) -> list[str]:
    """What is said where anything ended."""
    some = ", ".join(ended[:5])
    what = f"since the batch was begun ({began.isoformat()}) something ended in the registry ({some})"
    return [f"{what}: judge it again, with another --out"] if ended else []


def ended_since(view: View, began: datetime) -> tuple[str, ...]:
    """The events, refusals and noes that were recorded after a moment, by their ids."""
    entries = view.store.all_entries(start=_first_after(view, began))
    return tuple(entry.record.record_id for entry in entries if _ends(entry))


def _ends(entry: Entry) -> bool:
    record = entry.record
    if isinstance(record, Approval):
        return record.decision is ApprovalDecision.REJECT
    return isinstance(record, Refusal) or (isinstance(record, Event) and record.kind in _ENDS)


def _first_after(view: View, moment: datetime) -> int:
    """The place of the first entry recorded after a moment: they lie in the order of their recording."""
    low, high = 0, view.store.size()
    while low < high:
        middle = (low + high) // 2
        entry = view.store.entry(middle)
        if entry is None or entry.recorded_at > moment:
            high = middle
        else:
            low = middle + 1
    return low
