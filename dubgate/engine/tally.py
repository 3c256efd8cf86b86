"""What a batch adds up to: which rules block most, what people have to listen to, and how often dubs came again; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dubgate.engine.jobs import Facts
from dubgate.engine.journal import Done


@dataclass(frozen=True, slots=True)
class RuleTally:
    """In how many deliveries a rule blocked, held or warned."""

    rule: str
    blocked: int
    held: int
    warned: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Deliveries of one vendor and language. `rounds` are judgements of different files, `resubmissions` those after the
    first of each dub; `finished_minutes` are those of dubs whose last round is a release."""

    vendor: str
    language: str
    deliveries: int
    released: int
    held: int
    blocked: int
    not_judged: int
    minutes: float
    review_minutes: float
    finished_minutes: float
    rounds: int
    resubmissions: int

    @property
    def review_per_minute(self) -> float | None:
        """Minutes of listening for a minute of programme; None where there is none."""
        return self.review_minutes / self.minutes if self.minutes > 0 else None

    @property
    def resubmissions_per_finished_minute(self) -> float | None:
        """None where nothing is finished."""
        return self.resubmissions / self.finished_minutes if self.finished_minutes > 0 else None

    @property
    def rounds_per_finished_minute(self) -> float | None:
        """None where nothing is finished."""
        return self.rounds / self.finished_minutes if self.finished_minutes > 0 else None


def by_rule(done: Iterable[Done]) -> tuple[RuleTally, ...]:
    """Rules by how many deliveries they block, then hold, then warn of."""
    blocked: Counter[str] = Counter()
    held: Counter[str] = Counter()
    warned: Counter[str] = Counter()
    for facts in (d.facts for d in done if d.facts is not None):
        blocked.update(facts.blocking)
        held.update(facts.holding)
        warned.update(facts.warning)
    rows = (RuleTally(r, blocked[r], held[r], warned[r]) for r in {*blocked, *held, *warned})
    return tuple(sorted(rows, key=lambda t: (-t.blocked, -t.held, -t.warned, t.rule)))


def by_vendor(done: Sequence[Done], rounds: Sequence[Done]) -> tuple[Tally, ...]:
    """One row for each vendor and language, in alphabetical order; what could not be read is of an unknown vendor."""
    keys = sorted({_key(d.facts) for d in (*done, *rounds)})
    return tuple(_tally(key, done, rounds) for key in keys)


def _key(facts: Facts | None) -> tuple[str, str]:
    return ("unknown", "unknown") if facts is None else (facts.vendor, facts.language)


def _tally(key: tuple[str, str], done: Sequence[Done], rounds: Sequence[Done]) -> Tally:
    own = [d for d in done if _key(d.facts) == key]
    facts = [d.facts for d in own if d.facts is not None]
    every = [d for d in rounds if d.facts is not None and _key(d.facts) == key]
    told = {(d.facts.submission, d.name, d.state): d.facts.submission for d in every if d.facts is not None}
    decided = Counter(d.decision for d in own)
    last = {f.submission: f for f in facts}
    return Tally(
        vendor=key[0],
        language=key[1],
        deliveries=len(own),
        released=decided["release"],
        held=decided["hold"],
        blocked=decided["block"],
        not_judged=decided["error"],
        minutes=sum(f.minutes for f in facts),
        review_minutes=sum(f.review_minutes for f in facts),
        finished_minutes=sum(f.minutes for f in last.values() if f.decision == "release"),
        rounds=len(told),
        resubmissions=len(told) - len(set(told.values())),
    )
