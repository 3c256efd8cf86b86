"""YAML files as the consent registry reads them (consent.strict_yaml), with the place of everything that is wrong in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from consent.strict_yaml import NotStrictError, Reader
from dubgate.errors import InputError
from dubgate.pinned import as_pinned

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    ModelT = TypeVar("ModelT", bound=BaseModel)

MAX_BYTES = 1_000_000

YamlPath = tuple[str | int, ...]


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
        read = Reader(data)
    except NotStrictError as error:
        where = name if error.at is None else str(Place(name, *error.at))
        raise StrictYamlError(error.what, where=where, remedy=error.remedy) from None
    places = {path: Place(name, *at) for path, at in read.places.items()}
    keys = {path: Place(name, *at) for path, at in read.key_places.items()}
    return Document(name, read.data, places, keys, hashlib.sha256(data).hexdigest())


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
    if kind == "model_type" and not path:
        message = "keys and values are wanted here"
    if detail["input"] is None:
        message = "a value is needed" + (f", one of {known}" if (known := message.partition("known are ")[2]) else "")
    return place, f"{shown}: {message}" if shown else message
