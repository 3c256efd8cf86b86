"""A rule's own tests: the values or facts of one programme, and the worst outcome that they must lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.conditions import Evaluator
from dubgate.policy.facts import FACTS, Facts, ListType, RecordType, Type, Value, facts_from
from dubgate.policy.findings import Finding
from dubgate.policy.judge import judge_measurements, judge_rule_conditions
from dubgate.policy.pack_parts import BandCase, ConditionCase
from dubgate.policy.pack_schema import BandRule, ConditionRule
from dubgate.policy.packs import Pack
from dubgate.unmeasured import Unmeasured

_KINDS = {
    "pass": "pass",
    **dict.fromkeys(("warn", "hold", "block"), "fail"),
    "not_applicable": "not concerned",
    "unknown": "open",
}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case of a rule led to, against what it should."""

    rule: str
    case: int
    expected: str
    got: str

    @property
    def passed(self) -> bool:
        return self.expected == self.got

    @property
    def kind(self) -> str:
        """What the case is one of: that passes, fails, is exempt, is not concerned, or stays open."""
        return "exempt" if self.expected.startswith("exempt") else _KINDS[self.expected]


def run_cases(pack: Pack) -> tuple[CaseResult, ...]:
    """Every case of every rule of a pack."""
    with Evaluator() as evaluator:
        return tuple(result for rule in pack.rules for result in _of_rule(rule, pack, evaluator))


def _of_rule(rule: BandRule | ConditionRule, pack: Pack, evaluator: Evaluator) -> Iterator[CaseResult]:
    for k, case in enumerate(rule.tests, start=1):
        if isinstance(rule, BandRule):
            assert isinstance(case, BandCase)
            findings = _band_findings(rule, pack, case)
        else:
            assert isinstance(case, ConditionCase)
            findings = judge_rule_conditions(rule, pack, _facts(case), rule.styles[0], evaluator)
            if case.exempt is not None:
                yield CaseResult(rule.id, k, f"exempt by {case.exempt}", _exempt_by(rule, findings[0]))
                continue
        yield CaseResult(rule.id, k, case.outcome, _worst(findings))


def _exempt_by(rule: ConditionRule, finding: Finding) -> str:
    """Which exemption a finding tells of."""
    told = [e.id for e in rule.exemptions if finding.text.en.endswith(e.because.en)]
    return f"exempt by {told[0]}" if told else finding.outcome.name.lower()


def _worst(findings: tuple[Finding, ...]) -> str:
    return max(f.outcome for f in findings).name.lower() if findings else "nothing"


def _band_findings(rule: BandRule, pack: Pack, case: BandCase) -> tuple[Finding, ...]:
    scope = rule.measures.scope
    rows: list[Measurement] = []
    for k, (value, other, seconds) in enumerate(zip_longest(case.values, case.instead, case.seconds)):
        subject = Subject(scope, "" if scope is Scope.PROGRAMME else str(k + 1))
        weight_s = 1.0 if seconds is None else seconds
        rows.append(Measurement(rule.metrics[0], subject, _read(value), weight_s))
        if rule.instead is not None and other is not None:
            rows.append(Measurement(rule.instead.metric, subject, _read(other), weight_s))
    alone = replace(pack, rules=(rule,), territories=None)
    style = case.style or rule.styles[0]
    lines = [str(k + 1) for k in range(len(case.values))]
    return judge_measurements(rows, [alone], style=style, lines=lines, embedded=case.embedded)


def _read(value: float | str) -> float | Unmeasured:
    if not isinstance(value, str):
        return float(value)
    word, _, reason = value.partition(":")
    if word != "unmeasured":
        raise ValueError(f"{value!r} is neither a number nor 'unmeasured'")
    return Unmeasured(reason.strip() or "not measured in this case")


def _facts(case: ConditionCase) -> Facts:
    return facts_from({path: _fact(value, path) for path, value in case.facts.items()})


def _fact(value: Any, path: str) -> Value | Unmeasured:
    fact = FACTS.get(path)
    if fact is None:
        raise ValueError(f"no fact is called {path!r}")
    typed: Value | Unmeasured = _typed(value, fact.type)
    return typed


def _typed(value: Any, kind: Type) -> Any:
    if value is None:
        return Unmeasured("not known in this case")
    if isinstance(kind, ListType) and isinstance(value, list):
        return tuple(_typed(item, kind.items) for item in value)
    if isinstance(kind, RecordType) and isinstance(value, Mapping):
        unknown = set(value) - {name for name, _ in kind.fields}
        if unknown:
            raise ValueError(f"there is no {', '.join(sorted(unknown))} here")
        return {name: _typed(value.get(name), inner) for name, inner in kind.fields}
    return value
