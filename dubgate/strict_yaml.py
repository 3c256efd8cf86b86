"""The one loader for every YAML file: YAML 1.2 core without tags, aliases or repeated keys, each value with its place.

Plain scalars mean what YAML 1.2 core says and nothing more: `NO`, `on` and `yes` are strings, `012` is twelve, a date
is a string. What can hide something (tags, anchors, aliases, repeated keys, a second document, depth, size) is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from dubgate.errors import InputError
from dubgate.pinned import as_pinned

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_DEPTH = 32

YamlPath = tuple[str | int, ...]

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


class StrictYamlError(InputError):
    """A YAML file is not of the strict kind; `where` is `file:line:column`."""


class Place(NamedTuple):
    """A point in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and where each value, and each key, stands in its file."""

    name: str
    data: Any
    places: dict[YamlPath, Place] = field(repr=False)
    key_places: dict[YamlPath, Place] = field(repr=False)
    sha256: str = ""  # of the file's bytes

    def where(self, path: Sequence[str | int] = (), *, key: bool = False) -> str:
        """`file:line:column` of the value at `path`, or of its key; see `place`."""
        return str(self.place(path, key=key))

    def place(self, path: Sequence[str | int] = (), *, key: bool = False) -> Place:
        """Where the value at `path` stands, or its key.

        Steps that the file does not have (a missing field, the branch of a union in a pydantic location) are skipped,
        so the answer is the nearest enclosing value.
        """
        known = self.known(path)
        return self.key_places[known] if key and known in self.key_places else self.places[known]

    def known(self, path: Sequence[str | int]) -> YamlPath:
        """The steps of `path` that are in the data."""
        found: YamlPath = ()
        for step in path:
            if (*found, step) in self.places:
                found = (*found, step)
        return found


def load_yaml(data: bytes, name: str) -> Document:
    """Read one strict YAML document from UTF-8 bytes; `name` stands in messages.

    Raises:
        StrictYamlError: anything outside the strict subset, at its line and column.
    """
    if len(data) > MAX_BYTES:
        raise StrictYamlError(f"more than {MAX_BYTES:,} bytes of YAML", where=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise StrictYamlError("not UTF-8 text", where=f"{name}:{line}:1", remedy="Save the file as UTF-8.") from None
    builder = _Builder(name, _events(text, name))
    sha256 = hashlib.sha256(data).hexdigest()
    return Document(name, builder.document(), builder.places, builder.key_places, sha256)


def read_yaml(path: Path, name: str | None = None) -> Document:
    """`load_yaml` of a file, no byte read beyond the limit.

    Raises:
        StrictYamlError: as `load_yaml`, or the file cannot be read.
    """
    shown = name or str(path)
    try:
        with open(path, "rb", opener=as_pinned) as file:
            return load_yaml(file.read(MAX_BYTES + 1), shown)
    except OSError as error:
        raise StrictYamlError(f"cannot be read ({error.strerror})", where=shown) from None


def _events(text: str, name: str) -> Iterator[Any]:
    """The parser's events; whatever goes wrong inside it is told as a refused file, since hostile bytes reach it."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    parser = YAML(typ="safe", pure=True)
    try:
        yield from parser.parse(text)
    except StrictYamlError:
        raise
    except YAMLError as error:
        raise StrictYamlError(_problem_of(error), where=_place_of(error, name)) from None
    except (ValueError, TypeError, AttributeError, LookupError, AssertionError, RecursionError, OverflowError) as error:
        raise StrictYamlError(f"not YAML ({type(error).__name__} in the parser)", where=name) from None


def _problem_of(error: Exception) -> str:
    return str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")


def _place_of(error: Exception, name: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f"{name}:{mark.line + 1}:{mark.column + 1}" if mark is not None else name


class _Builder:
    """Makes plain data from the parser's events, refusing what the strict subset leaves out."""

    def __init__(self, name: str, events: Iterator[Any]) -> None:
        self.name, self.events = name, events
        self.places: dict[YamlPath, Place] = {}
        self.key_places: dict[YamlPath, Place] = {}

    def document(self) -> Any:
        next(self.events)  # the stream's start
        start = next(self.events)
        if type(start).__name__ != "DocumentStartEvent":
            raise StrictYamlError("the file is empty", where=f"{self.name}:1:1")
        if start.tags or start.version not in (None, (1, 2)):
            raise self._refusal(start, "directives other than %YAML 1.2 are refused")
        value = self._value(next(self.events), ())
        next(self.events)  # the document's end
        more = next(self.events)
        if type(more).__name__ != "StreamEndEvent":
            raise self._refusal(more, "a second document in one file")
        return value

    def _value(self, event: Any, path: YamlPath) -> Any:
        self._refuse_tricks(event)
        if len(path) > MAX_DEPTH:
            raise self._refusal(event, f"nested more than {MAX_DEPTH} levels deep")
        self.places[path] = self._place(event)
        kind = type(event).__name__
        if kind == "ScalarEvent":
            return self._scalar(event)
        return self._mapping(path) if kind == "MappingStartEvent" else self._sequence(path)

    def _sequence(self, path: YamlPath) -> list[Any]:
        items: list[Any] = []
        while type(event := next(self.events)).__name__ != "SequenceEndEvent":
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: YamlPath) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while type(event := next(self.events)).__name__ != "MappingEndEvent":
            key = self._key(event)
            if key in entries:
                first = self.key_places[(*path, key)].line
                raise self._refusal(event, f"the key {key!r} is repeated (first on line {first})")
            self.key_places[(*path, key)] = self._place(event)
            entries[key] = self._value(next(self.events), (*path, key))
        return entries

    def _key(self, event: Any) -> str:
        self._refuse_tricks(event)
        key = self._scalar(event) if type(event).__name__ == "ScalarEvent" else None
        if not isinstance(key, str):
            raise self._refusal(event, "a key must be text", "Put quotes around it.")
        return key

    def _refuse_tricks(self, event: Any) -> None:
        if type(event).__name__ == "AliasEvent":
            raise self._refusal(event, "aliases are refused", "Write the value out.")
        if event.anchor is not None:
            raise self._refusal(event, "anchors are refused", "Write the value out.")
        if event.tag is not None:
            raise self._refusal(event, f"tags are refused ({event.tag})")

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if _SURROGATE.search(text):
            raise self._refusal(event, "half of a surrogate pair is not text")
        if not event.implicit[0]:  # quoted or block text
            return text
        try:
            return _plain(text)
        except ValueError as error:
            raise self._refusal(event, str(error)) from None

    def _refusal(self, event: Any, what: str, remedy: str | None = None) -> StrictYamlError:
        return StrictYamlError(what, where=str(self._place(event)), remedy=remedy)

    def _place(self, event: Any) -> Place:
        return Place(self.name, event.start_mark.line + 1, event.start_mark.column + 1)


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


def validate(model: type[ModelT], document: Document, error: type[InputError] = StrictYamlError) -> ModelT:
    """Check the data against a pydantic model, strictly, and name the place of everything that is wrong.

    The check is pydantic's strict JSON mode: no number for text, no text for a number, lists for tuples.

    Raises:
        error: `where` is the place of the first problem; the message lists them all.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate_json(json.dumps(document.data), strict=True)
    except ValidationError as failure:
        details = failure.errors(include_url=False)
        raise refusal([_problem(document, e) for e in details if not _only_follows(e, details)], error) from None


def refusal(problems: Sequence[tuple[Place, str]], error: type[InputError] = StrictYamlError) -> InputError:
    """One error that tells all the problems, in the order of the file."""
    (where, what), *rest = sorted(problems)
    return error(what + "".join(f"\n  {place}: {text}" for place, text in rest), where=str(where))


def _only_follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is called too short only because its members were refused, which is told of each of them."""
    path = detail["loc"]
    inside = (e["loc"] for e in details if len(e["loc"]) > len(path))
    return detail["type"] == "too_short" and any(loc[: len(path)] == path for loc in inside)


def _problem(document: Document, detail: ErrorDetails) -> tuple[Place, str]:
    """Where, and what in words, for one pydantic error."""
    path, kind = detail["loc"], detail["type"]
    place = document.place(path, key=kind == "extra_forbidden")
    if kind == "extra_forbidden":
        return place, f"unknown key {path[-1]!r}"
    if kind == "missing":
        return place, f"{path[-1]!r} is missing"
    shown = ".".join(map(str, document.known(path)))
    message = detail["msg"].removeprefix("Value error, ")
    if detail["input"] is None:
        message = "a value is needed" + (f", one of {known}" if (known := message.partition("known are ")[2]) else "")
    return place, f"{shown}: {message}" if shown else message
