"""Fixtures shared by all tests: the shared speech folder, and no network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import made_postgresql
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# A shared machine stalls for longer than any deadline of one example.
settings.register_profile("unhurried", deadline=None)
if settings.get_current_profile_name() == "default":
    settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def speech() -> Path:
    """The folder of real speech beside the checkout; skips where it is absent."""
    folder = Path(os.environ.get("DUBGATE_SPEECH", ROOT.parent / "shared/speech"))
    if not folder.is_dir():
        pytest.skip(f"no real speech: {folder.name} is not beside the checkout (set DUBGATE_SPEECH)")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    """The committed samples."""
    return ROOT / "samples"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server for this session."""
    with made_postgresql.started() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def _own_kept_hearing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests keep hearing in a folder of their own, so that nothing heard before decides them; workers share it."""
    run = tmp_path_factory.getbasetemp()
    folder = (run.parent if "PYTEST_XDIST_WORKER" in os.environ else run) / "heard"
    folder.mkdir(exist_ok=True)
    os.environ["DUBGATE_CACHE"] = str(folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first, so that no worker ends alone with one of them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: keys are new in each worker, and workers must find the same tests."""
    return argname if isinstance(val, bytes) and len(val) > 24 else None
