"""`make mutants`: remove each rule, check, guard, signature verification and digest comparison in turn; each must turn a
test red.

    python tests/mutants.py [--only TEXT] [--jobs N] [--list]

Each mutant is made in a copy of the tree and judged by the tests named with it. What survives is printed, and the exit
code is 1. What to mutate is in mutant_list.py; how, in mutate.py.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutant_list import all_mutants
from mutate import Mutant

ROOT = Path(__file__).resolve().parents[1]
LEAST_TIMEOUT_S, TIMES_UNCHANGED = 30.0, 6.0  # a mutant that makes the tests hang is killed
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.pyc", ".*_cache", ".hypothesis", "dist", "*.qc")
KILLED = {1: "killed", 2: "killed (does not load)"}  # pytest: 1 tests failed, 2 a module could not be imported


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mutant: killed, survived, or an error of this script's own."""

    mutant: Mutant
    outcome: str
    took_s: float


class Tree:
    """A copy of the tree with its test runners: one that keeps the program imported, for mutated rule packs, and one
    that imports it anew each time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)
        self._workers: dict[bool, subprocess.Popen[str]] = {}

    def run(self, mutant: Mutant, timeout_s: float) -> Result:
        """Make the mutant, run its tests, and take it back."""
        start, path = time.monotonic(), self.folder / mutant.file
        kept = path.read_text(encoding="utf-8")
        try:
            path.write_text(mutant.change(kept), encoding="utf-8")
            code = self._tests(mutant.tests, timeout_s, warm=mutant.file.startswith("rules/"))
        finally:
            path.write_text(kept, encoding="utf-8")
        outcome = KILLED.get(code, "survived" if code == 0 else f"error: pytest exits with {code}")
        return Result(mutant, outcome, time.monotonic() - start)

    def close(self) -> None:
        """End the runners."""
        for worker in self._workers.values():
            worker.kill()
            worker.wait()

    def _tests(self, tests: Sequence[str], timeout_s: float, *, warm: bool) -> int:
        worker = self._workers.get(warm)
        if worker is None:
            worker = self._workers[warm] = self._worker(warm)
        assert worker.stdin is not None
        assert worker.stdout is not None
        print(json.dumps({"tests": list(tests), "timeout_s": timeout_s}), file=worker.stdin, flush=True)
        return int(worker.stdout.readline())

    def _worker(self, warm: bool) -> subprocess.Popen[str]:
        speech = os.environ.get("DUBGATE_SPEECH", str(ROOT.parent / "shared" / "speech"))
        own = {"PYTHONDONTWRITEBYTECODE": "1", "DUBGATE_SPEECH": speech, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(self.folder / "tests/mutant_worker.py"), *(["--warm"] if warm else [])]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **own},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )


class Trees:
    """Copies of the tree, lent one at a time."""

    def __init__(self, folder: Path, n: int) -> None:
        self._all = [Tree(folder / f"tree{k}" / "main") for k in range(n)]
        self._free: queue.Queue[Tree] = queue.Queue()
        for tree in self._all:
            self._free.put(tree)

    def run(self, mutant: Mutant, timeout_s: float = 1200.0) -> Result:
        """Run a mutant in a tree that is free."""
        tree = self._free.get()
        try:
            return tree.run(mutant, timeout_s)
        finally:
            self._free.put(tree)

    def close(self) -> None:
        """End all runners."""
        for tree in self._all:
            tree.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default="", help="mutants whose name contains this text")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the mutants and stop")
    options = parser.parse_args(arguments)
    mutants = [m for m in all_mutants(ROOT) if options.only in m.name]
    if options.list:
        print(*(m.name for m in mutants), sep="\n")
        return 0
    if not mutants:
        print(f"no mutant's name contains {options.only!r}")
        return 2
    with tempfile.TemporaryDirectory(prefix="dubgate-mutants-") as folder:
        trees = Trees(Path(folder), options.jobs)
        try:
            return _judged(mutants, trees, options.jobs)
        finally:
            trees.close()


def _judged(mutants: Sequence[Mutant], trees: Trees, jobs: int) -> int:
    unchanged = [Mutant("unchanged", mutants[0].file, tests, str) for tests in dict.fromkeys(m.tests for m in mutants)]
    with ThreadPoolExecutor(jobs) as pool:
        first = list(pool.map(trees.run, unchanged))
        red = [r for r in first if r.outcome != "survived"]
        for result in red:
            print(f"red before any change: {' '.join(result.mutant.tests)} ({result.outcome})")
        if red:
            return 2
        limits = {r.mutant.tests: max(LEAST_TIMEOUT_S, TIMES_UNCHANGED * r.took_s) for r in first}
        results = list(pool.map(_told(trees, limits, len(mutants)), mutants))
    return _summed_up(results)


def _told(trees: Trees, limits: dict[tuple[str, ...], float], n: int) -> Callable[[Mutant], Result]:
    lock, done = threading.Lock(), Counter[str]()

    def run(mutant: Mutant) -> Result:
        result = trees.run(mutant, limits[mutant.tests])
        with lock:
            done["all"] += 1
            if not result.outcome.startswith("killed"):
                print(f"[{done['all']}/{n}] {result.outcome}: {mutant.name}", flush=True)
            elif done["all"] % 25 == 0:
                print(f"[{done['all']}/{n}] …", flush=True)
        return result

    return run


def _summed_up(results: Sequence[Result]) -> int:
    groups: dict[str, Counter[str]] = {}
    for result in results:
        group = groups.setdefault(result.mutant.group, Counter())
        group["killed" if result.outcome.startswith("killed") else "left"] += 1
    for name, counts in groups.items():
        print(f"{name}: {counts['killed']} of {counts.total()} killed")
    left = [r for r in results if not r.outcome.startswith("killed")]
    print(
        f"{len(results) - len(left)} of {len(results)} mutants killed in {sum(r.took_s for r in results):.0f} s of tests"
    )
    for result in left:
        print(f"  {result.outcome}: {result.mutant.name}\n    by {' '.join(result.mutant.tests)}")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
