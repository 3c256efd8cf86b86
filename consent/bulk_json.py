"""Strict JSON with the line of every value: no repeated key, no number beyond a double, no depth without end."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from consent.errors import RecordError

MAX_DEPTH = 32
Path = tuple[str | int, ...]

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))([.][0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_NAME = re.compile(r"[-+]?[A-Za-z]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonLines:
    """RFC 8259 data, and the line on which each value stands.

    Raises:
        RecordError: not JSON, or JSON that could be read in two ways; with the line and column.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self._text = name, text
        self._ends = [m.start() for m in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {}
        self.data, end = self._value(self._skip(0), ())
        if (end := self._skip(end)) != len(text):
            raise self._refusal(end, "something stands behind the end of the data")

    def line(self, path: Path) -> int:
        """The line of a value, or of the nearest one around it."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _row(self, at: int) -> int:
        return bisect_left(self._ends, at) + 1

    def _refusal(self, at: int, what: str) -> RecordError:
        row = self._row(at)
        column = at - (self._ends[row - 2] if row > 1 else -1)
        return RecordError(f"column {column}: {what}", where=f"{self.name}:{row}")

    def _value(self, at: int, path: Path) -> tuple[Any, int]:
        if len(path) > MAX_DEPTH:
            raise self._refusal(at, f"nested more than {MAX_DEPTH} levels deep")
        self._lines[path] = self._row(at)
        match self._text[at : at + 1]:
            case "{":
                return self._object(at, path)
            case "[":
                return self._array(at, path)
            case '"':
                return self._string(at)
            case _:
                return self._plain(at)

    def _object(self, at: int, path: Path) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        start, at = at, self._skip(at + 1)
        if self._text[at : at + 1] == "}":
            return found, at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise self._refusal(at, "a key in double quotes belongs here")
            key, end = self._string(at)
            if key in found:
                first = self._lines[(*path, key)]
                raise self._refusal(at, f"the key {key[:60]!r} is repeated; it stands in line {first} already")
            at = self._skip(self._after(self._skip(end), ":"))
            found[key], at = self._value(at, (*path, key))
            at, done = self._next(self._skip(at), "}", start)
            if done:
                return found, at

    def _array(self, at: int, path: Path) -> tuple[list[Any], int]:
        found: list[Any] = []
        start, at = at, self._skip(at + 1)
        if self._text[at : at + 1] == "]":
            return found, at + 1
        while True:
            value, at = self._value(at, (*path, len(found)))
            found.append(value)
            at, done = self._next(self._skip(at), "]", start)
            if done:
                return found, at

    def _after(self, at: int, sign: str) -> int:
        if self._text[at : at + 1] != sign:
            raise self._refusal(at, f"{sign!r} belongs here")
        return at + 1

    def _next(self, at: int, closing: str, start: int) -> tuple[int, bool]:
        """Behind a comma, or behind the closing sign."""
        sign = self._text[at : at + 1]
        if sign not in (",", closing) or not sign:
            opened = f"; what it closes was opened in line {self._row(start)}"
            raise self._refusal(at, f"',' or {closing!r} belongs here{opened}")
        return (at + 1, True) if sign == closing else (self._skip(at + 1), False)

    def _string(self, at: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self._text, at + 1, True)
        except ValueError as error:
            raise self._refusal(getattr(error, "pos", at), f"not a text: {getattr(error, 'msg', error)}") from None
        if _SURROGATE.search(text):
            raise self._refusal(at, "half of a surrogate pair is not text")
        return text, end

    def _plain(self, at: int) -> tuple[Any, int]:
        if (number := _NUMBER.match(self._text, at)) is not None:
            return self._number(at, number), number.end()
        name = _NAME.match(self._text, at)
        if name is not None and name[0] in _WORDS:
            return _WORDS[name[0]], name.end()
        if name is not None:
            raise self._refusal(at, f"{name[0][:40]!r} is not JSON; texts stand in double quotes")
        raise self._refusal(at, "a value belongs here")

    def _number(self, at: int, match: re.Match[str]) -> int | float:
        whole, fraction, exponent = match.groups()
        if fraction is None and exponent is None:
            if len(whole.lstrip("-")) > 18:
                raise self._refusal(at, f"{whole[:40]} has more than 18 digits")
            return int(whole)
        number = float(match[0])
        if not math.isfinite(number):
            raise self._refusal(at, f"{match[0][:40]} is beyond what a number can hold")
        return number
