"""One world a test; for what the desk keeps in tables of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

sys.path.insert(0, str(Path(__file__).parent))

from world import World, make_world

from consent.web.rows import METADATA, Tables


def _closed(made: World) -> None:
    made.desk.tables.close()
    made.registry.close()


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[World]:
    """Everything on SQLite."""
    made = make_world(tmp_path)
    yield made
    _closed(made)


@pytest.fixture
def world(plain: World) -> World:
    """The same; a module may put another one in its place."""
    return plain


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL for the session; skips where the wheel pgserver is not installed."""
    pgserver = pytest.importorskip("pgserver", reason="no PostgreSQL: the wheel pgserver is not installed")
    pytest.importorskip("psycopg", reason="no PostgreSQL driver: psycopg is not installed")
    with tempfile.TemporaryDirectory(prefix="desk-") as folder:  # not under pytest's, which only root may enter
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        _without_fsync(server.get_uri())
        yield server.get_uri()
        server.cleanup()


def _without_fsync(url: str) -> None:
    """No test pulls the machine's plug, and the server stops in no time."""
    admin = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def tables(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the desk's own tables lie, empty: the same test on both databases."""
    if request.param == "sqlite":
        return str(tmp_path / "desk.db")
    url: str = request.getfixturevalue("postgresql_url")
    emptied = Tables.open(url)
    with emptied.begin() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(METADATA.tables)}"))
    emptied.close()
    return url


@pytest.fixture
def kept(tables: str, tmp_path: Path) -> Iterator[World]:
    """A world whose desk keeps its tables there."""
    made = make_world(tmp_path, tables=tables)
    yield made
    _closed(made)
