"""One world a test; for what the desk keeps in tables of its own, on SQLite and on PostgreSQL."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_postgresql import new_database
from sqlalchemy import text

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
def postgresql_url(postgresql: str) -> str:
    """A database of these tests' own on the session's PostgreSQL."""
    return new_database(postgresql)


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
