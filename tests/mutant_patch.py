"""Puts a mutant into a program that is already imported: the code of the functions it changes, and nothing else.

Only where that is the same as importing the changed file: what runs at import is equal, no changed line has run yet,
and every function that changed is found. Anything else answers why not, and the mutant is imported from the start.
"""

from __future__ import annotations

import ast
import gc
import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType

Pair = tuple[CodeType, CodeType]
Key = tuple[str, int]


class NotPatchableError(Exception):
    """Why this change must be imported from the start."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Functions and the code that each is to run."""

    functions: tuple[tuple[FunctionType, CodeType], ...]

    def apply(self) -> None:
        """Change the functions where they are; whoever holds them runs the mutant."""
        for function, code in self.functions:
            function.__code__ = code


def live_functions(folders: Iterable[str]) -> dict[str, list[FunctionType]]:
    """Every function that now exists, by the file under one of `folders` that it was written in."""
    found: dict[str, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename.startswith(tuple(folders)):
            found.setdefault(thing.__code__.co_filename, []).append(thing)
    return found


def patch(path: str, old: str, new: str, live: Mapping[str, list[FunctionType]], ran: set[int]) -> Patch:
    """The patch that turns the imported file `path` from `old` into `new`; `ran` are its lines that ran already.

    Raises:
        NotPatchableError: where the patched program could differ from one that imported `new`.
    """
    where = changed_lines(old, new)
    if ran & _in_functions(ast.parse(old), where):
        raise NotPatchableError("a changed line ran while the program was imported or the tests were collected")
    functions = live.get(path, [])
    by_key: dict[Key, list[FunctionType]] = {}
    for function in functions:
        by_key.setdefault(_key(function.__code__), []).append(function)
    changed = [(a, b) for a, b in _pairs(_compiled(old, path), _compiled(new, path), by_key) if a != b]
    return Patch(tuple(_replacements(changed, by_key)))


def changed_lines(old: str, new: str) -> range:
    """The lines of `old` from the first to the last that is different in `new`, widened to whole statements."""
    a, b = old.splitlines(), new.splitlines()
    shorter = min(len(a), len(b))
    head = next((k for k in range(shorter) if a[k] != b[k]), shorter)
    tail = next((k for k in range(shorter - head) if a[-1 - k] != b[-1 - k]), shorter - head)
    first, last = head + 1, max(head + 1, len(a) - tail)
    return _whole_statements(ast.parse(old), first, last)


def function_lines(source: str, where: range) -> range:
    """The lines of the innermost function around `where`, or `where` itself."""
    around = [
        range(n.lineno, (n.end_lineno or n.lineno) + 1)
        for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n.lineno <= where.start
    ]
    inside = [r for r in around if where[-1] in r]
    return min(inside, key=len) if inside else where


def _whole_statements(tree: ast.Module, first: int, last: int) -> range:
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        body = [node.cases[0].pattern] if isinstance(node, ast.Match) else getattr(node, "body", None)
        starts = _first_line(node)
        head_ends = max(node.lineno, _first_line(body[0]) - 1) if body else node.end_lineno or node.lineno
        if starts <= last and head_ends >= first and not isinstance(node, ast.ClassDef):
            first, last = min(first, starts), max(last, head_ends)
    return range(first, last + 1)


def _first_line(node: ast.stmt | ast.pattern) -> int:
    """Decorators stand before the line that ast gives."""
    return min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])


def _in_functions(tree: ast.Module, where: range) -> set[int]:
    """Those of the lines that a call runs, and not the import of the module."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inside |= set(range(_first_line(node.body[0]), (node.end_lineno or node.lineno) + 1))
        elif isinstance(node, ast.Lambda | ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp):
            inside |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return inside & set(where)


def _compiled(source: str, path: str) -> CodeType:
    return compile(source, path, "exec", dont_inherit=True)


def _key(code: CodeType) -> Key:
    return code.co_qualname, code.co_firstlineno


def _nested(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]


def _pairs(old: CodeType, new: CodeType, live: Mapping[Key, object]) -> Iterator[Pair]:
    """Each function's code before and after, of a module or class body that does the same at import."""
    if not _same_but_nested(old, new):
        raise NotPatchableError(f"{old.co_name} does something else when it is imported")
    for a, b in zip(_nested(old), _nested(new), strict=True):
        if a.co_name != b.co_name:
            raise NotPatchableError(f"{a.co_name} has become {b.co_name}")
        yield from _of_function(a, b, live) if a.co_flags & inspect.CO_OPTIMIZED else _pairs(a, b, live)


def _of_function(old: CodeType, new: CodeType, live: Mapping[Key, object]) -> Iterator[Pair]:
    yield old, new
    before, after = _nested(old), _nested(new)
    if [c.co_name for c in before] == [c.co_name for c in after]:
        for a, b in zip(before, after, strict=True):
            yield from _of_function(a, b, live)
    elif any(_key(c) in live for c in _all_nested(old)):
        raise NotPatchableError(f"a function made by {old.co_name} is in use already")


def _all_nested(code: CodeType) -> Iterator[CodeType]:
    for c in _nested(code):
        yield c
        yield from _all_nested(c)


def _same_but_nested(old: CodeType, new: CodeType) -> bool:
    return _own(old) == _own(new)


def _own(code: CodeType) -> tuple[object, ...]:
    """What a code object does itself, without the functions in it and without its place in the file."""
    consts = tuple("code" if isinstance(c, CodeType) else (type(c), repr(c)) for c in code.co_consts)
    return (
        code.co_code,
        consts,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        code.co_exceptiontable,
    )


def _replacements(
    changed: Iterable[Pair], live: Mapping[Key, list[FunctionType]]
) -> Iterator[tuple[FunctionType, CodeType]]:
    seen: set[Key] = set()
    for old, new in changed:
        if _key(old) in seen and _key(old) in live:
            raise NotPatchableError(f"two functions {old.co_qualname} in one line")
        seen.add(_key(old))
        for function in live.get(_key(old), ()):
            if function.__code__ != old:
                raise NotPatchableError(f"{old.co_qualname} is not the one in the file")
            if old.co_freevars != new.co_freevars:
                raise NotPatchableError(f"{old.co_qualname} uses other variables from outside")
            yield function, new
