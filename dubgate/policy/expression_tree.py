"""The tree of a condition: frozen nodes, equal where what they say is equal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    value: bool | int | float | str


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Size:
    of: Node


@dataclass(frozen=True, slots=True)
class TextCall:
    call: str
    of: Node
    argument: Node


@dataclass(frozen=True, slots=True)
class Loop:
    """`of.kind(variable, body)`."""

    kind: str
    of: Node
    variable: str
    body: Node


@dataclass(frozen=True, slots=True)
class Not:
    of: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """`&&`, `||` or a comparison."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


Node = Literal | ListOf | Name | Field | Size | TextCall | Loop | Not | Binary | Choice
