"""A batch for the terminal: a row a delivery, the rules that stop most, how many came to what, and what to do next."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dubgate.engine.batch import Finished
from dubgate.engine.journal import Done
from dubgate.engine.tally import RuleTally, by_rule
from dubgate.policy.findings import Finding
from dubgate.report.printable import printable

_STYLES = {"release": "green", "hold": "yellow", "block": "red", "error": "red"}
_MOST_RULES = 5


def print_batch(finished: Finished, files: Sequence[Path], missing: str) -> None:
    """Print it; wide where no terminal says how wide, and without the blanks that a table ends its rows with."""
    table = Table("delivery", "title", "decision", "because of", "minutes", "review", box=None, pad_edge=False)
    for d in finished.done:
        table.add_row(Text(d.name), *_told(d, finished.series.get(d.name, ())))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    with console.capture() as drawn:
        console.print(table)
    console.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))
    for line in lines_after(finished, missing):
        console.print(Text(printable(line)), soft_wrap=True)
    for path in files:
        console.print(f"summary: {path}", markup=False, soft_wrap=True)


def lines_after(finished: Finished, missing: str) -> Iterator[str]:
    """What stands below the table: rules, notes, the count, and what to do about what could not be judged."""
    yield from map(_stops, by_rule(finished.done)[:_MOST_RULES])
    yield from (f"listed more than once, judged once: {twice}" for twice in finished.listed_twice)
    yield from (note for note in (*finished.notes, missing) if note)
    came = Counter(d.decision for d in finished.done)
    known = [f"{came[name]} {name}" for name in _STYLES if came[name]]
    n = len(finished.done)
    yield f"{n} {'delivery' if n == 1 else 'deliveries'}: {', '.join(known) or 'none'}"
    if came["error"]:
        yield "could not be judged: mend what the row names and run the same command; what is judged is not judged again"


def _stops(rule: RuleTally) -> str:
    counts = (("blocks", rule.blocked), ("holds", rule.held), ("is a note in", rule.warned))
    return f"{rule.rule} " + ", ".join(f"{does} {n}" for does, n in counts if n)


def _told(done: Done, series: Sequence[Finding]) -> tuple[Any, ...]:
    facts = done.facts
    decision = Text(done.decision, _STYLES.get(done.decision, "red"))
    if facts is None:
        return Text(""), decision, Text(printable(done.why)), "", ""
    because = [*(facts.blocking or facts.holding), *sorted({f.rule for f in series})]
    minutes = (f"{facts.minutes:.1f}", f"{facts.review_minutes:.1f}")
    return Text(printable(facts.title)), decision, Text(", ".join(because)), *minutes
