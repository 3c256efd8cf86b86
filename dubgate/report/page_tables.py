"""What the page shows without its script: reasons, lines, checks and measurements, as rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dubgate.delivery.timecode import timecode_at
from dubgate.judgement import Clock, Judgement
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.metrics import METRICS, Metric
from dubgate.policy.bands import told, with_unit
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import SILENT, Finding, Group, Outcome, Text
from dubgate.report.json import groups_of
from dubgate.report.occurrences import by_rule, lines_with_findings, was_not_measured
from dubgate.report.open_questions import OpenQuestions, open_questions
from dubgate.report.phrases import GROUPS, METRIC_GROUPS, OUTCOMES
from dubgate.report.plain_values import measured_of, plain, wanted_of
from dubgate.unmeasured import Unmeasured

MOST_PLACES = 60  # of one rule, listed as links; the table of lines has them all


@dataclass(frozen=True, slots=True)
class Place:
    """A link to a moment of the programme: its timecode, the line or character it is about."""

    start_s: float
    timecode: str
    line: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Reason:
    """What one rule says, for all that failed it the same way; the sentence is the first one's."""

    outcome: str
    label: Text
    text: Text
    n_more: int
    rule: str
    pack: str
    value: Text
    bound: Text
    why: Text
    required: bool  # `why` is what must be so, and not a reason
    remedy: Text
    source: str
    who: str | None
    decided_by: tuple[str, ...]
    places: tuple[Place, ...]
    n_places: int
    everywhere: bool  # all lines: then a link to each says nothing


@dataclass(frozen=True, slots=True)
class Open:
    """Questions that stayed open for one reason, with the places that they are about where those are not all lines."""

    outcome: str
    label: Text
    asked: OpenQuestions
    places: tuple[Place, ...]
    n_places: int


def reasons(judgement: Judgement) -> tuple[Reason, ...]:
    """Everything that failed, by rule, worst first; without what could not be judged, which is told by its reason."""
    n_lines, findings = len(judgement.sheet.cues), judgement.verdict.findings
    told = {id(f) for q in open_questions(findings) for f in q.findings}
    return tuple(_reason(g, judgement.clock, n_lines) for g in by_rule(f for f in findings if id(f) not in told))


def open_reasons(judgement: Judgement) -> tuple[Open, ...]:
    """Why something could not be judged, and what that leaves open."""
    every = {c.id for c in judgement.sheet.cues}
    return tuple(_open(q, judgement.clock, every) for q in open_questions(judgement.verdict.findings))


def _open(asked: OpenQuestions, clock: Clock, every: set[str]) -> Open:
    about = {p.line: p for f in asked.findings for p in _places(f, clock) if p.line is not None}
    places = () if set(about) >= every else tuple(about.values())
    return Open(asked.outcome.name.lower(), OUTCOMES[asked.outcome], asked, places[:MOST_PLACES], n_places=len(places))


def _reason(group: Sequence[Finding], clock: Clock, n_lines: int) -> Reason:
    first = group[0]
    places = [p for f in group for p in _places(f, clock)]
    return Reason(
        outcome=first.outcome.name.lower(),
        label=OUTCOMES[first.outcome],
        text=first.text,
        n_more=len(group) - 1,
        rule=first.rule,
        pack=first.pack,
        value=measured_of(first, clock),
        bound=wanted_of(first),
        why=first.why,
        required=first.rule in CHECKS,
        remedy=first.remedy,
        source=first.source,
        who=first.who_can_resolve,
        decided_by=tuple(dict.fromkeys(d for f in group for d in f.decided_by)),
        places=tuple(places[:MOST_PLACES]),
        n_places=len(places),
        everywhere=was_not_measured(first) and len(group) >= max(2, n_lines),
    )


def _places(f: Finding, clock: Clock) -> list[Place]:
    line = f.subject.name if f.subject.scope is Scope.LINE else None
    spans = f.spans[:1] if line is not None else f.spans
    return [Place(s.start_s, str(timecode_at(s.start_s, clock)), line, f.subject.name) for s in spans]


def group_states(judgement: Judgement) -> tuple[tuple[Text, str], ...]:
    """The parts of a verdict with their own state; nothing for a check of quality alone."""
    if judgement.verdict.quality_only:
        return ()
    return tuple((GROUPS[g], judgement.verdict.of(g).name.lower()) for g in groups_of(judgement))


def outcome_counts(judgement: Judgement) -> tuple[tuple[str, Text, int], ...]:
    """How many findings of each outcome, worst first."""
    counts = Counter(f.outcome for f in judgement.verdict.findings)
    return tuple((o.name.lower(), OUTCOMES[o], counts[o]) for o in sorted(counts, reverse=True))


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line in the table; `rank` sorts outcomes, `late` is empty where it was not measured."""

    key: str
    start_s: float
    timecode: str
    character: str
    text: str
    outcome: str
    rank: int
    label: Text
    said: Text | None
    n_more: int
    late_s: float | None


def line_rows(judgement: Judgement) -> tuple[LineRow, ...]:
    """The lines in order of the script."""
    late = {m.subject.name: m.value for m in judgement.measurements if m.metric == "onset_error_s"}
    rows = []
    for line in lines_with_findings(judgement):
        told = sorted((*line.own, *line.touching), key=lambda f: -f.outcome)
        value = late.get(line.cue.id)
        rows.append(
            LineRow(
                key=line.cue.id,
                start_s=line.cue.span.start_s,
                timecode=str(timecode_at(line.cue.span.start_s, judgement.clock)),
                character=line.cue.character or "",
                text=line.cue.text,
                outcome=line.outcome.name.lower(),
                rank=line.outcome.value,
                label=OUTCOMES[line.outcome],
                said=told[0].text if told else None,
                n_more=max(0, len(told) - 1),
                late_s=None if value is None or isinstance(value, Unmeasured) else value,
            )
        )
    return tuple(rows)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A rule with what came of it: how often it passed, failed, and so on; `said` where it is about the whole."""

    rule: str
    pack: str
    worst: str
    label: Text
    counts: tuple[tuple[str, Text, int], ...]
    said: Text
    source: str


def check_rows(judgement: Judgement) -> tuple[tuple[Text, tuple[CheckRow, ...]], ...]:
    """Every rule that was asked, by group of the verdict, in the order of the packs."""
    by_group: dict[Group, dict[tuple[str, str], list[Finding]]] = {}
    for f in judgement.verdict.findings:
        by_group.setdefault(f.group, {}).setdefault((f.pack, f.rule), []).append(f)
    return tuple((GROUPS[g], tuple(map(_check, by_group[g].values()))) for g in groups_of(judgement))


def _check(findings: Sequence[Finding]) -> CheckRow:
    worst = max(findings, key=lambda f: f.outcome)
    counts = Counter(f.outcome for f in findings)
    return CheckRow(
        rule=worst.rule,
        pack=worst.pack,
        worst=worst.outcome.name.lower(),
        label=OUTCOMES[worst.outcome],
        counts=tuple((o.name.lower(), OUTCOMES[o], counts[o]) for o in sorted(counts, reverse=True)),
        said=_said(findings, worst),
        source=worst.source,
    )


def _said(findings: Sequence[Finding], worst: Finding) -> Text:
    if len(findings) == 1 or worst.outcome > Outcome.PASS:
        return worst.text
    return Text(f"{worst.text.en} (and {len(findings) - 1} more)", f"{worst.text.ja}（ほか{len(findings) - 1}件）")


@dataclass(frozen=True, slots=True)
class MeasurementRow:
    """A number: of whom, how much, or why it could not be had."""

    means: Text
    metric: str
    of: Text
    value: Text
    spread: str
    why_not: str


def measurement_groups(judgement: Judgement) -> tuple[tuple[Text, tuple[MeasurementRow, ...]], ...]:
    """Measurements by group of the METRICS table; those of lines as their middle and their range."""
    rows: dict[str, list[MeasurementRow]] = {}
    by_metric: dict[str, list[Measurement]] = {}
    for m in judgement.measurements:
        by_metric.setdefault(m.metric, []).append(m)
    for name, metric in METRICS.items():
        found = by_metric.get(name, [])
        whole = [_one(m, metric) for m in found if m.subject.scope is not Scope.LINE]
        lines = [m for m in found if m.subject.scope is Scope.LINE]
        rows.setdefault(metric.group, []).extend([*whole, *([_over_lines(lines, metric)] if lines else [])])
    return tuple((METRIC_GROUPS[g], tuple(r)) for g, r in rows.items() if r)


def _one(m: Measurement, metric: Metric) -> MeasurementRow:
    of = Text("programme", "番組全体") if m.subject.scope is Scope.PROGRAMME else Text(m.subject.name, m.subject.name)
    means = Text(metric.means, metric.means_ja)
    if isinstance(m.value, Unmeasured):
        return MeasurementRow(means, metric.name, of, SILENT, "", m.value.reason)
    return MeasurementRow(means, metric.name, of, _in_units(m.value, metric), "", "")


def _in_units(value: float, metric: Metric) -> Text:
    return Text(plain(with_unit(value, metric.unit)), told(value, metric.unit, "ja"))


def _over_lines(lines: Sequence[Measurement], metric: Metric) -> MeasurementRow:
    known = [m.value for m in lines if not isinstance(m.value, Unmeasured)]
    of = Text(f"{len(known)} of {len(lines)} lines", f"{len(lines)}行中{len(known)}行")
    means = Text(metric.means, metric.means_ja)
    if not known:
        reason = next(m.value.reason for m in lines if isinstance(m.value, Unmeasured))
        return MeasurementRow(means, metric.name, of, SILENT, "", reason)
    low, middle, high = (float(v) for v in np.percentile(known, (0, 50, 100)))
    spread = " … ".join(plain(with_unit(end, metric.unit)).split()[0] for end in (low, high))
    return MeasurementRow(means, metric.name, of, _in_units(middle, metric), spread, "")
