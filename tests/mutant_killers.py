"""The test that killed a mutant the last time is asked first, alone: most mutants need no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mutant_order import longest_s
from mutant_record import Record
from mutant_trees import Result, Tree, Trees
from mutate import Mutant

SHARED_S = 600.0  # the longest that what tests of a file share may take, or one of them
OLD_S = 30.0


@dataclass(frozen=True, slots=True)
class Task:
    """A mutant with its file before and after, and the key of its record."""

    mutant: Mutant
    old: str
    new: str
    key: str


def is_python(task: Task) -> bool:
    """Whether a program is changed, and no rule pack."""
    return task.mutant.file.endswith(".py")


class Killers:
    """Tests that killed before. One counts only if it is green on today's unchanged tree, alone, in a runner of the very
    kind that judges the mutant."""

    def __init__(self, trees: Trees, record: Record, selected: Mapping[tuple[str, ...], Sequence[str]]) -> None:
        self._trees, self._record, self._alone = trees, record, Alone(record)
        self._selected = {tests: frozenset(names) for tests, names in selected.items()}

    def of(self, tasks: Sequence[Task]) -> list[list[tuple[Task, str]]]:
        """The mutants of which a killer is known, by its file; those of which most are known first."""
        by_file: dict[str, list[tuple[Task, str]]] = {}
        for task in tasks:
            if (killer := self._killer(task.mutant)) is not None:
                by_file.setdefault(killer.partition("::")[0], []).append((task, killer))
        return sorted(by_file.values(), key=len, reverse=True)

    def again(
        self, of_file: Sequence[tuple[Task, str]], heard: Callable[[Task, Result], Result]
    ) -> list[tuple[str, Result]]:
        """Those that are killed by their killers of one file; any other is left to all its tests."""
        return self._trees.lent(lambda tree: [*self._again(tree, of_file, heard)])

    def _again(
        self, tree: Tree, of_file: Sequence[tuple[Task, str]], heard: Callable[[Task, Result], Result]
    ) -> Iterator[tuple[str, Result]]:
        green = _Green(tree, sorted({k for t, k in of_file if is_python(t)}))
        green.take_in_a_row(sorted({k for t, k in of_file if not is_python(t)}))
        for task, killer in of_file:
            limit_s = green.limits.get(killer)
            if limit_s is None:
                continue
            result = tree.under(task.mutant, task.old, task.new, killer, limit_s)
            if result.killed and self._is_fair(green, result.way, killer, limit_s):
                yield task.key, heard(task, result)

    def _is_fair(self, green: _Green, way: str, killer: str, limit_s: float) -> bool:
        if way == "shared":
            return green.is_still(killer)
        if way == "patched":  # a fork of the same runner, in which it was green as the first to run
            return True
        return self._alone.is_green(green.tree, way, killer, limit_s)

    def _killer(self, mutant: Mutant) -> str | None:
        killer = self._record.killer(mutant.name)
        return killer if killer in self._selected[mutant.tests] else None


class _Green:
    """Tests of one file that are green when nothing is changed, each alone, with what they share made once."""

    def __init__(self, tree: Tree, tests: Sequence[str]) -> None:
        self.tree, self.limits, self._seen = tree, dict[str, float](), dict[str, float]()
        if tests:
            self._take_sharing(tests)

    def take_in_a_row(self, tests: Sequence[str]) -> None:
        """Also those that are green in a row in a runner for rule packs; each alone, when it kills."""
        start = time.monotonic()
        if tests and self.tree.are_green(tests, SHARED_S):
            self.limits |= dict.fromkeys(tests, longest_s(time.monotonic() - start))

    def _take_sharing(self, tests: Sequence[str]) -> None:
        start = time.monotonic()
        why = self.tree.share(tests, SHARED_S)
        shared_s = time.monotonic() - start
        for test in tests:
            start = time.monotonic()
            if self.tree.is_green("shared" if why is None else "patched", test, SHARED_S):
                self._seen[test] = time.monotonic()
                self.limits[test] = longest_s(shared_s + self._seen[test] - start)

    def is_still(self, test: str) -> bool:
        """What is shared grows old; has the test outlived it?"""
        now = time.monotonic()
        if now - self._seen[test] < OLD_S:
            return True
        self._seen[test] = now
        return self.tree.is_green("shared", test, self.limits[test])


class Alone:
    """Which test is green when nothing is changed and nothing ran before it, by the kind of the runner."""

    def __init__(self, record: Record) -> None:
        self._record, self._lock = record, threading.Lock()

    def is_green(self, tree: Tree, way: str, test: str, limit_s: float, *, today: bool = False) -> bool:
        """Asked once for each state of the test; once for each state of the whole tree where it must be of `today`."""
        key = self._record.key_alone(tree.kind(way), test, today=today)
        known = self._record.find(key)
        if known is not None:
            return bool(known["outcome"] == "green")
        is_green = tree.is_green(way, test, limit_s)
        if is_green:  # what is red is asked again: it may only have been late
            with self._lock:
                self._record.keep(key, {"outcome": "green", "by": test})
        return is_green
