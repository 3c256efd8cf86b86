"""Every field of a statement for people: what was shown first, then each member by its own name, so that nothing is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from consent.web.catalogue import has, text
from consent.web.wording import moment, places, span, spoken

# Members whose values are words of a closed list, and the group of the catalogue that names them.
_WORDS = {
    "channels": "channel",
    "decision": "decision",
    "style": "style",
    "techniques": "technique",
    "kind": "kind",
    "reason": "waiver",
    "answer": "answer_of",
    "role": "role",
    "capacity": "capacity",
    "representation": "representation",
    "performances": "performance",
    "content_limits": "limit",
    "use": "training_use",
    "basis": "basis",
    "effect": "effect",
    "legal_basis": "legal_basis",
    "target": "target",
    "scope": "scope",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z\Z")
MEMBERS = ""  # stands for a name where a heading stands instead of a field
Group = tuple[str, list[tuple[str, str]]]


def fields_of(statement: Mapping[str, Any], language: str) -> list[Group]:
    """The fields of a statement in groups: one for each approval of a list, else one; then what surrounds them."""
    predicate = statement["predicate"]
    listed = predicate.get("approvals", predicate.get("records"))
    parts = listed if isinstance(listed, list) else [predicate]
    return [(_heading(p), list(_fields(p, language))) for p in parts]


def _heading(predicate: Mapping[str, Any]) -> str:
    named = (predicate.get(k) for k in ("title_id", "voice_id", "target_id", "refusal_id", "rule"))
    return str(next((n for n in named if n), ""))


def _fields(predicate: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    for shown in predicate.get("shown", ()):
        yield str(shown["what"]), str(shown["said"])
    if predicate.get("shown"):
        yield (
            MEMBERS,
            text("sign.members", language),
        )  # what follows says much of it again, in the statement's own fields
    for name, value in predicate.items():
        if name not in ("shown", "schema"):
            yield _named(name, language), _said(name, value, language)


def _named(name: str, language: str) -> str:
    key = f"member.{name}"
    return text(key, language) if has(key) else name.replace("_", " ")


def _said(name: str, value: Any, language: str) -> str:
    if name in ("territories", "territories_excluded") and isinstance(value, list):
        return places(tuple(map(str, value)), (), language) or "–"
    if name == "window" and isinstance(value, Mapping):
        raw = f"{value['start']} – {value.get('end') or text('act.open', language)}"
        return f"{span(str(value['start']), value.get('end'), language)} ({raw})"
    if name in ("language", "languages"):
        tags = value if isinstance(value, list) else [value]
        return ", ".join(f"{spoken(str(tag), language)} ({tag})" for tag in tags) or "–"
    if name in _WORDS:
        values = value if isinstance(value, list) else [value]
        return ", ".join(_worded(_WORDS[name], v, language) for v in values) or "–"
    if isinstance(value, list):
        return ", ".join(_plain(v, language) for v in value) or "–"
    return _plain(value, language)


def _worded(group: str, value: Any, language: str) -> str:
    """A value of a closed list by its name, with the value itself: `cinemas (theatrical)`."""
    key = f"{group}.{str(value).replace(' ', '_') if group == 'waiver' else value}"
    named = text(key, language) if has(key) else _plain(value, language)
    return named if named == str(value) else f"{named} ({value})"


def _plain(value: Any, language: str) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{_named(k, language)}: {_said(k, v, language)}" for k, v in value.items())
    if isinstance(value, bool):
        return text("act.yes" if value else "act.no", language)
    return f"{moment(value, language)} ({value})" if isinstance(value, str) and _TIME.match(value) else str(value)
