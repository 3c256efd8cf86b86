"""The verdict for a terminal: what failed first, as plain sentences; readable without colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from dubgate.delivery.timecode import timecode_at
from dubgate.japanese.telling import in_japanese
from dubgate.judgement import Judgement
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Decision
from dubgate.report.json import groups_of
from dubgate.report.occurrences import by_rule, was_not_measured
from dubgate.report.open_questions import OpenQuestions, open_questions
from dubgate.report.phrases import GROUPS, OUTCOMES, QUALITY_ONLY, decided
from dubgate.report.plain_values import measured_of, wanted_of
from dubgate.report.printable import printable
from dubgate.report.release_text import release_text

MOST_A_RULE = 8  # of one rule and outcome; the rest is counted and named
_MOST_NAMED = 12
_MOST_NOTED = 6  # questions that stay open and hold nothing
_STYLES = {Outcome.BLOCK: "bold red", Outcome.HOLD: "bold yellow", Outcome.UNKNOWN: "magenta", Outcome.WARN: "cyan"}
_DECISION_STYLES = {Decision.RELEASE: "bold green", Decision.HOLD: "bold yellow", Decision.BLOCK: "bold red"}
_JA = {
    "heard": "モデル",
    "embedded": "（同梱）",
    "wanted": "基準",
    "why": "理由",
    "required": "必要なこと",
    "do": "対処",
    "resolve": "判断できる人",
    "decided": "決定の根拠",
    "open": "判定できません",
    "because": "理由",
    "lines": "台詞",
    "script": "台本なし（台詞は音声区間から推定）",
}
_EN = {
    "heard": "heard by",
    "embedded": " (embedded)",
    "wanted": "wanted",
    "why": "why",
    "required": "required",
    "do": "do",
    "resolve": "can be resolved by",
    "decided": "decided by",
    "open": "not judged",
    "because": "because",
    "lines": "lines",
    "script": "without a script: lines were found by voice activity",
}


def print_text(judgement: Judgement, console: Console, *, lang: str = "en") -> None:
    """Print the verdict; failed findings first, worst first, then counts. `lang` is `en` or `ja`."""
    for line in text_lines(judgement, lang):
        console.print(line, soft_wrap=True)


def text_lines(judgement: Judgement, lang: str) -> Iterator[Text]:
    """The lines as they are printed; nothing in them is markup, and no control character is left."""
    yield from _head(judgement, lang)
    questions = open_questions(judgement.verdict.findings)
    told = {id(f) for q in questions for f in q.findings}
    for group in by_rule(f for f in judgement.verdict.findings if id(f) not in told):
        if group[0].outcome < Outcome.UNKNOWN:
            break
        yield from _group(group, judgement, lang)
    for each in questions:
        yield from _questions(each, lang)
    for group in by_rule(f for f in judgement.verdict.findings if id(f) not in told):
        if group[0].outcome < Outcome.UNKNOWN:
            yield from _group(group, judgement, lang)
    yield from (Text(line) for line in release_text(judgement, lang))
    yield Text(_counts(judgement, lang))


def _head(judgement: Judgement, lang: str) -> Iterator[Text]:
    verdict, features = judgement.verdict, judgement.features
    word, sentence = (getattr(t, lang) for t in decided(verdict))
    yield Text(f"{printable(judgement.title)}  ").append(
        f"{word.upper()}: {sentence}", _DECISION_STYLES[verdict.decision]
    )
    if verdict.quality_only:
        yield Text(getattr(QUALITY_ONLY, lang))
    else:
        states = [f"{getattr(GROUPS[g], lang)} {_state(verdict.of(g), lang)}" for g in groups_of(judgement)]
        yield Text("  " + ", ".join(states))
    told = _words(lang)
    tracks = f"{printable(features.original.name)} → {printable(features.dub.name)}"
    yield Text(f"  {tracks}, {len(judgement.sheet.cues)} {told['lines']}, {judgement.style.value}", "dim")
    if not judgement.scripted:
        yield Text(f"  {told['script']}", "dim")
    models = dict.fromkeys(printable(m.name) + (told["embedded"] if m.embedded else "") for m in features.models)
    yield Text(f"  {told['heard']}: {', '.join(models) or '-'}", "dim")
    for note in judgement.notes:
        yield Text(f"  {printable(_in(lang, note))}", "dim")


def _state(decision: Decision, lang: str) -> str:
    """A group's state, in the words of the page."""
    outcome = {Decision.RELEASE: Outcome.PASS, Decision.HOLD: Outcome.HOLD, Decision.BLOCK: Outcome.BLOCK}[decision]
    return OUTCOMES[outcome].ja if lang == "ja" else decision.name.lower()


def _in(lang: str, told: str) -> str:
    return in_japanese(told) if lang == "ja" else told


def _words(lang: str) -> dict[str, str]:
    return _JA if lang == "ja" else _EN


def _group(group: Sequence[Finding], judgement: Judgement, lang: str) -> Iterator[Text]:
    shown = 1 if was_not_measured(group[0]) else MOST_A_RULE
    for finding in group[:shown]:
        yield from _finding(finding, judgement, lang)
    if len(group) > shown:
        yield _rest(group[shown:], lang)
    yield from _reasons(group[0], lang)


def _questions(open_: OpenQuestions, lang: str) -> Iterator[Text]:
    """A reason, once; below it everything that it leaves open, in a line each, or in one where it only notes."""
    told = _words(lang)
    asked = [f"{q.rule} {printable(getattr(q.asks, lang))} ({printable(getattr(q.of, lang))})" for q in open_.questions]
    head = Text(f"{getattr(OUTCOMES[open_.outcome], lang):<10}", _STYLES[open_.outcome])
    why = told["because"] if open_.outcome is Outcome.UNKNOWN else told["open"]
    yield head.append(f"{why}: {printable(getattr(open_.why, lang))}", "default not bold")
    lines = asked if open_.outcome > Outcome.WARN else [_some(asked)]
    yield from (Text(f"{'':10}{line}", "dim") for line in lines)
    yield from (Text(f"{'':10}{told['do']}: {printable(remedy.within(lang))}", "dim") for remedy in open_.remedies)
    if open_.who:
        yield Text(f"{'':10}{told['resolve']}: {printable(', '.join(_in(lang, who) for who in open_.who))}", "dim")


def _some(asked: Sequence[str]) -> str:
    more = f"; + {len(asked) - _MOST_NOTED}" if len(asked) > _MOST_NOTED else ""
    return "; ".join(asked[:_MOST_NOTED]) + more


def _finding(finding: Finding, judgement: Judgement, lang: str) -> Iterator[Text]:
    told = _words(lang)
    head = Text(f"{getattr(OUTCOMES[finding.outcome], lang):<10}", _STYLES[finding.outcome])
    yield head.append(f"{_when(finding, judgement)}{printable(getattr(finding.text, lang))}", "default not bold")
    bound, value = wanted_of(finding).within(lang), measured_of(finding, judgement.clock).within(lang)
    measured = [value] if value else []
    measured += [f"{told['wanted']} {bound}"] if bound else []
    yield Text(f"{'':10}{finding.rule}{': ' if measured else ''}{printable(', '.join(measured))}", "dim")
    if finding.decided_by:
        yield Text(
            f"{'':10}{told['decided']}: {printable(', '.join(_in(lang, by) for by in finding.decided_by))}", "dim"
        )


def _reasons(finding: Finding, lang: str) -> Iterator[Text]:
    """What is the same for all findings of a rule."""
    told = _words(lang)
    do = finding.remedy.within(lang)
    why = "required" if finding.rule in CHECKS else "why"  # a check says what must be so
    asked = ((why, finding.why.within(lang)), ("do", do), ("resolve", _in(lang, finding.who_can_resolve or "")))
    for name, text in asked:
        if text:
            yield Text(f"{'':10}{told[name]}: {printable(text)}", "dim")


def _when(finding: Finding, judgement: Judgement) -> str:
    return f"{timecode_at(finding.spans[0].start_s, judgement.clock)} " if finding.spans else ""


def _rest(group: Sequence[Finding], lang: str) -> Text:
    names = [printable(f.subject.name) for f in group if f.subject.name][:_MOST_NAMED]
    more = "…" if len(group) > len(names) else ""
    if lang == "ja":
        return Text(f"{'':10}ほか{len(group)}件（同じ規則）: {', '.join(names)}{more}", "dim")
    return Text(f"{'':10}and {len(group)} more of {group[0].rule}: {', '.join(names)}{more}", "dim")


def _counts(judgement: Judgement, lang: str) -> str:
    counts = Counter(f.outcome for f in judgement.verdict.findings)
    word = getattr(decided(judgement.verdict)[0], lang).upper()
    return f"{word}: " + ", ".join(f"{counts[o]} {getattr(OUTCOMES[o], lang)}" for o in sorted(counts, reverse=True))
