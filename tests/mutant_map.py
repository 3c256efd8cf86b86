"""Which test runs which line, and how long it takes: one run of unchanged tests under coverage."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import coverage
import pytest

PROGRAM = ("dubgate", "consent")
STARTS = {"subprocess.Popen", "os.fork", "os.posix_spawn"}  # what runs there, coverage does not see


def watching(root: Path) -> coverage.Coverage:
    """A recorder of the program's lines, in memory."""
    folders = [str(root / name) for name in PROGRAM]
    return coverage.Coverage(data_file=None, source=folders, config_file=False, messages=False)


def lines_by_context(watched: coverage.Coverage, root: Path) -> dict[str, dict[str, list[int]]]:
    """File below root → what ran (a test, a shared fixture) → its lines."""
    found: dict[str, dict[str, list[int]]] = {}
    data = watched.get_data()
    for name in data.measured_files():
        of_file = found.setdefault(str(Path(name).relative_to(root)), {})
        for line, contexts in data.contexts_by_lineno(name).items():
            for context in contexts:
                of_file.setdefault(context, []).append(line)
    return found


class Map:
    """Plugin that notes for each test its lines, seconds, fixtures of wider scope, and whether it starts processes."""

    def __init__(self, root: Path) -> None:
        self.root, self.watched = root, watching(root)
        self.tests: dict[str, dict[str, Any]] = {}
        self.fixture_s: dict[str, float] = {}
        self.red: dict[str, str] = {}
        self._now: list[str] = []
        sys.addaudithook(self._process_starts)

    def run(self, session: pytest.Session, items: list[pytest.Item]) -> dict[str, Any]:
        """Run the tests and say what was noted."""
        session.config.pluginmanager.register(self)
        self.watched.start()
        for item, following in zip(items, [*items[1:], None], strict=True):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        self.watched.stop()
        lines = lines_by_context(self.watched, self.root)
        return {"tests": self.tests, "lines": lines, "fixture_s": self.fixture_s, "red": self.red}

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        noted = self.tests[item.nodeid] = {"seconds": 0.0, "starts": False, "fixtures": _shared(item)}
        shared, start = sum(self.fixture_s.values()), time.monotonic()
        self._enter(item.nodeid)
        try:
            return (yield)
        finally:
            self._leave()
            noted["seconds"] = time.monotonic() - start - (sum(self.fixture_s.values()) - shared)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        if fixturedef.scope == "function":
            return (yield)
        name, start = _name(fixturedef), time.monotonic()
        self._enter(name)
        try:
            return (yield)
        finally:
            self._leave()
            self.fixture_s[name] = self.fixture_s.get(name, 0.0) + time.monotonic() - start

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.red[report.nodeid] = report.longreprtext[-4000:]

    def _enter(self, context: str) -> None:
        self._now.append(context)
        self.watched.switch_context(context)

    def _leave(self) -> None:
        self._now.pop()
        self.watched.switch_context(self._now[-1] if self._now else "")

    def _process_starts(self, event: str, _: object) -> None:
        if event in STARTS and self._now:
            for name in self._now:
                self.tests.get(name, {})["starts"] = True


def _shared(item: pytest.Item) -> list[str]:
    info = getattr(item, "_fixtureinfo", None)
    defs: Iterable[Any] = info.name2fixturedefs.values() if info else ()
    return sorted({_name(d) for of_name in defs for d in of_name if d.scope != "function"})


def _name(fixturedef: pytest.FixtureDef[Any]) -> str:
    return f"fixture {fixturedef.baseid}::{fixturedef.argname}"
