"""YAML 1.2 core with nothing hidden (and JSON, which is part of it), each value with its line: the seed's file format.

consent stands alone, so it reads its own files; the rules are those of dubgate's manifests. Plain scalars mean what the
YAML 1.2 core schema says: `NO` is Norway. Tags, anchors, aliases and repeated keys are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consent.errors import RecordError

MAX_BYTES = 50_000_000
MAX_DEPTH = 32
PathOf = tuple[str | int, ...]

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_WORDS |= {form: value for word, value in _WORDS.items() if word for form in (word.capitalize(), word.upper())}
_WORDS |= {"null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class Lines:
    """Plain data, and the line on which each value stands."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self._lines: dict[PathOf, int] = {}
        self._events = _parsed(name, data)
        self.data = self._document()

    def where(self, path: PathOf = ()) -> str:
        """`file:line` of a value, or of the nearest one around it."""
        while path not in self._lines:
            path = path[:-1]
        return f"{self.name}:{self._lines[path]}"

    def _document(self) -> Any:
        next(self._events)
        start = next(self._events)
        if type(start).__name__ != "DocumentStartEvent":
            raise RecordError("the file is empty", where=self.name)
        if start.tags or start.version not in (None, (1, 2)):
            raise self._refusal(start, "directives other than %YAML 1.2 are refused")
        value = self._value(next(self._events), ())
        next(self._events)
        if type(more := next(self._events)).__name__ != "StreamEndEvent":
            raise self._refusal(more, "a second document in one file")
        return value

    def _value(self, event: Any, path: PathOf) -> Any:
        self._refuse_tricks(event)
        if len(path) > MAX_DEPTH:
            raise self._refusal(event, f"nested more than {MAX_DEPTH} levels deep")
        self._lines[path] = event.start_mark.line + 1
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return self._scalar(event)
        return self._mapping(path) if kind == "MappingStartEvent" else self._sequence(path)

    def _sequence(self, path: PathOf) -> list[Any]:
        items: list[Any] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: PathOf) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            self._refuse_tricks(event)
            key = self._scalar(event) if type(event).__name__ == "ScalarEvent" else None
            if not isinstance(key, str):
                raise self._refusal(event, "a key must be text")
            if key in entries:
                raise self._refusal(event, f"the key {key!r} is repeated")
            entries[key] = self._value(next(self._events), (*path, key))
        return entries

    def _refuse_tricks(self, event: Any) -> None:
        if type(event).__name__ == "AliasEvent" or event.anchor is not None:
            raise self._refusal(event, "anchors and aliases are refused; write the value out")
        if event.tag is not None:
            raise self._refusal(event, f"tags are refused ({event.tag})")

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if any("\ud800" <= c <= "\udfff" for c in text):
            raise self._refusal(event, "half of a surrogate pair is not text")
        return text if not event.implicit[0] else self._plain(event, text)

    def _plain(self, event: Any, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if not _DECIMAL.fullmatch(text):
            return text
        if not math.isfinite(number := float(text)):
            raise self._refusal(event, f"{text[:40]} is not a finite number")
        return number

    def _refusal(self, event: Any, what: str) -> RecordError:
        return RecordError(what, where=f"{self.name}:{event.start_mark.line + 1}")


def read_lines(path: Path) -> Lines:
    """Read a file.

    Raises:
        RecordError: it cannot be read, is too large, is not UTF-8, or is not strict YAML or JSON; with the line.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror})", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise RecordError(f"more than {MAX_BYTES:,} bytes", where=str(path))
    return Lines(str(path), data)


def _parsed(name: str, data: bytes) -> Iterator[Any]:
    """The parser's events; whatever goes wrong inside it is a refused file, since hostile bytes reach it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        yield from YAML(typ="safe", pure=True).parse(data.decode("utf-8-sig"))
    except RecordError:
        raise
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RecordError("not UTF-8 text", where=f"{name}:{line}") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        where = name if mark is None else f"{name}:{mark.line + 1}"
        raise RecordError(str(getattr(error, "problem", None) or "not YAML"), where=where) from None
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError, OverflowError) as error:
        raise RecordError(f"not YAML ({type(error).__name__} in the parser)", where=name) from None
