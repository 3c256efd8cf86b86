"""The engine under the registry: SQLite in WAL or PostgreSQL, one writer at a time, histories that refuse edits."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlmodel import SQLModel

from consent.errors import StoreError
from consent.founding import claim
from consent.tables import HISTORY

SCHEMA_VERSION = 2  # with a step in migrations/versions for each
BUSY_S = 30
_WRITER_LOCK = 7_305_114_826  # any number; one advisory lock per database serialises the writers of PostgreSQL


def engine_for(location: str | Path, *, create: bool, read_only: bool = False, busy_s: float | None = None) -> Engine:
    """An engine for a path (SQLite) or a URL (`sqlite:///…`, `postgresql://…`).

    Args:
        location: the path or URL.
        create: whether it is to be made.
        read_only: whether nothing will be written.
        busy_s: how long to wait for another writer, and for a server to answer; BUSY_S by default.

    Raises:
        StoreError: not a location, a file that is missing, or (with `create`) one that is already there.
    """
    url, busy_s = str(location), BUSY_S if busy_s is None else busy_s
    if "://" not in url:
        url = f"sqlite:///{Path(url).absolute()}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("not a path or database URL", where=_shown(url)) from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(Path(parsed.database or ""), create, read_only, busy_s)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(url, busy_s)
    raise StoreError("only SQLite and PostgreSQL are supported", where=_shown(url))


def _sqlite(path: Path, create: bool, read_only: bool, busy_s: float) -> Engine:
    if create:
        claim(path)
    if not create and not path.is_file():
        raise StoreError("there is no registry", where=str(path), remedy="Make one with `dubgate consent init`.")
    mode = "ro" if read_only else "rwc" if create else "rw"
    engine = create_engine(f"sqlite:///file:{_quoted(path)}?mode={mode}&uri=true", connect_args={"timeout": busy_s})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if create or (not read_only and _has_meta(connection)):  # a file that is none of ours stays as it is
            connection.execute("PRAGMA journal_mode=WAL")
        record.info["file"] = path, _identity(path)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _has_meta(connection: sqlite3.Connection) -> bool:
    return (
        connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'").fetchone() is not None
    )


def sqlite_path(engine: Engine) -> Path | None:
    """The file of a SQLite engine; None where it is another database."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    return Path(unquote(engine.url.database.removeprefix("file:")))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _require_same_file(connection: Connection) -> None:
    """A SQLite file that was deleted or replaced goes on taking writes that nobody will ever see.

    Raises:
        StoreError: that happened.
    """
    path, opened = connection.info.get("file", (None, None))
    if path is not None and _identity(path) != opened:
        what = "the registry's file was deleted or replaced while it was open"
        raise StoreError(what, where=str(path), remedy="Nothing was recorded in it. Open the registry again.")


def _postgresql(url: str, busy_s: float) -> Engine:
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        waits = {"connect_timeout": max(2, math.ceil(busy_s)), "tcp_user_timeout": math.ceil(1000 * busy_s)}
        engine = create_engine(parsed, pool_pre_ping=True, connect_args=waits)
    except ImportError:
        remedy = "Install the extra: pip install 'dubgate[postgresql]'."
        raise StoreError("PostgreSQL needs psycopg", where=_shown(url), remedy=remedy) from None

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        # What is acknowledged is on the disk, whatever the server's default; waiting for another writer has an end.
        connection.execute(f"SET synchronous_commit = on; SET lock_timeout = {math.ceil(1000 * busy_s)}")
        connection.commit()

    @event.listens_for(engine, "checkin")
    def _as_the_server_says(connection: Any, _: object) -> None:
        if connection is not None:  # a view leaves `READ WRITE` behind, which would overrule a server that only reads
            connection.read_only = None

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of the database and writes nothing."""
    with _explained(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            _require_same_file(connection)
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is alone in writing from its beginning to its commit."""
    with _explained(engine), engine.connect() as connection:
        connection = connection.execution_options(writing=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})
            _require_same_file(connection)
            yield connection
            _require_same_file(connection)


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """The database's own failures, as a StoreError that says what to do."""
    try:
        yield
    except DBAPIError as error:
        what, remedy = _cause(str(error.orig))
        raise StoreError(what, where=_place(engine), remedy=remedy) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {error}", where=_place(engine)) from error


def _place(engine: Engine) -> str:
    """The file, or the URL without its password."""
    path = sqlite_path(engine)
    return _shown(str(engine.url)) if path is None else str(path)


_CAUSES = (
    ("lock timeout", "the registry is locked by another process", "Try again, or find who holds a transaction open."),
    ("read-only transaction", "the registry cannot be written", "This server or role only reads: name another."),
    ("authentication failed", "the server does not let this role in", "Check the role and its password."),
    ('role "', "the server does not let this role in", "Check the role and its password."),
    ("permission denied", "this role may not use the registry", "Ask whoever runs the server."),
    ("terminating connection", "the connection to the database was lost", "Look at what was recorded, and try again."),
    ("connection unexpectedly", "the connection to the database was lost", "Look at what was recorded, and try again."),
    ("disk i/o error", "the disk failed or is full; nothing was recorded", "Make room, check the disk, and try again."),
    ("locked", "the registry is locked by another process", "Try again, or find who holds a transaction open."),
    ("readonly", "the registry cannot be written", "Check the permissions of the file and its folder."),
    ("read-only", "the registry cannot be written", "Check the permissions of the file and its folder."),
    ("is full", "the disk is full; nothing was written", "Make room and try again."),
    ("not a database", "this file is not a registry", "Name another, or make one with `dubgate consent init`."),
    ("malformed", "the registry's file is damaged", "Restore a backup; `dubgate consent audit` shows what it holds."),
    ("unable to open", "the registry cannot be opened", "Check the path and its permissions."),
    ("no such table", "this file is not a registry", "Make one with `dubgate consent init`."),
    ("does not exist", "this database is not a registry", "Make one with `dubgate consent init`."),
    ("connection is bad", "the database cannot be reached", "Check the URL, and that the server runs."),
    ("connection failed", "the database cannot be reached", "Check the URL, and that the server runs."),
    ("connection timeout", "the database cannot be reached", "Check the URL, and that the server runs."),
    ("history is never", "the history refuses edits", "Corrections supersede: record a new version or an event."),
)


def _cause(message: str) -> tuple[str, str | None]:
    for sign, what, remedy in _CAUSES:
        if sign in message.lower():
            return what, remedy
    return f"the database failed: {message.strip().splitlines()[0]}", None


def create_schema(connection: Connection) -> None:
    """Tables, and triggers that refuse to change or delete history."""
    SQLModel.metadata.create_all(connection)
    note_revision(connection, SCHEMA_VERSION)
    for table in HISTORY:
        for statement in append_only(table, connection.dialect.name):
            connection.execute(text(statement))


def append_only(table: str, dialect: str) -> Iterator[str]:
    """The statements after which rows of a table are added and never changed, as `sqlite` or `postgresql` says them."""
    if dialect == "sqlite":
        for action in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'history is never changed'); END"
            )
        return
    yield (
        "CREATE OR REPLACE FUNCTION refuse_history_edit() RETURNS trigger AS "
        "$$ BEGIN RAISE EXCEPTION 'history is never changed'; END $$ LANGUAGE plpgsql"
    )
    yield (
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_edit()"
    )


def note_revision(connection: Connection, version: int) -> None:
    """Tell Alembic where the schema stands; the registry's own word is `schema_version`, and both agree."""
    connection.execute(
        text("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    connection.execute(text("DELETE FROM alembic_version"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": f"{version:04}"})


def schema_version(connection: Connection, where: str) -> int:
    """The schema version that a registry says it has; 0 where it says none.

    Raises:
        StoreError: it is no registry.
    """
    if not inspect(connection).has_table("meta"):
        raise StoreError("this database is not a registry", where=where, remedy="Make one with `dubgate consent init`.")
    row = connection.execute(text("SELECT value FROM meta WHERE key = 'schema_version'")).scalar_one_or_none()
    return int(row) if row is not None and str(row).isdigit() else 0


def require_version(connection: Connection, where: str) -> None:
    """Refuse a database that is no registry, or one of another version.

    Raises:
        StoreError: with what to do.
    """
    version = schema_version(connection, where)
    if version > SCHEMA_VERSION:
        raise newer(version, where)
    if version < SCHEMA_VERSION:
        what = f"the registry has schema version {version}, older than this program's {SCHEMA_VERSION}"
        raise StoreError(what, where=where, remedy="Bring it up: `dubgate consent migrate --registry …`.")


def newer(version: int, where: str) -> StoreError:
    """The refusal of a registry that a later program made."""
    what = f"the registry has schema version {version}, newer than this program's {SCHEMA_VERSION}"
    return StoreError(what, where=where, remedy="Update dubgate on this machine.")


def _quoted(path: Path) -> str:
    return quote(str(path.absolute()))


def _shown(url: str) -> str:
    """A location without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url[:200]
