"""`make mutants` itself: it kills what a test notices, says what none notices, and tells its own errors apart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mutant_order import Order
from mutant_patch import NotPatchableError, changed_lines, live_functions, patch
from mutant_record import Record
from mutant_trees import Result
from mutants import NotJudgedError, all_judged, known_and_left, tasks_of
from mutate import Mutant, replaced

HERE = Path(__file__).parent

PROGRAM = '''"""Marks."""

TOP = {"pass": 1, "fail": 0}
MADE = str(len("four"))


def passed(mark: int) -> bool:
    if mark < 0:
        return False
    return mark >= 5


def unused(mark: int) -> bool:
    return mark == 3


def counted(marks: list[int]) -> int:
    n = 0
    while n < len(marks):
        n += 1
    return n


def child() -> str:
    return "of the child"


if __name__ == "__main__":
    print(child())
'''
TESTS = """import subprocess, sys

import pytest
from dubgate import marks


@pytest.fixture(scope="module")
def shared():
    return marks.counted([1, 2])


def test_a_mark_passes():
    assert marks.passed(5)


def test_a_negative_mark_does_not():
    assert not marks.passed(-1)


def test_the_table():
    assert marks.TOP["pass"] == 1


def test_first_of_two(shared):
    assert shared


def test_second_of_two(shared):
    assert shared == 2


def test_the_child():
    assert subprocess.check_output([sys.executable, "-m", "dubgate.marks"]) == b"of the child\\n"
"""
FOLDERS = """import pytest
from dubgate import marks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


def test_an_empty_folder(folder):
    assert not [*folder.iterdir()]
    (folder / "left").write_text("")
    assert not marks.unused(5)
"""
NAMED = ("tests/test_marks.py",)
FILE = "dubgate/marks.py"


def mutant(name: str, old: str, new: str, tests: tuple[str, ...] = NAMED) -> Mutant:
    return Mutant(f"made: {name}", FILE, tests, replaced(old, new))


MUTANTS = (
    mutant("noticed", "return mark >= 5", "return mark >= 6"),
    mutant("unnoticed", "    if mark < 0:\n", "    if False:\n"),
    mutant("never run", "mark == 3", "mark == 4"),
    mutant("a table", '"pass": 1', '"pass": 2'),
    mutant("in a shared fixture", "n = 0\n", "n = 3\n"),
    mutant("hangs", "n += 1", "n += 0"),
    mutant("only in a child", '"of the child"', '"of nobody"'),
    mutant("does not load", '"four"', "four"),
)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """No waiting for what hangs, and none of pytest's other plugins."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("mutant_order.LEAST_TIMEOUT_S", 3.0)
        patched.setattr("mutant_trees.IMPORT_S", 20.0)
        patched.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        yield


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one module and one file of tests, with the runner's own files."""
    root = tmp_path_factory.mktemp("project")
    for name in ("dubgate", "consent", "rules", "tests"):
        (root / name).mkdir()
    (root / "dubgate/__init__.py").write_text("")
    (root / FILE).write_text(PROGRAM)
    (root / "tests/test_marks.py").write_text(TESTS)
    (root / "tests/test_folders.py").write_text(FOLDERS)
    (root / "tests/test_red.py").write_text("def test_red():\n    assert 1 == 2\n")
    (root / "tests/test_broken.py").write_text("import nothing_of_this_name\n")
    (root / "pyproject.toml").write_text("[tool.pytest.ini_options]\nmarkers = ['slow: slow']\n")
    for file in HERE.glob("mutant_*.py"):
        shutil.copy(file, root / "tests")
    return root


@pytest.fixture(scope="module")
def judged(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    record = Record(tmp_path_factory.mktemp("record"), tree)
    results = all_judged(tasks_of(MUTANTS, record, tree), record, 1, tree)
    return {r.mutant.name.removeprefix("made: "): r for r in results}


def test_what_a_test_notices_is_killed_and_the_test_is_named(judged: dict[str, Result]) -> None:
    assert judged["noticed"].outcome == "killed"
    assert judged["noticed"].way == "patched"
    assert judged["noticed"].by == "tests/test_marks.py::test_a_mark_passes"


@pytest.mark.parametrize("name", ["unnoticed", "never run"])
def test_what_no_test_notices_survives(judged: dict[str, Result], name: str) -> None:
    assert judged[name].outcome == "survived"


def test_what_runs_at_import_is_imported_anew(judged: dict[str, Result]) -> None:
    assert judged["a table"].outcome == "killed"
    assert judged["a table"].way == "imported"


def test_a_test_is_known_by_the_lines_of_the_fixtures_it_shares(judged: dict[str, Result]) -> None:
    assert judged["in a shared fixture"].by == "tests/test_marks.py::test_second_of_two"
    assert judged["in a shared fixture"].way == "patched"


def test_what_hangs_is_killed_and_said_to_hang(judged: dict[str, Result]) -> None:
    assert judged["hangs"].outcome == "killed (hung)"


def test_what_runs_in_another_process_only_is_killed_by_the_tests_that_start_one(judged: dict[str, Result]) -> None:
    assert judged["only in a child"].by == "tests/test_marks.py::test_the_child"


def test_what_does_not_load_is_killed_and_said_so(judged: dict[str, Result]) -> None:
    assert judged["does not load"].outcome == "killed (does not load)"


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (("tests/test_red.py",), "test_red is red before any change"),
        (("tests/test_broken.py",), "cannot be collected before any change"),
        ((*NAMED, "-k", "nothing_like_it"), "no test is named by"),
    ],
)
def test_what_is_wrong_before_any_change_is_no_kill(
    tree: Path, tmp_path: Path, tests: tuple[str, ...], said: str
) -> None:
    record = Record(tmp_path, tree)
    asked = tasks_of([replace(MUTANTS[0], tests=tests)], record, tree)
    with pytest.raises(NotJudgedError, match=said):
        all_judged(asked, record, 1, tree)


FOLDER_LEFT = "tests/test_folders.py::test_an_empty_folder"


def said_of(name: str, by: str) -> dict[str, object]:
    return {"name": f"made: {name}", "outcome": "killed", "by": by, "way": "patched", "took_s": 1.0}


@pytest.fixture(scope="module")
def remembered(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """Judged where a record of other lines names a killer of each, right or wrong."""
    folder = tmp_path_factory.mktemp("remembered")
    old = Record(folder, tree)
    slow, other = "tests/test_marks.py::test_the_child", "tests/test_marks.py::test_the_table"
    for name, by in (("noticed", other), ("only in a child", slow), ("a table", other), ("unnoticed", FOLDER_LEFT)):
        old.keep(f"key of {name}", said_of(name, by))
    for name in ("hangs", "in a shared fixture"):
        old.keep(f"key of {name}", said_of(name, "tests/test_marks.py::test_second_of_two"))
    record = Record(folder, tree)
    asked = [replace(m, tests=(*NAMED, "tests/test_folders.py")) for m in MUTANTS[:7]]
    results = all_judged(tasks_of(asked, record, tree), record, 1, tree)
    return {r.mutant.name.removeprefix("made: "): r for r in results}


def test_the_test_that_killed_before_kills_again(remembered: dict[str, Result]) -> None:
    assert remembered["only in a child"].by == "tests/test_marks.py::test_the_child"
    assert remembered["only in a child"].way == "shared"
    assert remembered["a table"].by == "tests/test_marks.py::test_the_table"
    assert remembered["hangs"].outcome == "killed (hung)"
    assert remembered["hangs"].by == "tests/test_marks.py::test_second_of_two"


def test_what_was_made_with_the_changed_line_is_made_anew(remembered: dict[str, Result]) -> None:
    assert remembered["in a shared fixture"].by == "tests/test_marks.py::test_second_of_two"
    assert remembered["in a shared fixture"].way == "patched"


def test_what_a_run_left_in_what_is_shared_kills_no_mutant_after_it(remembered: dict[str, Result]) -> None:
    assert remembered["unnoticed"].outcome == "survived"


def test_what_killed_before_and_does_not_today_leaves_it_to_all_others(remembered: dict[str, Result]) -> None:
    assert remembered["noticed"].by == "tests/test_marks.py::test_a_mark_passes"


def test_a_killer_is_known_wherever_its_line_moved(tree: Path, tmp_path: Path) -> None:
    Record(tmp_path, tree).keep("a", said_of("dubgate/marks.py:9 without `if mark < 0`", "tests/test_marks.py::test_x"))
    name = "made: dubgate/marks.py:11 without `if mark < 0`"
    assert Record(tmp_path, tree).killer(name) == "tests/test_marks.py::test_x"


ORDERED = """from dubgate import marks
seen = []


def test_before():
    seen.append(1)


def test_that_needs_another():
    assert seen and marks.passed(5)
"""


@pytest.mark.parametrize("by", ["", "tests/test_ordered.py::test_that_needs_another"])
def test_what_is_red_alone_before_any_change_is_no_killer(tree: Path, tmp_path: Path, by: str) -> None:
    (tree / "tests/test_ordered.py").write_text(ORDERED)
    if by:
        Record(tmp_path, tree).keep("before", said_of("noticed", by))
    record = Record(tmp_path, tree)
    (result,) = all_judged(
        tasks_of([replace(MUTANTS[0], tests=("tests/test_ordered.py",))], record, tree), record, 1, tree
    )
    assert result.outcome == "error: tests/test_ordered.py::test_that_needs_another is red alone before any change"


def test_a_result_holds_until_the_test_or_what_it_uses_has_changed(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for name, text in (("test_a", "from made import x"), ("made", "import deeper"), ("deeper", ""), ("apart", "")):
        (tests / f"{name}.py").write_text(text)
    (tests / "test_other.py").write_text("")

    def key_after(file: str) -> str:
        copy = tmp_path / f"changed-{file}"
        shutil.copytree(tests, copy / "tests")
        (copy / "tests" / file).write_text("import changed")
        return Record(tmp_path / "record", copy).key(replace(MUTANTS[0], tests=("tests/test_a.py",)), "old", "new")

    before = key_after("none.py")
    assert {f: key_after(f) != before for f in ("test_a.py", "deeper.py", "apart.py", "test_other.py")} == {
        "test_a.py": True,
        "deeper.py": True,
        "apart.py": False,
        "test_other.py": False,
    }


def test_a_run_goes_on_where_it_stopped_and_judges_again_what_has_changed(tree: Path, tmp_path: Path) -> None:
    record = Record(tmp_path, tree)
    tasks = tasks_of(MUTANTS, record, tree)
    record.keep(tasks[0].key, {"name": tasks[0].mutant.name, "outcome": "killed", "by": "", "took_s": 1.0})
    with (tmp_path / "record.jsonl").open("a") as file:
        file.write('{"key": "cut sh')  # the run was killed while it wrote
    known, left = known_and_left(tasks, Record(tmp_path, tree), again=False)
    assert [r.mutant.name for r in known] == ["made: noticed"]
    assert left == tasks[1:]
    assert known_and_left(tasks, Record(tmp_path, tree), again=True)[1] == tasks
    other = [replace(MUTANTS[0], change=replaced("return mark >= 5", "return mark >= 7"))]
    assert known_and_left(tasks_of(other, record, tree), Record(tmp_path, tree), again=False)[0] == []


# --- putting a mutant into the imported program ------------------------------------------------------------------------

SOURCE = """from functools import cache, wraps

LIMIT = 5


def twice(function):
    @wraps(function)
    def both(*arguments):
        return function(*arguments) + function(*arguments)

    return both


@cache
def kept(n):
    return n + 1


@twice
def three(n):
    return n * 3


class Thing:
    size = 4

    def doubled(self):
        return super().__hash__() * 0 + self.size * 2


TWO = kept(1)
"""


def imported(tmp_path: Path) -> tuple[str, dict[str, object]]:
    path = tmp_path / "made.py"
    path.write_text(SOURCE)
    names: dict[str, object] = {}
    exec(compile(SOURCE, str(path), "exec", dont_inherit=True), names)
    return str(path), names


@pytest.mark.parametrize(
    ("old", "new", "asked", "answer"),
    [
        ("return n * 3", "return n * 4", "three(1)", 8),
        ("function(*arguments) + function", "function(*arguments) - function", "three(1)", 0),
        ("self.size * 2", "self.size * 3", "Thing().doubled()", 12),
    ],
)
def test_a_changed_function_runs_changed_for_everybody_who_holds_it(
    tmp_path: Path, old: str, new: str, asked: str, answer: int
) -> None:
    path, names = imported(tmp_path)
    patch(path, SOURCE, SOURCE.replace(old, new), live_functions([str(tmp_path)]), set()).apply()
    assert eval(asked, names) == answer


@pytest.mark.parametrize(
    ("old", "new", "ran"),
    [
        ("LIMIT = 5", "LIMIT = 6", set()),
        ("size = 4", "size = 5", set()),
        ("return n + 1", "return n + 2", {16}),  # TWO was made of it
        ("def kept(n)", "def kept(n=1)", set()),
        ("    return both", "    return function", {11}),
        ("super().__hash__() * 0 + ", "", set()),  # no longer a closure over its class
    ],
)
def test_what_could_differ_from_an_import_is_not_patched(tmp_path: Path, old: str, new: str, ran: set[int]) -> None:
    path, _ = imported(tmp_path)
    with pytest.raises(NotPatchableError):
        patch(path, SOURCE, SOURCE.replace(old, new), live_functions([str(tmp_path)]), ran)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("return n * 3", "return 0", range(21, 22)),
        ("LIMIT = 5\n", "", range(3, 4)),
        ("    @wraps(function)\n", "", range(7, 9)),
        ("def kept(n)", "def kept(n=1)", range(14, 16)),
    ],
)
def test_changed_lines_are_whole_statements(old: str, new: str, lines: range) -> None:
    assert changed_lines(SOURCE, SOURCE.replace(old, new)) == lines


def test_tests_that_run_the_line_come_first_then_those_near_it_then_what_starts_processes() -> None:
    def known(seconds: float, *, starts: bool = False) -> dict[str, object]:
        return {"seconds": seconds, "starts": starts, "fixtures": []}

    tests = {
        "a::slow": known(3),
        "a::fast": known(1),
        "b::near": known(1),
        "b::far": known(0),
        "c::child": known(0, starts=True),
    }
    lines = {"f.py": {"a::slow": [2], "a::fast": [2], "b::near": [1, 3]}}
    order = Order([{"tests": tests, "lines": lines, "fixture_s": {}}])
    plan = order.plan("f.py", "def f():\n    x = 1\n    y = 2\n", "def f():\n    x = 2\n    y = 2\n", [*sorted(tests)])
    assert plan.covering == ("a::fast", "a::slow")
    assert plan.rest == ("b::near", "c::child", "b::far")
