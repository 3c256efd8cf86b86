"""The facts that a rule's condition may read: a closed, typed catalogue, and the values of one delivery.

Every fact is there in every delivery, as a value or `Unmeasured`; so a condition can neither miss nor invent one. A fact
that no stage fills would be Unmeasured for ever, so no condition may read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dubgate.policy.fact_rows import ROWS
from dubgate.policy.fact_types import (
    BOOL,
    INT,
    NUMBER,
    TEXT,
    TEXTS,
    Fact,
    ListType,
    RecordType,
    Scalar,
    Stage,
    Type,
    Value,
)
from dubgate.policy.record_fact_rows import RECORD_ROWS
from dubgate.unmeasured import Unmeasured

__all__ = [
    "BOOL",
    "FACTS",
    "INT",
    "NUMBER",
    "TEXT",
    "TEXTS",
    "Fact",
    "Facts",
    "ListType",
    "RecordType",
    "Scalar",
    "Stage",
    "Type",
    "Value",
    "fact_tree",
    "facts_from",
]

FACTS: dict[str, Fact] = {fact.path: fact for fact in (*ROWS, *RECORD_ROWS)}


def fact_tree() -> dict[str, Type | dict[str, Type]]:
    """The catalogue as a condition sees it: a root name is a fact itself, or a set of named facts."""
    tree: dict[str, Type | dict[str, Type]] = {}
    for fact in FACTS.values():
        root, _, leaf = fact.path.partition(".")
        if not leaf:
            tree[root] = fact.type
            continue
        branch = tree.setdefault(root, {})
        assert isinstance(branch, dict)
        branch[leaf] = fact.type
    return tree


@dataclass(frozen=True, slots=True)
class Facts:
    """One delivery's facts, complete: what was not given is Unmeasured. Make it with `facts_from`."""

    values: Mapping[str, Value | Unmeasured]

    def reason(self, path: str) -> str | None:
        """Why what a condition reads is not known, None where it is; `label.tracks[].name` asks that field of all."""
        fact, _, inside = path.partition("[]")
        value = self.values[fact]
        if isinstance(value, Unmeasured):
            return value.reason
        field = inside.removeprefix(".")
        if not field or not isinstance(value, tuple):
            return None
        asked = [item[field] for item in value if isinstance(item, Mapping)]
        return next((inner.reason for inner in asked if isinstance(inner, Unmeasured)), None)

    def plain(self, paths: frozenset[str]) -> dict[str, object]:
        """The named facts as nested plain data for the evaluator; unknown fields of items are left out."""
        out: dict[str, object] = {}
        for path in sorted({p.partition("[]")[0] for p in paths}):
            root, _, leaf = path.partition(".")
            value = _plain(self.values[path])
            if leaf:
                branch = out.setdefault(root, {})
                assert isinstance(branch, dict)
                branch[leaf] = value
            else:
                out[root] = value
        return out


def facts_from(values: Mapping[str, Value | Unmeasured]) -> Facts:
    """Facts of a delivery; those not given are Unmeasured, constants are added.

    Raises:
        ValueError: a fact that the catalogue does not have, a constant, or a value of another type.
    """
    complete: dict[str, Value | Unmeasured] = {}
    for path, value in values.items():
        fact = FACTS.get(path)
        if fact is None or fact.constant is not None:
            raise ValueError(f"{path!r} is not a fact that a delivery can state")
        if not isinstance(value, Unmeasured):
            _check(value, fact.type, path)
        complete[path] = value
    for path, fact in FACTS.items():
        missing = Unmeasured(f"nobody said: {fact.means}")
        complete.setdefault(path, fact.constant if fact.constant is not None else missing)
    return Facts(complete)


def _check(value: object, wanted: Type, path: str) -> None:
    if isinstance(wanted, Scalar):
        kinds = {"bool": (bool,), "int": (int,), "number": (int, float), "text": (str,)}[wanted.name]
        if not isinstance(value, kinds) or (isinstance(value, bool) and wanted is not BOOL):
            raise ValueError(f"{path} must be {wanted.name}, not {value!r}")
    elif isinstance(wanted, ListType):
        if not isinstance(value, tuple):
            raise ValueError(f"{path} must be a tuple, not {value!r}")
        for item in value:
            _check(item, wanted.items, f"{path}[]")
    elif not isinstance(value, Mapping) or set(value) != {name for name, _ in wanted.fields}:
        raise ValueError(f"{path} must have exactly the fields {', '.join(name for name, _ in wanted.fields)}")
    else:
        for name, kind in wanted.fields:
            if not isinstance(value[name], Unmeasured):
                _check(value[name], kind, f"{path}.{name}")


def _plain(value: Value | Unmeasured) -> object:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if not isinstance(inner, Unmeasured)}
    assert not isinstance(value, Unmeasured)
    return value
