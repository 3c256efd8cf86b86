"""One world a test; for what the desk keeps in tables of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

sys.path.insert(0, str(Path(__file__).parent))

from world import World, make_world


def _closed(made: World) -> None:
    made.desk.tables.close()
    made.registry.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path)
    yield made
    _closed(made)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL for the session; skips where the wheel pgserver is not installed."""
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: the wheel pgserver is not installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL driver: psycopg is not installed")
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:  # not under pytest's, which only root may enter
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where the desk's own tables lie: the same test on both databases, on PostgreSQL in a database of its own."""
    if request.param == "sqlite":
        yield str(tmp_path / "desk.db")
        return
    url, name = make_url(request.getfixturevalue("postgresql_url")), f"desk_{uuid.uuid4().hex}"
    admin = create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def kept(tables: str, tmp_path: Path) -> Iterator[World]:
    """A world whose desk keeps its tables there."""
    made = make_world(tmp_path, tables=tables)
    yield made
    _closed(made)
