"""The only door to the registry: it opens a database, lets views look at it, and appends what is fit to enter."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, insert, select, text

from consent import ledger
from consent.admission import admit
from consent.database import SCHEMA_VERSION, create_schema, engine_for, reading, require_version, writing
from consent.errors import RecordError, StoreError
from consent.events import TERMINAL, Event
from consent.parties import Party, Personal
from consent.sealing import Keyring, new_keyring, read_keyring
from consent.store import Entry, Sealable, Store, iso
from consent.strict import Record, canonical_json
from consent.tables import MetaRow
from consent.views import View, packed
from consent.vocabulary import EventKind, PermissionKind
from consent.voices import Enrolment, Permission, Voice

Clock = Callable[[], datetime]
META = MetaRow.__table__  # type: ignore[attr-defined]
CLOCK_SLACK = timedelta(minutes=5)


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Addition:
    """A record to append, and what is sealed beside it: a name and contact, or an enrolment's vector.

    `envelope` is the DSSE envelope in which its author signed it, kept as it came.
    """

    record: Record
    personal: Personal | None = None
    vector: Sequence[float] | None = None
    envelope: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger at one moment: its name, how many entries, and the root over them."""

    origin: str
    size: int
    root: bytes


class Writer(View):
    """A view that is alone in writing until its transaction ends."""

    def __init__(self, store: Store, now: datetime) -> None:
        super().__init__(store, now)

    def add(self, addition: Addition) -> Entry:
        """Check a record and append it.

        Raises:
            RecordError: it may not enter; the whole transaction is undone.
        """
        record = addition.record
        admit(self, record)
        entry = self.store.append(record, self.now, sealable=_sealable(addition), envelope=addition.envelope)
        if isinstance(record, Event) and record.target == "permission" and record.kind in TERMINAL:
            self._forget_unpermitted(record)
        return entry

    def _forget_unpermitted(self, event: Event) -> None:
        """A template goes when nothing permits that it is kept; the grant stays."""
        permission = self.record(f"permission:{event.target_id}", Permission)
        if permission is not None:
            self.forget_unpermitted(permission.voice_id, event.by)

    def forget_unpermitted(self, voice_id: str, by: str) -> bool:
        """Erase a voice's templates unless `keep`, and `match` or `protect`, stand now; whether any were erased."""
        kinds = self.permissions(voice_id, self.now)
        if PermissionKind.KEEP in kinds and kinds & {PermissionKind.MATCH, PermissionKind.PROTECT}:
            return False
        return self.erase(f"voice:{voice_id}", by, "no permission to keep a template stands")

    def erase(self, holder: str, by: str, reason: str) -> bool:
        """Destroy the key and sealed contents of `party:…` or `voice:…`, and record which entries lost theirs."""
        gone = self.store.erase(holder)
        if not gone:
            return False
        target, _, target_id = holder.partition(":")
        event = Event.model_validate(
            {
                "event_id": uuid.uuid4().hex,
                "target": target,
                "target_id": target_id,
                "kind": EventKind.ERASED,
                "effective_at": self.now,
                "by": by,
                "reason": reason,
                "ref": ",".join(map(str, gone)),
            }
        )
        self.store.append(event, self.now)
        return True


def _sealable(addition: Addition) -> Sealable | None:
    record = addition.record
    if isinstance(record, Enrolment):
        if addition.vector is None or len(addition.vector) != record.dimension:
            raise RecordError(
                "an enrolment comes with a vector of its dimension", where=f"enrolment {record.enrolment_id}"
            )
        return Sealable(f"voice:{record.voice_id}", packed(addition.vector))
    if addition.vector is not None:
        raise RecordError("only an enrolment carries a vector", where=record.record_id)
    if addition.personal is None:
        return None
    if not isinstance(record, Party | Voice):
        raise RecordError("only parties and voices have names", where=record.record_id)
    holder = f"voice:{record.voice_id}" if isinstance(record, Voice) else f"party:{record.party_id}"
    return Sealable(holder, canonical_json(addition.personal))


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
    ) -> Self:
        """Open a registry by path (SQLite) or URL; with `create`, make a new one and its key file.

        The key file is `key_file`, else DUBGATE_REGISTRY_KEY, else the database's path with `.key` behind it.

        Raises:
            StoreError: missing, locked, damaged, newer or older than this program; or, with `create`, already there.
        """
        engine = engine_for(location, create=create, read_only=read_only)
        place = key_file or _default_key_file(engine)
        if create:
            with writing(engine) as connection:
                _found(connection, clock)
        with reading(engine) as connection:
            require_version(connection, str(location))
        if create and place is not None and not place.exists():
            keyring: Keyring | None = new_keyring(place)
        else:
            keyring = read_keyring(place) if place is not None else None
        return cls(engine, keyring, clock)

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
            yield Writer(store, self._now(store))

    def _now(self, store: Store) -> datetime:
        now, last = self._clock().astimezone(UTC), store.last_recorded_at()
        if last is not None and now < last - CLOCK_SLACK:
            what = f"this machine's clock ({iso(now)}) is behind the last entry ({iso(last)})"
            raise StoreError(what, remedy="Set the clock; nothing was recorded.")
        return now if last is None else max(now, last)

    def add(self, *additions: Addition | Record) -> tuple[Entry, ...]:
        """Append records in one transaction: all of them, or none."""
        wrapped = (a if isinstance(a, Addition) else Addition(a) for a in additions)
        with self.write() as writer:
            return tuple(writer.add(a) for a in wrapped)

    def head(self) -> Head:
        """The ledger's size and root as of now."""
        with reading(self._engine) as connection:
            store = Store(connection, self._keyring)
            size = store.size()
            origin = connection.execute(select(META.c.value).where(META.c.key == "origin")).scalar_one()
            return Head(str(origin), size, ledger.root(size, store.read_node))

    def erase(self, holder: str, *, by: str, reason: str) -> bool:
        """Erase the names of `party:…` or the templates of `voice:…`; whether there was anything to erase.

        Destroyed are the key and the ciphertext, also from the write-ahead log; the history and its root stay.
        """
        with self.write() as writer:
            if writer.party(by) is None:
                raise RecordError(f"no party {by!r} is registered")
            erased = writer.erase(holder, by, reason)
        self._flush()
        return erased

    def _flush(self) -> None:
        """Move what was overwritten out of SQLite's write-ahead log, which would otherwise keep it for a while."""
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]


def _found(connection: Connection, clock: Clock) -> None:
    """Tables, and who this registry is."""
    if connection.dialect.name == "postgresql":
        taken = connection.execute(text("SELECT to_regclass('meta') IS NOT NULL")).scalar_one()
        if taken:
            raise StoreError("this database already holds a registry")
    create_schema(connection)
    registry_id = uuid.uuid4().hex
    values = {
        "schema_version": str(SCHEMA_VERSION),
        "registry_id": registry_id,
        "origin": f"dubgate-registry/{registry_id}",
        "created_at": iso(clock()),
    }
    connection.execute(insert(META), [{"key": key, "value": value} for key, value in values.items()])


def _default_key_file(engine: Engine) -> Path | None:
    named = os.environ.get("DUBGATE_REGISTRY_KEY")
    if named:
        return Path(named)
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    from urllib.parse import unquote

    return Path(unquote(engine.url.database.removeprefix("file:")) + ".key")
