"""The ledger on disk: appends a record with its index, tree and sealed content in one go, and finds entries again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, tuple_

from consent import ledger
from consent.entries import Entry, entry_of, iso, leaf_bytes, parse_time
from consent.errors import StoreError
from consent.known import Known
from consent.sealing import Keyring, seal, unseal
from consent.strict import Record, canonical_json
from consent.tables import EntryRow, LookupRow, MetaRow, NodeRow, PersonKeyRow, SealedRow

ENTRY, LOOKUP, NODE = EntryRow.__table__, LookupRow.__table__, NodeRow.__table__  # type: ignore[attr-defined]
PERSON_KEY, SEALED = PersonKeyRow.__table__, SealedRow.__table__  # type: ignore[attr-defined]
META = MetaRow.__table__  # type: ignore[attr-defined]


# Built once: making a statement costs more than running it.
_PLACES = select(LOOKUP.c.leaf_index).where(LOOKUP.c.key.in_(bindparam("keys", expanding=True)))
_IN_ORDER = select(ENTRY).order_by(ENTRY.c.leaf_index)
_HERE_IN_ORDER = (
    select(ENTRY)
    .join(LOOKUP, LOOKUP.c.leaf_index == ENTRY.c.leaf_index)
    .where(LOOKUP.c.key == bindparam("key"))
    .order_by(ENTRY.c.leaf_index)
)
_UNDER = _IN_ORDER.where(ENTRY.c.leaf_index.in_(_PLACES))
_OF_KIND_HERE = _HERE_IN_ORDER.where(LOOKUP.c.schema_name == bindparam("schema"))
_OF_KIND_UNDER = (
    select(ENTRY, LOOKUP.c.key.label("under"))
    .join(LOOKUP, LOOKUP.c.leaf_index == ENTRY.c.leaf_index)
    .where(LOOKUP.c.key.in_(bindparam("keys", expanding=True)), LOOKUP.c.schema_name == bindparam("schema"))
    .order_by(ENTRY.c.leaf_index)
)
_NEWEST_PLACES = (
    _PLACES.where(LOOKUP.c.schema_name == bindparam("schema")).distinct().order_by(LOOKUP.c.leaf_index.desc())
)
_AT_PLACES = select(ENTRY).where(ENTRY.c.leaf_index.in_(bindparam("places", expanding=True)))
_HOW_MANY = select(func.count()).where(LOOKUP.c.key == bindparam("key"), LOOKUP.c.schema_name == bindparam("schema"))
_NAMED = _IN_ORDER.where(
    ENTRY.c.schema_name == bindparam("schema"), ENTRY.c.record_id.in_(bindparam("ids", expanding=True))
)
_SOME_NODES = select(NODE).where(tuple_(NODE.c.level, NODE.c.position).in_(bindparam("places", expanding=True)))
_ONE_NODE = select(NODE.c.hash).where(NODE.c.level == bindparam("lv"), NODE.c.position == bindparam("place"))
_AT = select(ENTRY).where(ENTRY.c.leaf_index == bindparam("place"))
_SIGNATURES = select(META.c.value).where(META.c.key == "signatures")
_SIZE = select(func.max(ENTRY.c.leaf_index))
_LAST_TIME = select(ENTRY.c.recorded_at).order_by(ENTRY.c.leaf_index.desc()).limit(1)
_NEW_ENTRY, _NEW_LOOKUP, _NEW_NODE = insert(ENTRY), insert(LOOKUP), insert(NODE)
_AT_ONCE = 400  # keys in one question; SQLite takes at most 999 parameters in its older builds
_NODES_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Sealable:
    """A content to be encrypted under the key of `holder` (`party:…` or `voice:…`)."""

    holder: str
    content: bytes


class Store:
    """The tables through one connection, for one transaction; every write happens inside its caller's.

    A transaction sees one moment of the database, and a writing one is alone: so nothing is read twice, and rows go to
    the database together: before a question that they could answer, and at the end by `flush`.
    """

    def __init__(self, connection: Connection, keyring: Keyring | None) -> None:
        self.connection, self.keyring = connection, keyring
        self._known = Known()

    def wants_signatures(self) -> bool:
        """Whether nothing is decided in this registry without its author's signature."""
        return self.connection.execute(_SIGNATURES).scalar_one_or_none() == "required"

    def size(self) -> int:
        """How many entries the ledger has."""
        if self._known.size is None:
            last = self.connection.execute(_SIZE).scalar()
            self._known.size = 0 if last is None else int(last) + 1
        return self._known.size

    def read_node(self, level: int, position: int) -> bytes:
        """A stored subtree.

        Raises:
            StoreError: it is missing.
        """
        value = self._known.nodes.get((level, position))
        if value is None:
            found = self.connection.execute(_ONE_NODE, {"lv": level, "place": position}).scalar_one_or_none()
            if found is None:
                raise StoreError(f"the tree lacks the node {level}/{position}", remedy="Run `dubgate consent audit`.")
            value = bytes.fromhex(found)
            if len(self._known.nodes) < _NODES_KEPT:  # an audit reads them all, each once
                self._known.nodes[(level, position)] = value
        return value

    def fetch_nodes(self, places: Iterable[tuple[int, int]]) -> None:
        """Read subtrees that a proof will ask for in one question, where each question is a round trip."""
        wanted = [p for p in dict.fromkeys(places) if p not in self._known.nodes]
        if wanted and self.connection.dialect.name != "sqlite":
            for row in self.connection.execute(_SOME_NODES, {"places": wanted}).mappings():
                self._known.nodes[(row["level"], row["position"])] = bytes.fromhex(row["hash"])

    def entries(self, key: str, kind: type[Record] | None = None) -> list[Entry]:
        """The entries under a key, in ledger order."""
        if kind is None:
            self.flush()
            return [entry_of(row) for row in self.connection.execute(_HERE_IN_ORDER, {"key": key}).mappings()]
        self._fetch([key], kind.schema_name)
        return list(self._known.under[(key, kind.schema_name)])

    def entries_of(self, keys: Sequence[str], kind: type[Record] | None = None) -> list[Entry]:
        """The entries under any of the keys, each once, in ledger order."""
        if kind is None:
            self.flush()
            return [entry_of(row) for row in self.connection.execute(_UNDER, {"keys": list(keys)}).mappings()]
        self._fetch(keys, kind.schema_name)
        found = {e.leaf_index: e for key in keys for e in self._known.under[(key, kind.schema_name)]}
        return [found[index] for index in sorted(found)]

    def _fetch(self, keys: Sequence[str], schema: str) -> None:
        """Read what is under the keys, but for those that were read before."""
        wanted = [key for key in dict.fromkeys(keys) if (key, schema) not in self._known.under]
        if self._known.waits(wanted, schema):
            self.flush()
        found: dict[str, list[Entry]] = {key: [] for key in wanted}
        for start in range(0, len(wanted), _AT_ONCE):
            for key, entry in self._read_under(wanted[start : start + _AT_ONCE], schema):
                found[key].append(entry)
        self._known.under |= {(key, schema): entries for key, entries in found.items()}  # whole, or not at all

    def _read_under(self, keys: list[str], schema: str) -> Iterable[tuple[str, Entry]]:
        if len(keys) == 1:  # one key needs no list, which is a new statement for each length
            rows = self.connection.execute(_OF_KIND_HERE, {"key": keys[0], "schema": schema}).mappings()
            return ((keys[0], entry_of(row)) for row in rows)
        rows = self.connection.execute(_OF_KIND_UNDER, {"keys": keys, "schema": schema}).mappings()
        return ((row["under"], entry_of(row)) for row in rows)

    def newest(self, keys: Sequence[str], kind: type[Record], most: int) -> list[Entry]:
        """The newest entries of one kind under any of many keys, the newest first; only these are read."""
        return self.at_places(self.newest_places(keys, kind, most))

    def newest_places(self, keys: Sequence[str], kind: type[Record], most: int) -> list[int]:
        """Where those stand, without reading them."""
        self.flush()
        found: set[int] = set()
        for start in range(0, len(keys), _AT_ONCE):
            bound = {"keys": list(keys[start : start + _AT_ONCE]), "schema": kind.schema_name}
            found.update(self.connection.execute(_NEWEST_PLACES.limit(most), bound).scalars())
        return sorted(found, reverse=True)[:most]

    def at_places(self, places: Sequence[int]) -> list[Entry]:
        """The entries at some places of the ledger, in the order of the places."""
        rows: dict[int, Entry] = {}
        for start in range(0, len(places), _AT_ONCE):
            some = {"places": list(places[start : start + _AT_ONCE])}
            rows |= {int(r["leaf_index"]): entry_of(r) for r in self.connection.execute(_AT_PLACES, some).mappings()}
        return [rows[place] for place in places]

    def count(self, key: str, kind: type[Record]) -> int:
        """How many entries of one kind there are under a key."""
        self.flush()
        return int(self.connection.execute(_HOW_MANY, {"key": key, "schema": kind.schema_name}).scalar_one())

    def named(self, kind: type[Record], *record_ids: str) -> list[Entry]:
        """The entries of one kind whose record has one of these ids; events of several records may share one."""
        schema, known = kind.schema_name, self._known.named
        wanted = [i for i in dict.fromkeys(record_ids) if (schema, i) not in known]
        found: dict[str, list[Entry]] = {i: [] for i in wanted}
        if wanted:
            self.flush()
        for start in range(0, len(wanted), _AT_ONCE):
            bound = {"schema": schema, "ids": wanted[start : start + _AT_ONCE]}
            for row in self.connection.execute(_NAMED, bound).mappings():
                found[row["record_id"]].append(entry_of(row))
        known |= {(schema, i): entries for i, entries in found.items()}
        return [entry for i in record_ids for entry in known[(schema, i)]]

    def of_kind(self, kind: type[Record], *, start: int = 0) -> list[Entry]:
        """Every entry of one kind from a place on, in ledger order."""
        self.flush()
        of_it = (ENTRY.c.schema_name == kind.schema_name) & (ENTRY.c.leaf_index >= start)
        query = select(ENTRY).where(of_it).order_by(ENTRY.c.leaf_index)
        return [entry_of(row) for row in self.connection.execute(query).mappings()]

    def all_entries(self, *, start: int = 0) -> Iterable[Entry]:
        """Every entry in ledger order, read as it is needed."""
        self.flush()
        query = select(ENTRY).where(ENTRY.c.leaf_index >= start).order_by(ENTRY.c.leaf_index)
        rows = self.connection.execute(query.execution_options(yield_per=1000)).mappings()
        return (entry_of(row) for row in rows)

    def entry(self, leaf_index: int) -> Entry | None:
        """The entry at a place of the ledger; None where there is none."""
        self.flush()
        row = self.connection.execute(_AT, {"place": leaf_index}).mappings().one_or_none()
        return None if row is None else entry_of(row)

    def last_recorded_at(self) -> datetime | None:
        """When the last entry was recorded."""
        self.flush()
        value = self.connection.execute(_LAST_TIME).scalar()
        return None if value is None else parse_time(value)

    def first_after(self, moment: datetime) -> int:
        """The place of the first entry recorded after a moment: they lie in the order of their recording."""
        low, high = 0, self.size()
        while low < high:
            middle = (low + high) // 2
            entry = self.entry(middle)
            if entry is None or entry.recorded_at > moment:
                high = middle
            else:
                low = middle + 1
        return low

    def append(
        self, record: Record, recorded_at: datetime, *, sealable: Sealable | None = None, envelope: str | None = None
    ) -> Entry:
        """Append one record with its lookups, tree nodes and sealed content; `flush` brings it to the database."""
        index, salt = self.size(), secrets.token_hex(16)
        body = canonical_json(record).decode()
        sealed_sha256 = self._seal(index, sealable) if sealable is not None else None
        leaf = ledger.leaf_hash(leaf_bytes(index, recorded_at, record.schema_name, body, salt, sealed_sha256, envelope))
        entry = Entry(index, recorded_at, record.schema_name, body, salt, sealed_sha256, envelope, leaf.hex())
        self._known.appended(entry, record.record_id, sorted(set(record.found_under())))
        self._known.grown(ledger.completed_by(index, leaf, self.read_node))
        return entry

    def flush(self) -> None:
        """Bring what was appended to the database."""
        waiting = self._known.taken()
        if waiting.entries:
            self.connection.execute(_NEW_ENTRY, [_row(entry, record_id) for entry, record_id in waiting.entries])
            self.connection.execute(_NEW_LOOKUP, waiting.lookups)
            self.connection.execute(_NEW_NODE, waiting.nodes)

    def _seal(self, index: int, sealable: Sealable) -> str:
        content, committed = seal(self._key_of(sealable.holder, create=True), f"entry {index}", sealable.content)
        self.connection.execute(insert(SEALED), {"leaf_index": index, "holder": sealable.holder, "content": content})
        return committed

    def unsealed(self, entry: Entry) -> bytes | None:
        """The sealed content of an entry; None where it has none or was erased.

        Raises:
            StoreError: there is no key to open it with, or it was altered.
        """
        query = select(SEALED.c.holder, SEALED.c.content).where(SEALED.c.leaf_index == entry.leaf_index)
        row = self.connection.execute(query).one_or_none()
        if row is None:
            return None
        return unseal(
            self._key_of(row.holder, create=False), f"entry {entry.leaf_index}", row.content, entry.sealed_sha256
        )

    def _key_of(self, holder: str, *, create: bool) -> bytes:
        if self.keyring is None:
            remedy = "Name its key file: --key-file, or DUBGATE_REGISTRY_KEY."
            raise StoreError("names and templates are sealed and the registry's key is not here", remedy=remedy)
        wrapped = self.connection.execute(
            select(PERSON_KEY.c.wrapped).where(PERSON_KEY.c.holder == holder)
        ).scalar_one_or_none()
        if wrapped is not None:
            return self.keyring.unwrap(holder, wrapped)
        if not create:
            raise StoreError(f"the key of {holder} is gone", remedy="It was erased, or the keys were not restored.")
        key, wrapped = self.keyring.new_key(holder)
        self.connection.execute(insert(PERSON_KEY), {"holder": holder, "wrapped": wrapped})
        return key

    def erase(self, holder: str) -> list[int]:
        """Destroy a holder's key and sealed contents; the entries whose contents are gone."""
        query = select(SEALED.c.leaf_index).where(SEALED.c.holder == holder).order_by(SEALED.c.leaf_index)
        gone = [int(i) for i in self.connection.execute(query).scalars()]
        self.connection.execute(delete(SEALED).where(SEALED.c.holder == holder))
        self.connection.execute(delete(PERSON_KEY).where(PERSON_KEY.c.holder == holder))
        return gone


def _row(entry: Entry, record_id: str) -> dict[str, Any]:
    columns = ("leaf_index", "schema_name", "body", "salt", "sealed_sha256", "envelope", "leaf_hash")
    return {c: getattr(entry, c) for c in columns} | {"recorded_at": iso(entry.recorded_at), "record_id": record_id}
