"""What became of mutants, kept outside the tree, so that a run that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import json
import os
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

    def key(self, mutant: Mutant, old: str, new: str) -> str:
        """The file before and after, the tests, and what the tests are made of."""
        tests = digest_of(p for p in _texts(self._root / "tests") if _counts(p, mutant.tests, self._root))
        said = json.dumps([mutant.file, old, new, mutant.tests, tests])
        return hashlib.sha256(said.encode()).hexdigest()

    def find(self, key: str) -> dict[str, Any] | None:
        """What is known of this mutant."""
        return self._known.get(key)

    def keep(self, key: str, result: dict[str, Any]) -> None:
        """Add a line at once; a run may end at any moment."""
        with self._file.open("a", encoding="utf-8") as file:
            print(json.dumps({"key": key, "tree": self.tree, **result}), file=file)

    def known_maps(self) -> dict[str, dict[str, Any]]:
        """Test file → which test runs which line, where it was found out on this very tree."""
        kept = _parsed(self._map.read_text()) if self._map.exists() else None
        return kept["maps"] if kept and kept.get("tree") == self.tree else {}

    def keep_maps(self, maps: dict[str, dict[str, Any]]) -> None:
        """For the next run on this tree."""
        part = self._map.with_suffix(".part")
        part.write_text(json.dumps({"tree": self.tree, "maps": maps}))
        part.replace(self._map)


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


def _counts(path: Path, tests: tuple[str, ...], root: Path) -> bool:
    """Named tests, and everything beside tests that they may use; not what makes mutants."""
    name = str(path.relative_to(root))
    if path.name.startswith("test_"):
        return any(name == t.partition("::")[0] or name.startswith(f"{t}/") for t in tests)
    return not _makes_mutants(path)


def _makes_mutants(path: Path) -> bool:
    return path.name.startswith(("mutant", "mutate", "test_mutant")) and path.name != "mutant_map.py"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError):  # the last line of a run that was killed
        return None
