"""What a delivery inherits: `extends:` names a series file in the delivery's folder, which may extend another.

The delivery wins. Mappings merge key by key; lists are replaced, but the cast merges by character or group; `null`
takes an inherited value away. Every path in either file counts from the delivery's folder.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from dubgate.delivery.inside import resolve_inside
from dubgate.errors import ManifestError
from dubgate.strict_yaml import Document, StrictYamlError, YamlPath, read_yaml

MAX_FILES = 5


def read_merged(path: Path, root: Path) -> tuple[Document, tuple[tuple[Path, str], ...]]:
    """The manifest with all that it inherits, each value at the place where it stands.

    With it the files that were read and their SHA-256, nearest first.

    Raises:
        ManifestError: a file is not strict YAML, leaves the folder, inherits from itself, or the chain is too long.
    """
    document = _read(path)
    files = {path.resolve(): document.sha256}
    while (extends := document.data.get("extends")) is not None:
        where = document.where(("extends",))
        target = _series_file(extends, root, where)
        if target in files:
            raise ManifestError("the file inherits from itself", where=where)
        if len(files) >= MAX_FILES:
            raise ManifestError(f"more than {MAX_FILES} files inherit from each other", where=where)
        series = _read(target)
        files[target] = series.sha256
        document = merged(series, _without(document, "extends"))
    return document, tuple(files.items())


def _read(path: Path) -> Document:
    try:
        document = read_yaml(path)
    except StrictYamlError as error:
        raise ManifestError(error.what, where=error.where, remedy=error.remedy or _remedy(path)) from None
    if not isinstance(document.data, dict):
        raise ManifestError(
            "a manifest is a mapping of keys to values",
            where=document.where(),
            remedy="Name the delivery.yaml; `dubgate init ORIGINAL DUB SCRIPT` drafts one.",
        )
    return document


def _remedy(path: Path) -> str | None:
    """What to do about a manifest that is none; nothing where its own lines are at fault."""
    if path.is_dir():
        return f"Name the manifest in it: {path / 'delivery.yaml'}."
    if not path.is_file() or path.stat().st_size == 0:
        return "Draft one: dubgate init original.mov dub.wav script.srt."
    return None


def _series_file(extends: Any, root: Path, where: str) -> Path:
    if not isinstance(extends, str):
        raise ManifestError("'extends' must be the path of one file", where=where)
    try:
        return resolve_inside(root, extends)
    except ValueError as error:
        raise ManifestError(str(error), where=where) from None


def _without(document: Document, key: str) -> Document:
    return replace(document, data={k: v for k, v in document.data.items() if k != key})


def merged(base: Document, over: Document) -> Document:
    """`over` laid on `base`, with the places of both."""
    out = Document(over.name, None, {(): over.places[()]}, {})
    return Document(over.name, _Merge(base, over, out).mapping((), (), ()), out.places, out.key_places)


class _Merge:
    """Walks two documents at once; a path in `base`, in `over`, and in the result may differ within the cast."""

    def __init__(self, base: Document, over: Document, out: Document) -> None:
        self.base, self.over, self.out = base, over, out

    def mapping(self, at_base: YamlPath, at_over: YamlPath, at: YamlPath) -> dict[str, Any]:
        below, above = _get(self.base.data, at_base), _get(self.over.data, at_over)
        result: dict[str, Any] = {}
        for key in [*below, *(k for k in above if k not in below)]:
            paths = ((*at_base, key), (*at_over, key), (*at, key))
            if key not in above:
                result[key] = self.copy(self.base, paths[0], paths[2])
            elif above[key] is None and key in below:
                continue
            elif isinstance(above[key], dict) and isinstance(below.get(key), dict):
                self.out.places[paths[2]] = self.over.places[paths[1]]
                self.out.key_places[paths[2]] = self.over.key_places[paths[1]]
                result[key] = self.mapping(*paths)
            elif paths[2] == ("cast",) and isinstance(above[key], list) and isinstance(below.get(key), list):
                result[key] = self.cast(below[key], above[key])
            else:
                result[key] = self.copy(self.over, paths[1], paths[2])
        return result

    def cast(self, below: list[Any], above: list[Any]) -> list[Any]:
        """The delivery's entries first, then the series's for whom it has none."""
        self.copy(self.over, ("cast",), ("cast",))
        known = {_subject(entry) for entry in above}
        kept = [k for k, entry in enumerate(below) if _subject(entry) is None or _subject(entry) not in known]
        inherited = [self.copy(self.base, ("cast", k), ("cast", len(above) + n)) for n, k in enumerate(kept)]
        return [*above, *inherited]

    def copy(self, source: Document, path: YamlPath, to: YamlPath) -> Any:
        """The value at `path` in `source`; its places, and those of what is in it, are entered under `to`."""
        value = _get(source.data, path)
        self.out.places[to] = source.places[path]
        if path in source.key_places:
            self.out.key_places[to] = source.key_places[path]
        for step in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            self.copy(source, (*path, step), (*to, step))
        return value


def _subject(entry: Any) -> str | None:
    """Whom a cast entry is for; None where it does not say it rightly, which the schema then tells."""
    names = [entry.get("character"), entry.get("group")] if isinstance(entry, dict) else []
    return next((name for name in names if isinstance(name, str)), None)


def _get(data: Any, path: YamlPath) -> Any:
    for step in path:
        data = data[step]
    return data
