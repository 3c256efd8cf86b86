"""Fixtures of the service's tests; what they share with certificates lies beside those."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE.parent, HERE.parent / "certificate", HERE):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pytest  # noqa: E402
from made_postgresql import new_database  # noqa: E402
from made_service import House, make_house  # noqa: E402


@pytest.fixture(scope="session")
def made_house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A registry, keys and a delivery that lacks nothing, made once; nobody may change it."""
    return make_house(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="session")
def released_house(made_house: House, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The same after its delivery was judged and certified; with the tokens that tests ask with. Nobody may change it."""
    made = made_house.copied(tmp_path_factory.mktemp("released") / "house")
    with made.api() as api:
        api.released()
        assert api.pipeline
        made.tokens = api.tokens
    return made


@pytest.fixture
def house(made_house: House, tmp_path: Path) -> House:
    """A copy of it, with an empty service of its own."""
    return made_house.copied(tmp_path / "house")


@pytest.fixture(scope="session")
def postgresql_url(postgresql: str) -> str:
    """A database of these tests' own on the session's PostgreSQL."""
    return new_database(postgresql)
