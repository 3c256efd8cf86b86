"""Copies of the tree, each with its runners, in which mutants are made and judged."""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import py_compile
import queue
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mutant_order import Plan
from mutate import Mutant

ROOT = Path(__file__).resolve().parents[1]
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.pyc", ".*_cache", ".hypothesis", "dist", "*.qc")
OUTCOMES = {0: "survived", 1: "killed", 2: "killed (does not load)", "hung": "killed (hung)"}
IMPORT_S = 60.0  # added to the time limit of whatever imports anew
NOTHING_COLLECTED, USAGE = 5, 4
Answer = dict[str, Any]
T = TypeVar("T")


class RunnerDiedError(Exception):
    """A runner ended although nobody told it to."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mutant: killed, survived, or an error of this script's own."""

    mutant: Mutant
    outcome: str
    took_s: float
    by: str = ""
    way: str = ""

    @property
    def killed(self) -> bool:
        return self.outcome.startswith("killed")


class Runner:
    """A mutant_worker.py that answers."""

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        speech = os.environ.get("DUBGATE_SPEECH", str(ROOT.parent / "shared" / "speech"))
        own = {"PYTHONDONTWRITEBYTECODE": "1", "DUBGATE_SPEECH": speech, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(folder / "tests/mutant_worker.py"), *arguments]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.greeting = self._heard()

    def ask(self, **asked: Any) -> Answer:
        """Its answer."""
        assert self._process.stdin is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return self._heard()

    def close(self) -> None:
        """End it; what it started ends with it. One that is idle takes away what it made."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            self._process.stdin.close()
            self._process.wait(5)
        self._process.kill()
        self._process.wait()

    def _heard(self) -> Answer:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RunnerDiedError(f"a test runner ended with {self._process.wait()}")
        return dict(json.loads(line))


class Tree:
    """A copy of the tree. Its runners: the tests collected, for mutants that can be put into the imported program; only
    third-party modules (those that the tests need), for those that cannot; and the policy too, for mutated rule packs."""

    def __init__(self, folder: Path, files: Sequence[str], root: Path = ROOT) -> None:
        self.folder, self._files = folder, files
        self.modules: list[str] = []
        self._runners: dict[str, Runner] = {}
        shutil.copytree(root, folder, ignore=NOT_COPIED, symlinks=True)
        # By digest, not by time: a mutant made in the same second and of the same length is never taken for unchanged.
        for name in ("dubgate", "consent"):
            mode = py_compile.PycInvalidationMode.CHECKED_HASH
            compileall.compile_dir(folder / name, quiet=2, invalidation_mode=mode)

    def collected(self) -> Runner:
        """The runner that holds the collected tests."""
        return self._runner("collected", self._files)

    def judge(self, mutant: Mutant, old: str, new: str, plan: Plan) -> Result:
        """Make the mutant, run its tests, and take it back."""
        return self._tried(mutant, old, new, lambda: self._answer(mutant, old, new, plan))

    def under(self, mutant: Mutant, old: str, new: str, test: str, limit_s: float) -> Result:
        """Make the mutant, run one test, and take it back."""
        return self._tried(mutant, old, new, lambda: self._under(mutant, old, new, test, limit_s))

    def share(self, tests: Sequence[str], limit_s: float) -> str | None:
        """Make once what these tests of one file share; why it cannot be shared."""
        why = self.collected().ask(do="share", tests=tests, timeout_s=limit_s)["why"]
        return None if why is None else str(why)

    def is_green(self, way: str, test: str, limit_s: float) -> bool:
        """Whether this test passes alone, when nothing is changed, in a runner as is used in that way."""
        kind = self.kind(way)
        if kind in ("shared", "collected"):
            asked = {"do": "run", "tests": [test], "shared": kind == "shared", "timeout_s": limit_s}
            return self.collected().ask(**asked).get("code") == 0
        return bool(self._only(kind, test, limit_s)["code"] == 0)

    def are_green(self, tests: Sequence[str], limit_s: float) -> bool:
        """Whether these tests of one file pass in a row, when nothing is changed, in a runner for rule packs."""
        asked = {"args": [tests[0].partition("::")[0]], "tests": tests, "timeout_s": limit_s}
        answer = self._runner("warm", self.modules).ask(**asked)
        return (answer["code"], answer.get("missing")) == (0, 0)

    @staticmethod
    def kind(way: str) -> str:
        """The runner of a way to make a mutant."""
        return {"imported": "cold", "warm": "warm", "shared": "shared"}.get(way, "collected")

    def close(self) -> None:
        """End the runners."""
        for runner in self._runners.values():
            runner.close()
        self._runners.clear()

    def _tried(self, mutant: Mutant, old: str, new: str, ask: Callable[[], tuple[str, Answer]]) -> Result:
        start, path = time.monotonic(), self.folder / mutant.file
        try:
            path.write_text(new, encoding="utf-8")
            way, answer = ask()
        except RunnerDiedError as error:
            self.close()
            return Result(mutant, f"error: {error}", time.monotonic() - start)
        finally:
            path.write_text(old, encoding="utf-8")
        if answer["code"] == USAGE:  # so pytest says when a conftest does not load; is it the mutant's doing?
            answer["code"] = 2 if self._loads(mutant) else USAGE
        return Result(mutant, outcome(answer["code"]), time.monotonic() - start, answer.get("by") or "", way)

    def _under(self, mutant: Mutant, old: str, new: str, test: str, limit_s: float) -> tuple[str, Answer]:
        if not mutant.file.endswith(".py"):
            return "warm", self._only("warm", test, limit_s)
        asked = {"file": mutant.file, "old": old, "source": new, "tests": [test], "timeout_s": limit_s}
        answer = self.collected().ask(do="judge", shared=True, **asked)
        if answer["code"] not in ("not patchable", 3):
            return "shared" if answer.get("shared") else "patched", answer
        return "imported", self._only("cold", test, limit_s)

    def _only(self, kind: str, test: str, limit_s: float) -> Answer:
        asked = {"args": [test.partition("::")[0]], "tests": [test], "timeout_s": limit_s + IMPORT_S}
        return self._runner(kind, self.modules).ask(**asked)

    def _answer(self, mutant: Mutant, old: str, new: str, plan: Plan) -> tuple[str, Answer]:
        if not mutant.file.endswith(".py"):
            return "warm", self._warm(mutant, plan)
        way, answer = "patched", {"code": 0}
        parts = ((plan.covering, plan.covering_limit_s), (plan.rest, plan.rest_limit_s))
        for tests, limit_s in (p for p in parts if p[0]):
            asked = {"file": mutant.file, "old": old, "source": new, "tests": tests, "timeout_s": limit_s}
            answer = self.collected().ask(do="judge", **asked)
            if answer["code"] in ("not patchable", 3):
                return "imported", self._cold(mutant, plan.all, plan.limit_s)
            if answer["code"] != 0:
                return way, answer
            way = "patched, rest"
        return "imported", self._cold(mutant, plan.covering, plan.covering_limit_s) if plan.covering else answer

    def _cold(self, mutant: Mutant, tests: Sequence[str], limit_s: float) -> Answer:
        files = list(dict.fromkeys(t.partition("::")[0] for t in tests))
        runner, limit_s = self._runner("cold", self.modules), limit_s + IMPORT_S
        answer = runner.ask(args=files, tests=tests, timeout_s=limit_s)
        if answer["code"] in (0, NOTHING_COLLECTED) and answer.get("missing"):  # the mutant renames cases
            return runner.ask(args=mutant.tests, timeout_s=limit_s)
        return answer

    def _warm(self, mutant: Mutant, plan: Plan) -> Answer:
        rules = re.findall(r"[A-Z]+(?:-[A-Z0-9]+)+", mutant.name)
        return self._runner("warm", self.modules).ask(args=mutant.tests, first=rules, timeout_s=plan.limit_s + IMPORT_S)

    def _loads(self, mutant: Mutant) -> bool:
        asked = {"args": [*mutant.tests, "--collect-only"], "timeout_s": IMPORT_S}
        return bool(self._runner("cold", self.modules).ask(**asked)["code"] == 0)

    def _runner(self, way: str, arguments: Sequence[str]) -> Runner:
        if way not in self._runners:
            self._runners[way] = Runner(self.folder, (way, *arguments))
        return self._runners[way]


def outcome(code: int | str) -> str:
    """In words; a test run that a signal ended is one that the mutant broke."""
    if isinstance(code, int) and code < 0:
        return f"killed (crashed: signal {-code})"
    return OUTCOMES.get(code, f"error: pytest exits with {code}")


class Trees:
    """Copies of the tree, lent one at a time."""

    def __init__(self, folder: Path, n: int, files: Sequence[str], root: Path = ROOT) -> None:
        self.all = [Tree(folder / f"tree{k}" / "main", files, root) for k in range(n)]
        self._free: queue.Queue[Tree] = queue.Queue()
        for tree in self.all:
            self._free.put(tree)

    def lent(self, use: Callable[[Tree], T]) -> T:
        """What `use` makes of a tree that is free."""
        tree = self._free.get()
        try:
            return use(tree)
        finally:
            self._free.put(tree)

    def close(self) -> None:
        """End all runners."""
        for tree in self.all:
            tree.close()
