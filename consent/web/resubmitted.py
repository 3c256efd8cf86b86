"""A resubmission against the delivery that was sent back: line by line, what was mended, what is new, what changed unasked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consent.web.protocols import Line, Listening
from consent.web.returning import Note

MOVED_S = 0.04  # a frame at 25 pictures a second
MOST = 20_000
_FLAGGED = frozenset({"block", "hold", "unknown", "warn"})


@dataclass(frozen=True, slots=True)
class Change:
    """One line of both deliveries: how it fared before and fares now, and whether somebody had asked for a change."""

    line_id: str
    character: str
    kinds: tuple[str, ...]
    before: Line | None
    after: Line | None
    asked: bool


def changes_between(listening: Listening, before_id: str, after_id: str, notes: Sequence[Note]) -> list[Change]:
    """Every line that differs, in the order of the programme; those that were asked for and did not change too."""
    before, after = (
        {x.line_id: x for x in listening.lines(d, start=0, count=MOST, flagged_first=False).lines}
        for d in (before_id, after_id)
    )
    asked = {n.line_id for n in notes if n.line_id and n.returned_at}
    found = (_change(i, before.get(i), after.get(i), i in asked) for i in dict.fromkeys((*before, *after)))
    return sorted((c for c in found if c is not None), key=_start)


def _start(change: Change) -> float:
    line = change.after or change.before
    return line.start_s if line is not None else 0.0


def _change(line_id: str, before: Line | None, after: Line | None, asked: bool) -> Change | None:
    kinds = tuple(_kinds(before, after, asked))
    known = after or before
    return Change(line_id, known.character if known else "", kinds, before, after, asked) if kinds else None


def _kinds(before: Line | None, after: Line | None, asked: bool) -> Iterator[str]:
    if before is None or after is None:
        yield "added" if before is None else "removed"
        return
    was, now = before.outcome in _FLAGGED, after.outcome in _FLAGGED
    if was and not now:
        yield "mended"
    if now and not was:
        yield "new_finding"
    if before.text != after.text:
        yield "text"
    if abs(before.start_s - after.start_s) > MOVED_S or abs(before.end_s - after.end_s) > MOVED_S:
        yield "moved"
    if asked and was and now:
        yield "still_open"
