"""Every path that a delivery.yaml names, told by the manifest's own model: what is fetched and what is watched is one list.

A field that is added to the model with the type `RelativePath` is in it by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel

from dubgate.delivery.inside import stays_inside
from dubgate.delivery.manifest_schema import Manifest

EACH = "*"  # of a list
KeyPath = tuple[str, ...]


@cache
def path_fields(model: type[BaseModel] = Manifest) -> frozenset[KeyPath]:
    """Where a model names files: the keys that lead there, as YAML writes them."""
    return frozenset(_of_model(model))


def paths_named(document: object) -> Iterator[str]:
    """Every path in a manifest as YAML gave it, whole or as far as it goes; whether it is right is judged elsewhere."""
    return _walk(document, ())


def _walk(value: object, at: KeyPath) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, (*at, str(key)))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner, (*at, EACH))
    elif isinstance(value, str) and at in path_fields():
        yield value


def _of_model(model: type[BaseModel]) -> Iterator[KeyPath]:
    hints = get_type_hints(model, include_extras=True)
    for name, field in model.model_fields.items():
        for rest in _of_type(hints[name]):
            yield (field.alias or name, *rest)


def _of_type(hint: Any) -> Iterator[KeyPath]:
    """The keys below a field of this type; empty ones where it is a path itself."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        if any(isinstance(m, AfterValidator) and m.func is stays_inside for m in inner[1:]):
            yield ()
        yield from _of_type(inner[0])
    elif origin in (Union, UnionType):
        for each in inner:
            yield from _of_type(each)
    elif origin in (tuple, list):
        for each in inner:
            yield from ((EACH, *rest) for rest in _of_type(each))
    elif isinstance(hint, type) and issubclass(hint, BaseModel):
        yield from _of_model(hint)
    elif origin not in (None, Literal) and not (origin is dict and not any(True for _ in _of_type(inner[1]))):
        raise TypeError(f"whether this type of a manifest names a file is not known: {hint!r}")
