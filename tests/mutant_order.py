"""Which tests judge a mutant first: those that run the changed line, fastest first; the rest only if these leave it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mutant_patch import changed_lines, function_lines

LEAST_TIMEOUT_S, TIMES_UNCHANGED = 30.0, 6.0  # a mutant that makes the tests hang is killed


@dataclass(frozen=True, slots=True)
class Plan:
    """Tests that run what is changed, then all others that are named; how long each part may take."""

    covering: tuple[str, ...]
    rest: tuple[str, ...]
    covering_limit_s: float
    rest_limit_s: float

    @property
    def all(self) -> tuple[str, ...]:
        return self.covering + self.rest

    @property
    def limit_s(self) -> float:
        return self.covering_limit_s + self.rest_limit_s


class Order:
    """What is known of the unchanged tests (mutant_map.py), over all test files."""

    def __init__(self, maps: Iterable[dict[str, Any]]) -> None:
        self._tests: dict[str, dict[str, Any]] = {}
        self._fixture_s: dict[str, float] = {}
        self._lines: dict[str, dict[str, set[int]]] = {}
        for one in maps:
            self._tests |= one["tests"]
            for name, seconds in one["fixture_s"].items():
                self._fixture_s[name] = max(seconds, self._fixture_s.get(name, 0.0))
            for file, contexts in one["lines"].items():
                for context, lines in contexts.items():
                    self._lines.setdefault(file, {}).setdefault(context, set()).update(lines)

    def plan(self, file: str, old: str, new: str, named: Sequence[str]) -> Plan:
        """The tests of a change to a file of the program."""
        where = changed_lines(old, new)
        ring = (set(where), set(function_lines(old, where)), set(range(1, old.count("\n") + 2)))
        tiers = {t: self._tier(file, ring, t) for t in named}
        covering = self.by_speed([t for t in named if tiers[t] == 0])
        rest = [t for tier in range(1, 5) for t in self.by_speed([t for t in named if tiers[t] == tier])]
        return Plan(tuple(covering), tuple(rest), self.limit_s(covering), self.limit_s(rest))

    def by_speed(self, tests: Sequence[str]) -> list[str]:
        """File by file, so that what they share is made once: the file that can say something soonest first."""
        files: dict[str, list[str]] = {}
        for test in sorted(tests, key=self._seconds):
            files.setdefault(test.partition("::")[0], []).append(test)
        return [
            t
            for own in sorted(files.values(), key=lambda own: self._seconds(own[0]) + self._shared_s(own[:1]))
            for t in own
        ]

    def limit_s(self, tests: Sequence[str]) -> float:
        """How long these may take before they count as hanging."""
        return longest_s(sum(map(self._seconds, tests)) + self._shared_s(tests))

    def _tier(self, file: str, ring: Sequence[set[int]], test: str) -> int:
        known = self._tests.get(test, {})
        contexts = self._lines.get(file, {})
        ran = [contexts[c] for c in (test, *known.get("fixtures", ())) if c in contexts]
        for tier, lines in enumerate(ring):
            if any(lines & own for own in ran):
                return tier
        return 3 if known.get("starts") else 4

    def _seconds(self, test: str) -> float:
        return float(self._tests.get(test, {}).get("seconds", 0.0))

    def _shared_s(self, tests: Iterable[str]) -> float:
        names = {name for t in tests for name in self._tests.get(t, {}).get("fixtures", ())}
        return sum(self._fixture_s.get(name, 0.0) for name in names)


def longest_s(unchanged_s: float) -> float:
    """How long a mutant may run what takes so long when nothing is changed."""
    return max(LEAST_TIMEOUT_S, TIMES_UNCHANGED * unchanged_s)
