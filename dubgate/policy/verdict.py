"""The verdict: a maximum over the findings' outcomes, so that another finding never improves it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NoReturn

from dubgate.policy.findings import Finding, Group, Outcome


class Decision(IntEnum):
    """What may happen to the dub, from best to worst; `exit_code` is what the process returns."""

    RELEASE = 0
    HOLD = 1
    BLOCK = 2

    @property
    def exit_code(self) -> int:
        """0 release, 3 hold, 1 block; 2 is kept for a tool that could not judge."""
        return {Decision.RELEASE: 0, Decision.HOLD: 3, Decision.BLOCK: 1}[self]

    def __bool__(self) -> NoReturn:
        raise TypeError("a decision has no truth value; compare it with Decision.RELEASE")


_DECISION_OF = {
    Outcome.NOT_APPLICABLE: Decision.RELEASE,
    Outcome.PASS: Decision.RELEASE,
    Outcome.WAIVED: Decision.RELEASE,
    Outcome.WARN: Decision.RELEASE,
    Outcome.UNKNOWN: Decision.HOLD,
    Outcome.HOLD: Decision.HOLD,
    Outcome.BLOCK: Decision.BLOCK,
}


def decide(findings: Iterable[Finding]) -> Decision:
    """The worst of the findings. Nothing found, or nothing that was really judged, holds."""
    return decision_of([f.outcome for f in findings])


def decision_of(outcomes: Collection[Outcome]) -> Decision:
    """The worst of the outcomes; see decide."""
    if not any(o not in (Outcome.NOT_APPLICABLE, Outcome.WAIVED) for o in outcomes):
        return max([Decision.HOLD, *(_DECISION_OF[o] for o in outcomes)])
    return max(_DECISION_OF[o] for o in outcomes)


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings and what follows from them. `quality_only` verdicts (`dubgate qc`) never are a release."""

    findings: tuple[Finding, ...]
    quality_only: bool = False

    @property
    def decision(self) -> Decision:
        return decide(self.findings)

    def of(self, group: Group) -> Decision:
        """The state of one group; a group in which nothing was judged holds."""
        return decide(f for f in self.findings if f.group is group)

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict has no truth value; compare verdict.decision with Decision.RELEASE")
