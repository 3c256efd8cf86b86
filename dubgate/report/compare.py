"""Two reports of one programme: what was fixed, what is new, what is still open, which lines changed though nobody asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dubgate.report.compare_lines import Ears, changes
from dubgate.report.schema import OutcomeName, StoredFinding, StoredLine, StoredReport

SCHEMA = "comparison/1.0"
_WEIGHT: dict[OutcomeName, int] = {
    "not_applicable": 0, "pass": 1, "waived": 2, "warn": 3, "unknown": 4, "hold": 5, "block": 6,
}  # fmt: skip
_FAILS = _WEIGHT["warn"]
_CORE = "core"  # checks in code, many of which are told only where they fail
_Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Moved:
    """A finding in both reports, by rule and subject: how it was and how it is (None: not told there)."""

    finding: StoredFinding
    was: OutcomeName | None
    now: OutcomeName | None


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line that sounds differently, and how."""

    line: StoredLine
    how: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`unjudged` failed before and is not asked, or waived, now: that is no fix. `asked` lines had a finding before.

    `rewritten`, `added` and `removed` are lines of the script, by id.
    """

    old: StoredReport
    new: StoredReport
    fixed: tuple[Moved, ...]
    fresh: tuple[Moved, ...]
    still_open: tuple[Moved, ...]
    unjudged: tuple[Moved, ...]
    unasked: tuple[ChangedLine, ...]
    asked: tuple[ChangedLine, ...]
    rewritten: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    notes: tuple[str, ...]


def compare(old: StoredReport, new: StoredReport) -> Comparison:
    """Compare findings by rule and subject, and lines by id."""
    before, after = _worst(old.findings), _worst(new.findings)
    fixed, still, unjudged = _of_old(before, after)
    fresh = [
        Moved(f, before[key].outcome if key in before else None, f.outcome)
        for key, f in after.items()
        if _fails(f) and not (key in before and _fails(before[key]))
    ]
    old_lines, new_lines = {x.id: x for x in old.lines}, {x.id: x for x in new.lines}
    both = [(old_lines[k], x) for k, x in new_lines.items() if k in old_lines]
    unasked, asked = _changed(old, new, both)
    return Comparison(
        old=old, new=new, fixed=_sorted(fixed), fresh=_sorted(fresh), still_open=_sorted(still),
        unjudged=_sorted(unjudged), unasked=unasked, asked=asked,
        rewritten=tuple(b.id for a, b in both if (a.text, a.character) != (b.text, b.character)),
        added=tuple(k for k in new_lines if k not in old_lines),
        removed=tuple(k for k in old_lines if k not in new_lines),
        notes=_notes(old, new),
    )  # fmt: skip


def _worst(findings: Iterable[StoredFinding]) -> dict[_Key, StoredFinding]:
    out: dict[_Key, StoredFinding] = {}
    for f in findings:
        key = (f.rule, f.subject.scope, f.subject.name)
        if key not in out or _WEIGHT[f.outcome] > _WEIGHT[out[key].outcome]:
            out[key] = f
    return out


def _fails(finding: StoredFinding) -> bool:
    return _WEIGHT[finding.outcome] >= _FAILS


def _of_old(
    before: dict[_Key, StoredFinding], after: dict[_Key, StoredFinding]
) -> tuple[list[Moved], list[Moved], list[Moved]]:
    """What failed before, as fixed, still open, and no longer judged."""
    judged = {(f.group, f.subject.scope, f.subject.name) for f in after.values()}
    fixed: list[Moved] = []
    still: list[Moved] = []
    unjudged: list[Moved] = []
    for key, f in before.items():
        if not _fails(f):
            continue
        now = after.get(key)
        if now is None:
            silent = f.pack == _CORE and (f.group, f.subject.scope, f.subject.name) in judged
            (fixed if silent else unjudged).append(Moved(f, f.outcome, None))
        elif _fails(now):
            still.append(Moved(now, f.outcome, now.outcome))
        else:
            (fixed if now.outcome == "pass" else unjudged).append(Moved(f, f.outcome, now.outcome))
    return fixed, still, unjudged


def _sorted(moved: list[Moved]) -> tuple[Moved, ...]:
    """Worst first, then in order of time."""
    return tuple(sorted(moved, key=lambda m: (-_WEIGHT[m.finding.outcome], _start_s(m.finding))))


def _start_s(finding: StoredFinding) -> float:
    return finding.spans[0].start_s if finding.spans else -1.0


def _changed(
    old: StoredReport, new: StoredReport, both: list[tuple[StoredLine, StoredLine]]
) -> tuple[tuple[ChangedLine, ...], tuple[ChangedLine, ...]]:
    """Lines that sound differently: those that nobody asked to change, and those with a finding before.

    A finding about a character asks for all lines of that character; a line whose text changed was asked for.
    """
    ears = Ears.of(old, new)
    people = {f.subject.name for f in old.findings if f.subject.scope == "character" and _fails(f)}
    unasked: list[ChangedLine] = []
    asked: list[ChangedLine] = []
    for before, after in both:
        how = changes(before, after, ears)
        if how:
            rewritten = (before.text, before.character) != (after.text, after.character)
            wanted = _WEIGHT[before.outcome] >= _FAILS or before.character in people or rewritten
            (asked if wanted else unasked).append(ChangedLine(after, how))
    return tuple(unasked), tuple(asked)


def _notes(old: StoredReport, new: StoredReport) -> tuple[str, ...]:
    found = []
    if old.title != new.title and not (old.quality_only and new.quality_only):  # qc calls a dub by its file
        found.append(f"the titles differ: “{old.title}”, then “{new.title}”")
    if old.dub.packet_sha256 == new.dub.packet_sha256:
        found.append("both reports judged the same dub")
    if old.original.packet_sha256 != new.original.packet_sha256:
        found.append("the original is another one")
    if [(p.name, p.sha256) for p in old.packs] != [(p.name, p.sha256) for p in new.packs]:
        found.append("other rule packs judged: a finding may be fixed or new because a rule changed")
    ears = Ears.of(old, new)
    if ears.words_alike is None:
        found.append("another transcriber heard: words are not compared")
    if not ears.pitch:
        found.append("another pitch tracker heard: pitch is not compared")
    whole = sorted({f.rule for f in old.findings if f.subject.scope == "programme" and _fails(f) and not f.spans})
    if whole:
        found.append(f"the old report asked something of the whole ({', '.join(whole)}): lines may have changed for it")
    return tuple(found)


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON-able data, `schema: comparison/1.0`."""
    c = comparison
    return {
        "schema": SCHEMA,
        "old": _report(c.old),
        "new": _report(c.new),
        "notes": list(c.notes),
        "fixed": [_moved(m) for m in c.fixed],
        "new_findings": [_moved(m) for m in c.fresh],
        "still_open": [_moved(m) for m in c.still_open],
        "no_longer_judged": [_moved(m) for m in c.unjudged],
        "changed_unasked": [_line(x) for x in c.unasked],
        "changed_as_asked": [_line(x) for x in c.asked],
        "script": {"rewritten": list(c.rewritten), "added": list(c.added), "removed": list(c.removed)},
    }


def _report(report: StoredReport) -> dict[str, Any]:
    judged_at = report.judged_at.isoformat().replace("+00:00", "Z")
    return {"title": report.title, "judged_at": judged_at, "decision": report.decision, "dub": report.dub.file_sha256}


def _moved(moved: Moved) -> dict[str, Any]:
    f = moved.finding
    return {
        "rule": f.rule,
        "subject": f.subject.model_dump(),
        "was": moved.was,
        "now": moved.now,
        "text": f.text.model_dump(),
        "spans": [s.model_dump() for s in f.spans],
    }


def _line(changed: ChangedLine) -> dict[str, Any]:
    x = changed.line
    where = {"start_s": x.start_s, "end_s": x.end_s, "start_timecode": x.start_timecode}
    return {"id": x.id, **where, "character": x.character, "text": x.text, "how": list(changed.how)}
