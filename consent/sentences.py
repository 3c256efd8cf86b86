"""Sentences that are kept in English, told in another language: found by their template, numbers and names carried over.

A table has English sentences with numbered holes. `{0}` in the other language is what stood in the hole; `{0:told}` is
told by the same table itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache

_HOLE = re.compile(r"\{(\d)(?::told)?\}")
_ALSO = "; "  # joins sentences that stand beside each other


class Sentences:
    """A table of sentences, asked sentence by sentence."""

    def __init__(self, table: Mapping[str, str], *, also: str = "。") -> None:
        self._table, self._also = table, also
        self._remembered = lru_cache(maxsize=65_536)(self._found)

    def __call__(self, said: str) -> str:
        """The sentence in the other language; one that the table does not have stays as it is."""
        return self._remembered(said)

    def _found(self, said: str) -> str:
        parts = [self._told(part) for part in said.split(_ALSO)]  # first, lest a hole take in what stands beside it
        if len(parts) > 1 and None not in parts:
            return self._also.join(part for part in parts if part is not None)
        told = self._told(said)
        return said if told is None else told

    def _told(self, said: str) -> str | None:
        if said in self._plain:
            return self._plain[said]
        for pattern, other in self._open:
            if (met := pattern.fullmatch(said)) is not None:
                return other.format(*(_Filled(word, self) for word in met.groups()))
        return self._listed(said)

    def _listed(self, said: str) -> str | None:
        """A name before several sentences: `statement.json: it is for another title, it is for another sound`."""
        name, _, rest = said.partition(": ")
        told = [self._plain.get(word, "") for word in rest.split(", ")]
        return f"{name}: {'、'.join(told)}" if all(told) else None

    @cached_property
    def _plain(self) -> dict[str, str]:
        return {said: other for said, other in self._table.items() if _HOLE.search(said) is None}

    @cached_property
    def _open(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        """Sentences with holes, those with the most words of their own first."""
        found = sorted((s for s in self._table if s not in self._plain), key=lambda s: -len(_HOLE.sub("", s)))
        return tuple((_pattern(said), self._table[said]) for said in found)


class _Filled(str):
    """What stands in a hole, as it is or told."""

    _tell: Callable[[str], str]

    def __new__(cls, said: str, tell: Callable[[str], str]) -> _Filled:
        made = super().__new__(cls, said)
        made._tell = tell
        return made

    def __format__(self, spec: str) -> str:
        return self._tell(str(self)) if spec == "told" else str(self)


def _pattern(said: str) -> re.Pattern[str]:
    """Holes are numbered in the order in which they stand, so that the groups are."""
    return re.compile("(.+?)".join(map(re.escape, _HOLE.split(said)[::2])), re.DOTALL)


__all__ = ["Sentences"]
