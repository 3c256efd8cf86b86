"""What became of mutants, kept outside the tree, so that a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from mutate import Mutant

PROGRAM = ("dubgate", "consent", "rules", "tests")


def cache_folder() -> Path:
    """Where the record lies unless told."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "dubgate-mutants"


class Record:
    """One line a mutant in a file that only grows; errors are never kept."""

    def __init__(self, folder: Path, root: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file, self._map, self._root = folder / "record.jsonl", folder / "map.json", root
        self.tree = digest_of(path for name in PROGRAM for path in _texts(root / name) if not _makes_mutants(path))
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        self._known = {one["key"]: one for one in map(_parsed, lines) if one}
        killed = [o for o in map(_parsed, lines) if o and o.get("by") and o["outcome"].startswith("killed")]
        self._killers = {n: o["by"] for o in killed for n in (o["name"], _without_line(o["name"]))}

    def key(self, mutant: Mutant, old: str, new: str) -> str:
        """The file before and after, the tests, and what the tests are made of."""
        said = json.dumps([mutant.file, old, new, mutant.tests, self._made_of(mutant.tests)])
        return hashlib.sha256(said.encode()).hexdigest()

    def key_alone(self, kind: str, test: str, *, today: bool) -> str:
        """Of a test that ran unchanged and alone."""
        of = self.tree if today else self._made_of((test.partition("::")[0],))
        return hashlib.sha256(json.dumps(["alone", kind, test, of]).encode()).hexdigest()

    def find(self, key: str) -> dict[str, Any] | None:
        """What is known of this mutant."""
        return self._known.get(key)

    def killer(self, name: str) -> str | None:
        """The test that killed the mutant of this name the last time, wherever its line was then."""
        return self._killers.get(name) or self._killers.get(_without_line(name))

    def keep(self, key: str, result: dict[str, Any]) -> None:
        """Add a line at once; a run may end at any moment."""
        with self._file.open("a", encoding="utf-8") as file:
            print(json.dumps({"key": key, "tree": self.tree, **result}), file=file)
        self._known[key] = {"tree": self.tree, **result}

    def known_maps(self) -> dict[str, dict[str, Any]]:
        """Test file → which test runs which line, where neither the test nor what it ran has changed since."""
        kept = (_parsed(self._map.read_text()) if self._map.exists() else None) or {}
        return {file: one for file, one in kept.get("maps", {}).items() if one.get("of") == self._ran_by(file, one)}

    def keep_maps(self, maps: dict[str, dict[str, Any]]) -> None:
        """For the next run."""
        part = self._map.with_suffix(".part")
        of = {file: one | {"of": self._ran_by(file, one)} for file, one in maps.items()}
        part.write_text(json.dumps({"maps": of}))
        part.replace(self._map)

    def _ran_by(self, file: str, one: dict[str, Any]) -> str:
        """A digest of all that these tests ran; of the whole tree where they start processes, which nobody watches."""
        if any(test["starts"] for test in one["tests"].values()):
            return self.tree
        own = [p for name in one["lines"] if (p := self._root / name).exists()]
        return digest_of([*own, *_texts(self._root / "rules")]) + self._made_of((file,))

    @cache  # noqa: B019  one record a run
    def _made_of(self, tests: tuple[str, ...]) -> str:
        """A digest of these tests, of the modules beside tests that they use, what these use, and of all data."""
        beside = _texts(self._root / "tests")
        named = {p for p in beside if p.name.startswith("test_") and _is_named(p, tests, self._root)}
        own, new = set(), named | {c for p in named for f in p.parents if (c := f / "conftest.py") in beside}
        while new:
            own |= new
            used = {name for p in new for name in _used(p)}
            new = {p for p in beside if p.stem in used and p.suffix == ".py"} - own
        return digest_of({p for p in own if not _makes_mutants(p)} | {p for p in beside if p.suffix != ".py"})


def digest_of(paths: Iterable[Path]) -> str:
    """One digest of names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(f"{path.parent.name}/{path.name} {_digest(path)}\n".encode())
    return total.hexdigest()


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def _texts(folder: Path) -> tuple[Path, ...]:
    kinds = {".py", ".yaml", ".json", ".html", ".j2", ".css", ".js", ".toml", ".csv", ".txt", ".mako"}
    return tuple(p for p in sorted(folder.rglob("*")) if p.suffix in kinds and "__pycache__" not in p.parts)


@cache
def _used(path: Path) -> frozenset[str]:
    """Modules that a file may import or start: every one that it names in an import, or as a file."""
    text = path.read_text(encoding="utf-8")
    imports = re.findall(r"^\s*(?:from|import) ([\w., ]+)", text, re.M)
    return frozenset([*re.findall(r"\w+", " ".join(imports)), *re.findall(r"(\w+)\.py\b", text)])


def _is_named(path: Path, tests: tuple[str, ...], root: Path) -> bool:
    name = str(path.relative_to(root))
    return any(name == t.partition("::")[0] or name.startswith(f"{t}/") for t in tests)


def _without_line(name: str) -> str:
    """A mutant's name says where it stood; the next line that somebody writes above it moves it."""
    return re.sub(r"(\.py):\d+ ", r"\1 ", name)


def _makes_mutants(path: Path) -> bool:
    return path.name.startswith(("mutant", "mutate", "test_mutant")) and path.name != "mutant_map.py"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):  # the last line of a run that was killed
        return None
