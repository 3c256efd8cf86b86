"""The service's tables in the registry's database: made and moved up by their own version, changed in short transactions.

PostgreSQL serves several machines, SQLite one. Nothing here touches a table of the ledger.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, insert, inspect, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from consent.database import append_only, engine_for, reading, require_version, sqlite_path
from consent.errors import ConsentError, StoreError
from dubgate.errors import RegistryError
from dubgate.service.tables import HISTORY, META, SERVICE

VERSION = 1
T = TypeVar("T")

# version -> what brings the tables from the one before to it; the first makes them all.
_STEPS: dict[int, Callable[[Connection], None]] = {1: lambda connection: _first(connection)}


def open_database(location: str) -> Engine:
    """An engine on the registry's database, with the service's tables in it.

    Raises:
        RegistryError: it cannot be reached, or its tables are of a later program.
    """
    try:
        engine = engine_for(location, create=False)
        with reading(engine) as connection:  # nothing is made in a database that is none of ours
            require_version(connection, str(sqlite_path(engine) or engine.url.render_as_string(hide_password=True)))
        with changing(engine) as connection:
            _bring_up(connection)
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error
    return engine


def _bring_up(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(7305114827)"))  # two machines that start together
    found = inspect(connection).has_table(META.name)
    value = connection.execute(select(META.c.value).where(META.c.key == "version")).scalar() if found else "0"
    version = int(value) if value is not None and str(value).isdigit() else -1
    if not 0 <= version <= VERSION:
        what = f"the service's tables have version {version}, and this program knows {VERSION}"
        raise StoreError(what, remedy="Update dubgate on this machine.")
    for step in range(version + 1, VERSION + 1):
        _STEPS[step](connection)
        connection.execute(META.delete().where(META.c.key == "version"))
        connection.execute(insert(META), {"key": "version", "value": str(step)})


def _first(connection: Connection) -> None:
    SERVICE.create_all(connection)
    for table in HISTORY:
        for statement in append_only(table, connection.dialect.name):
            connection.execute(text(statement))


@contextmanager
def changing(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes the service's tables.

    Raises:
        StoreError: the database failed, is locked or gone; nothing was changed.
    """
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(writing=True)  # SQLite: alone from its beginning
            with connection.begin():
                yield connection
    except IntegrityError:
        raise
    except (OperationalError, ProgrammingError) as error:
        remedy = "Nothing was changed. Look whether the database runs, and try again."
        raise StoreError(f"the database failed: {_first_line(error)}", remedy=remedy) from error


def looking(engine: Engine) -> Any:
    """A transaction that sees one moment and changes nothing."""
    return reading(engine)


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", error)).strip().split("\n", 1)[0][:200]


def put_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one with its key is there; whether it was inserted."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(make(table).values(**values).on_conflict_do_nothing()).rowcount == 1


def put_over(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or put its values over the one with its key."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    keys = [c.name for c in table.primary_key]
    rest = {k: v for k, v in values.items() if k not in keys}
    connection.execute(make(table).values(**values).on_conflict_do_update(index_elements=keys, set_=rest))


def trying(work: Callable[[], T], *, times: int = 5, pause: Callable[[float], None] = time.sleep) -> T:
    """The result of short work on the database, tried again where another writer was in the way.

    Raises:
        StoreError: it failed every time.
    """
    for k in range(times - 1):
        try:
            return work()
        except StoreError:
            pause(0.1 * 2**k)
    return work()
