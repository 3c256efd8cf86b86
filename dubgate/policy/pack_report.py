"""What metrics and rules there are, as Markdown tables for rules/README.md and text for `dubgate rules`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dubgate.errors import PackError
from dubgate.measure.measurement import Scope
from dubgate.measure.metrics import METRICS
from dubgate.policy.checks import CHECKS
from dubgate.policy.pack_parts import Reason
from dubgate.policy.pack_schema import BandRule, ConditionRule, Rule
from dubgate.policy.pack_terms import brought_in_by, pack_rows, terms_data, terms_of
from dubgate.policy.packs import Pack, pack_folders
from dubgate.policy.rule_findings import bound_of

_SCOPES = {Scope.LINE: "line", Scope.CHARACTER: "character", Scope.PROGRAMME: "programme"}


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """How often a rule fails on clean programmes, measured by tests/bench."""

    false_alarms_per_500_lines: float
    lines: int
    as_of: str

    def __str__(self) -> str:
        return f"{self.false_alarms_per_500_lines:g} in 500 lines (over {self.lines:,} clean lines, {self.as_of})"


def rule_evidence(path: Path | None = None) -> Mapping[str, RuleEvidence]:
    """What was measured of the rules, by rule id; empty where nothing was.

    Raises:
        PackError: the file is there and is not what it should be.
    """
    if path is None:
        found = [folder / "evidence.json" for folder in pack_folders() if (folder / "evidence.json").is_file()]
        if not found:
            return {}
        path = found[0]
    try:
        data = json.loads(path.read_bytes())
        return {
            rule: RuleEvidence(float(row["false_alarms_per_500_lines"]), int(row["lines"]), str(row["as_of"]))
            for rule, row in data.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(f"not a table of false alarms ({type(error).__name__}: {error})", where=str(path)) from None


def metric_table() -> str:
    """Every metric as a Markdown table."""
    rows = (
        (
            f"`{m.name}`",
            m.group,
            _SCOPES[m.scope],
            str(m.unit),
            m.means + (" (reported, never judged)" if m.report_only else ""),
            m.source,
        )
        for m in METRICS.values()
    )
    return _table(("metric", "group", "of a", "unit", "what it is", "after"), rows)


def rule_table(packs: Iterable[Pack], evidence: Mapping[str, RuleEvidence] | None = None) -> str:
    """Every rule of the packs as a Markdown table, each with its false alarms where measured."""
    measured = evidence or {}
    rows = (
        (
            f"`{rule.id}`",
            pack.name,
            rule.asks.en,
            must(rule),
            should(rule),
            fails(rule),
            str(measured[rule.id].false_alarms_per_500_lines) if rule.id in measured else "not measured",
        )
        for pack in packs
        for rule in pack.rules
    )
    head = ("rule", "pack", "asks", "must be", "should be", "else", "false alarms in 500 lines")
    return _table(head, rows)


def pack_table(packs: Iterable[Pack]) -> str:
    """Every pack as a Markdown table: what brings it in, what its rules do, the state of its sources."""
    return _table(("pack", "about", "brought in by", "rules", "sources", "as of", "review by"), pack_rows(packs))


def check_table() -> str:
    """The checks that are in the program's code, as a Markdown table."""
    outcomes = {"BLOCK": "block", "HOLD": "hold", "UNKNOWN": "unknown", "WARN": "warn"}
    rows = ((f"`{c.id}`", str(c.group), c.asks, outcomes[c.failed.name], c.source) for c in CHECKS.values())
    return _table(("check", "group", "asks", "else", "source"), rows)


def must(rule: Rule) -> str:
    """What a rule requires, in a few words."""
    if isinstance(rule, ConditionRule):
        return rule.require
    return "" if rule.require is None else _of(rule) + bound_of(rule, rule.require).en


def should(rule: Rule) -> str:
    """What a rule prefers."""
    if isinstance(rule, ConditionRule) or rule.prefer is None:
        return ""
    return _of(rule) + bound_of(rule, rule.prefer).en


def fails(rule: Rule) -> str:
    """What a rule does when it fails."""
    if not isinstance(rule, BandRule) or rule.block_when is None:
        return str(rule.severity)
    when = rule.block_when
    parts = [f"{when.share:.0%} fail"] if when.share is not None else []
    parts += [f"{when.run} in a row fail"] if when.run is not None else []
    return f"{rule.severity}; block where {' or '.join(parts)} (at least {when.at_least})"


def _of(rule: BandRule) -> str:
    inside = f" inside {bound_of(rule, rule.within).en}" if rule.within is not None else ""
    return "" if rule.of == "each" else f"{rule.of}{inside} "


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _in_japanese(words: Reason) -> list[tuple[str, str]]:
    return [] if words.ja is None else [("", words.ja)]


def described(rule: Rule, pack: Pack, evidence: Mapping[str, RuleEvidence]) -> str:
    """All of a rule for `dubgate rules show`."""
    rows = [
        ("pack", f"{pack.name} {pack.version}, as of {pack.as_of}"),
        ("group", str(rule.group or pack.group)),
        ("asks", f"{rule.asks.en} / {rule.asks.ja}"),
        *_particulars(rule),
        ("else", fails(rule)),
        ("styles", ", ".join(rule.styles)),
        ("attestable by", ", ".join(rule.attestable_by) or "nobody"),
        ("said", rule.text.en),
        ("", rule.text.ja),
        ("why", rule.why.en),
        *_in_japanese(rule.why),
        ("remedy", rule.remedy.en),
        *_in_japanese(rule.remedy),
        ("source", rule.source),
        *terms_of(rule, pack),
        ("false alarms", str(evidence.get(rule.id, "not measured"))),
        ("own tests", str(len(rule.tests))),
    ]
    width = max(len(name) for name, _ in rows)
    return rule.id + "\n" + "\n".join(f"  {name:<{width}}  {text}" for name, text in rows if text)


def _particulars(rule: Rule) -> list[tuple[str, str]]:
    if isinstance(rule, ConditionRule):
        return [("applies", rule.applies or "always"), ("must be", rule.require)]
    metrics = " or ".join(f"{name} ({METRICS[name].means})" for name in rule.metrics)
    rows = [("metric", metrics), ("must be", must(rule)), ("should be", should(rule))]
    rows.append(("rests on", f"at least {rule.coverage.at_least:.0%} of the speech"))
    if rule.instead is not None:
        rows.append(("or", f"where it is unmeasured: {rule.instead.metric} {rule.instead.require}"))
    if rule.not_asked_where:
        rows.append(("not asked", "where " + ", ".join(rule.not_asked_where)))
    if rule.report_only_with_embedded:
        rows.append(("only reported", "with the embedded " + ", ".join(rule.report_only_with_embedded)))
    return rows


def as_data(pack: Pack, evidence: Mapping[str, RuleEvidence]) -> dict[str, object]:
    """A pack as plain data for `--format json`."""
    return {
        "pack": pack.name,
        "version": pack.version,
        "as_of": pack.as_of,
        "sha256": pack.sha256,
        "about": pack.about,
        "territories": None if pack.territories is None else list(pack.territories),
        "sign_offs": [str(role) for role in pack.sign_offs],
        "jurisdictions": list(pack.jurisdictions),
        "brought_in_by": brought_in_by(pack),
        "rules": [
            {
                "id": rule.id,
                "group": str(rule.group or pack.group),
                "severity": str(rule.severity),
                "asks": {"en": rule.asks.en, "ja": rule.asks.ja},
                "must": must(rule),
                "should": should(rule),
                "source": rule.source,
                **terms_data(rule, pack),
                "false_alarms_per_500_lines": evidence[rule.id].false_alarms_per_500_lines
                if rule.id in evidence
                else None,
            }
            for rule in pack.rules
        ],
    }
