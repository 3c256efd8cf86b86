"""`make mutants`: remove each rule, check, guard, signature verification and digest comparison in turn; each must turn a
test red.

    python tests/mutants.py [--only TEXT]... [--jobs N] [--list] [--again] [--record FOLDER]

Each mutant is made in a copy of the tree and judged by the tests named with it: first by the one that killed it the last
time, then by those that run the changed line, fastest first, then by the rest. What survives is printed, and the exit code is 1; 2 where nothing could be judged.
What was judged is kept outside the tree, so that a run that is stopped goes on where it stopped; `--again` forgets it.
What to mutate is in mutant_list.py; how, in mutate.py; how it is judged, in mutant_trees.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from mutant_killers import Alone, Killers, Task, is_python
from mutant_list import all_mutants
from mutant_order import Order, Plan
from mutant_record import Record, cache_folder
from mutant_trees import ROOT, Result, Tree, Trees
from mutate import Mutant

MAPPING_S = 1200.0  # the longest that the unchanged tests of one file may take


class NotJudgedError(Exception):
    """Why no mutant can be judged: the tests are red, or do not run, before anything is changed."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    mutants = [m for m in all_mutants(ROOT) if not options.only or any(text in m.name for text in options.only)]
    if options.list:
        print(*(m.name for m in mutants), sep="\n")
        return 0
    if not mutants:
        print(f"no mutant's name contains {' or '.join(map(repr, options.only))}")
        return 2
    record, start = Record(options.record, ROOT), time.monotonic()
    known, left = known_and_left(tasks_of(mutants, record), record, again=options.again)
    try:
        judged = all_judged(left, record, options.jobs) if left else []
    except NotJudgedError as error:
        print(f"not judged: {error}")
        return 2
    return _summed_up(known, judged, time.monotonic() - start)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--only", action="append", default=[], help="mutants whose name contains this text; may be said again"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="name the mutants and stop")
    parser.add_argument("--again", action="store_true", help="judge also what the record knows")
    parser.add_argument("--record", type=Path, default=cache_folder(), help="the folder of the record")
    return parser.parse_args(arguments)


def tasks_of(mutants: Sequence[Mutant], record: Record, root: Path = ROOT) -> list[Task]:
    """Each mutant with its file before and after."""
    text = cache(lambda file: (root / file).read_text(encoding="utf-8"))
    made = ((m, text(m.file), m.change(text(m.file))) for m in mutants)
    return [Task(m, old, new, record.key(m, old, new)) for m, old, new in made]


def known_and_left(tasks: Sequence[Task], record: Record, *, again: bool) -> tuple[list[Result], list[Task]]:
    """What the record knows, and what is to be judged."""
    known, left = [], []
    for task in tasks:
        one = None if again else record.find(task.key)
        if one is None:
            left.append(task)
        else:
            way = "record" if one["tree"] == record.tree else "record of another tree"
            known.append(Result(task.mutant, one["outcome"], 0.0, one["by"], way))
    return known, left


def all_judged(tasks: Sequence[Task], record: Record, jobs: int, root: Path = ROOT) -> list[Result]:
    """What becomes of each, in order; the record grows meanwhile."""
    named = dict.fromkeys(t.mutant.tests for t in tasks)
    files = sorted({path.partition("::")[0] for tests in named for path in _paths(tests)})
    with tempfile.TemporaryDirectory(prefix="dubgate-mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        trees = Trees(Path(folder), jobs, files, root)
        try:
            selected = _selected(trees, list(named), pool)
            heard = Heard(record, len(tasks))
            again = _killed_again(Killers(trees, record, selected), tasks, heard, pool)
            left = [t for t in tasks if t.key not in again]
            rest = {t.mutant.tests: selected[t.mutant.tests] for t in left}
            judge = _judge(trees, Order(_maps(trees, rest, record, pool) if left else ()), rest, record)
            first = dict(zip((t.key for t in left), pool.map(lambda t: heard.kept(t, judge(t)), left), strict=True))
            return [(again | first)[t.key] for t in tasks]
        finally:
            trees.close()


def _paths(tests: Sequence[str]) -> Sequence[str]:
    return tests[: tests.index("-k")] if "-k" in tests else tests


def _selected(
    trees: Trees, named: Sequence[tuple[str, ...]], pool: ThreadPoolExecutor
) -> dict[tuple[str, ...], list[str]]:
    """The test cases behind each list of tests; every runner collects at the same time."""
    print("collecting the tests …", flush=True)
    runners = list(pool.map(Tree.collected, trees.all))
    for name, text in (red for runner in runners for red in runner.greeting["red"].items()):
        raise NotJudgedError(f"{name} cannot be collected before any change:\n{text}")
    answers = {tests: runners[0].ask(do="select", args=tests) for tests in named}
    for tests in (t for t, answer in answers.items() if not answer["tests"]):
        raise NotJudgedError(f"no test is named by {' '.join(tests)}")
    for tree in trees.all:
        tree.modules = next(iter(answers.values()))["modules"]
    return {tests: answer["tests"] for tests, answer in answers.items()}


def _maps(
    trees: Trees, selected: dict[tuple[str, ...], list[str]], record: Record, pool: ThreadPoolExecutor
) -> list[dict[str, Any]]:
    """Which test runs which line, file by file; what is red before any change ends the run."""
    by_file: dict[str, list[str]] = {}
    for test in dict.fromkeys(t for tests in selected.values() for t in tests):
        by_file.setdefault(test.partition("::")[0], []).append(test)
    known = {f: m for f, m in record.known_maps().items() if set(by_file.get(f, ())) <= m["tests"].keys()}
    missing, start = sorted(by_file.keys() - known.keys()), time.monotonic()
    print(f"running {sum(len(by_file[f]) for f in missing)} unchanged tests of {len(missing)} files …", flush=True)
    made = dict(zip(missing, pool.map(lambda f: trees.lent(lambda t: _mapped(t, by_file[f])), missing), strict=True))
    print(f"  {time.monotonic() - start:.0f} s", flush=True)
    record.keep_maps(known | made)
    return [m for f, m in (known | made).items() if f in by_file]


def _mapped(tree: Tree, tests: Sequence[str]) -> dict[str, Any]:
    made = tree.collected().ask(do="map", tests=tests, timeout_s=MAPPING_S)
    if "tests" not in made:
        raise NotJudgedError(f"{tests[0].partition('::')[0]} does not run before any change: {made['code']}")
    for name, text in made["red"].items():  # being watched may be what it cannot bear
        if tree.collected().ask(do="run", tests=[name], timeout_s=MAPPING_S)["code"] != 0:
            raise NotJudgedError(f"{name} is red before any change:\n{text}")
    return made


def _killed_again(killers: Killers, tasks: Sequence[Task], heard: Heard, pool: ThreadPoolExecutor) -> dict[str, Result]:
    by_file = killers.of(tasks)
    print(f"asking first what killed {sum(map(len, by_file))} of {len(tasks)} before …", flush=True)
    return {key: result for own in pool.map(lambda of: killers.again(of, heard.kept), by_file) for key, result in own}


def _judge(
    trees: Trees, order: Order, selected: dict[tuple[str, ...], list[str]], record: Record
) -> Callable[[Task], Result]:
    alone = Alone(record)

    def plan(task: Task) -> Plan:
        named = selected[task.mutant.tests]
        if is_python(task):
            return order.plan(task.mutant.file, task.old, task.new, named)
        return Plan((), tuple(named), 0.0, order.limit_s(named))

    def judged(tree: Tree, task: Task, made: Plan) -> Result:
        result = tree.judge(task.mutant, task.old, task.new, made)
        if result.outcome != "killed" or alone.is_green(tree, result.way, result.by, made.limit_s, today=True):
            return result
        return replace(result, outcome=f"error: {result.by} is red alone before any change")

    return lambda task: trees.lent(lambda tree: judged(tree, task, plan(task)))


class Heard:
    """Keeps what was judged, and says it."""

    def __init__(self, record: Record, n: int) -> None:
        self._record, self._n, self._done = record, n, 0
        self._lock, self._start = threading.Lock(), time.monotonic()

    def kept(self, task: Task, result: Result) -> Result:
        """The same result, kept unless it is an error."""
        with self._lock:
            self._done += 1
            if not result.outcome.startswith("error"):
                said = {"outcome": result.outcome, "by": result.by, "way": result.way, "took_s": result.took_s}
                self._record.keep(task.key, {"name": task.mutant.name, **said})
            if not result.killed:
                print(f"[{self._done}/{self._n}] {result.outcome}: {task.mutant.name}", flush=True)
            elif self._done % 25 == 0:
                print(f"[{self._done}/{self._n}] {time.monotonic() - self._start:.0f} s", flush=True)
        return result


def _summed_up(known: Sequence[Result], judged: Sequence[Result], took_s: float) -> int:
    results = [*known, *judged]
    _say_groups(results)
    left = [r for r in results if not r.killed]
    ways = Counter(r.way or "not at all" for r in results)
    said = ", ".join(f"{n} {way}" for way, n in ways.most_common())
    print(f"{len(results) - len(left)} of {len(results)} mutants killed, in {took_s:.0f} s ({said})")
    if ways["record of another tree"]:
        print("  other files have changed since some of these were judged; --again judges all")
    for result in left:
        print(f"  {result.outcome}: {result.mutant.name}\n    by {' '.join(result.mutant.tests)}")
    return 1 if left else 0


def _say_groups(results: Sequence[Result]) -> None:
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.mutant.group, []).append(result)
    for name, own in groups.items():
        killed, hung = sum(r.killed for r in own), sum(r.outcome == "killed (hung)" for r in own)
        longest = max(own, key=lambda r: r.took_s)
        print(
            f"{name}: {killed} of {len(own)} killed, {hung} of them hung; {sum(r.took_s for r in own):.0f} s, "
            f"the longest {longest.took_s:.0f} s"
        )


if __name__ == "__main__":
    sys.exit(main())
