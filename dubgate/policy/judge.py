"""From measurements to findings: every rule for every subject, passes too. Pure.

What could not be measured is unknown, never a pass; a rule whose metric came with no measurement at all is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dubgate.delivery.script import Style
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Severity, Text
from dubgate.policy.packs import Band, Pack, Rule
from dubgate.unmeasured import Unmeasured

_FAILED = {Severity.WARN: Outcome.WARN, Severity.HOLD: Outcome.HOLD, Severity.BLOCK: Outcome.BLOCK}
_PROGRAMME = Subject(Scope.PROGRAMME)
_PERCENTILE = {"p10": 10.0, "median": 50.0, "p90": 90.0, "min": 0.0, "max": 100.0}


def judge(measurements: Sequence[Measurement], packs: Sequence[Pack], *, style: Style) -> tuple[Finding, ...]:
    """What every rule of the packs says of every subject, in the order of packs, rules and measurements."""
    by_metric: dict[str, list[Measurement]] = {}
    for m in measurements:
        by_metric.setdefault(m.metric, []).append(m)
    return tuple(
        finding
        for pack in packs
        for rule in pack.rules
        for finding in _of_rule(rule, pack, by_metric.get(rule.metric, []), style)
    )


def _of_rule(rule: Rule, pack: Pack, found: list[Measurement], style: Style) -> Iterator[Finding]:
    if style not in rule.styles:
        why = Text(f"not asked of a {style} dub", "この吹替形式には適用されません")
        yield _finding(rule, pack, _PROGRAMME, Outcome.NOT_APPLICABLE, why)
    elif not found:
        why = Text(f"nothing was measured: {rule.measures.means}", f"測定されていません: {rule.measures.means_ja}")
        yield _finding(rule, pack, _PROGRAMME, _unknown(rule), why)
    elif rule.of == "each":
        findings = [_single(rule, pack, m) for m in found]
        yield from findings
        yield from _together(rule, pack, findings)
    else:
        yield _aggregate(rule, pack, found)


def _unknown(rule: Rule) -> Outcome:
    if rule.unmeasured == "not_applicable":
        return Outcome.NOT_APPLICABLE
    return Outcome.WARN if rule.severity is Severity.WARN else Outcome.UNKNOWN


def outcome_of(rule: Rule, value: float | Unmeasured) -> Outcome:
    """What one value leads to."""
    if isinstance(value, Unmeasured) or not np.isfinite(value):
        return _unknown(rule)
    if rule.require is not None and not rule.require.holds(value):
        return _FAILED[rule.severity]
    if rule.prefer is not None and not rule.prefer.holds(value):
        return Outcome.WARN
    return Outcome.PASS


def _single(rule: Rule, pack: Pack, m: Measurement) -> Finding:
    outcome = outcome_of(rule, m.value)
    return _finding(rule, pack, m.subject, outcome, _said(rule, m, outcome), m.value, m)


def _said(rule: Rule, m: Measurement, outcome: Outcome) -> Text:
    if isinstance(m.value, Unmeasured):
        en = f"{_who(m.subject)}could not be measured: {rule.measures.means} ({m.value.reason})"
        return Text(en, f"測定できません: {rule.measures.means_ja}")
    if outcome is Outcome.PASS:
        return Text(
            f"{_who(m.subject)}as it should be: {rule.measures.means}", f"問題ありません: {rule.measures.means_ja}"
        )
    return _worded(rule, m.subject, m.value)


def _who(subject: Subject) -> str:
    return "" if subject.scope is Scope.PROGRAMME else f"{subject.scope} {subject.name}: "


def _worded(rule: Rule, subject: Subject, value: float) -> Text:
    shown = _shown(rule, value)
    filled = {
        "line": subject.name if subject.scope is Scope.LINE else "",
        "character": subject.character or (subject.name if subject.scope is Scope.CHARACTER else ""),
        "value": shown,
        "size": _shown(rule, abs(value)),
    }
    return Text(rule.text.en.format(**filled), rule.text.ja.format(**filled))


def _shown(rule: Rule, value: float | Unmeasured) -> str:
    if isinstance(value, Unmeasured):
        return "not measured"
    number = f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return f"{number} {rule.measures.unit}"


def _together(rule: Rule, pack: Pack, findings: Sequence[Finding]) -> Iterator[Finding]:
    """A block, where so many lines or so long a run fail that it is no longer a matter of single lines."""
    when = rule.block_when
    if when is None:
        return
    judged = [f for f in findings if f.outcome in (Outcome.PASS, Outcome.WARN, Outcome.HOLD)]
    bad = [f.outcome is Outcome.HOLD for f in judged]
    n, longest = sum(bad), _longest_run(bad)
    share = when.share is not None and bad and n / len(bad) >= when.share
    run = when.run is not None and longest >= when.run
    if n >= when.at_least and (share or run):
        en = f"{n} of {len(bad)} fail, {longest} of them in a row: {rule.why}"
        text = Text(en, f"{len(bad)}件中{n}件が不合格です（連続{longest}件）")
        spans = tuple(s for f in judged if f.outcome is Outcome.HOLD for s in f.spans)
        shown = _finding(rule, pack, _PROGRAMME, Outcome.BLOCK, text)
        yield _with(shown, value=f"{n} of {len(bad)}", spans=spans)


def _longest_run(flags: Sequence[bool]) -> int:
    longest = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        longest = max(longest, now)
    return longest


def _aggregate(rule: Rule, pack: Pack, found: Sequence[Measurement]) -> Finding:
    """One finding over all subjects; Unmeasured where too little of the speech was measured."""
    known = [m for m in found if not isinstance(m.value, Unmeasured)]
    weight = sum(m.weight_s for m in found)
    coverage = sum(m.weight_s for m in known) / weight if weight > 0 else len(known) / len(found)
    left_out = [m.subject.name for m in found if isinstance(m.value, Unmeasured)]
    if not known or coverage < rule.coverage_at_least:
        reason = Unmeasured(f"only {coverage:.0%} of the speech could be measured")
        whole = Measurement(rule.metric, _PROGRAMME, reason)
    else:
        values = np.array([m.value for m in known], dtype=np.float64)
        if rule.require is not None and rule.require.magnitude:
            values = np.abs(values)
        at = float(values.mean()) if rule.of == "mean" else float(np.percentile(values, _PERCENTILE[rule.of]))
        whole = Measurement(rule.metric, _PROGRAMME, at)
    finding = _single(rule, pack, whole)
    if left_out:
        note = f" (left out: {', '.join(left_out[:20])}{'…' if len(left_out) > 20 else ''})"
        finding = _with(finding, text=Text(finding.text.en + note, finding.text.ja + note))
    return finding


def _finding(
    rule: Rule,
    pack: Pack,
    subject: Subject,
    outcome: Outcome,
    text: Text,
    value: float | Unmeasured | None = None,
    m: Measurement | None = None,
) -> Finding:
    return Finding(
        rule=rule.id,
        pack=pack.name,
        group=Group.QUALITY,
        subject=subject,
        outcome=outcome,
        text=text,
        value="" if value is None else _shown(rule, value),
        bound=_bound(rule, outcome),
        why=rule.why,
        remedy=rule.remedy if outcome > Outcome.PASS else "",
        source=rule.source,
        spans=m.spans if m is not None else (),
        who_can_resolve=rule.attestable_by[0] if outcome is Outcome.UNKNOWN and rule.attestable_by else None,
    )


def _bound(rule: Rule, outcome: Outcome) -> str:
    band: Band | None = (
        rule.prefer if outcome is Outcome.WARN and rule.prefer is not None else rule.require or rule.prefer
    )
    return str(band) if band is not None else ""


def _with(finding: Finding, **changes: object) -> Finding:
    from dataclasses import replace

    return replace(finding, **changes)  # type: ignore[arg-type]
