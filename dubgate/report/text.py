"""The verdict for a terminal: what failed first, as plain sentences; readable without colour."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from dubgate.delivery.timecode import timecode_at
from dubgate.judgement import Judgement
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Decision

STYLES = {Outcome.BLOCK: "bold red", Outcome.HOLD: "bold yellow", Outcome.UNKNOWN: "yellow", Outcome.WARN: "cyan"}
SHOWN = (Outcome.BLOCK, Outcome.HOLD, Outcome.UNKNOWN, Outcome.WARN)
_DECIDED = {
    Decision.RELEASE: "RELEASE: every check was made and passed",
    Decision.HOLD: "HOLD: people have to decide, or something could not be measured",
    Decision.BLOCK: "BLOCK: this may not be released",
}
_QUALITY = {
    Decision.RELEASE: "nothing to hold",
    Decision.HOLD: "hold: listen to what follows",
    Decision.BLOCK: "block: the dub is broken as a whole",
}


def plain(text: str) -> str:
    """Text that cannot move the cursor, colour the terminal or reverse its reading direction."""
    return "".join(c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn") else "�" for c in text)


def print_text(judgement: Judgement, console: Console, *, lang: str = "en") -> None:
    """Print the verdict; failed findings first, worst first."""
    for line in _lines(judgement, lang):
        console.print(line, soft_wrap=True)


def _lines(judgement: Judgement, lang: str) -> Iterator[Text]:
    verdict = judgement.verdict
    decided = _QUALITY if verdict.quality_only else _DECIDED
    style = {Decision.RELEASE: "bold green", Decision.HOLD: "bold yellow", Decision.BLOCK: "bold red"}[verdict.decision]
    yield Text(f"{plain(judgement.title)}  ").append(decided[verdict.decision], style)
    if verdict.quality_only:
        yield Text("quality only, not a release")
    for note in judgement.notes:
        yield Text(f"  {plain(note)}", "dim")
    failed = sorted((f for f in verdict.findings if f.outcome in SHOWN), key=lambda f: -f.outcome)
    for finding in failed:
        yield from _finding(finding, judgement, lang)
    counts = Counter(f.outcome for f in verdict.findings)
    yield Text(", ".join(f"{counts[o]} {o.name.lower().replace('_', ' ')}" for o in sorted(counts, reverse=True)))


def _finding(finding: Finding, judgement: Judgement, lang: str) -> Iterator[Text]:
    sentence = finding.text.ja if lang == "ja" else finding.text.en
    head = Text(f"{finding.outcome.name.lower():<8}", STYLES[finding.outcome])
    head.append(f"{_when(finding, judgement)}{plain(sentence)}")
    yield head
    measured = f"{finding.value}, wanted {finding.bound}. " if finding.value and finding.bound else ""
    yield Text(f"        {finding.rule}: {measured}{plain(finding.remedy)}", "dim")


def _when(finding: Finding, judgement: Judgement) -> str:
    if not finding.spans:
        return ""
    return f"{timecode_at(finding.spans[0].start_s, judgement.clock)} "
