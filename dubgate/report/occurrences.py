"""Findings as people work through them: worst first, by line, and one occurrence at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dubgate.delivery.script import Cue
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.rule_findings import named
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

FAILED = (Outcome.BLOCK, Outcome.HOLD, Outcome.UNKNOWN, Outcome.WARN)
SEVERITY = {Outcome.BLOCK: "Blocker", Outcome.HOLD: "Issue", Outcome.UNKNOWN: "Issue", Outcome.WARN: "FYI"}
NOT_MEASURED = "not measured"  # the value that rules print then
_TOUCH_S = 0.2  # a finding of the whole that overlaps a line by less says nothing of that line
_MOST_PLACES = 10  # a finding with more places than this is about the whole, not about each line
_WIDEST = {Scope.PROGRAMME: 0, Scope.CHARACTER: 1, Scope.LINE: 2}


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a rule failed; `span` is None where it has no place, `cue` where it lies in no line."""

    finding: Finding
    span: Span | None
    cue: Cue | None

    @property
    def character(self) -> str | None:
        """Who speaks there, as far as the finding or the script says."""
        subject = self.finding.subject
        if subject.scope is Scope.CHARACTER:
            return subject.name
        return subject.character or (self.cue.character if self.cue else None)


@dataclass(frozen=True, slots=True)
class LineFindings:
    """What failed for one line: findings about the line itself, and those of the whole that point at it."""

    cue: Cue
    own: tuple[Finding, ...]
    touching: tuple[Finding, ...]
    n_passed: int

    @property
    def outcome(self) -> Outcome:
        """The worst of both; PASS where nothing failed and something was asked, else NOT_APPLICABLE."""
        least = Outcome.PASS if self.n_passed else Outcome.NOT_APPLICABLE
        return max([least, *(f.outcome for f in (*self.own, *self.touching))])


def failed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What failed, worst first; then the programme, characters, lines; then in order of time."""
    return tuple(sorted((f for f in findings if f.outcome in FAILED), key=_weight))


def _weight(finding: Finding) -> tuple[int, int, float]:
    start_s = finding.spans[0].start_s if finding.spans else 0.0
    return -finding.outcome, _WIDEST[finding.subject.scope], start_s


def by_rule(findings: Iterable[Finding]) -> tuple[tuple[Finding, ...], ...]:
    """Failed findings with those of the same rule and outcome together, in the order of the worst of each.

    What could not be measured is together only where the reason is the same.
    """
    groups: dict[tuple[str, str, Outcome, str], list[Finding]] = {}
    for finding in failed(findings):
        why = _said_of_anybody(finding) if was_not_measured(finding) else ""
        groups.setdefault((finding.pack, finding.rule, finding.outcome, why), []).append(finding)
    return tuple(tuple(group) for group in groups.values())


def was_not_measured(finding: Finding) -> bool:
    """Whether the rule had no number to judge."""
    return finding.value == NOT_MEASURED


def _said_of_anybody(finding: Finding) -> str:
    """The sentence without the name of its subject."""
    return finding.text.en.replace(named(finding.subject).en, "", 1)


def occurrences(judgement: Judgement) -> tuple[Occurrence, ...]:
    """Every place where something failed, in order of time; what has no place comes first."""
    lines = _Lines(judgement.sheet.cues)
    found = [o for f in failed(judgement.verdict.findings) for o in _places(f, lines)]
    return tuple(sorted(found, key=lambda o: (-1.0 if o.span is None else o.span.start_s, -o.finding.outcome)))


def _places(finding: Finding, lines: _Lines) -> list[Occurrence]:
    own = lines.by_id.get(finding.subject.name) if finding.subject.scope is Scope.LINE else None
    if own is not None:
        return [Occurrence(finding, span, own) for span in finding.spans or (own.span,)]
    if not finding.spans:
        return [Occurrence(finding, None, None)]
    return [Occurrence(finding, span, lines.at(span)) for span in finding.spans]


def lines_with_findings(judgement: Judgement) -> tuple[LineFindings, ...]:
    """The lines of the script in order, each with what failed there."""
    lines = _Lines(judgement.sheet.cues)
    own: dict[str, list[Finding]] = {}
    touching: dict[str, list[Finding]] = {}
    passed: dict[str, int] = {}
    for finding in failed(judgement.verdict.findings):
        if finding.subject.scope is Scope.LINE and finding.subject.name in lines.by_id:
            own.setdefault(finding.subject.name, []).append(finding)
        elif len(finding.spans) <= _MOST_PLACES:
            for cue in dict.fromkeys(c for span in finding.spans for c in lines.touched_by(span)):
                touching.setdefault(cue.id, []).append(finding)
    for finding in judgement.verdict.findings:
        if finding.subject.scope is Scope.LINE and finding.outcome in (Outcome.PASS, Outcome.WAIVED):
            passed[finding.subject.name] = passed.get(finding.subject.name, 0) + 1
    return tuple(
        LineFindings(c, tuple(own.get(c.id, ())), tuple(touching.get(c.id, ())), passed.get(c.id, 0))
        for c in judgement.sheet.cues
    )


def dub_extents(judgement: Judgement) -> dict[str, Span]:
    """Where each line really lies in the dub, by cue id, for the lines where that was measured."""
    return {
        m.subject.name: m.spans[0]
        for m in judgement.measurements
        if m.metric == "onset_error_s" and m.spans and not isinstance(m.value, Unmeasured)
    }


class _Lines:
    """Cues by id and by time."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self.by_id = {c.id: c for c in cues}
        self._cues = sorted(cues, key=lambda c: c.span)
        self._starts = [c.span.start_s for c in self._cues]
        self._longest_s = max((c.span.duration_s for c in cues), default=0.0)

    def touched_by(self, span: Span) -> list[Cue]:
        """Lines that a place covers for a good part of the place or of the line."""
        return [c for c in self._near(span) if c.span.overlap_s(span) >= min(_TOUCH_S, span.duration_s)]

    def at(self, span: Span) -> Cue | None:
        """The line that a place overlaps most."""
        near = [c for c in self._near(span) if c.span.overlap_s(span) > 0]
        return max(near, key=lambda c: c.span.overlap_s(span), default=None)

    def _near(self, span: Span) -> list[Cue]:
        first = bisect_left(self._starts, span.start_s - self._longest_s)
        last = bisect_left(self._starts, span.end_s)
        return self._cues[first:last]


__all__ = [
    "FAILED",
    "SEVERITY",
    "LineFindings",
    "Occurrence",
    "by_rule",
    "dub_extents",
    "failed",
    "lines_with_findings",
    "occurrences",
    "was_not_measured",
]
