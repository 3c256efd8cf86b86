"""Which titles belong to which, in memory: titles never change, so only new ones are read again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable

from consent.titles import Title
from consent.views import View


class TitleTree:
    """The names of titles and what belongs to them; safe for several threads."""

    def __init__(self) -> None:
        self._lock, self._next = threading.Lock(), 0
        self._names: dict[str, str] = {}
        self._below: dict[str, list[str]] = {}

    def refresh(self, view: View) -> None:
        """Read the titles that were registered since the last time."""
        with self._lock:
            for entry in view.store.of_kind(Title, start=self._next):
                said = json.loads(entry.body)
                self._names[said["title_id"]] = said["name"]
                if said.get("parent_id"):
                    self._below.setdefault(said["parent_id"], []).append(said["title_id"])
                self._next = entry.leaf_index + 1

    def under(self, title_ids: Iterable[str]) -> list[str]:
        """The titles themselves and all that belong to them, by name."""
        found: dict[str, None] = {}
        waiting = list(title_ids)
        while waiting:
            title_id = waiting.pop()
            if title_id not in found:
                found[title_id] = None
                waiting += self._below.get(title_id, [])
        return sorted(found, key=lambda t: (self.name(t).casefold(), t))

    def below(self, title_id: str) -> list[str]:
        """What belongs to a title directly, by name."""
        return sorted(self._below.get(title_id, []), key=lambda t: (self.name(t).casefold(), t))

    def name(self, title_id: str) -> str:
        """A title's name; its id where it has none."""
        return self._names.get(title_id, title_id)
