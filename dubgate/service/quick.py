"""One statement, asked often: over a connection that each thread keeps, without the round trips of a transaction.

A single statement sees one moment of the database by itself. Connections only read, and a statement has an end.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Engine, bindparam, text

from consent.database import reading
from consent.errors import StoreError

TIMEOUT_MS = 2000
Row = Sequence[Any]


class Quick:
    """A statement in `:name` style; lists are given as `= ANY(:name)` on PostgreSQL, as `IN (:name)` on SQLite."""

    def __init__(self, engine: Engine, statement: str) -> None:
        self._engine, self._own = engine, threading.local()
        self._postgresql = engine.dialect.name == "postgresql"
        self._statement = _placeholders(statement) if self._postgresql else statement
        url = engine.url.set(drivername="postgresql") if self._postgresql else engine.url
        self._where = url.render_as_string(hide_password=False)

    def rows(self, **asked: Any) -> Sequence[Row]:
        """The rows of the statement.

        Raises:
            StoreError: the database does not answer; nothing is known then.
        """
        return self._from_postgresql(asked) if self._postgresql else self._from_sqlite(asked)

    def _from_sqlite(self, asked: dict[str, Any]) -> Sequence[Row]:
        lists: list[BindParameter[Any]] = [
            bindparam(k, expanding=True) for k, v in asked.items() if isinstance(v, list)
        ]
        with reading(self._engine) as connection:
            return [tuple(row) for row in connection.execute(text(self._statement).bindparams(*lists), asked)]

    def _from_postgresql(self, asked: dict[str, Any]) -> Sequence[Row]:
        import psycopg

        for attempt in (1, 2):  # a kept connection may have been cut off since
            try:
                connection = self._connection()
                return list(connection.execute(self._statement, asked).fetchall())
            except psycopg.OperationalError as error:
                self._drop()
                if attempt == 2 or isinstance(error, psycopg.errors.QueryCanceled):
                    raise StoreError("the database does not answer", remedy="Try again.") from error
            except psycopg.Error as error:
                self._drop()
                raise StoreError("the database failed", remedy="Look at its log.") from error
        raise AssertionError("unreachable")

    def _connection(self) -> Any:
        import psycopg

        found = getattr(self._own, "connection", None)
        if found is None or found.closed:
            options = (
                f"-c statement_timeout={TIMEOUT_MS} -c default_transaction_read_only=on -c lock_timeout={TIMEOUT_MS}"
            )
            found = psycopg.connect(
                self._where, autocommit=True, prepare_threshold=1, connect_timeout=3, options=options
            )
            self._own.connection = found
        return found

    def _drop(self) -> None:
        found, self._own.connection = getattr(self._own, "connection", None), None
        if found is not None:
            found.close()


def _placeholders(statement: str) -> str:
    """`:name` as psycopg writes it; a cast `::name` stays."""
    return re.sub(r"(?<!:):([a-z_]+)", r"%(\1)s", statement)
