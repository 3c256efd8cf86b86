"""Markers that an editor imports: Audacity labels, REAPER regions, CMX 3600 lists, and a table for Pro Tools."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from dubgate.delivery.timecode import Clock, label_of, timecode_at
from dubgate.judgement import Judgement
from dubgate.report.occurrences import SEVERITY, occurrences
from dubgate.report.printable import printable
from dubgate.spans import Span

MOST_EVENTS = 999  # a CMX 3600 list numbers its events with three digits
_COLOURS = {"Blocker": ("RED", "E03030"), "Issue": ("YELLOW", "E0A020"), "FYI": ("CYAN", "30A0C0")}


@dataclass(frozen=True, slots=True)
class Marker:
    """A place, how bad it is (FYI, Issue, Blocker), a short name and the sentence."""

    span: Span
    severity: str
    name: str
    sentence: str

    @property
    def label(self) -> str:
        """Begins with the severity, so that no program takes it for a formula or a number."""
        return f"{self.severity} {self.name}: {self.sentence}"


def markers(judgement: Judgement) -> dict[str, bytes]:
    """Files by name, UTF-8. What has no place in time (a missing approval) is in no file.

    Times count from the programme's start, except timecodes, which follow the judgement's clock.
    """
    found = _markers(judgement)
    rate_hz = judgement.features.dub.levels.sample_rate_hz
    parts = [found[k : k + MOST_EVENTS] for k in range(0, len(found), MOST_EVENTS)] or [[]]
    names = ["markers.edl"] if len(parts) == 1 else [f"markers-{k}.edl" for k in range(1, len(parts) + 1)]
    return {
        "audacity.txt": _audacity(found).encode(),
        "reaper.csv": _reaper(found).encode(),
        "protools.txt": _pro_tools(found, judgement.clock, rate_hz).encode(),
        **{n: _cmx(p, judgement.clock, judgement.title).encode() for n, p in zip(names, parts, strict=True)},
    }


def _markers(judgement: Judgement) -> list[Marker]:
    found = []
    for o in occurrences(judgement):
        if o.span is not None:
            of = [o.finding.rule, o.cue.id if o.cue else "", o.character or ""]
            name = printable(" ".join(part for part in of if part))
            found.append(Marker(o.span, SEVERITY[o.finding.outcome], name, printable(o.finding.text.en)))
    return found


def _audacity(found: Sequence[Marker]) -> str:
    return "".join(f"{m.span.start_s:.6f}\t{m.span.end_s:.6f}\t{m.label}\n" for m in found)


def _reaper(found: Sequence[Marker]) -> str:
    """The table of REAPER's region and marker manager; times as H:MM:SS.mmm."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["#", "Name", "Start", "End", "Length", "Color"])
    for k, m in enumerate(found, 1):
        times = [_clock_time(s) for s in (m.span.start_s, m.span.end_s, m.span.duration_s)]
        writer.writerow([f"R{k}", m.label, *times, _COLOURS[m.severity][1]])
    return out.getvalue()


def _clock_time(seconds: float) -> str:
    minutes, milliseconds = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"


def _pro_tools(found: Sequence[Marker], clock: Clock, rate_hz: int) -> str:
    """The columns of Pro Tools' own list of memory locations; the time reference is in samples of the dub."""
    rows = ["#\tLOCATION\tTIME REFERENCE\tUNITS\tNAME\tCOMMENTS"]
    for k, m in enumerate(found, 1):
        at = timecode_at(m.span.start_s, clock)
        name = f"{m.severity} {m.name}"
        rows.append(f"{k}\t{at}\t{round(m.span.start_s * rate_hz)}\tSamples\t{name}\t{m.sentence}")
    return "\n".join(rows) + "\n"


def _cmx(found: Sequence[Marker], clock: Clock, title: str) -> str:
    """One event a marker, at least a frame long, with an Avid locator and the sentence as comments."""
    lines = [f"TITLE: {printable(title)[:70]}", f"FCM: {'DROP FRAME' if clock.drop_frame else 'NON-DROP FRAME'}", ""]
    for k, m in enumerate(found, 1):
        first = timecode_at(m.span.start_s, clock)
        last = _end_label(m.span, clock)
        lines.append(f"{k:03}  AX       AA    C        {first} {last} {first} {last}")
        lines.append(f"* LOC: {first} {_COLOURS[m.severity][0]:<7} {m.severity} {m.name}")
        lines.append(f"* COMMENT: {m.sentence}")
    return "\r\n".join(lines) + "\r\n"


def _end_label(span: Span, clock: Clock) -> str:
    """The label after the last frame, one frame after the first at least."""
    first = timecode_at(span.start_s, clock)
    last = timecode_at(span.end_s, clock)
    if last != first:
        return str(last)
    frame = (Fraction(round(span.start_s * 1_000_000), 1_000_000) * clock.frame_rate + Fraction(1, 1000)).__floor__()
    return str(label_of(clock.start_frames + frame + 1, clock))
