"""Ways to break a source file or a rule pack, each in one place; for `make mutants`."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Change = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change to one file and the tests of which one must turn red."""

    name: str  # "group: what is broken"
    file: str
    tests: tuple[str, ...]
    change: Change

    @property
    def group(self) -> str:
        return self.name.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant that no test can tell from the program, and why: what else makes sure of the same."""

    file: str
    within: str  # the function that is changed
    change: str  # the name of the mutant without its place: "without `if …`"
    why: str

    def is_of(self, mutant: Mutant, source: str) -> bool:
        """Whether this row is about that mutant."""
        return (
            mutant.file == self.file
            and mutant.name.endswith(self.change)
            and _function_at(source, mutant.change(source)) == self.within
        )


def _function_at(old: str, new: str) -> str:
    """The innermost function around the first line that differs."""
    lines = zip(old.splitlines(), new.splitlines(), strict=False)
    line = next((k for k, (a, b) in enumerate(lines, 1) if a != b), 0)
    around = [
        n
        for n in ast.walk(ast.parse(old))
        if isinstance(n, ast.FunctionDef) and n.lineno <= line <= (n.end_lineno or n.lineno)
    ]
    return max(around, key=lambda n: n.lineno).name if around else ""


def replaced(old: str, new: str) -> Change:
    """Replace a text that stands in the file exactly once; anything else is a stale entry."""

    def change(source: str) -> str:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in the file")
        return source.replace(old, new)

    return change


def cut(start: int, end: int, new: str) -> Change:
    """Replace the characters from `start` to `end`."""
    return lambda source: source[:start] + new + source[end:]


def _offsets(source: str) -> list[int]:
    """Where each line starts, in UTF-8 bytes."""
    out, at = [0], 0
    for line in source.encode().splitlines(keepends=True):
        at += len(line)
        out.append(at)
    return out


def _span(node: ast.AST, source: str) -> tuple[int, int]:
    """First and last character of a node; ast counts bytes in a line."""
    lines, data = _offsets(source), source.encode()
    assert isinstance(node, ast.expr | ast.stmt)
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    first = lines[node.lineno - 1] + node.col_offset
    last = lines[node.end_lineno - 1] + node.end_col_offset
    return len(data[:first].decode()), len(data[:last].decode())


def without_guards(root: Path, file: str, tests: tuple[str, ...], group: str) -> Iterator[Mutant]:
    """Each `if` whose body only raises, returns, yields or continues never holds: the guard is gone."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.If) and isinstance(node.body[-1], ast.Raise | ast.Return | ast.Continue):
            start, end = _span(node.test, source)
            test = " ".join(source[start:end].split())
            yield Mutant(
                f"{group}: {file}:{node.lineno} without `if {test[:70]}`", file, tests, cut(start, end, "False")
            )


def without_yields(root: Path, file: str, tests: tuple[str, ...], group: str) -> Iterator[Mutant]:
    """Each `if` whose body yields a reason, a problem or a finding never holds: nothing is said."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        last = node.body[-1] if isinstance(node, ast.If) else None
        if isinstance(last, ast.Expr) and isinstance(last.value, ast.Yield | ast.YieldFrom):
            assert isinstance(node, ast.If)
            start, end = _span(node.test, source)
            test = " ".join(source[start:end].split())
            yield Mutant(
                f"{group}: {file}:{node.lineno} says nothing if `{test[:60]}`", file, tests, cut(start, end, "False")
            )


def without_calls(root: Path, file: str, tests: tuple[str, ...], group: str, about: str) -> Iterator[Mutant]:
    """Each statement that calls a function whose name is like `about` (a regular expression) is left out."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        start, end = _span(node, source)
        if re.fullmatch(about, ast.unparse(node.value.func)):
            yield Mutant(
                f"{group}: {file}:{node.lineno} without {source[start:end][:60]}", file, tests, cut(start, end, "pass")
            )


def with_checks_passed(root: Path, file: str, tests: tuple[str, ...], group: str) -> Iterator[Mutant]:
    """Each finding that a check fails, or leaves open, says that it passed."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
            continue
        check = node.args[0].value if isinstance(node.args[0], ast.Constant) else ast.unparse(node.args[0])
        if node.func.id == "failed":
            start, end = _span(node.func, source)
            yield Mutant(f"{group}: {file}:{node.lineno} {check} never fails", file, tests, cut(start, end, "passed"))
        for argument in node.args[1:]:
            if node.func.id == "said" and ast.unparse(argument) in ("Outcome.UNKNOWN", "Outcome.HOLD", "Outcome.BLOCK"):
                start, end = _span(argument, source)
                name = f"{group}: {file}:{node.lineno} {check} is never open"
                yield Mutant(name, file, tests, cut(start, end, "Outcome.PASS"))


def with_softer_rows(root: Path, file: str, tests: tuple[str, ...], group: str) -> Iterator[Mutant]:
    """Each row of the table of checks only warns."""
    source = (root / file).read_text(encoding="utf-8")
    for match in re.finditer(r'Check\("([A-Z]+-\d+)", \w+, (\w+|Outcome\.\w+),', source):
        yield Mutant(f"{group}: {match[1]} only passes", file, tests, cut(match.start(2), match.end(2), "Outcome.PASS"))


def without_equality(root: Path, file: str, tests: tuple[str, ...], group: str, about: str) -> Iterator[Mutant]:
    """Each comparison by == or != that mentions `about` (a regular expression) always finds both sides equal."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)):
            continue
        text = ast.unparse(node)
        if re.search(about, text):
            start, end = _span(node, source)
            equal = "True" if isinstance(node.ops[0], ast.Eq) else "False"
            yield Mutant(
                f"{group}: {file}:{node.lineno} takes `{text[:70]}` for equal", file, tests, cut(start, end, equal)
            )


def without_verification(root: Path, file: str, tests: tuple[str, ...], group: str) -> Iterator[Mutant]:
    """Each statement that calls a `verify` does nothing."""
    source = (root / file).read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
            continue
        called = node.value.func
        if isinstance(called, ast.Attribute) and called.attr == "verify":
            yield Mutant(
                f"{group}: {file}:{node.lineno} verifies nothing", file, tests, cut(*_span(node, source), "pass")
            )


_RULE = re.compile(r"^  - id: (\S+)\n(?:(?!  - id: ).*\n)*", re.MULTILINE)
_BOUND = re.compile(r"(at_least|at_most): (-?[\d.]+)( [^},]+)?")
_NEVER, _ALWAYS = "'label.planned && !label.planned'", "'delivery.synthetic || !delivery.synthetic'"
_SOFTER = {"block": "hold", "hold": "warn"}


def of_pack(root: Path, file: str, tests: tuple[str, ...]) -> Iterator[Mutant]:
    """Each rule of a pack removed, softened, loosened at each bound, or made to ask nothing."""
    source = (root / file).read_text(encoding="utf-8")
    pack = Path(file).stem
    for rule in _RULE.finditer(source):
        name, start = f"rules: {pack} {rule[1]}", rule.start()
        yield Mutant(f"{name} removed", file, tests, cut(start, rule.end(), ""))
        for key in re.finditer(
            r"^    (severity|require|prefer|within|block_when|applies|instead|effective): (.+)$", rule[0], re.M
        ):
            yield from _of_key(name, file, tests, start, key)
        for exemption in re.finditer(r"^      - id: (\S+)\n        when: (.+)$", rule[0], re.M):
            where = (start + exemption.start(2), start + exemption.end(2))
            yield Mutant(f"{name} exempts nobody by {exemption[1]}", file, tests, cut(*where, _NEVER))
            yield Mutant(f"{name} exempts everybody by {exemption[1]}", file, tests, cut(*where, _ALWAYS))
    for term in re.finditer(r"^(chosen_by|effective|sign_offs): .+\n", source, re.M):
        yield Mutant(f"rules: {pack} without {term[1]}", file, tests, cut(term.start(), term.end(), ""))


def _of_key(name: str, file: str, tests: tuple[str, ...], start: int, key: re.Match[str]) -> Iterator[Mutant]:
    at, end = start + key.start(2), start + key.end(2)
    if key[1] == "severity" and key[2] in _SOFTER:
        yield Mutant(f"{name} only {_SOFTER[key[2]]}s", file, tests, cut(at, end, _SOFTER[key[2]]))
    elif key[1] in ("block_when", "instead", "effective"):
        line = start + key.start()
        yield Mutant(f"{name} without {key[1]}", file, tests, cut(line, end + 1, ""))
    elif key[1] == "applies":
        yield Mutant(f"{name} never applies", file, tests, cut(at, end, _NEVER))
    elif key[2].startswith("'"):
        yield Mutant(f"{name} asks nothing", file, tests, cut(at, end, _ALWAYS))
    else:
        for bound in _BOUND.finditer(key[2]):
            value = "-1000000" if bound[1] == "at_least" else "1000000"
            where = (at + bound.start(2), at + bound.end(2))
            yield Mutant(f"{name} {key[1]} without {bound[1]}", file, tests, cut(*where, value))
