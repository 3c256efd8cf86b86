"""Notes that go back to a vendor: words about a line or a stretch, sent together; as a list, as CSV, as editors' markers."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update

from consent.entries import iso
from consent.web.desk import Desk
from consent.web.rows import NOTE

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Note:
    """One note about a delivery; `returned_at` is when it was sent back to who submitted it, None while it is a draft."""

    note_id: str
    delivery_id: str
    by_party: str
    at: str
    line_id: str | None
    start_s: float | None
    end_s: float | None
    words: str
    returned_at: str | None


def notes_of(desk: Desk, delivery_id: str) -> list[Note]:
    """The notes of a delivery in the order of the programme."""
    rows = desk.tables.all(select(NOTE).where(NOTE.c.delivery_id == delivery_id).order_by(NOTE.c.start_s, NOTE.c.at))
    return [Note(**row) for row in rows]


def add_note(
    desk: Desk, delivery_id: str, by: str, words: str, *, line_id: str | None, span: tuple[float, float] | None
) -> None:
    """Write a note down."""
    start, end = span if span is not None else (None, None)
    desk.tables.run(
        insert(NOTE).values(
            note_id=f"nt-{uuid.uuid4().hex[:20]}",
            delivery_id=delivery_id,
            by_party=by,
            at=iso(desk.clock()),
            line_id=line_id,
            start_s=start,
            end_s=end,
            words=words,
        )
    )


def send_back(desk: Desk, delivery_id: str) -> int:
    """Send every draft of a delivery back; how many there were."""
    drafts = (NOTE.c.delivery_id == delivery_id) & NOTE.c.returned_at.is_(None)
    return desk.tables.run(update(NOTE).where(drafts).values(returned_at=iso(desk.clock())))


def returned(notes: Sequence[Note]) -> list[Note]:
    """Those that were sent back."""
    return [n for n in notes if n.returned_at is not None]


def markers_csv(notes: Sequence[Note]) -> str:
    """The notes for a spreadsheet or an editor: start, end, line, words; no cell can run as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["start_s", "end_s", "line", "by", "note"])
    for note in notes:
        row: list[Any] = [_seconds(note.start_s), _seconds(note.end_s), note.line_id or "", note.by_party, note.words]
        writer.writerow([_cell(str(value)) for value in row])
    return out.getvalue()


def audition_markers(notes: Sequence[Note]) -> str:
    """The notes as tab-separated markers, as audio editors read them (Name, Start, Duration, Time Format, Type, Description)."""
    lines = ["Name\tStart\tDuration\tTime Format\tType\tDescription"]
    for number, note in enumerate(notes, 1):
        start, end = note.start_s or 0.0, note.end_s or note.start_s or 0.0
        name, words = f"note {number}", " ".join(note.words.split())
        lines.append(f"{name}\t{_clock(start)}\t{_clock(end - start)}\tdecimal\tCue\t{_cell(words)}")
    return "\r\n".join(lines) + "\r\n"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0.0, seconds), 60)
    return f"{int(minutes)}:{rest:06.3f}"


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _cell(text: str) -> str:
    return "'" + text if text.lstrip(" \n").startswith(_FORMULA) else text
