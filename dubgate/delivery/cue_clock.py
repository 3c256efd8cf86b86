"""Where a script's clock stands at the programme's first frame, where nobody said: many count from 01:00:00:00, as the picture does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from dubgate.delivery.cues import PAST_END_S
from dubgate.delivery.script import CueSheet
from dubgate.delivery.timecode import Clock
from dubgate.spans import Span

_CLOCK_TIMES = (".srt", ".vtt")  # hours, minutes and seconds of the label, whatever the frame rate; others count frames


def fitted(sheet: CueSheet, clock: Clock, duration_s: float | None) -> CueSheet:
    """The sheet as it is where it fits the programme; counted from the clock's start where only so it does.

    Args:
        duration_s: the programme's; None where its container does not say, and then nothing is moved.
    """
    start_s = start_of(clock, sheet.name)
    if duration_s is None or start_s == 0 or _fits(sheet, 0.0, duration_s) or not _fits(sheet, start_s, duration_s):
        return sheet
    moved = (replace(c, span=Span(c.span.start_s - start_s, c.span.end_s - start_s)) for c in sheet.cues)
    return replace(sheet, cues=tuple(moved))


def start_of(clock: Clock, name: str) -> float:
    """What a sheet of this name shows at the clock's first frame, in seconds."""
    a_second = clock.nominal if PurePath(name).suffix.lower() in _CLOCK_TIMES else clock.frame_rate
    return float(clock.start_frames / a_second)


def _fits(sheet: CueSheet, start_s: float, duration_s: float) -> bool:
    spans = [c.span for c in sheet.cues]
    return all(
        s.start_s >= start_s and s.start_s - start_s < duration_s and s.end_s - start_s <= duration_s + PAST_END_S
        for s in spans
    )
