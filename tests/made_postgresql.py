"""A PostgreSQL that is started for the tests, and databases on it; from the wheel pgserver."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def started() -> Iterator[str]:
    """The URL of a server; the test skips where the wheel pgserver is not installed."""
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: the wheel pgserver is not installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL driver: psycopg is not installed")
    with tempfile.TemporaryDirectory(prefix="dubgate-") as folder:  # not under pytest's, which only root may enter
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        url = server.get_uri()
        # No test pulls the machine's plug: killed clients lose nothing by this, and the server stops in no time.
        _tell(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield url
        # A server that still has clients waits for them before it stops.
        ours = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        _tell(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}")
        server.cleanup()


def new_database(server: str) -> str:
    """The URL of an empty database on a server."""
    from sqlalchemy.engine import make_url

    name = f"db_{uuid.uuid4().hex}"
    _tell(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _tell(url: str, *statements: str) -> None:
    from sqlalchemy import create_engine, text
    from sqlalchemy.engine import make_url

    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    admin.dispose()
