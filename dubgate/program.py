"""This program by its own source: a digest over what hears, measures and judges, so that nothing of other code is reused.

A version says less: between two of them the code changes, on a developer's machine many times a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

PACKAGES = ("consent", "dubgate")
_RULES = "dubgate/rulepacks"  # a wheel's alone, and digested wherever they judge
WHOLE = frozenset((_RULES,))
# Folders whose code neither hears, measures nor judges, nor is imported by what does; a test holds this true.
APART = frozenset(
    (
        *("consent/migrations", "consent/web"),
        *("dubgate/cli", "dubgate/disclosure", "dubgate/engine"),
        *("dubgate/pilot", "dubgate/report", "dubgate/service", _RULES),
    )
)
_NO_SOURCE = frozenset(("__pycache__", ".pyc", ".pyo", ".so"))


def code_sha256(apart: frozenset[str] = APART) -> str | None:
    """Over every file of the program's packages but those in the folders `apart`: source, and data that it reads.

    The same wherever it is installed: in a folder, from a wheel, editable, in a zip. None where it cannot be told: the source
    is not there, or is no longer the one that was there when this process asked first; a child would run other code than
    this process has in memory.
    """
    now = _digest(apart)
    return now if now == _first(apart) else None


@cache
def _first(apart: frozenset[str]) -> str | None:
    return _digest(apart)


def _digest(apart: frozenset[str]) -> str | None:
    whole, sources = hashlib.sha256(), set[str]()
    try:
        for package in PACKAGES:
            for name, file in _files(package, files(package), apart):
                data = file.read_bytes()
                whole.update(f"{len(name)} {name} {len(data)}\n".encode() + data)
                sources.add(name)
    except OSError:
        return None
    # What runs is compiled from what lies there: where only the compiled files do, nobody can tell.
    return whole.hexdigest() if {f"{package}/__init__.py" for package in PACKAGES} <= sources else None


def _files(at: str, folder: Traversable, apart: frozenset[str]) -> Iterator[tuple[str, Traversable]]:
    for inner in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = f"{at}/{inner.name}"
        if inner.name in _NO_SOURCE or name in apart or inner.name.endswith(tuple(_NO_SOURCE)):
            continue
        if inner.is_dir():
            yield from _files(name, inner, apart)
        else:
            yield name, inner
