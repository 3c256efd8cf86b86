"""A pilot as text and as JSON (`pilot/1.0`): no word of it reads as a release."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from dubgate.pilot.running import Pilot
from dubgate.policy.findings import Finding
from dubgate.report.printable import printable

SCHEMA = "pilot/1.0"
NO_RELEASE = "A pilot is never a release: its channel is internal_test, and what people sign is about other sound."


def pilot_json(pilot: Pilot) -> dict[str, Any]:
    """Plain data; there is no decision in it."""
    return {
        "schema": SCHEMA,
        "release": False,
        "excerpt": {"start_s": pilot.span.start_s, "end_s": pilot.span.end_s},
        "seconds": {name: round(value, 3) for name, value in pilot.seconds.items()},
        "blocking": [_plain(f) for f in pilot.blocking],
        "holding": [_plain(f) for f in pilot.holding],
        "people_decide": [{**_plain(f), "who": f.who_can_resolve} for f in pilot.people],
        "not_on_record": list(pilot.gaps),
        "too_few": list(pilot.too_few),
        "notes": list(pilot.notes),
    }


def _plain(f: Finding) -> dict[str, Any]:
    subject = {"scope": f.subject.scope.value, "name": f.subject.name}
    return {
        "rule": f.rule,
        "outcome": f.outcome.name.lower(),
        "subject": subject,
        "text": f.text.en,
        "remedy": f.remedy.en,
    }


def pilot_text(pilot: Pilot) -> str:
    """What is missing, where people decide, the seconds of each stage, what is too few."""
    return "\n".join(printable(line) for line in _lines(pilot))


def _lines(pilot: Pilot) -> Iterator[str]:
    yield f"Pilot of {pilot.span.start_s:g} s to {pilot.span.end_s:g} s. {NO_RELEASE}"
    yield from _section("Would block", [_line(f) for f in pilot.blocking])
    yield from _section("Would hold", [_line(f) for f in pilot.holding])
    yield from _section("People have to decide", list(_by_person(pilot.people)))
    yield from _section("Not on record", pilot.gaps)
    yield from _section("Too few to mean anything", pilot.too_few)
    yield from _section(
        "Notes", (*pilot.notes, "the excerpt is heard at 16 kHz in mono: levels are not the deliverable's")
    )
    total = sum(pilot.seconds.values())
    yield from _section("Time", [f"{name}: {value:.1f} s" for name, value in pilot.seconds.items()])
    yield f"  together {total / 60:.1f} minutes"


def _section(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in lines or ["nothing"])


def _line(f: Finding) -> str:
    name = f" {f.subject.name}" if f.subject.name else ""
    return f"{f.rule}{name}: {f.text.en} ({f.remedy.en})" if f.remedy.en else f"{f.rule}{name}: {f.text.en}"


def _by_person(findings: Sequence[Finding]) -> Iterator[str]:
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for f in findings:
        asked[f.who_can_resolve or ""].append(f"{f.rule} {f.subject.name}".strip())
    yield from (f"{who}: {', '.join(dict.fromkeys(rules))}" for who, rules in asked.items())
