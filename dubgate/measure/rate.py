"""Speaking rate: how much text a line speaks in a second of net speech."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import TrackFeatures
from dubgate.measure.lines import Line, Why
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.pauses import Speech
from dubgate.spans import total_s
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

LEAST_UNITS = 8  # letters; shorter lines have no rate to speak of
LEAST_SPEECH_S = 0.4
LEAST_LINES = 5  # for a usual pace
_NO_TEXT = Unmeasured("the line has no text")


def spoken_units(cue: Cue, track: TrackFeatures, sheet: CueSheet) -> int:
    """Letters (in zh, ja, th, ko characters) that the line's text has when spoken, numbers in words; 0 without text."""
    language = primary_language(cue.language or sheet.language or track.language)
    return sum(len(word) for word in spoken_words(cue.text, language))


def paces(lines: Sequence[Line], track: TrackFeatures, sheet: CueSheet) -> list[float | Unmeasured]:
    """Letters a second of net speech, of each line."""
    speech = Speech(track.speech)
    return [_pace(line, speech, track, sheet) for line in lines]


def _pace(line: Line, speech: Speech, track: TrackFeatures, sheet: CueSheet) -> float | Unmeasured:
    units = spoken_units(line.cue, track, sheet)
    if not units:
        return _NO_TEXT
    if line.extent is None:
        why = line.start_s if isinstance(line.start_s, Why) else line.end_s
        return Unmeasured(why.value if isinstance(why, Why) else "")
    net_s = total_s(speech.within(line.extent))
    if units < LEAST_UNITS or net_s < LEAST_SPEECH_S:
        return Unmeasured("the line is too short to have a rate")
    return units / net_s


def rate_ratios(
    lines: Sequence[Line], found: Sequence[float | Unmeasured], usual: float | Unmeasured
) -> Iterable[Measurement]:
    """How fast each line is spoken against the median of its track."""
    for line, pace in zip(lines, found, strict=True):
        value = pace if isinstance(pace, Unmeasured) else usual if isinstance(usual, Unmeasured) else pace / usual
        detail = () if isinstance(pace, Unmeasured) else (("letters per second", pace),)
        subject = Subject(Scope.LINE, line.cue.id, line.cue.character)
        spans = (line.extent or line.cue.span,)
        yield Measurement("rate_ratio", subject, value, line.cue.span.duration_s, spans, detail)


def usual_pace(found: Sequence[float | Unmeasured]) -> float | Unmeasured:
    """The median of the lines' paces."""
    known = [p for p in found if not isinstance(p, Unmeasured)]
    if len(known) < LEAST_LINES:
        return Unmeasured(f"fewer than {LEAST_LINES} lines have text and speech to take a usual pace from")
    return float(np.median(known))
