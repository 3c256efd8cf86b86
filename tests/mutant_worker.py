"""Runs pytest again and again in one tree, for `make mutants`: a fork each, so that what is slow is paid for once.

    mutant_worker.py collected FILE...   imports the program, collects the tests, and forks for each request
    mutant_worker.py cold MODULE...      forks before the program is imported; only these third-party modules are
    mutant_worker.py warm MODULE...      the program of the rule packs is imported too, for mutated rule packs

Reads a request a line, answers a line, both JSON; see `Collected` and `Fresh` for what can be asked.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from mutant_patch import NotPatchableError, live_functions, patch

MEMORY_BYTES = 4 << 30  # a mutant without its limits must not take the machine
FEW, MANY = 30, 100  # examples of a law
HUNG, NOT_PATCHABLE = "hung", "not patchable"
OWN = ("dubgate.policy.judge", "dubgate.policy.pack_cases", "dubgate.policy.pack_report")
OPTIONS = ("-x", "-q", "-p", "no:cacheprovider", "-m", "not slow")
QUICK_END = ("-p", "no:unraisableexception", "-p", "no:threadexception")  # they collect garbage for long at the end
Request = dict[str, Any]


class Talk:
    """Requests and answers on these pipes, or on what was stdin and stdout, silent for everybody else from now on."""

    def __init__(self, asked: int | None = None, answers: int | None = None) -> None:
        self._asked = os.fdopen(os.dup(0) if asked is None else asked)
        self._answers = os.fdopen(os.dup(1) if answers is None else answers, "w")
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1) if "MUTANTS_LOUD" in os.environ else (0, 1, 2):
            os.dup2(silent, stream)

    def serve(self, answer: Callable[[Request], Request]) -> None:
        """Answer until nobody asks any more."""
        for line in self._asked:
            self.say(answer(json.loads(line)))

    def say(self, answer: Request) -> None:
        """One answer."""
        print(json.dumps(answer), file=self._answers, flush=True)


def in_a_fork(work: Callable[[Path], Request], timeout_s: float) -> Request:
    """What `work` says in a process of its own that gets a fresh folder; it and all that it started is killed after."""
    folder = Path(tempfile.mkdtemp(prefix="dubgate-mutant-"))
    child = os.fork()
    if child == 0:
        _be_child(work, folder)
    try:
        answer = _outcome(child, folder / "said.json", timeout_s)
        now = folder / "now"
        return {"by": now.read_text() if now.exists() else None} | answer
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(child: int, said: Path, timeout_s: float) -> Request:
    ended = os.pidfd_open(child)
    try:
        in_time = bool(select.select([ended], [], [], timeout_s)[0])
    finally:
        os.close(ended)
    if not in_time:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not in_time:
        return {"code": HUNG}
    return json.loads(said.read_text()) if said.exists() else {"code": code if code < 0 else 3}


def _apart() -> None:
    """A group of its own, that ends with its parent: no hanging mutant outlives the run."""
    os.setpgid(0, 0)
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _be_child(work: Callable[[Path], Request], folder: Path) -> NoReturn:
    try:
        _apart()
        mine = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mine + MEMORY_BYTES, mine + MEMORY_BYTES))
        (folder / "answer").write_text(json.dumps(work(folder)))
        (folder / "answer").rename(folder / "said.json")
    finally:
        os._exit(3)


class Collected:
    """Plugin that takes over after the collection. Asked by `do`:

    `select` {args}: the tests that pytest would run with these arguments, and third-party modules that are imported.
    `map` {tests}: run unchanged under coverage (mutant_map.py). `run` {tests}: run unchanged.
    `judge` {file, source, tests}: run with the mutant's code; "not patchable" where it must be imported anew.
    `share` {tests}: make what tests of one file share, once, in a fork. `run` and `judge` with `shared` ask that fork
    where it can answer: where the mutant changes no line that ran while it was made (mutant_shared.py).
    """

    def __init__(self, talk: Talk, watched: Any) -> None:
        self._talk, self._watched, self._root = talk, watched, Path.cwd()
        self._shared: Any = None
        self._is_shared = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._talk.say({"red": {report.nodeid: report.longreprtext[-4000:]}})

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        from mutant_map import lines_by_context

        self._watched.stop()
        sys.dont_write_bytecode = True
        lines = lines_by_context(self._watched, self._root)
        self._ran = {file: {n for of in contexts.values() for n in of} for file, contexts in lines.items()}
        self._session, self._items = session, {item.nodeid: item for item in session.items}
        self._live = live_functions([f"{self._root}/{name}/" for name in ("dubgate", "consent")])
        session.config.option.maxfail = 1
        _fewer_of_their_own(session.items)
        gc.collect()
        gc.freeze()
        if not session.testsfailed:
            self._talk.say({"red": {}})
            self._talk.serve(self._answer)
            if self._shared is not None:
                self._shared.close()
            os._exit(0)  # all was said; pytest would clean up for long
        return True

    def _answer(self, asked: Request) -> Request:
        if asked.pop("shared", False) and self._shared is not None:
            answer = self._of_shared(asked)
            if answer.get("code") not in (NOT_PATCHABLE, 3):
                return answer | {"shared": True}
        return dict(getattr(self, f"_{asked['do']}")(asked))

    def _of_shared(self, asked: Request) -> Request:
        answer: Request = self._shared.ask(asked)
        if answer.pop("spoilt", False):  # what all share is no longer as it was: for the next, it is made anew
            self._share({"tests": self._shared.tests, "timeout_s": self._shared.timeout_s})
        return answer

    def _share(self, asked: Request) -> Request:
        from mutant_shared import Shared

        if self._shared is not None:
            self._shared.close()
        items = [self._items[t] for t in asked["tests"]]
        self._shared = Shared(asked["tests"], asked["timeout_s"], lambda *to: self._be_shared(items, *to))
        why = self._shared.why
        if why is not None:
            self._shared.close()
            self._shared = None
        return {"why": why}

    def _be_shared(self, items: list[pytest.Item], folder: Path, asked: int, answers: int) -> NoReturn:
        from mutant_shared import Making, state_of

        try:
            _apart()
            talk = Talk(asked, answers)
            making = Making(self._root, self._of(folder), items, folder)
            if making.why is None:
                new = live_functions([f"{self._root}/{name}/" for name in ("dubgate", "consent")])  # none is frozen yet
                self._live = {f: [*self._live.get(f, ()), *new.get(f, ())] for f in self._live.keys() | new.keys()}
                self._ran = {f: self._ran.get(f, set()) | making.ran.get(f, set()) for f in self._ran | making.ran}
                gc.freeze()
                self._is_shared, before = True, state_of(folder)
            talk.say({"why": making.why})
            talk.serve(lambda one: self._answer(one) | {"spoilt": state_of(folder) != before})
        finally:
            os._exit(3)

    def _select(self, asked: Request) -> Request:
        from _pytest.mark import deselect_by_keyword

        paths, keyword = split_arguments(asked["args"])
        items = [i for i in self._items.values() if any(_lies_in(i.nodeid, p) for p in paths)]
        self._session.config.option.keyword = keyword
        deselect_by_keyword(items, self._session.config)
        return {"tests": [i.nodeid for i in items], "modules": _third_party()}

    def _map(self, asked: Request) -> Request:
        from mutant_map import Map

        items = [self._items[t] for t in asked["tests"]]
        self._session.config.option.maxfail = 0
        answer = in_a_fork(lambda folder: Map(self._root).run(self._of(folder), items), asked["timeout_s"])
        self._session.config.option.maxfail = 1
        return answer

    def _run(self, asked: Request) -> Request:
        items = [self._items[t] for t in asked["tests"]]
        return in_a_fork(
            lambda folder: _run_until_red(self._of(folder), items, folder, shared=self._is_shared),
            asked["timeout_s"],
        )

    def _judge(self, asked: Request) -> Request:
        path = str(self._root / asked["file"])
        if not any(getattr(m, "__file__", None) == path for m in list(sys.modules.values())):
            return self._run(asked)  # a test imports it when it runs, and finds the mutant in the file
        try:
            made = patch(path, asked["old"], asked["source"], self._live, self._ran.get(asked["file"], set()))
        except NotPatchableError as error:
            return {"code": NOT_PATCHABLE, "why": str(error)}
        items = [self._items[t] for t in asked["tests"]]

        def judged(folder: Path) -> Request:
            made.apply()
            return _run_until_red(self._of(folder), items, folder, shared=self._is_shared)

        return in_a_fork(judged, asked["timeout_s"])

    def _of(self, folder: Path) -> pytest.Session:
        factory = self._session.config._tmp_path_factory  # type: ignore[attr-defined]
        factory._basetemp, factory._given_basetemp = None, folder / "tmp"
        return self._session


class Reds:
    """Plugin that keeps the name of the first test that turns red, and of the one that runs now in `folder`: it is to
    blame if this process does not live to say."""

    def __init__(self, folder: Path) -> None:
        self.first: str | None = None
        self._now = folder / "now"

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._now.write_text(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and self.first is None:
            self.first = report.nodeid


def _run_until_red(session: pytest.Session, items: list[pytest.Item], folder: Path, *, shared: bool) -> Request:
    """What is shared with other runs is not taken down at the end."""
    reds = Reds(folder)
    session.config.pluginmanager.register(reds)
    last: Any = items[-1].parent if shared else None
    for item, following in zip(items, [*items[1:], last], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if reds.first:
            return {"code": 1, "by": reds.first}
    return {"code": 0}


class Fresh:
    """Imports and collects anew for each request {args, tests?, first?}: only `tests`, in their order, or all that the
    arguments name, those whose name contains a text of `first` before others."""

    def __init__(self, args: list[str], tests: list[str] | None, first: Iterable[str] = ()) -> None:
        self._args, self._tests, self._first, self._missing = args, tests, tuple(first), 0

    @staticmethod
    def answer(asked: Request) -> Request:
        """pytest's exit code and the first red test."""
        return in_a_fork(Fresh(asked["args"], asked.get("tests"), asked.get("first", ())).run, asked["timeout_s"])

    def run(self, folder: Path) -> Request:
        """Run pytest in this process."""
        reds = Reds(folder)
        code = pytest.main([*OPTIONS, *QUICK_END, f"--basetemp={folder / 'tmp'}", *self._args], plugins=[self, reds])
        return {"code": int(code), "by": reds.first, "missing": self._missing}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._tests is not None:
            place = {name: k for k, name in enumerate(self._tests)}
            self._missing = len(place.keys() - {i.nodeid for i in items})
            items[:] = sorted((i for i in items if i.nodeid in place), key=lambda i: place[i.nodeid])
        _fewer_of_their_own(items)
        items.sort(key=lambda i: not any(text in i.nodeid for text in self._first))


def split_arguments(args: list[str]) -> tuple[list[str], str]:
    """Paths, and the expression after -k."""
    cut = args.index("-k") if "-k" in args else len(args)
    return args[:cut], " ".join(args[cut + 1 :])


def _lies_in(nodeid: str, path: str) -> bool:
    return nodeid == path or nodeid.startswith((f"{path.rstrip('/')}/", f"{path}::", f"{path}["))


def _third_party() -> list[str]:
    """Modules that were imported from elsewhere, in their order."""
    here = f"{Path.cwd()}/"
    return [n for n, m in list(sys.modules.items()) if not (getattr(m, "__file__", None) or here).startswith(here)]


def _fewer_examples() -> None:
    """A law that a mutant breaks is mostly broken within a few examples; the same ones each time."""
    from hypothesis import settings

    settings.register_profile("mutants", max_examples=FEW, deadline=None, database=None, derandomize=True)
    settings.load_profile("mutants")


def _fewer_of_their_own(items: Iterable[pytest.Item]) -> None:
    """Laws that ask for thousands of examples themselves get some: it is only harder to kill a mutant with fewer."""
    from hypothesis import settings

    for law in (getattr(i, "obj", None) for i in items):
        own = getattr(law, "_hypothesis_internal_use_settings", None)
        if own is not None and own.max_examples > MANY:
            law.__dict__["_hypothesis_internal_use_settings"] = settings(own, max_examples=MANY)


def _imported(names: Iterable[str]) -> None:
    for name in names:
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def main() -> None:
    way, *names = sys.argv[1:]
    talk, start = Talk(), time.monotonic()
    sys.path.insert(0, os.getcwd())
    if way == "collected":
        from mutant_map import watching

        watched = watching(Path.cwd())
        _fewer_examples()
        sys.dont_write_bytecode = False  # what pytest makes of the tests serves those who import them anew
        watched.start()
        pytest.main([*(o for o in OPTIONS if o != "-x"), "-s", *names], plugins=[Collected(talk, watched)])
        return
    _imported((*names, *(OWN if way == "warm" else ())))
    _fewer_examples()
    gc.freeze()
    talk.say({"ready_s": time.monotonic() - start})
    talk.serve(Fresh.answer)


if __name__ == "__main__":
    main()
