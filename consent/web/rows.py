"""The desk's own tables: accounts, sessions, links, passkeys, notes. Nothing in them decides anything: the ledger does.

Secrets are kept as SHA-256 only; times are ISO 8601 in UTC, so that text order is time order.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    select,
)
from sqlalchemy import create_engine as sql_engine
from sqlalchemy import event as sql_event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from consent.errors import StoreError

METADATA = MetaData()
_IN_LINE = select(func.pg_advisory_xact_lock(0x6465736B))  # "desk": one number in one database


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(f"desk_{name}", METADATA, *columns)


def _key(name: str) -> Column[Any]:
    return Column(name, String, primary_key=True)


def _text(name: str, *, index: bool = False) -> Column[Any]:
    return Column(name, Text if not index else String, nullable=False, index=index)


def _maybe(name: str) -> Column[Any]:
    return Column(name, Text, nullable=True)


ACCOUNT = _table(
    "account",
    _key("account_id"),
    _text("party_id", index=True),
    Column("email", String, nullable=False, unique=True),
    _text("language"),
    _text("created_at"),
    _maybe("ended_at"),
)
CREDENTIAL = _table(
    "credential",
    _key("credential_id"),
    _text("account_id", index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", Integer, nullable=False),
    _text("name"),
    _text("created_at"),
    _maybe("last_used_at"),
    _maybe("ended_at"),
)
CODE = _table("code", _key("code_hash"), _text("account_id", index=True), _maybe("used_at"))
LINK = _table(
    "link",
    _key("token_hash"),
    _text("account_id", index=True),
    _text("purpose"),
    _text("expires_at"),
    _maybe("used_at"),
)
SESSION = _table(
    "session",
    _key("token_hash"),
    _text("account_id", index=True),
    _text("csrf"),
    _text("level"),
    _text("created_at"),
    _text("seen_at"),
    _text("expires_at"),
    _maybe("ended_at"),
)
CHALLENGE = _table(
    "challenge",
    _key("challenge_id"),
    _text("purpose"),
    _maybe("account_id"),
    Column("challenge", LargeBinary, nullable=False),
    Column("about", Text, nullable=False),
    _text("expires_at"),
    _maybe("used_at"),
)
ATTEMPT = _table(
    "attempt", Column("number", Integer, primary_key=True, autoincrement=True), _text("name", index=True), _text("at")
)
NONCE = _table("nonce", _key("nonce"), _text("used_at"))
RECOVERY = _table(
    "recovery",
    _key("recovery_id"),
    _text("account_id", index=True),
    _text("asked_at"),
    _maybe("approved_by"),
    _maybe("due_at"),
    _maybe("ended_at"),
    _maybe("outcome"),
)
INVITATION = _table(
    "invitation",
    _key("invitation_id"),
    _text("party_id", index=True),
    _text("email"),
    _text("language"),
    _text("asked_by"),
    _text("asked_at"),
    _maybe("agreed_by"),
    _maybe("due_at"),
    _maybe("ended_at"),
    _maybe("outcome"),
)
NOTE = _table(
    "note",
    _key("note_id"),
    _text("delivery_id", index=True),
    _text("by_party"),
    _text("at"),
    _maybe("line_id"),
    Column("start_s", Float, nullable=True),
    Column("end_s", Float, nullable=True),
    _text("words"),
    _maybe("returned_at"),
)
TOLD = _table("told", _key("name"), _text("at"))


def hashed(secret: str) -> str:
    """What is kept of a secret with 128 bits or more."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """256 random bits for URLs and cookies."""
    return secrets.token_urlsafe(32)


class Tables:
    """The desk's tables in SQLite or PostgreSQL, made where they are missing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, location: str) -> Tables:
        """Open by path or URL.

        Raises:
            StoreError: not a location, or the database cannot be used.
        """
        url = location if "://" in location else f"sqlite:///{Path(location).absolute()}"
        try:
            backend = make_url(url).get_backend_name()
            if backend == "postgresql":
                engine = sql_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_pre_ping=True)
            elif backend == "sqlite":
                engine = _sqlite(url)
            else:
                raise StoreError("the desk's tables lie in SQLite or PostgreSQL", where=backend)
            _make_tables(engine)
        except ArgumentError:
            raise StoreError("not a path or database URL", where=location.partition("://")[0]) from None
        except DBAPIError as error:
            what = f"the desk's tables cannot be opened: {str(error.orig).splitlines()[0]}"
            raise StoreError(what, remedy="Check the path or URL, and its permissions.") from None
        return cls(engine)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that nobody writes beside."""
        with _answering(), self._engine.connect().execution_options(writing=True) as connection, connection.begin():
            _alone(connection)
            yield connection

    def one(self, query: Any) -> Mapping[str, Any] | None:
        """The first row of a query; None where there is none."""
        with _answering(), self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else dict(row)

    def all(self, query: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        with _answering(), self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def run(self, statement: Any) -> int:
        """Run one statement; how many rows it touched."""
        with self.begin() as connection:
            return int(connection.execute(statement).rowcount)


def _make_tables(engine: Engine) -> None:
    """Tables that are missing; of two programs that begin at once, one makes them."""
    with engine.connect().execution_options(writing=True) as connection, connection.begin():
        _alone(connection)
        METADATA.create_all(connection)


def _alone(connection: Connection) -> None:
    """PostgreSQL lets others write beside a transaction: whoever writes here waits in line, as SQLite makes them."""
    if connection.dialect.name == "postgresql":
        connection.execute(_IN_LINE)


@contextmanager
def _answering() -> Iterator[None]:
    """A database that fails is told as that.

    Raises:
        StoreError: it does not answer, or refuses what was asked.
    """
    try:
        yield
    except DBAPIError as error:
        what = f"the desk's tables do not answer: {str(error.orig).splitlines()[0]}"
        raise StoreError(what, remedy="Nothing was recorded; look at the database.") from None


def _sqlite(url: str) -> Engine:
    engine = sql_engine(url, connect_args={"timeout": 30})

    @sql_event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON", "trusted_schema=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    @sql_event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine
