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
from consent.entries import Entry
from consent.errors import StoreError
from consent.events import Event
from consent.parties import Party
from consent.signature_audit import SignatureAudit
from consent.store import ENTRY, LOOKUP, NODE, SEALED, Store
from consent.strict import Record, canonical_json
from consent.vocabulary import EventKind
from consent.voices import Enrolment, Voice


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
        self.erased: dict[int, str] = {}
        self.n_unread = 0
        self.signatures = SignatureAudit(store)

    def node(self, level: int, position: int) -> bytes:
        return self.nodes[(level, position)]

    def entries(self) -> Iterator[str]:
        last: datetime | None = None
        stored = self._stored_nodes()
        lookups, names = self._stored_lookups(), self._stored_names()
        try:
            for place, entry in enumerate(self.store.all_entries()):
                if entry.leaf_index != place:
                    yield f"entry {place} is missing: entry {entry.leaf_index} stands in its place"
                    return
                if last is not None and entry.recorded_at < last:
                    yield f"entry {place} was recorded before the entry in front of it"
                last = entry.recorded_at
                yield from self._entry(entry, lookups.get(place, set()), names.get(place, ""), stored)
        except (StoreError, ValueError) as error:
            yield f"entry {len(self.leaves)} cannot be read: {error}"

    def _entry(
        self, entry: Entry, lookups: set[tuple[str, str]], name: str, stored: dict[tuple[int, int], str]
    ) -> Iterator[str]:
        leaf = ledger.leaf_hash(entry.leaf())
        if leaf.hex() != entry.leaf_hash:
            yield f"entry {entry.leaf_index} was changed: its hash is not the one that was recorded"
        self.leaves.append(leaf)
        for level, position, value in ledger.completed_by(entry.leaf_index, leaf, self.node):
            self.nodes[(level, position)] = value
            if stored.get((level, position)) != value.hex():
                yield f"entry {entry.leaf_index}: the tree's node {level}/{position} does not follow from the entries"
        try:
            record = entry.record
        except StoreError as error:
            yield error.what
            return
        yield from self._record(entry, record, lookups, name)

    def _record(self, entry: Entry, record: Record, lookups: set[tuple[str, str]], name: str) -> Iterator[str]:
        wanted = {(key, entry.schema_name) for key in record.found_under()}
        self.n_lookups += len(wanted)
        if lookups != wanted:
            yield f"entry {entry.leaf_index} is not found under its keys: {_difference(lookups, wanted)}"
        if name != record.record_id:
            yield f"entry {entry.leaf_index} stands under the id {name[:70]!r} and is {record.record_id!r}"
        if canonical_json(record).decode() != entry.body:
            yield f"entry {entry.leaf_index} is not in canonical form"
        if entry.sealed_sha256 is not None:
            self.sealed_entries[entry.leaf_index] = entry
        if isinstance(record, Event) and record.kind is EventKind.ERASED and record.ref:
            holder = f"{record.target}:{record.target_id}"
            self.erased |= {int(i): holder for i in record.ref.split(",") if i.isdecimal()}
        yield from self.signatures.entry(entry, record)

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
            elif self.erased.get(index) != _holder(entry.record):
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

    def _stored_names(self) -> dict[int, str]:
        rows = self.store.connection.execute(select(ENTRY.c.leaf_index, ENTRY.c.record_id))
        return {int(index): name for index, name in rows}

    def _stored_lookups(self) -> dict[int, set[tuple[str, str]]]:
        found: dict[int, set[tuple[str, str]]] = {}
        for key, schema, index in self.store.connection.execute(
            select(LOOKUP.c.key, LOOKUP.c.schema_name, LOOKUP.c.leaf_index)
        ):
            found.setdefault(int(index), set()).add((key, schema))
        return found


def _holder(record: Record) -> str:
    """Under whose key the sealed content of a record lies, as `Writer` chooses it."""
    if isinstance(record, Voice | Enrolment):
        return f"voice:{record.voice_id}"
    return f"party:{record.party_id}" if isinstance(record, Party) else ""


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
