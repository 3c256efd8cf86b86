"""Which speech belongs to which line: where a line starts and ends in a track, by voice activity and aligned words.

A phrase belongs to the line in whose slot it starts. Speech that runs on from one line into the next without a
breath hides the next line's start; then aligned words tell it, or nothing does.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import LineAlignment, TrackFeatures
from dubgate.measure.pauses import phrases
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

EARLY_S = 0.25  # a phrase that starts this long before a line, or later, may be its own
EARLIEST_S = 0.5  # a dub line that starts before its slot by more is not believed where another line misses its start
HARDLY_S = 0.1  # speech that only touches a slot does not fill it
LATEST_S = 3.0  # beyond its slot, a line is looked for this long after its start
TAIL_S = 0.4  # what reaches no further into the next slot is the end of the line before


class Why(Enum):
    """Why a line has no start of its own."""

    SILENT = "no speech starts in or near this line"
    RUNS_ON = "the speech runs on from the line before, so that this line's start cannot be told"


@dataclass(frozen=True, slots=True)
class Clock:
    """Where a moment of the original lies in a track: `offset_s + stretch * original time`."""

    offset_s: float = 0.0
    stretch: float = 1.0

    def of(self, original_s: float) -> float:
        return self.offset_s + self.stretch * original_s

    def span(self, span: Span) -> Span:
        return Span(self.of(span.start_s), self.of(span.end_s))


AS_IS = Clock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line in a track: from its first speech to its last, on that track's own time."""

    cue: Cue
    start_s: float | Why
    end_s: float | Why

    @property
    def extent(self) -> Span | None:
        if isinstance(self.start_s, Why) or isinstance(self.end_s, Why):
            return None
        return Span(self.start_s, max(self.start_s, self.end_s))


def dialogue(sheet: CueSheet) -> tuple[Cue, ...]:
    """The lines that are held to time: songs, crowds, efforts and kept originals are not."""
    return tuple(c for c in sheet.cues if c.kind is CueKind.DIALOGUE)


def place_lines(cues: Sequence[Cue], track: TrackFeatures, clock: Clock = AS_IS) -> tuple[Line, ...]:
    """Each line's start and end in a track whose speech follows the cues by `clock`, in order of the cues."""
    heard = phrases(track.speech_prob)
    slots = [clock.span(c.span) for c in cues]
    words = _aligned(track)
    starts = _Starts(heard, slots).all()
    starts = [_told_by_words(s, words.get(c.id), slot) for s, c, slot in zip(starts, cues, slots, strict=True)]
    ends = _ends(starts, heard, slots)
    return tuple(Line(cue, start, end) for cue, start, end in zip(cues, starts, ends, strict=True))


class _Starts:
    """The start of each slot's own speech among phrases in order of time."""

    def __init__(self, heard: Sequence[Span], slots: Sequence[Span]) -> None:
        self._heard, self._slots = heard, slots
        self._phrase_starts = [p.start_s for p in heard]
        self._phrase_ends = [p.end_s for p in heard]

    def all(self) -> list[float | Why]:
        starts: list[float | Why] = []
        claimed = -1  # the last phrase whose start is taken
        for k in range(len(self._slots)):
            phrase = self._own_phrase(k, claimed)
            if isinstance(phrase, Why):
                starts.append(phrase)
            else:
                starts.append(self._phrase_starts[phrase])
                claimed = phrase
        return starts

    def _own_phrase(self, k: int, claimed: int) -> int | Why:
        """The phrase that line k starts with."""
        slot = self._slots[k]
        before_end = max((s.end_s for s in self._slots[max(0, k - 3) : k]), default=0.0)
        spoken = bisect_right(
            self._phrase_ends, slot.start_s + HARDLY_S
        )  # the first phrase that fills the slot's start
        if spoken < len(self._heard) and self._phrase_starts[spoken] <= slot.start_s:
            if spoken > claimed and self._phrase_starts[spoken] >= min(before_end, slot.start_s) - EARLY_S:
                return spoken
            into_s = self._phrase_ends[spoken] - slot.start_s
            if into_s > min(TAIL_S, slot.duration_s / 2):
                return Why.RUNS_ON
        first = max(bisect_left(self._phrase_starts, slot.start_s), claimed + 1)
        return self._late_phrase(k, first)

    def _late_phrase(self, k: int, phrase: int) -> int | Why:
        """The first phrase after a silent start, unless it rather is the next line's."""
        slot = self._slots[k]
        if phrase >= len(self._heard):
            return Why.SILENT
        start_s = self._phrase_starts[phrase]
        if start_s >= max(slot.end_s, slot.start_s + LATEST_S):
            return Why.SILENT
        if k + 1 < len(self._slots):
            next_s = self._slots[k + 1].start_s
            nearer = abs(start_s - next_s) <= min(EARLIEST_S, start_s - slot.start_s)
            if start_s >= slot.end_s - HARDLY_S and nearer:
                return Why.SILENT
        return phrase


def _told_by_words(start: float | Why, words: LineAlignment | None, slot: Span) -> float | Why:
    """The first aligned word's start, where voice activity cannot tell."""
    if start is not Why.RUNS_ON or words is None or not words.words:
        return start
    first_s = words.words[0].span.start_s
    return first_s if abs(first_s - slot.start_s) <= LATEST_S else start


def _ends(starts: Sequence[float | Why], heard: Sequence[Span], slots: Sequence[Span]) -> list[float | Why]:
    """Where each line's last phrase ends: the last one that follows closely and starts before the next line does."""
    phrase_starts = [p.start_s for p in heard]
    ends: list[float | Why] = []
    for k, start in enumerate(starts):
        if isinstance(start, Why):
            ends.append(start)
            continue
        following = starts[k + 1] if k + 1 < len(starts) else float("inf")
        limit_s = slots[k + 1].start_s if isinstance(following, Why) else following
        end_s = start
        for phrase in heard[max(0, bisect_right(phrase_starts, start) - 1) :]:
            if phrase.start_s > start and (
                phrase.start_s >= limit_s or phrase.start_s > max(slots[k].end_s, end_s + 1.0)
            ):
                break
            end_s = max(end_s, phrase.end_s)
        ends.append(following if following is Why.RUNS_ON and end_s > limit_s else end_s)
    return ends


def _aligned(track: TrackFeatures) -> Mapping[str, LineAlignment]:
    return {} if isinstance(track.alignments, Unmeasured) else {a.cue_id: a for a in track.alignments}
