"""A reason that is kept in English, told in Japanese: found by its template, with its numbers and names carried over.

Only what is shown passes through here: kept measurements, certificates and reports in JSON have the English alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from dubgate.japanese.facts import FACTS
from dubgate.japanese.notes import NOTES
from dubgate.japanese.reasons import REASONS

_HOLE = re.compile(r"\{(\d)(?::ja)?\}")
_ALSO = "; "  # joins reasons that stand beside each other


class _Filled(str):
    """What stands in a hole: `{0}` as it is, `{0:ja}` told in Japanese."""

    def __format__(self, spec: str) -> str:
        return in_japanese(str(self)) if spec == "ja" else str(self)


@lru_cache(maxsize=65_536)
def in_japanese(reason: str) -> str:
    """A reason in Japanese; one that has none, from a pack or a program outside, stays in English."""
    parts = [_told(part) for part in reason.split(_ALSO)]  # first, lest a hole take in what stands beside it
    if len(parts) > 1 and None not in parts:
        return "。".join(part for part in parts if part is not None)
    told = _told(reason)
    return reason if told is None else told


def _told(reason: str) -> str | None:
    plain, open_ = _templates()
    if reason in plain:
        return plain[reason]
    for pattern, japanese in open_:
        if (met := pattern.fullmatch(reason)) is not None:
            return japanese.format(*map(_Filled, met.groups()))
    return _listed(reason, plain)


def _listed(reason: str, plain: Mapping[str, str]) -> str | None:
    """A name before several reasons: `statement.json: it is for another title, it is for another sound`."""
    name, _, rest = reason.partition(": ")
    told = [plain.get(word, "") for word in rest.split(", ")]
    return f"{name}: {'、'.join(told)}" if all(told) else None


@cache
def _templates() -> tuple[Mapping[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Sentences without holes, and the others as patterns, those with the most words of their own first."""
    every = REASONS | FACTS | NOTES
    plain = {english: japanese for english, japanese in every.items() if _HOLE.search(english) is None}
    open_ = sorted((e for e in every if e not in plain), key=lambda e: -len(_HOLE.sub("", e)))
    return plain, tuple((_pattern(english), every[english]) for english in open_)


def _pattern(english: str) -> re.Pattern[str]:
    """Holes are numbered in the order in which they stand, so that the groups are."""
    parts = _HOLE.split(english)[::2]
    return re.compile("(.+?)".join(map(re.escape, parts)), re.DOTALL)


__all__ = ["in_japanese"]
