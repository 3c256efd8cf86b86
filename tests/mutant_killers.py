"""The test that killed a mutant the last time is asked first, alone: most mutants need no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from mutant_order import longest_s
from mutant_record import Record
from mutant_trees import Answer, Result, Tree, Trees
from mutate import Mutant

BATCH_S = 1200.0  # the longest that the unchanged killers of one file may take


@dataclass(frozen=True, slots=True)
class Task:
    """A mutant with its file before and after, and the key of its record."""

    mutant: Mutant
    old: str
    new: str
    key: str


class Killers:
    """Tests that killed before. One counts only if it is green on today's unchanged tree, in a row with others of its
    file, and was green alone, in a runner of the same kind, since it was last changed."""

    def __init__(self, trees: Trees, record: Record, selected: Mapping[tuple[str, ...], Sequence[str]]) -> None:
        self._trees, self._record = trees, record
        self._selected = {tests: frozenset(names) for tests, names in selected.items()}
        self._limits: dict[str, float] = {}
        self._alone = Alone(record)

    def of(self, tasks: Sequence[Task], pool: ThreadPoolExecutor) -> list[tuple[Task, str]]:
        """The mutants of which a killer is known that is green today, file by file."""
        known = [(t, k) for t in tasks if (k := self._killer(t.mutant)) is not None]
        by_file: dict[str, list[str]] = {}
        for name in sorted({k for _, k in known}):
            by_file.setdefault(_file(name), []).append(name)
        start = time.monotonic()
        print(f"running {sum(map(len, by_file.values()))} unchanged tests that killed before …", flush=True)
        green = {t for own in pool.map(self._green, by_file.values()) for t in own}
        print(f"  {time.monotonic() - start:.0f} s", flush=True)
        return sorted((one for one in known if one[1] in green), key=lambda one: _file(one[1]))

    def again(self, task: Task, killer: str) -> Result | None:
        """The mutant killed by its killer; nothing where that leaves it or says nothing."""
        return self._trees.lent(lambda tree: self._again(tree, task, killer))

    def _again(self, tree: Tree, task: Task, killer: str) -> Result | None:
        limit_s = self._limits[_file(killer)]
        result = tree.under(task.mutant, task.old, task.new, killer, limit_s)
        is_fair = result.killed and self._alone.is_green(tree, result.way, killer, limit_s)
        return result if is_fair else None

    def _killer(self, mutant: Mutant) -> str | None:
        killer = self._record.killer(mutant.name)
        return killer if killer in self._selected[mutant.tests] else None

    def _green(self, tests: Sequence[str]) -> Sequence[str]:
        start = time.monotonic()
        green = self._trees.lent(lambda tree: _green_in_a_row(tree.collected().ask, tests))
        self._limits[_file(tests[0])] = longest_s(time.monotonic() - start)
        return green


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


def _green_in_a_row(ask: Callable[..., Answer], tests: Sequence[str]) -> Sequence[str]:
    if ask(do="run", tests=tests, timeout_s=BATCH_S)["code"] == 0:
        return tests
    return [t for t in tests if ask(do="run", tests=[t], timeout_s=BATCH_S)["code"] == 0]


def _file(test: str) -> str:
    return test.partition("::")[0]
