"""The ledger on disk: appends a record with its index, tree and sealed content in one go, and finds entries again."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import rfc8785
from pydantic import ValidationError
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from consent import ledger
from consent.approvals import Approval
from consent.errors import StoreError
from consent.events import Event
from consent.parties import Party, PartyKey
from consent.releases import Release
from consent.requests import Request
from consent.sealing import Keyring, seal, unseal
from consent.spoken import SpokenConsent, SpokenPhrase
from consent.strict import Record, canonical_json
from consent.tables import EntryRow, LookupRow, NodeRow, PersonKeyRow, SealedRow
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title
from consent.uses import UseNotice
from consent.voices import Enrolment, Permission, SearchHalt, Voice
from consent.witnessing import Witness

_ABOUT_PEOPLE = (Party, PartyKey, Voice, Permission, Enrolment, SearchHalt, SpokenPhrase, SpokenConsent)
_DECIDED = (Title, Claim, Refusal, Grant, Approval, Release, Request, UseNotice, Witness, Event)
KINDS: tuple[type[Record], ...] = (*_ABOUT_PEOPLE, *_DECIDED)
BY_SCHEMA: dict[str, type[Record]] = {kind.schema_name: kind for kind in KINDS}

ENTRY, LOOKUP, NODE = EntryRow.__table__, LookupRow.__table__, NodeRow.__table__  # type: ignore[attr-defined]
PERSON_KEY, SEALED = PersonKeyRow.__table__, SealedRow.__table__  # type: ignore[attr-defined]


# Built once: making a statement costs more than running it.
_PLACES = select(LOOKUP.c.leaf_index).where(LOOKUP.c.key.in_(bindparam("keys", expanding=True)))
_IN_ORDER = select(ENTRY).order_by(ENTRY.c.leaf_index)
_HERE = select(ENTRY).join(LOOKUP, LOOKUP.c.leaf_index == ENTRY.c.leaf_index).where(LOOKUP.c.key == bindparam("key"))
_HERE_OF_KIND = _HERE.where(LOOKUP.c.schema_name == bindparam("schema")).order_by(ENTRY.c.leaf_index)
_HERE_IN_ORDER = _HERE.order_by(ENTRY.c.leaf_index)
_UNDER = _IN_ORDER.where(ENTRY.c.leaf_index.in_(_PLACES))
_UNDER_OF_KIND = _IN_ORDER.where(ENTRY.c.leaf_index.in_(_PLACES.where(LOOKUP.c.schema_name == bindparam("schema"))))
_NAMED = _IN_ORDER.where(ENTRY.c.schema_name == bindparam("schema"), ENTRY.c.record_id == bindparam("record_id"))
_ONE_NODE = select(NODE.c.hash).where(NODE.c.level == bindparam("lv"), NODE.c.position == bindparam("place"))
_SIZE = select(func.max(ENTRY.c.leaf_index))
_LAST_TIME = select(ENTRY.c.recorded_at).order_by(ENTRY.c.leaf_index.desc()).limit(1)
_NEW_ENTRY, _NEW_LOOKUP, _NEW_NODE = insert(ENTRY), insert(LOOKUP), insert(NODE)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: the one form in which times are kept, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Entry:
    """A record with its place and time in the ledger."""

    leaf_index: int
    recorded_at: datetime
    schema_name: str
    body: str
    salt: str
    sealed_sha256: str | None
    envelope: str | None
    leaf_hash: str

    @cached_property
    def record(self) -> Record:
        """The record, validated anew.

        Raises:
            StoreError: of a kind that this program does not know, or not what such a record must be.
        """
        kind = BY_SCHEMA.get(self.schema_name)
        if kind is None:
            what = f"entry {self.leaf_index} is a {self.schema_name}, which this program does not know"
            raise StoreError(what, remedy="Update dubgate on this machine.")
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            raise StoreError(f"entry {self.leaf_index} is damaged: {error.errors()[0]['msg']}") from None

    def leaf(self) -> bytes:
        """What the tree hashes: commitments only, so that a proof shows nothing of the record."""
        return leaf_bytes(
            self.leaf_index, self.recorded_at, self.schema_name, self.body, self.salt, self.sealed_sha256, self.envelope
        )


def leaf_bytes(
    index: int,
    recorded_at: datetime,
    schema: str,
    body: str,
    salt: str,
    sealed_sha256: str | None,
    envelope: str | None,
) -> bytes:
    """RFC 8785 JSON of an entry's place, time, kind and salted commitments."""
    leaf: dict[str, Any] = {
        "schema": "consent-leaf/1.0",
        "index": index,
        "recorded_at": iso(recorded_at),
        "record": schema,
        "commitment": hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest(),
    }
    if sealed_sha256 is not None:
        leaf["sealed"] = sealed_sha256
    if envelope is not None:
        leaf["envelope"] = hashlib.sha256(bytes.fromhex(salt) + envelope.encode()).hexdigest()
    return rfc8785.dumps(leaf)


@dataclass(frozen=True, slots=True)
class Sealable:
    """A content to be encrypted under the key of `holder` (`party:…` or `voice:…`)."""

    holder: str
    content: bytes


class Store:
    """The tables through one connection; every write happens inside its caller's transaction."""

    def __init__(self, connection: Connection, keyring: Keyring | None) -> None:
        self.connection, self.keyring = connection, keyring

    def size(self) -> int:
        """How many entries the ledger has."""
        last = self.connection.execute(_SIZE).scalar()
        return 0 if last is None else int(last) + 1

    def read_node(self, level: int, position: int) -> bytes:
        """A stored subtree.

        Raises:
            StoreError: it is missing.
        """
        value = self.connection.execute(_ONE_NODE, {"lv": level, "place": position}).scalar_one_or_none()
        if value is None:
            raise StoreError(f"the tree lacks the node {level}/{position}", remedy="Run `dubgate consent audit`.")
        return bytes.fromhex(value)

    def entries(self, key: str, kind: type[Record] | None = None) -> list[Entry]:
        """The entries under a key, in ledger order."""
        query, bound = (_HERE_IN_ORDER, {}) if kind is None else (_HERE_OF_KIND, {"schema": kind.schema_name})
        return [entry_of(row) for row in self.connection.execute(query, {"key": key, **bound}).mappings()]

    def entries_of(self, keys: Sequence[str], kind: type[Record] | None = None) -> list[Entry]:
        """The entries under any of the keys, each once, in ledger order."""
        if len(keys) == 1:  # one key needs no list, which is a new statement for each length
            return self.entries(keys[0], kind)
        query, bound = (_UNDER, {}) if kind is None else (_UNDER_OF_KIND, {"schema": kind.schema_name})
        return [entry_of(row) for row in self.connection.execute(query, {"keys": list(keys), **bound}).mappings()]

    def latest(self, key: str, kind: type[Record], most: int) -> list[Entry]:
        """The newest entries of one kind under a key, the newest first."""
        query = _HERE.where(LOOKUP.c.schema_name == bindparam("schema")).order_by(LOOKUP.c.leaf_index.desc())
        bound = {"key": key, "schema": kind.schema_name}
        rows = self.connection.execute(query.limit(most), bound).mappings()
        return [entry_of(row) for row in rows]

    def named(self, kind: type[Record], record_id: str) -> list[Entry]:
        """The entries of one kind whose record has this id; events of several records may share one."""
        bound = {"schema": kind.schema_name, "record_id": record_id}
        return [entry_of(row) for row in self.connection.execute(_NAMED, bound).mappings()]

    def of_kind(self, kind: type[Record]) -> list[Entry]:
        """Every entry of one kind, in ledger order."""
        query = select(ENTRY).where(ENTRY.c.schema_name == kind.schema_name).order_by(ENTRY.c.leaf_index)
        return [entry_of(row) for row in self.connection.execute(query).mappings()]

    def all_entries(self, *, start: int = 0) -> Iterable[Entry]:
        """Every entry in ledger order, read as it is needed."""
        query = select(ENTRY).where(ENTRY.c.leaf_index >= start).order_by(ENTRY.c.leaf_index)
        rows = self.connection.execute(query.execution_options(yield_per=1000)).mappings()
        return (entry_of(row) for row in rows)

    def last_recorded_at(self) -> datetime | None:
        """When the last entry was recorded."""
        value = self.connection.execute(_LAST_TIME).scalar()
        return None if value is None else parse_time(value)

    def append(
        self, record: Record, recorded_at: datetime, *, sealable: Sealable | None = None, envelope: str | None = None
    ) -> Entry:
        """Append one record with its lookups, tree nodes and sealed content."""
        index, salt = self.size(), secrets.token_hex(16)
        body = canonical_json(record).decode()
        sealed_sha256 = self._seal(index, sealable) if sealable is not None else None
        leaf = ledger.leaf_hash(leaf_bytes(index, recorded_at, record.schema_name, body, salt, sealed_sha256, envelope))
        entry = Entry(index, recorded_at, record.schema_name, body, salt, sealed_sha256, envelope, leaf.hex())
        self._insert(entry, record)
        nodes = ledger.completed_by(index, leaf, self.read_node)
        rows = [{"level": level, "position": position, "hash": value.hex()} for level, position, value in nodes]
        self.connection.execute(_NEW_NODE, rows)
        return entry

    def _insert(self, entry: Entry, record: Record) -> None:
        values = {
            c: getattr(entry, c)
            for c in ("leaf_index", "schema_name", "body", "salt", "sealed_sha256", "envelope", "leaf_hash")
        }
        self.connection.execute(
            _NEW_ENTRY, {**values, "recorded_at": iso(entry.recorded_at), "record_id": record.record_id}
        )
        rows = [
            {"key": key, "schema_name": entry.schema_name, "leaf_index": entry.leaf_index}
            for key in sorted(set(record.found_under()))
        ]
        self.connection.execute(_NEW_LOOKUP, rows)

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


def entry_of(row: Any) -> Entry:
    """An entry from its row."""
    return Entry(
        leaf_index=int(row["leaf_index"]),
        recorded_at=parse_time(row["recorded_at"]),
        schema_name=row["schema_name"],
        body=row["body"],
        salt=row["salt"],
        sealed_sha256=row["sealed_sha256"],
        envelope=row["envelope"],
        leaf_hash=row["leaf_hash"],
    )


def parse_time(value: str) -> datetime:
    """A kept time.

    Raises:
        StoreError: it is not in the one form.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or iso(moment) != value:
        raise StoreError(f"{value[:40]!r} is not a time as the registry keeps it")
    return moment
