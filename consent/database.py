"""The engine under the registry: SQLite in WAL or PostgreSQL, one writer at a time, histories that refuse edits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlmodel import SQLModel

from consent.errors import StoreError
from consent.tables import HISTORY

SCHEMA_VERSION = 1
BUSY_S = 30
_WRITER_LOCK = 7_305_114_826  # any number; one advisory lock per database serialises the writers of PostgreSQL


def engine_for(location: str | Path, *, create: bool, read_only: bool = False) -> Engine:
    """An engine for a path (SQLite) or a URL (`sqlite:///…`, `postgresql://…`).

    Raises:
        StoreError: not a location, a file that is missing, or (with `create`) one that is already there.
    """
    url = str(location)
    if "://" not in url:
        url = f"sqlite:///{Path(url).absolute()}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("not a path or database URL", where=_shown(url)) from None
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(Path(parsed.database or ""), create, read_only)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(url)
    raise StoreError("only SQLite and PostgreSQL are supported", where=_shown(url))


def _sqlite(path: Path, create: bool, read_only: bool) -> Engine:
    if create and path.exists():
        raise StoreError("a file is already there", where=str(path), remedy="Choose another name, or leave out init.")
    if not create and not path.is_file():
        raise StoreError("there is no registry", where=str(path), remedy="Make one with `dubgate consent init`.")
    mode = "ro" if read_only else "rwc" if create else "rw"
    engine = create_engine(f"sqlite:///file:{_quoted(path)}?mode={mode}&uri=true", connect_args={"timeout": BUSY_S})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in ("synchronous=FULL", "secure_delete=ON", "foreign_keys=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")
        if not read_only:
            connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _postgresql(url: str) -> Engine:
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        return create_engine(parsed, pool_pre_ping=True, connect_args={"connect_timeout": BUSY_S})
    except ImportError:
        remedy = "Install the extra: pip install 'dubgate[postgresql]'."
        raise StoreError("PostgreSQL needs psycopg", where=_shown(url), remedy=remedy) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one moment of the database and writes nothing."""
    with _explained(engine), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is alone in writing from its beginning to its commit."""
    with _explained(engine), engine.connect() as connection:
        connection = connection.execution_options(writing=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _WRITER_LOCK})
            yield connection


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    """The database's own failures, as a StoreError that says what to do."""
    where = _shown(str(engine.url))
    try:
        yield
    except DBAPIError as error:
        what, remedy = _cause(str(error.orig))
        raise StoreError(what, where=where, remedy=remedy) from error
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {error}", where=where) from error


_CAUSES = (
    ("locked", "the registry is locked by another process", "Try again, or find who holds a transaction open."),
    ("readonly", "the registry cannot be written", "Check the permissions of the file and its folder."),
    ("read-only", "the registry cannot be written", "Check the permissions of the file and its folder."),
    ("is full", "the disk is full; nothing was written", "Make room and try again."),
    ("not a database", "this file is not a registry", None),
    ("malformed", "the registry's file is damaged", "Restore a backup; `dubgate consent audit` shows what it holds."),
    ("unable to open", "the registry cannot be opened", "Check the path and its permissions."),
    ("no such table", "this file is not a registry", "Make one with `dubgate consent init`."),
    ("does not exist", "this database is not a registry", "Make one with `dubgate consent init`."),
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
    for table in HISTORY:
        for statement in _triggers(table, connection.dialect.name):
            connection.execute(text(statement))


def _triggers(table: str, dialect: str) -> Iterator[str]:
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


def require_version(connection: Connection, where: str) -> None:
    """Refuse a database that is no registry, or one of another version.

    Raises:
        StoreError: with what to do.
    """
    if not inspect(connection).has_table("meta"):
        raise StoreError("this database is not a registry", where=where, remedy="Make one with `dubgate consent init`.")
    row = connection.execute(text("SELECT value FROM meta WHERE key = 'schema_version'")).scalar_one_or_none()
    version = int(row) if row is not None and str(row).isdigit() else 0
    if version > SCHEMA_VERSION:
        what = f"the registry has schema version {version}, newer than this program's {SCHEMA_VERSION}"
        raise StoreError(what, where=where, remedy="Update dubgate on this machine.")
    if version < SCHEMA_VERSION:
        what = f"the registry has schema version {version}, older than this program's {SCHEMA_VERSION}"
        raise StoreError(
            what, where=where, remedy="Back it up with the program that made it, and restore it with this one."
        )


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path.absolute()))


def _shown(url: str) -> str:
    """A location without its password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url[:200]
