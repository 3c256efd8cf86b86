"""From measurements and facts to findings: every rule for every subject, passes too.

What could not be measured or told is unknown, never a pass; a rule whose metric came with no measurement is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dubgate.delivery.script import Style
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Measurement
from dubgate.policy.band_rules import Judging, in_order, judge_band
from dubgate.policy.conditions import Evaluator
from dubgate.policy.facts import Facts
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.pack_schema import ConditionRule, Rule
from dubgate.policy.packs import Pack
from dubgate.policy.rule_findings import FAILED, PROGRAMME, finding, not_applicable, unknown
from dubgate.policy.when import When, out_of_force, review_findings
from dubgate.unmeasured import Unmeasured


def judge(
    measurements: Iterable[Measurement],
    packs: Sequence[Pack],
    *,
    style: Style,
    lines: Sequence[str] = (),
    embedded: Iterable[str] = (),
    facts: Facts | None = None,
    when: When | None = None,
) -> tuple[Finding, ...]:
    """What every rule of the packs says, by pack, rule, and subject in the script's order.

    Args:
        lines: the cue ids in the script's order; the order of the measurements does not matter.
        embedded: kinds of the models that heard and are embedded fallbacks (`BackendInfo.kind`).
        facts: None for a quality check, which reads no delivery: conditions are then not applicable, and the verdict
            can be no release. A check of a delivery always has facts.
        when: the moment and the release window; None where rules are taken as in force, whatever their dates.
    """
    return (
        *judge_measurements(measurements, packs, style=style, lines=lines, embedded=embedded, facts=facts, when=when),
        *judge_conditions(packs, facts, style=style, when=when),
        *review_findings(packs, when),
    )


def judge_measurements(
    measurements: Iterable[Measurement],
    packs: Sequence[Pack],
    *,
    style: Style,
    lines: Sequence[str] = (),
    embedded: Iterable[str] = (),
    facts: Facts | None = None,
    when: When | None = None,
) -> tuple[Finding, ...]:
    """What the band rules say; pure. With facts, a pack for other territories is not applicable."""
    by_metric: dict[str, list[Measurement]] = {}
    for m in in_order(tuple(measurements), lines):
        by_metric.setdefault(m.metric, []).append(m)
    judging = Judging(by_metric, style, frozenset(embedded))
    return tuple(
        found
        for pack in packs
        for rule in pack.bands
        for found in (_set_aside(rule, pack, facts, when) or judge_band(rule, pack, judging))
    )


def judge_conditions(
    packs: Sequence[Pack], facts: Facts | None, *, style: Style, when: When | None = None
) -> tuple[Finding, ...]:
    """What the condition rules say of a delivery's facts; None where there is no delivery."""
    if facts is None:
        en, ja = "a quality check reads no delivery", "品質検査では納品情報を読みません"
        return tuple(not_applicable(rule, pack, PROGRAMME, en, ja) for pack in packs for rule in pack.conditions)
    with Evaluator() as evaluator:
        return tuple(
            found
            for pack in packs
            for rule in pack.conditions
            for found in judge_rule_conditions(rule, pack, facts, style, evaluator, when)
        )


def judge_rule_conditions(
    rule: ConditionRule, pack: Pack, facts: Facts, style: Style, evaluator: Evaluator, when: When | None = None
) -> tuple[Finding, ...]:
    """What one condition rule says."""
    if aside := _set_aside(rule, pack, facts, when):
        return aside
    if style not in rule.styles:
        en, ja = f"not asked of a {style} dub", f"{in_japanese(style)}の吹替には適用されません"
        return (not_applicable(rule, pack, PROGRAMME, en, ja),)
    applies, require = rule.conditions
    concerns = True if applies is None else evaluator.holds(applies, facts)
    if concerns is False:
        return (not_applicable(rule, pack, PROGRAMME, "this delivery is not concerned", "この納品には該当しません"),)
    for exemption in rule.exemptions:
        if evaluator.holds(exemption.condition, facts) is True:
            return (not_applicable(rule, pack, PROGRAMME, exemption.because.en, exemption.because.ja),)
    return (_answered(rule, pack, evaluator.holds(require, facts) if concerns is True else concerns),)


def _set_aside(rule: Rule, pack: Pack, facts: Facts | None, when: When | None) -> tuple[Finding, ...]:
    """The finding of a rule that is not asked, for the place or the time of the release; nothing where it is."""
    if not _concerned(pack, facts):
        return tuple(_elsewhere(rule, pack))
    dates = out_of_force(rule, pack, when)
    if dates is None:
        return ()
    en = f"not in force at any time of this release ({dates})"
    return (not_applicable(rule, pack, PROGRAMME, en, f"公開期間中は施行されていません（{in_japanese(dates)}）"),)


def _concerned(pack: Pack, facts: Facts | None) -> bool:
    """Whether the release reaches a territory of the pack; yes where that is not known."""
    countries = None if facts is None else facts.values["distribution.territories"]
    if pack.territories is None or not isinstance(countries, tuple):
        return True
    return bool(set(pack.territories) & set(countries))


def _elsewhere(rule: Rule, pack: Pack) -> Iterator[Finding]:
    en = "the release does not reach the territories of this pack"
    yield not_applicable(rule, pack, PROGRAMME, en, "対象地域では公開されません")


def _answered(rule: ConditionRule, pack: Pack, answer: bool | Unmeasured) -> Finding:
    if isinstance(answer, Unmeasured):
        return unknown(rule, pack, PROGRAMME, answer)
    if not answer:
        return finding(rule, pack, PROGRAMME, FAILED[rule.severity], Text(rule.text.en, rule.text.ja))
    said = rule.passes
    text = (
        Text(f"{rule.asks.en}: as it should be", f"{rule.asks.ja}: 適正です")
        if said is None
        else Text(said.en, said.ja)
    )
    return finding(rule, pack, PROGRAMME, Outcome.PASS, text)
