"""The types that facts have, and a fact as the catalogue lists it: its name, type, meaning, and who fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class Scalar:
    """`bool`, `int`, `number` (int or float) or `text`."""

    name: str


@dataclass(frozen=True, slots=True)
class ListType:
    items: Type


@dataclass(frozen=True, slots=True)
class RecordType:
    fields: tuple[tuple[str, Type], ...]

    def field(self, name: str) -> Type | None:
        return dict(self.fields).get(name)


Type: TypeAlias = Scalar | ListType | RecordType
BOOL, INT, NUMBER, TEXT = Scalar("bool"), Scalar("int"), Scalar("number"), Scalar("text")
TEXTS = ListType(TEXT)

Value: TypeAlias = "bool | int | float | str | tuple[Value, ...] | Mapping[str, Value | Unmeasured]"


class Stage(StrEnum):
    """Where a fact's value comes from."""

    MANIFEST = "the manifest"
    REGISTRY = "the registry"
    LABELS = "the labels as read back"
    HEARING = "what was heard"
    SIGNED = "what people signed"
    RECORD = "the production record"
    PROGRAM = "the program itself"


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact by its dotted name; `constant` facts are the program's own and the same in every delivery.

    `filled_by` None says that no stage fills it yet: a condition that reads it does not load.
    """

    path: str
    type: Type
    means: str
    constant: Value | None = None
    filled_by: Stage | None = None
