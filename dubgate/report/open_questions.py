"""What could not be judged, together by the reason that it shares: one missing script is one reason, not seven findings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dubgate.measure.measurement import Scope
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.rule_findings import named
from dubgate.report.occurrences import failed, was_not_measured

_MOST_NAMED = 4
_NUMBER = re.compile(r"\d+(\.\d+)?")
_EN = re.compile(r": (.+) could not be judged \((.+)\)\.")
_JA = re.compile(r": (.+)を判定できませんでした（(.+)）。")


@dataclass(frozen=True, slots=True)
class Question:
    """What a rule asks, and of how much it stayed open."""

    rule: str
    asks: Text
    of: Text


@dataclass(frozen=True, slots=True)
class OpenQuestions:
    """Questions that stay open for one reason; what to do, and who can answer instead."""

    outcome: Outcome
    why: Text
    questions: tuple[Question, ...]
    remedies: tuple[Text, ...]
    who: tuple[str, ...]
    findings: tuple[Finding, ...]


def open_questions(findings: Iterable[Finding]) -> tuple[OpenQuestions, ...]:
    """By reason, what holds first; findings whose sentence gives no reason are in none."""
    groups: dict[tuple[Outcome, str], list[Finding]] = {}
    for finding in failed(findings):
        if (parts := _parts(finding)) is not None:
            groups.setdefault((finding.outcome, _NUMBER.sub("#", parts[1].en)), []).append(finding)
    return tuple(_together(group) for group in groups.values())


def _together(group: Sequence[Finding]) -> OpenQuestions:
    by_rule: dict[str, list[Finding]] = {}
    for finding in group:
        by_rule.setdefault(finding.rule, []).append(finding)
    asked = {rule: _parts(of[0]) for rule, of in by_rule.items()}
    questions = tuple(Question(rule, p[0], _of(by_rule[rule])) for rule, p in asked.items() if p is not None)
    return OpenQuestions(
        outcome=group[0].outcome,
        why=_why([p[1] for p in map(_parts, group) if p is not None]),
        questions=questions,
        remedies=tuple(dict.fromkeys(f.remedy for f in group if f.remedy.en)),
        who=tuple(dict.fromkeys(f.who_can_resolve for f in group if f.who_can_resolve)),
        findings=tuple(group),
    )


def _why(reasons: Sequence[Text]) -> Text:
    """The first one's, which stands for those that differ by a number."""
    first = reasons[0]
    if all(r == first for r in reasons):
        return first
    return Text(f"{first.en}, and the like", f"{first.ja} など")


def _parts(finding: Finding) -> tuple[Text, Text] | None:
    """What was asked, and why it was not judged; None where the sentence does not say so."""
    if not was_not_measured(finding):
        return None
    who = named(finding.subject)
    en = _EN.fullmatch(finding.text.en.removeprefix(who.en))
    ja = _JA.fullmatch(finding.text.ja.removeprefix(who.ja))
    if en is None:
        return None
    return Text(en[1], ja[1] if ja else en[1]), Text(en[2], ja[2] if ja else en[2])


def _of(group: Sequence[Finding]) -> Text:
    """Of whom: by name where they are few, else how many."""
    if len(group) == 1:
        return named(group[0].subject)
    lines = all(f.subject.scope is Scope.LINE for f in group)
    if len(group) <= _MOST_NAMED and lines:
        names = ", ".join(f.subject.name for f in group)
        return Text(f"lines {names}", f"台詞{names}")
    if len(group) <= _MOST_NAMED:
        who = [named(f.subject) for f in group]  # a line of nobody in particular is the programme's
        return Text(", ".join(w.en for w in who), "、".join(w.ja for w in who))
    return Text(f"{len(group)} {'lines' if lines else 'times'}", f"{len(group)}{'行' if lines else '件'}")
