"""The audit: every entry hashed again, every index and tree node derived again, every erasure accounted for.

It names what does not agree. What it cannot see by itself is a history that was rewritten or rolled back as a whole:
for that it needs a checkpoint that was kept outside, and says so where it has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from consent import ledger
from consent.checkpoint import Checkpoint
from consent.errors import StoreError
from consent.events import Event
from consent.store import LOOKUP, NODE, SEALED, Entry, Store
from consent.strict import canonical_json
from consent.vocabulary import EventKind


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found; `problems` is empty where everything agrees."""

    size: int
    root: bytes
    problems: tuple[str, ...]
    n_erased: int
    n_sealed_unread: int
    checkpoint_size: int | None

    @property
    def sound(self) -> bool:
        return not self.problems


def audit(store: Store, checkpoint: Checkpoint | None = None, *, origin: str) -> Audit:
    """Verify the whole history, and hold it against a checkpoint if there is one."""
    walk = _Walk(store)
    problems = [*walk.entries(), *walk.counts(), *walk.sealed()]
    if checkpoint is not None:
        problems += _against(checkpoint, origin, walk)
    known = len(walk.leaves)
    return Audit(
        size=known,
        root=ledger.root(known, walk.node),
        problems=tuple(problems),
        n_erased=len(walk.erased),
        n_sealed_unread=walk.n_unread,
        checkpoint_size=checkpoint.size if checkpoint is not None else None,
    )


class _Walk:
    """One pass over the entries, with what has to be compared afterwards."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.leaves: list[bytes] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.n_lookups = 0
        self.sealed_entries: dict[int, Entry] = {}
        self.erased: set[int] = set()
        self.n_unread = 0

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[(level, position)]

    def entries(self) -> Iterator[str]:
        last: datetime | None = None
        stored = self._stored_nodes()
        lookups = self._stored_lookups()
        try:
            for place, entry in enumerate(self.store.all_entries()):
                if entry.leaf_index != place:
                    yield f"entry {place} is missing: entry {entry.leaf_index} stands in its place"
                    return
                if last is not None and entry.recorded_at < last:
                    yield f"entry {place} was recorded before the entry in front of it"
                last = entry.recorded_at
                yield from self._entry(entry, lookups.get(place, set()), stored)
        except (StoreError, ValueError) as error:
            yield f"entry {len(self.leaves)} cannot be read: {error}"

    def _entry(self, entry: Entry, lookups: set[tuple[str, str]], stored: dict[tuple[int, int], str]) -> Iterator[str]:
        leaf = ledger.leaf_hash(entry.leaf())
        if leaf.hex() != entry.leaf_hash:
            yield f"entry {entry.leaf_index} was changed: its hash is not the one that was recorded"
        self.leaves.append(leaf)
        for level, position, value in ledger.completed_by(entry.leaf_index, leaf, self.node):
            self.nodes[(level, position)] = value
            if stored.get((level, position)) != value.hex():
                yield f"entry {entry.leaf_index}: the tree's node {level}/{position} does not follow from the entries"
        yield from self._record(entry, lookups)

    def _record(self, entry: Entry, lookups: set[tuple[str, str]]) -> Iterator[str]:
        try:
            record = entry.record
        except StoreError as error:
            yield error.what
            return
        wanted = {(key, entry.schema_name) for key in record.found_under()}
        self.n_lookups += len(wanted)
        if lookups != wanted:
            yield f"entry {entry.leaf_index} is not found under its keys: {_difference(lookups, wanted)}"
        if canonical_json(record).decode() != entry.body:
            yield f"entry {entry.leaf_index} is not in canonical form"
        if entry.sealed_sha256 is not None:
            self.sealed_entries[entry.leaf_index] = entry
        if isinstance(record, Event) and record.kind is EventKind.ERASED and record.ref:
            self.erased |= {int(i) for i in record.ref.split(",")}

    def counts(self) -> Iterator[str]:
        n_nodes = self.store.connection.execute(select(func.count()).select_from(NODE)).scalar_one()
        n_lookups = self.store.connection.execute(select(func.count()).select_from(LOOKUP)).scalar_one()
        if n_nodes != len(self.nodes):
            yield f"the tree has {n_nodes} nodes where the entries make {len(self.nodes)}"
        if n_lookups != self.n_lookups:
            yield f"the index has {n_lookups} rows where the entries make {self.n_lookups}"

    def sealed(self) -> Iterator[str]:
        present = set(self.store.connection.execute(select(SEALED.c.leaf_index)).scalars())
        for index in sorted(present - set(self.sealed_entries)):
            yield f"a sealed content names entry {index}, which has none"
        for index, entry in self.sealed_entries.items():
            if index in present:
                yield from self._unsealed(entry)
            elif index not in self.erased:
                yield f"the sealed content of entry {index} is gone and no erasure says why"

    def _unsealed(self, entry: Entry) -> Iterator[str]:
        if self.store.keyring is None:
            self.n_unread += 1
            return
        try:
            self.store.unsealed(entry)
        except StoreError as error:
            yield f"entry {entry.leaf_index}: {error.what}"

    def _stored_nodes(self) -> dict[tuple[int, int], str]:
        rows = self.store.connection.execute(select(NODE.c.level, NODE.c.position, NODE.c.hash))
        return {(level, position): value for level, position, value in rows}

    def _stored_lookups(self) -> dict[int, set[tuple[str, str]]]:
        found: dict[int, set[tuple[str, str]]] = {}
        for key, schema, index in self.store.connection.execute(
            select(LOOKUP.c.key, LOOKUP.c.schema_name, LOOKUP.c.leaf_index)
        ):
            found.setdefault(int(index), set()).add((key, schema))
        return found


def _difference(found: set[tuple[str, str]], wanted: set[tuple[str, str]]) -> str:
    missing, extra = sorted(k for k, _ in wanted - found), sorted(k for k, _ in found - wanted)
    return "; ".join([*(f"lacks {k}" for k in missing), *(f"has {k}" for k in extra)])


def _against(checkpoint: Checkpoint, origin: str, walk: _Walk) -> Iterator[str]:
    if checkpoint.origin != origin:
        yield f"the checkpoint is of {checkpoint.origin}, and this registry is {origin}"
    elif checkpoint.size > len(walk.leaves):
        yield f"the checkpoint saw {checkpoint.size} entries and there are {len(walk.leaves)}: history was rolled back"
    elif ledger.root(checkpoint.size, walk.node) != checkpoint.root:
        yield f"the first {checkpoint.size} entries are not those that the checkpoint saw: history was rewritten"
