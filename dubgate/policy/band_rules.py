"""Band rules judged: for each subject or over the programme, on enough of the speech, nothing left out silently. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dubgate.delivery.script import Style
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.pack_parts import BlockWhen
from dubgate.policy.pack_schema import BandRule
from dubgate.policy.packs import Pack
from dubgate.policy.rule_findings import (
    FAILED,
    PROGRAMME,
    bound_of,
    finding,
    judged,
    listed,
    not_applicable,
    unknown,
)
from dubgate.unmeasured import Unmeasured

_PERCENTILE = {"p10": 10.0, "median": 50.0, "p90": 90.0, "min": 0.0, "max": 100.0}
_NOT_A_NUMBER = Unmeasured("the measurement is not a finite number")


@dataclass(frozen=True, slots=True)
class Judging:
    """What measurements are judged under: all of them by metric and in order, the style, which models are embedded."""

    by_metric: Mapping[str, Sequence[Measurement]]
    style: Style
    embedded: frozenset[str] = frozenset()
    _by_subject: dict[str, dict[Subject, list[Measurement]]] = field(default_factory=dict, init=False, compare=False)

    def of(self, rule: BandRule) -> list[Measurement]:
        """The measurements that a rule judges."""
        return [m for name in rule.metrics for m in self.by_metric.get(name, ())]

    def about(self, subject: Subject, metric: str) -> Sequence[Measurement]:
        """The measurements of a metric for one subject."""
        if metric not in self._by_subject:
            found = self._by_subject[metric] = {}
            for m in self.by_metric.get(metric, ()):
                found.setdefault(m.subject, []).append(m)
        return self._by_subject[metric].get(subject, ())


def judge_band(rule: BandRule, pack: Pack, judging: Judging) -> Iterator[Finding]:
    """What a rule says of every subject."""
    found = judging.of(rule)
    fallbacks = sorted(judging.embedded.intersection(rule.report_only_with_embedded))
    if judging.style not in rule.styles:
        en = f"not asked of a {judging.style} dub"
        yield not_applicable(rule, pack, PROGRAMME, en, f"{in_japanese(judging.style)}の吹替には適用されません")
    elif fallbacks:
        en = f"with the embedded {' and '.join(fallbacks)} this is reported, not judged"
        yield not_applicable(rule, pack, PROGRAMME, en, "同梱モデルでは参考値として扱います")
    elif not found:
        yield unknown(rule, pack, PROGRAMME, _why_nothing(rule), bound=bound_of(rule))
    else:
        yield from _asked(rule, pack, found, judging)


def _why_nothing(rule: BandRule) -> Unmeasured:
    """Why there is no measurement at all of what a rule bounds."""
    of_characters = "one_voice_score" in rule.metrics
    return Unmeasured("no line names its character") if of_characters else Unmeasured("nothing was measured")


def _asked(rule: BandRule, pack: Pack, found: Sequence[Measurement], judging: Judging) -> Iterator[Finding]:
    subjects = [(m, _value(m, rule, judging)) for m in found]
    for m, value in subjects:
        if isinstance(value, Unmeasured) and _is_no_question(rule, value):
            yield not_applicable(rule, pack, m.subject, value.reason, in_japanese(value.reason))
    asked = [(m, v) for m, v in subjects if not (isinstance(v, Unmeasured) and _is_no_question(rule, v))]
    if asked and rule.of == "each":
        yield from _each(rule, pack, asked)
    elif asked:
        yield _aggregate(rule, pack, asked)


Valued = tuple[Measurement, "float | bool | Unmeasured"]  # True: another metric answers that it is as it should be


def _value(m: Measurement, rule: BandRule, judging: Judging) -> float | bool | Unmeasured:
    if not isinstance(m.value, Unmeasured):
        return float(m.value) if np.isfinite(m.value) else _NOT_A_NUMBER
    if rule.instead is None:
        return m.value
    others = judging.about(m.subject, rule.instead.metric)
    answers = [not isinstance(o.value, Unmeasured) and rule.instead.require.holds(o.value) for o in others]
    return True if answers and all(answers) else m.value


def _is_no_question(rule: BandRule, why: Unmeasured) -> bool:
    return any(reason in why.reason for reason in rule.not_asked_where)


def outcome_of(rule: BandRule, value: float) -> Outcome:
    """What one value leads to."""
    value = abs(value) if rule.magnitude else value
    if rule.require is not None and not rule.require.holds(value):
        return FAILED[rule.severity]
    if rule.prefer is not None and not rule.prefer.holds(value):
        return Outcome.WARN
    return Outcome.PASS


def _each(rule: BandRule, pack: Pack, asked: Sequence[Valued]) -> Iterator[Finding]:
    findings: list[Finding] = []
    for scope in Scope:
        own = [(m, v) for m, v in asked if m.subject.scope is scope]
        coverage = _coverage(own)
        findings += [_single(rule, pack, m, v, coverage) for m, v in own]
    yield from findings
    yield from _together(rule, pack, findings)


def _single(rule: BandRule, pack: Pack, m: Measurement, value: float | bool | Unmeasured, coverage: float) -> Finding:
    if value is True:
        text = Text(f"{rule.asks.en}: as it should be, by the words heard", f"{rule.asks.ja}: 聞こえた語から適正です")
        return finding(rule, pack, m.subject, Outcome.PASS, text, bound=bound_of(rule), spans=m.spans)
    if not isinstance(value, Unmeasured):
        return judged(rule, pack, m.subject, outcome_of(rule, value), value, m.spans)
    if m.subject.scope is Scope.PROGRAMME or coverage < rule.coverage.at_least:
        return unknown(rule, pack, m.subject, value, bound=bound_of(rule), spans=m.spans)
    en = f"left out ({value.reason}); the rule rests on {coverage:.0%} of the speech"
    ja = f"対象外（{in_japanese(value.reason)}）。発話の{coverage:.0%}で判定しました"
    return not_applicable(rule, pack, m.subject, en, ja)


def _coverage(asked: Sequence[Valued]) -> float:
    """The share of speech seconds that was measured; what has no weight counts as an average subject."""
    weights = [m.weight_s for m, _ in asked if m.weight_s > 0]
    average = sum(weights) / len(weights) if weights else 1.0
    full = sum(m.weight_s or average for m, _ in asked)
    known = sum(m.weight_s or average for m, v in asked if not isinstance(v, Unmeasured))
    return known / full if full > 0 else 0.0


def _together(rule: BandRule, pack: Pack, findings: Sequence[Finding]) -> Iterator[Finding]:
    """A block, where so many fail, or so many in a row, that it is no longer a matter of single lines."""
    when = rule.block_when
    if when is None:
        return
    counted = [f for f in findings if f.outcome in (Outcome.PASS, Outcome.WARN, Outcome.HOLD)]
    failed = [f for f in counted if f.outcome is Outcome.HOLD]
    run = _longest_run([f.outcome is Outcome.HOLD for f in counted])
    too_many = when.share is not None and len(failed) >= when.share * len(counted)
    if len(failed) < when.at_least or not (too_many or (when.run is not None and run >= when.run)):
        return
    subjects = listed([f.subject.name for f in failed])
    n, of = len(failed), len(counted)
    en = f"{n} of {of} fail, {run} of them in a row ({rule.asks.en}): {subjects.en}."
    ja = f"{rule.asks.ja}: {of}件中{n}件が不合格です（最長の連続{run}件）: {subjects.ja}。"
    value = Text(f"{n} of {of}, run of {run}", f"{of}件中{n}件、連続{run}件")
    spans = tuple(span for f in failed for span in f.spans)
    yield finding(
        rule, pack, PROGRAMME, Outcome.BLOCK, Text(en, ja), value=value, bound=_bound_together(when), spans=spans
    )


def _bound_together(when: BlockWhen) -> Text:
    share = [] if when.share is None else [Text(f"under {when.share:.0%} fail", f"不合格{when.share:.0%}未満")]
    run = [] if when.run is None else [Text(f"no run of {when.run}", f"連続{when.run}件未満")]
    bounds = [*share, *run]
    return Text(" or ".join(b.en for b in bounds), "、または".join(b.ja for b in bounds))


def _longest_run(flags: Sequence[bool]) -> int:
    longest = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        longest = max(longest, now)
    return longest


def _aggregate(rule: BandRule, pack: Pack, asked: Sequence[Valued]) -> Finding:
    """One finding over all subjects; Unmeasured where it would rest on too little of the speech."""
    known = [(m, float(v)) for m, v in asked if not isinstance(v, Unmeasured | bool)]
    coverage = _coverage([(m, v) for m, v in asked if v is not True])
    if not known or coverage < rule.coverage.at_least:
        why = Unmeasured(
            f"only {coverage:.0%} of the speech could be measured, {rule.coverage.at_least:.0%} are needed"
        )
        return _with_left_out(unknown(rule, pack, PROGRAMME, why, bound=bound_of(rule)), asked)
    value = _over_all(rule, [v for _, v in known])
    spans = tuple(span for m, v in known if not _is_inside(rule, v) for span in m.spans)
    return _with_left_out(judged(rule, pack, PROGRAMME, outcome_of(rule, value), value, spans), asked)


def _over_all(rule: BandRule, values: Sequence[float]) -> float:
    if rule.of == "share":
        return sum(_is_inside(rule, v) for v in values) / len(values)
    array = np.abs(values) if rule.magnitude else np.asarray(values)
    return float(array.mean() if rule.of == "mean" else np.percentile(array, _PERCENTILE[rule.of]))


def _is_inside(rule: BandRule, value: float) -> bool:
    band = rule.within or rule.require or rule.prefer
    assert band is not None
    return band.holds(abs(value) if rule.magnitude else value)


def _with_left_out(found: Finding, asked: Sequence[Valued]) -> Finding:
    out = [m.subject.name for m, v in asked if isinstance(v, Unmeasured)]
    if not out:
        return found
    left = listed(out)
    text = Text(f"{found.text.en} Left out: {left.en}.", f"{found.text.ja} 対象外: {left.ja}。")
    return replace(found, text=text)


def in_order(measurements: Sequence[Measurement], lines: Sequence[str]) -> list[Measurement]:
    """Programme, then characters, then lines as the script has them, whatever order they come in."""
    place = {cue_id: k for k, cue_id in enumerate(lines)}
    scopes = {Scope.PROGRAMME: 0, Scope.CHARACTER: 1, Scope.LINE: 2}

    def key(m: Measurement) -> tuple[int, int, str, str]:
        subject: Subject = m.subject
        return scopes[subject.scope], place.get(subject.name, len(place)), subject.name, repr(m.value)

    return sorted(measurements, key=key)
