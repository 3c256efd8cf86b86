"""The only door to the registry: it opens a database, lets views look at it, and appends what is fit to enter."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, bindparam, insert, inspect, select

from consent import ledger
from consent.audit import Audit, audit
from consent.backup import read_header, restore, write_backup
from consent.checkpoint import Checkpoint
from consent.database import (
    SCHEMA_VERSION,
    create_schema,
    engine_for,
    reading,
    require_version,
    sqlite_path,
    writing,
)
from consent.entries import Entry, iso
from consent.errors import ConsentError, RecordError, StoreError
from consent.founding import made_whole
from consent.parties import Party
from consent.report import Report, report_for
from consent.sealing import Keyring, new_keyring, read_keyring
from consent.store import Store
from consent.strict import Record
from consent.tables import MetaRow
from consent.views import View
from consent.writing import Addition, Writer

Clock = Callable[[], datetime]
META = MetaRow.__table__  # type: ignore[attr-defined]
_META = select(META.c.value).where(META.c.key == bindparam("key"))
CLOCK_SLACK = timedelta(minutes=5)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Registry:
    """A consent registry; a context manager. Times of recording come from `clock` and never run backwards."""

    def __init__(self, engine: Engine, keyring: Keyring | None, clock: Clock) -> None:
        self._engine, self._keyring, self._clock = engine, keyring, clock

    @classmethod
    def open(
        cls,
        location: str | Path,
        *,
        create: bool = False,
        clock: Clock = utc_now,
        key_file: Path | None = None,
        read_only: bool = False,
        signatures_required: bool = False,
        busy_s: float | None = None,
    ) -> Self:
        """Open a registry by path (SQLite) or URL; with `create`, make a new one and its key file.

        A registry made with `signatures_required` takes no grant, approval, permission, refusal or event without its
        author's signature, but for an operator's own events.
        `busy_s` is how long to wait for another writer (30 s by default). The key file is `key_file`, else
        DUBGATE_REGISTRY_KEY, else the database's path with `.key` behind it.

        Raises:
            StoreError: missing, locked, damaged, newer or older than this program; or, with `create`, already there.
        """
        engine = engine_for(location, create=create, read_only=read_only, busy_s=busy_s)
        place = key_file or _default_key_file(engine)
        if create:
            with made_whole(engine, sqlite_path(engine)):
                with writing(engine) as connection:
                    _found(connection, _new_meta(clock, signatures_required))
                if place is not None and not place.exists():
                    new_keyring(place)
        with reading(engine) as connection:
            require_version(connection, str(location))
        return cls(engine, None if place is None else read_keyring(place), clock)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def view(self) -> Iterator[View]:
        """One snapshot to ask questions of."""
        with reading(self._engine) as connection:
            yield View(Store(connection, self._keyring), self._clock())

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """A transaction that nobody else writes beside: what is read in it still stands when it commits.

        A release decided in here cannot race a withdrawal: one of the two comes first, and the other sees it.
        """
        with writing(self._engine) as connection:
            store = Store(connection, self._keyring)
            required = _meta(connection, "signatures") == "required"
            writer = Writer(store, self._now(store), signatures_required=required)
            yield writer
            store.flush()
        if writer.erased:
            self._flush()

    def _now(self, store: Store) -> datetime:
        now, last = self._clock().astimezone(UTC), store.last_recorded_at()
        if last is not None and now < last - CLOCK_SLACK:
            what = f"this machine's clock ({iso(now)}) is behind the last entry ({iso(last)})"
            raise StoreError(what, remedy="Set the clock; nothing was recorded.")
        return now if last is None else max(now, last)

    def add(self, *additions: Addition | Record) -> tuple[Entry, ...]:
        """Append records in one transaction: all of them, or none."""
        wrapped = [a if isinstance(a, Addition) else Addition(a) for a in additions]
        with self.write() as writer:
            writer.foresee([a.record for a in wrapped])
            return tuple(writer.add(a) for a in wrapped)

    def head(self) -> Checkpoint:
        """The ledger's name, size and root as of now."""
        with reading(self._engine) as connection:
            store = Store(connection, self._keyring)
            size = store.size()
            return Checkpoint(_origin(connection), size, ledger.root(size, store.read_node))

    def audit(self, checkpoint: Checkpoint | None = None) -> Audit:
        """Verify the whole history; a `checkpoint` kept outside exposes a rewriting and a rolling back too.

        Raises:
            StoreError: the database gives rows that its schema forbids, as a damaged file does.
        """
        try:
            with reading(self._engine) as connection:
                return audit(Store(connection, self._keyring), checkpoint, origin=_origin(connection))
        except (TypeError, AttributeError) as error:  # NULL where none can be
            remedy = "Restore a backup; this file cannot be audited."
            raise StoreError("the registry's file is damaged", where=str(self._engine.url), remedy=remedy) from error

    def inclusion(self, leaf_index: int, size: int | None = None) -> tuple[str, list[bytes]]:
        """The leaf's bytes and the proof that it is in the tree over `size` entries (all of them by default).

        Raises:
            RecordError: there is no such entry in a tree of this size.
        """
        with reading(self._engine) as connection:
            store = Store(connection, self._keyring)
            entry = store.entry(leaf_index)
            try:
                total = store.size() if size is None else size
                store.fetch_nodes(ledger.nodes_of_inclusion(leaf_index, total))
                proof = ledger.inclusion_proof(leaf_index, total, store.read_node)
            except ValueError as error:
                raise RecordError(str(error)) from None
            assert entry is not None  # the proof exists, so the entry does
            return entry.leaf().decode(), proof

    def consistency(self, old_size: int) -> list[bytes]:
        """The proof that the tree over `old_size` entries is the beginning of today's.

        Raises:
            RecordError: there were never so many.
        """
        with reading(self._engine) as connection:
            store = Store(connection, self._keyring)
            try:
                return ledger.consistency_proof(old_size, store.size(), store.read_node)
            except ValueError as error:
                raise RecordError(str(error)) from None

    def erase(self, holder: str, *, by: str, reason: str) -> bool:
        """Erase the names of `party:…` or the templates of `voice:…`; whether there was anything to erase.

        Destroyed are the key and the ciphertext, also from the write-ahead log; the history and its root stay.
        """
        with self.write() as writer:
            if writer.party(by) is None:
                raise RecordError(f"no party {by!r} is registered")
            return writer.erase(holder, by, reason)

    def report(self, party_id: str, *, at: datetime | None = None) -> Report:
        """Everything done with a party's voices and titles, with the ledger's root as its proof.

        Raises:
            RecordError: no such party.
        """
        with reading(self._engine) as connection:
            view = View(Store(connection, self._keyring), self._clock())
            size = view.store.size()
            root = ledger.root(size, view.store.read_node).hex()
            known = view.personal(f"party:{party_id}", Party) if self._keyring is not None else None
            name, origin = known.name if known is not None else party_id, _origin(connection)
            return report_for(view, party_id, at=at or view.now, origin=origin, size=size, root=root, subject=name)

    def backup(self, path: Path, keys_path: Path) -> int:
        """Write the history to one file and the wrapped keys to another; the number of entries.

        Keep the two apart: an old history with an old file of keys still restores to what stands in the history alone.
        """
        with reading(self._engine) as connection:
            meta = {key: _meta(connection, key) for key in ("registry_id", "origin", "created_at", "signatures")}
            return write_backup(connection, meta, path, keys_path)

    @classmethod
    def restore(
        cls, location: str | Path, path: Path, keys_path: Path, *, clock: Clock = utc_now, key_file: Path | None = None
    ) -> Self:
        """A new registry from a backup, with the same root; `key_file` is the registry's own key, which no backup has.

        Raises:
            RecordError: a damaged or foreign backup; no registry was made.
        """
        meta = read_header(path)["meta"]
        engine = engine_for(location, create=True)
        try:
            with writing(engine) as connection:
                _found(connection, meta)
                restore(connection, path, keys_path)
        except ConsentError:
            engine.dispose()
            _remove_unmade(engine)
            raise
        engine.dispose()
        return cls.open(location, clock=clock, key_file=key_file)

    def _flush(self) -> None:
        """Wipe what an erasure left: SQLite's write-ahead log, and the old rows that PostgreSQL keeps until a vacuum.

        PostgreSQL's own write-ahead log holds the wrapped key until it is recycled, as do its replicas and archives.
        """
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                connection.exec_driver_sql("VACUUM (FULL) person_key")
                connection.exec_driver_sql("VACUUM sealed")


def _origin(connection: Connection) -> str:
    return _meta(connection, "origin")


def _meta(connection: Connection, key: str) -> str:
    value = connection.execute(_META, {"key": key}).scalar_one_or_none()
    if value is None:
        raise StoreError(f"the registry does not say its {key}", remedy="Restore a backup.")
    return str(value)


def _new_meta(clock: Clock, signatures_required: bool) -> dict[str, str]:
    registry_id = uuid.uuid4().hex
    return {
        "registry_id": registry_id,
        "origin": f"dubgate-registry/{registry_id}",
        "created_at": iso(clock()),
        "signatures": "required" if signatures_required else "accepted",
    }


def _found(connection: Connection, meta: dict[str, str]) -> None:
    """Tables, and who this registry is."""
    if inspect(connection).has_table("meta"):
        raise StoreError("this database already holds a registry")
    create_schema(connection)
    values = {"schema_version": str(SCHEMA_VERSION), **meta}
    connection.execute(insert(META), [{"key": key, "value": value} for key, value in values.items()])


def _remove_unmade(engine: Engine) -> None:
    """A SQLite file that was created for a registry which then could not be made."""
    path = sqlite_path(engine)
    if path is not None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)


def _default_key_file(engine: Engine) -> Path | None:
    named = os.environ.get("DUBGATE_REGISTRY_KEY")
    if named:
        return Path(named)
    return None if (path := sqlite_path(engine)) is None else Path(f"{path}.key")
