"""Labels as they were read, for people as a table and for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from dubgate.labels.applying import Applied
from dubgate.labels.tracks import Labels
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Decision
from dubgate.report.printable import printable

SCHEMA = "labels/1.0"
APPLIED_SCHEMA = "label-applied/1.0"
_HEAD = ("place", "track", "label", "language", "says AI")
_MAX_SHOWN = 60
_NAMES = {Decision.RELEASE: "labelled", Decision.HOLD: "not verified", Decision.BLOCK: "not labelled, or not readable"}


def labels_text(path: Path, labels: Labels, findings: Sequence[Finding], decision: Decision) -> str:
    """Every place with what stands there, then every finding, then the answer."""
    rows = [_HEAD, *(tuple(map(_cell, row)) for row in _rows(labels))]
    widths = [max(len(row[k]) for row in rows) for k in range(len(_HEAD))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    said = [f"{f.outcome.name.lower():<8} {f.rule}  {printable(f.text.en)}{_remedy(f)}" for f in findings]
    return "\n".join([*table, "", *said, "", f"{printable(str(path))}: {_NAMES[decision]}"])


def labels_json(path: Path, labels: Labels, findings: Sequence[Finding], decision: Decision) -> str:
    """The same as data; the schema is `labels/1.0`."""
    keys = ("place", "track", "text", "language", "says_ai", "token")
    entries = [
        {
            "where": t.where,
            "name": t.name,
            "language": t.language,
            "human_readable": t.human_readable,
            "machine_readable": t.machine_readable,
        }
        for t in labels.tracks
    ]
    data = {
        "schema": SCHEMA,
        "path": str(path),
        "decision": decision.name.lower(),
        "entries": entries,
        "places": [
            dict(zip(keys, (p.place, p.track, p.text, p.language, p.human_readable, p.token), strict=True))
            for p in labels.places
        ],
        "unreadable": list(labels.unreadable),
        "unmeasured": list(labels.unmeasured),
        "findings": [{"rule": f.rule, "outcome": f.outcome.name.lower(), "text": f.text.en} for f in findings],
    }
    return json.dumps(data, ensure_ascii=True, indent=2)


def applied_text(applied: Applied) -> str:
    """The difference place by place, the proof, and what was done."""
    lines = []
    for change in applied.changes:
        lines.append(printable(change.place))
        lines += [f"  {sign} {_cell(text)}" for sign, text in (("-", change.before), ("+", change.after)) if text]
    lines += ["no place changes"] if not lines else []
    lines += ["", "the same before and after:", *(f"  {line}" for line in applied.proof), ""]
    done = "written" if applied.written else "nothing was written (dry run)"
    return "\n".join([*lines, f"{printable(str(applied.out))}: {done}"])


def applied_json(applied: Applied) -> str:
    """The same as data; the schema is `label-applied/1.0`."""
    data = {
        "schema": APPLIED_SCHEMA,
        "out": str(applied.out),
        "written": applied.written,
        "changes": [{"place": c.place, "before": c.before, "after": c.after} for c in applied.changes],
        "unchanged": list(applied.proof),
    }
    return json.dumps(data, ensure_ascii=True, indent=2)


def _rows(labels: Labels) -> list[tuple[str, str, str, str, str]]:
    return [
        (
            p.place,
            "" if p.track is None else str(p.track),
            p.text,
            p.language or "",
            f"yes ({p.token})" if p.token else "yes" if p.human_readable else "no",
        )
        for p in labels.places
    ]


def _cell(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _MAX_SHOWN else shown[: _MAX_SHOWN - 1] + "…"


def _remedy(finding: Finding) -> str:
    return f"\n           {finding.remedy.en}" if finding.outcome > Outcome.WARN and finding.remedy.en else ""
