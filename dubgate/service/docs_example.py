"""An example of a JSON value from its schema: what examples and defaults say, else something of the right type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 6
_OF_TYPE: Mapping[str, Any] = {"string": "…", "integer": 0, "number": 0.0, "boolean": True, "null": None}
_WHEN = "2026-11-28T12:00:00Z"


def example_of(schema: Mapping[str, Any], parts: Mapping[str, Any], deep: int = 0) -> Any:
    """A value that the schema allows, as its examples have it; `parts` are the schemas that it refers to."""
    schema = referred(schema, parts)
    for told in ("examples", "default", "enum"):
        found = schema.get(told)
        if found is not None and found != []:
            return found[0] if told != "default" else found
    if "const" in schema:
        return schema["const"]
    if deep > _DEEPEST:
        return "…"
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        none = next((c for c in choices if c.get("type") == "null"), None)
        return _either([c for c in choices if c is not none], none, parts, deep)
    return _of_type(schema, parts, deep)


def _either(choices: list[Any], none: Any, parts: Mapping[str, Any], deep: int) -> Any:
    """The first choice; nothing where nothing may stand and the choice is an object: an example shows the usual case."""
    first = choices[0] if choices else none
    return None if none is not None and "$ref" in first else example_of(first, parts, deep + 1)


def referred(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, where it is but a reference to one."""
    name = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    found = parts.get(name)
    return found if isinstance(found, Mapping) else schema


def _of_type(schema: Mapping[str, Any], parts: Mapping[str, Any], deep: int) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return {k: example_of(v, parts, deep + 1) for k, v in schema.get("properties", {}).items()}
    if kind == "array":
        return [example_of(schema["items"], parts, deep + 1)] if "items" in schema else []
    return _WHEN if schema.get("format") == "date-time" else _OF_TYPE.get(str(kind), "…")
