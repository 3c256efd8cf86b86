"""Whether a line of a dub sounds as it did: what was stored of it in two reports, within stated tolerances.

A line counts as changed where one of these holds: it starts more than 0.1 s away from where it did in its slot; its
speech lasts over 0.15 s more or less; its level moved by over 1.5 dB, its median pitch by over 0.5 semitone, the spread
of its pitch by over 0.5 semitone; the course of its level, slid by up to 0.1 s and freed of gain, differs by over 4 dB
(median); or other words were heard: any, with a transcriber that was chosen, more than one character in five with the
embedded one. A value that only one report has counts as changed; one that neither has is not compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from dubgate.report.schema import NotMeasured, StoredLine, StoredModel, StoredReport, StoredVoice

START_S, SPEECH_S, LEVEL_DB, PITCH_ST, SPREAD_ST, COURSE_DB = 0.1, 0.15, 1.5, 0.5, 0.5, 4.0
EMBEDDED_WORDS_ALIKE = 0.8
_QUIET_DB = -60
_EDGE = 1e-9  # stored values are decimals: 0.3 - 0.2 must not exceed 0.1
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Ears:
    """What both reports were heard with: a kind of model that differs cannot be compared by."""

    words_alike: float | None  # None: another transcriber heard
    pitch: bool

    @classmethod
    def of(cls, old: StoredReport, new: StoredReport) -> Ears:
        transcriber, same_words = _same(old.models, new.models, "transcriber")
        _, same_pitch = _same(old.models, new.models, "pitch")
        embedded = transcriber is not None and transcriber.embedded
        return cls((EMBEDDED_WORDS_ALIKE if embedded else 1.0) if same_words else None, same_pitch)


def _same(old: Sequence[StoredModel], new: Sequence[StoredModel], kind: str) -> tuple[StoredModel | None, bool]:
    before, after = (sorted((m for m in models if m.kind == kind), key=lambda m: m.name) for models in (old, new))
    same = [(m.name, m.weights_sha256) for m in before] == [(m.name, m.weights_sha256) for m in after]
    return (before[0] if before else None), same


def changes(old: StoredLine, new: StoredLine, ears: Ears) -> tuple[str, ...]:
    """What changed in the dub of a line, as short phrases for people; empty where it sounds as it did."""
    return tuple(_changes(old, new, ears))


def _changes(old: StoredLine, new: StoredLine, ears: Ears) -> Iterator[str]:
    before, after = old.dub, new.dub
    moved = (after.start_s - new.start_s) - (before.start_s - old.start_s)
    if abs(moved) > START_S + _EDGE:
        yield f"starts {abs(moved):.2f} s {'later' if moved > 0 else 'earlier'}"
    longer = _speech_s(after) - _speech_s(before)
    if abs(longer) > SPEECH_S + _EDGE:
        yield f"{abs(longer):.2f} s {'more' if longer > 0 else 'less'} speech"
    yield from _number("level", before.energy_db, after.energy_db, LEVEL_DB, "dB")
    if ears.pitch:
        yield from _number("pitch", _semitones(before.f0_hz), _semitones(after.f0_hz), PITCH_ST, "semitones")
        yield from _number("spread of pitch", before.f0_mad_st, after.f0_mad_st, SPREAD_ST, "semitones")
    if _course_db(before.contour_db, after.contour_db) > COURSE_DB:
        yield "another delivery: the level runs differently"
    if ears.words_alike is not None:
        yield from _words(old.words_heard, new.words_heard, ears.words_alike)


def _speech_s(voice: StoredVoice) -> float:
    return sum(end - start for start, end in voice.speech)


def _semitones(hz: float | NotMeasured) -> float | NotMeasured:
    return hz if isinstance(hz, NotMeasured) else 12 * float(np.log2(max(hz, 1e-6)))


def _number(
    name: str, old: float | NotMeasured, new: float | NotMeasured, tolerance: float, unit: str
) -> Iterator[str]:
    if isinstance(old, NotMeasured) or isinstance(new, NotMeasured):
        yield from _one_missing(name, old, new)
    elif abs(new - old) > tolerance + _EDGE:
        yield f"{name} {new - old:+.1f} {unit}"


def _one_missing(name: str, old: object, new: object) -> Iterator[str]:
    if isinstance(old, NotMeasured) and not isinstance(new, NotMeasured):
        yield f"{name} was not measured before ({old.unmeasured})"
    elif isinstance(new, NotMeasured) and not isinstance(old, NotMeasured):
        yield f"{name} could not be measured now ({new.unmeasured})"


def _course_db(old: Sequence[int], new: Sequence[int]) -> float:
    """Median difference of two level contours in dB, gain apart, at the best of three slides of 0.1 s."""
    found = [_apart_db(old, new, lag) for lag in (-1, 0, 1)]
    return min(found)


def _apart_db(old: Sequence[int], new: Sequence[int], lag: int) -> float:
    a = np.asarray(old[max(0, -lag) :], dtype=float)
    b = np.asarray(new[max(0, lag) :], dtype=float)
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    heard = np.maximum(a, b) > _QUIET_DB
    if not heard.any():
        return 0.0
    apart = b[heard] - a[heard]
    return float(np.median(np.abs(apart - np.median(apart))))


def _words(old: str | NotMeasured, new: str | NotMeasured, alike: float) -> Iterator[str]:
    if isinstance(old, NotMeasured) or isinstance(new, NotMeasured):
        yield from _one_missing("words", old, new)
        return
    before, after = _letters(old), _letters(new)
    ratio = 1.0 if before == after else SequenceMatcher(None, before, after, autojunk=False).ratio()
    if ratio < alike:
        yield f"heard “{new}” instead of “{old}”"


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", unicodedata.normalize("NFKC", text).casefold())
