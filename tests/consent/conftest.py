"""Both databases for the registry's tests: SQLite in a folder, and a PostgreSQL 16 that is started for the session."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from consent_examples import Place
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server for this session; skips where the pgserver wheel is not installed."""
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: the wheel pgserver is not installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL driver: psycopg is not installed")
    with tempfile.TemporaryDirectory(prefix="registry-") as folder:  # not under pytest's, which only root may enter
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        _without_fsync(server.get_uri())
        yield server.get_uri()
        _hang_up(server.get_uri())
        server.cleanup()


def _without_fsync(url: str) -> None:
    """No test pulls the machine's plug: killed clients lose nothing by this, and the server stops in no time."""
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def _hang_up(url: str) -> None:
    """A server that still has clients waits for them before it stops."""
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with admin.connect() as connection:
        ours = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
    admin.dispose()


@pytest.fixture
def postgresql_place(postgresql: str, tmp_path: Path) -> Place:
    """A fresh database on it."""
    name = f"registry_{uuid.uuid4().hex}"
    admin = create_engine(make_url(postgresql).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    url = make_url(postgresql).set(database=name).render_as_string(hide_password=False)
    return Place(url, tmp_path / "registry.key")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a registry can be made: the same test on both databases."""
    if request.param == "sqlite":
        return Place.sqlite(tmp_path)
    made: Place = request.getfixturevalue("postgresql_place")
    return made
