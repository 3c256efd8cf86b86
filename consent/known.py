"""What one transaction has read and appended: so that it reads nothing twice, and writes many rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from consent.entries import Entry


@dataclass(slots=True)
class Waiting:
    """Rows that are not in the database yet."""

    entries: list[tuple[Entry, str]] = field(default_factory=list)  # with the record's id
    lookups: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Known:
    """The ledger as far as one transaction has seen it; right while nobody else writes, or the snapshot stands.

    `under` and `named` hold answers whole: every entry that there is under a (key, schema), or with a (schema, id).
    """

    size: int | None = None
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    under: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    named: dict[tuple[str, str], list[Entry]] = field(default_factory=dict)
    _waiting: Waiting = field(default_factory=Waiting)
    _waiting_keys: set[tuple[str, str]] = field(default_factory=set)

    def appended(self, entry: Entry, record_id: str, keys: Sequence[str]) -> None:
        """Take in a new entry: answers that were given before have it too."""
        schema = entry.schema_name
        self.size = entry.leaf_index + 1
        self._waiting.entries.append((entry, record_id))
        self._waiting.lookups += [{"key": k, "schema_name": schema, "leaf_index": entry.leaf_index} for k in keys]
        self._waiting_keys |= {(key, schema) for key in keys}
        for key in keys:
            if (key, schema) in self.under:
                self.under[(key, schema)].append(entry)
        if (schema, record_id) in self.named:
            self.named[(schema, record_id)].append(entry)

    def grown(self, nodes: Iterable[tuple[int, int, bytes]]) -> None:
        """Take in the subtrees that a new leaf finished."""
        for level, position, value in nodes:
            self.nodes[(level, position)] = value
            self._waiting.nodes.append({"level": level, "position": position, "hash": value.hex()})

    def waits(self, keys: Sequence[str], schema: str) -> bool:
        """Whether something under one of the keys is not in the database yet."""
        return any((key, schema) in self._waiting_keys for key in keys)

    def taken(self) -> Waiting:
        """What waits, which from now on waits no more."""
        waiting, self._waiting = self._waiting, Waiting()
        self._waiting_keys.clear()
        return waiting
