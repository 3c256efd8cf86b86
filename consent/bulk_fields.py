"""The columns of an import: every field of a record under a dotted name, with what a cell of it may hold."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from consent.parties import Party, Personal
from consent.seed import SECTIONS
from consent.strict import Record
from consent.voices import Enrolment, Voice

_NUMBER = re.compile(r"[1-9][0-9]?")  # evidence.1.sha256 … evidence.99.sha256
Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A field as one cell: its dotted name, what it holds, whether it is a list, whether a record must have it."""

    name: str
    holds: str
    many: bool = False
    required: bool = False
    words: Words = ()

    @property
    def told(self) -> str:
        """What belongs in a cell, for people."""
        what = " or ".join(self.words) if 0 < len(self.words) <= 3 else self.holds
        listed = f"list, separated by |: {what}" if self.many else what
        return f"{listed}{'; required' if self.required else ''}"


@dataclass(frozen=True, slots=True)
class _Field:
    annotation: Any
    required: bool


def columns(section: str) -> tuple[Column, ...]:
    """Every column that a template of the section shows: lists of parts with their first part, texts in English."""
    return tuple(_columns(SECTIONS[section]))


@cache
def column(section: str, name: str) -> Column | None:
    """The column of this name; None where the section's records have no such field, or it is no single cell."""
    fields = _fields(SECTIONS[section])
    first, *rest = name.split(".")
    field = fields.get(first)
    return None if field is None else _resolved(name, field.annotation, rest, field.required)


def beside(kind: type[Record]) -> tuple[str, ...]:
    """The fields that come beside a record and are sealed: a name and contact, or an enrolment's vector."""
    if kind in (Party, Voice):
        return tuple(Personal.model_fields)
    return ("vector",) if kind is Enrolment else ()


def _fields(kind: type[BaseModel]) -> dict[str, _Field]:
    found = {name: _Field(f.annotation, f.is_required()) for name, f in kind.model_fields.items()}
    if kind in (Party, Voice):
        found |= {name: _Field(f.annotation, False) for name, f in Personal.model_fields.items()}
    if kind is Enrolment:
        found["vector"] = _Field(tuple[float, ...], True)
    return found


def _columns(kind: type[BaseModel], prefix: str = "", required: bool = True) -> Iterator[Column]:
    for name, field in _fields(kind).items():
        inner, needed = _bare(field.annotation), required and field.required
        item = _item(inner)
        if _is_model(inner):
            yield from _columns(inner, f"{prefix}{name}.", needed)
        elif item is not None and _is_model(item):
            yield from _columns(item, f"{prefix}{name}.1.", needed)
        else:
            suffix = ".en" if get_origin(inner) is dict else ""
            found = _resolved(f"{prefix}{name}{suffix}", inner, ["en"] if suffix else [], needed)
            assert found is not None  # every leaf of a record is a cell
            yield found


def _resolved(name: str, annotation: Any, rest: list[str], required: bool) -> Column | None:
    inner = _bare(annotation)
    item = _item(inner)
    if _is_model(inner):
        field = inner.model_fields.get(rest[0]) if rest else None
        return None if field is None else _resolved(name, field.annotation, rest[1:], required and field.is_required())
    if item is not None and _is_model(item):
        return _resolved(name, item, rest[1:], required) if len(rest) > 1 and _NUMBER.fullmatch(rest[0]) else None
    if get_origin(inner) is dict:
        return _leaf(name, get_args(inner)[1], False, required) if len(rest) == 1 and rest[0] else None
    return None if rest else _leaf(name, item or inner, item is not None, required)


def _leaf(name: str, annotation: Any, many: bool, required: bool) -> Column:
    kind = _bare(annotation)
    if get_origin(kind) is Literal:
        return Column(name, "one of " + ", ".join(get_args(kind)), many, required, get_args(kind))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        words = tuple(str(word) for word in kind)
        return Column(name, "one of " + ", ".join(words), many, required, words)
    return Column(name, _HOLDS[kind], many, required)


_HOLDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "day or time",
    AwareDatetime: "day or time",
}


def _bare(annotation: Any) -> Any:
    """The type under `Annotated` and `| None`."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _bare(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        (one,) = (a for a in get_args(annotation) if a is not type(None))
        return _bare(one)
    return annotation


def _item(annotation: Any) -> Any:
    """What a list is of; None where it is no list."""
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is tuple else None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
