"""What is counted of a decision, in memory: entries never change, so each is read once however often a report is opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.entries import Entry
from consent.store import Store

MOST_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Glance:
    """A decision at a glance: where it stands, when it was recorded and made, what it was, and when its window ends."""

    place: int
    recorded_at: datetime
    decision: str
    language: str
    decided_at: str
    ends: datetime | None

    def live(self, now: datetime) -> bool:
        """Whether it is a release whose window is not over."""
        return self.decision == "release" and (self.ends is None or self.ends > now)


class Glances:
    """Decisions at a glance by their places; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[int, Glance] = {}

    def of(self, store: Store, places: Sequence[int]) -> list[Glance]:
        """A glance at each place, in their order; only those that nobody asked for before are read."""
        with self._lock:
            known = {p: g for p in places if (g := self._known.get(p)) is not None}
        read = {e.leaf_index: _glance(e) for e in store.at_places([p for p in places if p not in known])}
        with self._lock:
            if len(self._known) + len(read) > MOST_KEPT:
                self._known.clear()
            self._known |= read
        known |= read
        return [known[p] for p in places]


def _glance(entry: Entry) -> Glance:
    said = json.loads(entry.body)
    end = said["window"].get("end")
    ends = None if end is None else datetime.fromisoformat(end)
    return Glance(entry.leaf_index, entry.recorded_at, said["decision"], said["language"], said["decided_at"], ends)
