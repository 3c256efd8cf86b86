"""Both databases for the registry's tests: SQLite in a folder, and a PostgreSQL 16 that is started for the session."""

from __future__ import annotations

from pathlib import Path

import pytest
from consent_examples import Place
from made_postgresql import new_database


@pytest.fixture
def postgresql_place(postgresql: str, tmp_path: Path) -> Place:
    """A fresh database on it."""
    return Place(new_database(postgresql), tmp_path / "registry.key")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a registry can be made: the same test on both databases."""
    if request.param == "sqlite":
        return Place.sqlite(tmp_path)
    made: Place = request.getfixturevalue("postgresql_place")
    return made
