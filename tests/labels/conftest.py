"""The child's tasks run in this process, where a test asks for it."""

from __future__ import annotations

import pytest
from label_files import run_here


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's tasks run in this process: fast, and the same code."""
    monkeypatch.setattr("dubgate.sandbox.run_in_child", run_here)
