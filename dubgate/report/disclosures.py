"""Disclosures for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from consent.languages import canonical
from dubgate.disclosure.technical import disclosure_json
from dubgate.disclosure.told import Told
from dubgate.disclosure.words import wording
from dubgate.disclosure.writing import Tier, Written, write
from dubgate.errors import InputError
from dubgate.report.printable import printable


def written_in(told: Told, tiers: Sequence[str], languages: Sequence[str], own: Path | None) -> tuple[Written, ...]:
    """Every tier in every language.

    Raises:
        InputError: a language that is none, or has no sentences here; a wording file that cannot be used.
    """
    words = [wording(_tag(tag), own) for tag in dict.fromkeys(languages)]
    return tuple(write(told, cast(Tier, tier), w) for w in words for tier in dict.fromkeys(tiers))


def _tag(tag: str) -> str:
    try:
        return canonical(tag)
    except ValueError as error:
        raise InputError(str(error), where="--lang") from None


def disclosures_text(written: Sequence[Written]) -> str:
    """The texts, each under its tier and language where there are several."""
    if len(written) == 1:
        return _lines(written[0])
    return "\n\n".join(f"== {w.tier}, {w.language}\n{_lines(w)}" for w in written)


def _lines(written: Written) -> str:
    return "\n".join(printable(line) for line in written.text.split("\n"))


def disclosures_json(told: Told, written: Sequence[Written]) -> str:
    """`disclosure/1.0`."""
    return json.dumps(disclosure_json(told, written), ensure_ascii=False, indent=1)
