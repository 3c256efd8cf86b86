"""Every text of the desk in English and Japanese, read from texts/*.json; a key that is not there is an error."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "ja")


@cache
def catalogue() -> dict[str, tuple[str, str]]:
    """All texts by their keys: English, Japanese.

    Raises:
        ValueError: a key stands in two files.
    """
    found: dict[str, tuple[str, str]] = {}
    for file in sorted(files("consent.web").joinpath("texts").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".json"):
            continue
        for key, (en, ja) in json.loads(file.read_text(encoding="utf-8")).items():
            if key in found:
                raise ValueError(f"the text {key!r} stands in two files")
            found[key] = (en, ja)
    return found


def text(key: str, language: str, **values: Any) -> str:
    """A text with its values put in; whoever shows it escapes it."""
    chosen = catalogue()[key][LANGUAGES.index(language)]
    return chosen.format(**values) if values else chosen


def has(key: str) -> bool:
    """Whether there is such a text."""
    return key in catalogue()


def word(group: str, value: object, language: str) -> str:
    """The name of a value of a closed list (`channel`, `svod`); the value itself where it has no text."""
    key = f"{group}.{value}"
    return text(key, language) if has(key) else str(value).replace("_", " ")


def preferred(accepted: str) -> str:
    """The first of the desk's languages in an Accept-Language header."""
    for part in accepted.split(",")[:20]:
        tag = part.partition(";")[0].strip().lower().partition("-")[0]
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]
