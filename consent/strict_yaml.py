"""The one reader of YAML: YAML 1.2 core (and JSON, which is part of it) with nothing hidden, each value with its place.

Plain scalars mean what YAML 1.2 core says and nothing more: `NO`, `on` and `yes` are strings, `012` is twelve, a date
is a string. What can hide something (tags, anchors, aliases, repeated keys, a second document, depth) is refused.
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
Point = tuple[int, int]  # line and column, from 1

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_RADIX = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotStrictError(ValueError):
    """A text that is not of the strict kind: what is wrong, where if that is known, and what to do."""

    def __init__(self, what: str, at: Point | None = None, remedy: str | None = None) -> None:
        super().__init__(what)
        self.what, self.at, self.remedy = what, at, remedy


class Reader:
    """Plain data (dict, list, str, int, float, bool, None), and where each value and each key stands.

    Raises:
        NotStrictError: anything outside the strict subset.
    """

    def __init__(self, data: bytes) -> None:
        self.places: dict[PathOf, Point] = {}
        self.key_places: dict[PathOf, Point] = {}
        self._events = _events(data)
        self.data = self._document()

    def _document(self) -> Any:
        next(self._events)  # the stream's start
        start = next(self._events)
        if type(start).__name__ != "DocumentStartEvent":
            raise NotStrictError("the file is empty", (1, 1))
        if start.tags or start.version not in (None, (1, 2)):
            raise _refusal(start, "directives other than %YAML 1.2 are refused")
        value = self._value(next(self._events), ())
        next(self._events)  # the document's end
        more = next(self._events)
        if type(more).__name__ != "StreamEndEvent":
            raise _refusal(more, "a second document in one file")
        return value

    def _value(self, event: Any, path: PathOf) -> Any:
        _refuse_tricks(event)
        if len(path) > MAX_DEPTH:
            raise _refusal(event, f"nested more than {MAX_DEPTH} levels deep")
        self.places[path] = _point(event)
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return _scalar(event)
        return self._mapping(path) if kind == "MappingStartEvent" else self._sequence(path)

    def _sequence(self, path: PathOf) -> list[Any]:
        items: list[Any] = []
        while type(event := next(self._events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: PathOf) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while type(event := next(self._events)).__name__ != "MappingEndEvent":
            key = _key(event)
            if key in entries:
                first, _ = self.key_places[(*path, key)]
                raise _refusal(event, f"the key {key!r} is repeated (first on line {first})")
            here = (*path, key)
            self.key_places[here] = _point(event)
            entries[key] = self._value(next(self._events), here)
            if entries[key] is None and self.places[here][0] > self.key_places[here][0]:
                self.places[here] = self.key_places[here]  # for a value left empty the parser names whatever comes next
        return entries


def _key(event: Any) -> str:
    _refuse_tricks(event)
    key = _scalar(event) if type(event).__name__ == "ScalarEvent" else None
    if not isinstance(key, str):
        raise _refusal(event, "a key must be text", "Put quotes around it.")
    return key


def _refuse_tricks(event: Any) -> None:
    if type(event).__name__ == "AliasEvent":
        raise _refusal(event, "aliases are refused", "Write the value out.")
    if event.anchor is not None:
        raise _refusal(event, "anchors are refused", "Write the value out.")
    if event.tag is not None:
        raise _refusal(event, f"tags are refused ({event.tag})")


def _scalar(event: Any) -> Any:
    text: str = event.value
    if _SURROGATE.search(text):
        raise _refusal(event, "half of a surrogate pair is not text")
    if not event.implicit[0]:  # quoted or block text
        return text
    try:
        return _plain(text)
    except ValueError as error:
        raise _refusal(event, str(error)) from None


def _plain(text: str) -> Any:
    """The value of an unquoted scalar in the YAML 1.2 core schema (chapter 10.3.2), finite 64-bit numbers only."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _DECIMAL.fullmatch(text) and len(text) <= 20 and abs(int(text)) < 2**63:
        return int(text)
    if _RADIX.fullmatch(text) and len(text) <= 18 and int(text, 0) < 2**63:
        return int(text, 0)
    if _DECIMAL.fullmatch(text) or _RADIX.fullmatch(text):
        raise ValueError("a whole number beyond 64 bits")
    if _NOT_FINITE.fullmatch(text) or (_FLOAT.fullmatch(text) and not math.isfinite(float(text))):
        raise ValueError(f"{text} is not a finite number")
    return float(text) if _FLOAT.fullmatch(text) else text


def _point(event: Any) -> Point:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refusal(event: Any, what: str, remedy: str | None = None) -> NotStrictError:
    return NotStrictError(what, _point(event), remedy)


def _events(data: bytes) -> Iterator[Any]:
    """The parser's events; whatever goes wrong inside it is told as a refused file, since hostile bytes reach it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise NotStrictError("not UTF-8 text", (line, 1), "Save the file as UTF-8.") from None
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        raise NotStrictError(str(what), None if mark is None else (mark.line + 1, mark.column + 1)) from None
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError, OverflowError) as error:
        raise NotStrictError(f"not YAML ({type(error).__name__} in the parser)") from None


class Lines:
    """A seed's data, and the line on which each value stands.

    Raises:
        RecordError: not strict YAML or JSON; with the line.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        try:
            read = Reader(data)
        except NotStrictError as error:
            where = name if error.at is None else f"{name}:{error.at[0]}"
            raise RecordError(error.what, where=where, remedy=error.remedy) from None
        self.data, self._places = read.data, read.places

    def where(self, path: PathOf = ()) -> str:
        """`file:line` of a value, or of the nearest one around it."""
        while path not in self._places:
            path = path[:-1]
        return f"{self.name}:{self._places[path][0]}"


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
