"""Every field of a statement for people: what was shown first, then each member by its own name, so that nothing is hidden."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from consent.web.catalogue import has, text
from consent.web.wording import places

Group = tuple[str, list[tuple[str, str]]]


def fields_of(statement: Mapping[str, Any], language: str) -> list[Group]:
    """The fields of a statement in groups: one for each approval of a list, else one; then what surrounds them."""
    predicate = statement["predicate"]
    listed = predicate.get("approvals")
    parts = listed if isinstance(listed, list) else [predicate]
    return [(_heading(p), list(_fields(p, language))) for p in parts]


def _heading(predicate: Mapping[str, Any]) -> str:
    return str(predicate.get("title_id") or predicate.get("voice_id") or predicate.get("rule") or "")


def _fields(predicate: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    for shown in predicate.get("shown", ()):
        yield str(shown["what"]), str(shown["said"])
    for name, value in predicate.items():
        if name not in ("shown", "schema"):
            yield _named(name, language), _said(name, value, language)


def _named(name: str, language: str) -> str:
    key = f"member.{name}"
    return text(key, language) if has(key) else name.replace("_", " ")


def _said(name: str, value: Any, language: str) -> str:
    if name in ("territories", "territories_excluded") and isinstance(value, list):
        return places(tuple(map(str, value)), (), language) or "–"
    if isinstance(value, list):
        return ", ".join(_plain(v) for v in value) or "–"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
