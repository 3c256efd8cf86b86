"""What tests of one file share (fixtures of a module or wider), made once in a fork from which each mutant is forked.

A mutant is judged there only if none of its changed lines ran while the fixtures were made: importing and making them
with the mutant would have given the same. Nothing is shared that a fork does not have for itself: no threads, no other
processes; and where a run changes a file of what is shared, it is made anew for the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
from mutant_map import STARTS, lines_by_context, watching


class Shared:
    """The fork, seen from its parent; `why` says why there is none."""

    def __init__(self, tests: Sequence[str], timeout_s: float, be: Callable[[Path, int, int], NoReturn]) -> None:
        self.tests, self.timeout_s = tests, timeout_s
        self._folder = Path(tempfile.mkdtemp(prefix="dubgate-mutant-"))
        asked, self._asked = os.pipe()
        self._answers, answers = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            be(self._folder, asked, answers)
        os.close(asked)
        os.close(answers)
        self._lines = os.fdopen(self._answers)
        is_said = bool(select.select([self._answers], [], [], timeout_s)[0])
        self.why: str | None = self._heard().get("why", "it ended") if is_said else "it took too long"

    def ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Its answer; one that says nothing is one that cannot say."""
        try:
            os.write(self._asked, f"{json.dumps(asked)}\n".encode())
        except BrokenPipeError:
            return {"code": 3}
        return self._heard()

    def close(self) -> None:
        """End it and take its folder away."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)
        os.close(self._asked)
        self._lines.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _heard(self) -> dict[str, Any]:
        line = self._lines.readline()
        return dict(json.loads(line)) if line else {"code": 3}


class Making:
    """Makes what these tests share; `ran` are the program's lines that ran meanwhile, `why` why it cannot be shared."""

    def __init__(self, root: Path, session: pytest.Session, items: Sequence[pytest.Item], folder: Path) -> None:
        self._started: list[str] = []
        tempfile.tempdir, before = tempfile.mkdtemp(dir=folder), tempfile.gettempdir()
        sys.addaudithook(lambda event, _: self._started.append(event) if event in STARTS else None)
        watched = watching(root)
        watched.start()
        try:
            for item in items:
                _make(session, item)
            self.why = self._unshareable()
        except (Exception, pytest.skip.Exception, pytest.fail.Exception) as error:  # noqa: BLE001  its tests say it
            self.why = f"{type(error).__name__}: {error}"
        finally:
            watched.stop()
            tempfile.tempdir = before
        lines = lines_by_context(watched, root)
        self.ran = {file: {n for of in contexts.values() for n in of} for file, contexts in lines.items()}

    def _unshareable(self) -> str | None:
        if self._started:
            return "it starts processes"
        return "it starts threads" if len(os.listdir("/proc/self/task")) > 1 else None


def state_of(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Size, time and place of each file below it, as far as a change would show."""
    found = {}
    for at, names, files in os.walk(folder):
        for name in (*names, *files):
            stat = os.lstat(os.path.join(at, name))
            found[os.path.join(at, name)] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    return found


def _make(session: pytest.Session, item: Any) -> None:
    """All that the test needs and that lives longer than it."""
    names, of = item.fixturenames, item._fixtureinfo.name2fixturedefs
    item.fixturenames = [n for n in names if n in of and of[n][-1].scope != "function"]
    try:
        session._setupstate.setup(item)
    finally:
        item.fixturenames = names
        session._setupstate.teardown_exact(item.parent)
        item._initrequest()
