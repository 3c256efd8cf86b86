"""How the dub is spoken against how the original is: register, range, melody, loudness, pace, and flatness.

Frames do not correspond across languages, so that distributions and shapes of lines are compared; contours of lines
always against the same lines mismatched, since warping makes any two look alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import ProgrammeFeatures
from dubgate.measure.contours import (
    POINTS,
    Doubles,
    Melody,
    centred,
    contours,
    line_frames,
    melody,
    movement_st_per_s,
    span_st,
    spread_st,
    voiced_of,
    warped_correlation,
)
from dubgate.measure.flatness import Melodies, flatness_share, mean_agreement
from dubgate.measure.lines import Line
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.pauses import Speech
from dubgate.measure.placement import UNDER_LECTOR, is_under_lector, place
from dubgate.measure.rate import paces
from dubgate.spans import total_s
from dubgate.unmeasured import Unmeasured

LEAST_PART_VOICED_S = 1.5  # of a character
LEAST_LINE_VOICED_S = 0.5
LEAST_CONTOURS = 5
LEAST_RATES = 20
N_MISMATCHED = 8  # other lines that each line is compared with
FINAL_S = 0.3
LEAST_FINAL_ST = 0.5  # a rise or fall of less over the last 0.3 s is level
OF_A_PART = (
    "register_shift_st",
    "range_ratio",
    "f0_dtw_lift",
    "final_rise_match",
    "energy_range_ratio",
    "rate_spearman",
    "flatness_share",
)
_NO_LINES = Unmeasured("the script has no dialogue")
Value = float | Unmeasured


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One track's lines of a part: frames of F0 in semitones and their median, energy in dB, pace in letters/s."""

    hop_s: float
    frames: list[Doubles]  # relative to the part's median; NaN where unvoiced
    median_st: float
    energy_db: Doubles
    paces: list[float | Unmeasured]
    speech_s: float

    @property
    def voiced(self) -> Doubles:
        return voiced_of(self.frames)

    @property
    def voiced_s(self) -> float:
        return len(self.voiced) * self.hop_s


class _Pair:
    """A part in the original and in the dub, and the contours of the lines that have one in both [shape=(n, 40)]."""

    def __init__(self, original: Sound, dub: Sound) -> None:
        self.original, self.dub = original, dub
        pairs = zip(contours(original.frames, original.hop_s), contours(dub.frames, dub.hop_s), strict=True)
        both = [(x, y) for x, y in pairs if x is not None and y is not None]
        self.contours = tuple(np.array([pair[side] for pair in both]).reshape(-1, POINTS) for side in (0, 1))


def measure_prosody(features: ProgrammeFeatures, sheet: CueSheet) -> tuple[Measurement, ...]:
    """All prosody metrics: lines in order of the sheet, then characters, then the programme where it has several."""
    original, dub = features.original.pitch, features.dub.pitch
    lines = place(features, sheet).lines
    cues = [line.cue for line in lines.dub]
    if is_under_lector(features, sheet.style):
        return _unmeasured(cues, UNDER_LECTOR)
    if isinstance(dub, Unmeasured):
        return _unmeasured(cues, dub)
    if isinstance(original, Unmeasured):
        return _unmeasured(cues, original)
    if not cues:
        return _unmeasured(cues, _NO_LINES)
    tracks = tuple(
        _Track(features, sheet, side, placed, melody(track, pitch))
        for side, track, pitch, placed in (
            ("original", features.original, original, lines.original),
            ("dub", features.dub, dub, lines.dub),
        )
    )
    parts = _parts(cues)
    pairs = {subject: _Pair(tracks[0].sound(own), tracks[1].sound(own)) for subject, own in parts.items()}
    return (
        *_line_ranges(cues, tracks[0], tracks[1]),
        *(m for subject, pair in pairs.items() for m in _of_part(subject, pair)),
        *_of_programme(list(pairs.values())),
    )


class _Track:
    """The lines of one track, from which any part can be taken."""

    def __init__(
        self, features: ProgrammeFeatures, sheet: CueSheet, side: str, lines: Sequence[Line], sound: Melody
    ) -> None:
        track = features.dub if side == "dub" else features.original
        self.hop_s, self._lines, self.frames = sound.hop_s, lines, line_frames(sound, lines)
        texts = (
            lines if side == "dub" else [replace(x, cue=replace(x.cue, text=x.cue.original_text or "")) for x in lines]
        )
        language = sheet if side == "dub" else replace(sheet, language=track.language)
        self._paces = paces(texts, track, language)
        speech, energy = Speech(track.speech), track.energy_db
        self._spoken = [speech.within(line.extent or line.cue.span) for line in lines]
        self._energy = [np.concatenate([np.zeros(0, np.float32), *map(energy.within, s)]) for s in self._spoken]

    def sound(self, own: Sequence[int]) -> Sound:
        """The lines of one part, by index."""
        frames, median = centred([self.frames[k] for k in own])
        energy = np.concatenate([np.zeros(0), *(self._energy[k] for k in own)]).astype(np.float64)
        speech_s = sum(total_s(self._spoken[k]) for k in own)
        return Sound(self.hop_s, frames, median, energy, [self._paces[k] for k in own], speech_s)


def _parts(cues: Sequence[Cue]) -> dict[Subject, list[int]]:
    """The lines of each character, by index; lines of nobody in particular are the programme's."""
    parts: dict[Subject, list[int]] = {}
    for k, cue in enumerate(cues):
        subject = Subject(Scope.PROGRAMME) if cue.character is None else Subject(Scope.CHARACTER, cue.character)
        parts.setdefault(subject, []).append(k)
    return parts


def _unmeasured(cues: Sequence[Cue], why: Unmeasured) -> tuple[Measurement, ...]:
    subjects = list(_parts(cues)) or [Subject(Scope.PROGRAMME)]
    lines = (Measurement("line_range_ratio", _line(c), why, c.span.duration_s, (c.span,)) for c in cues)
    return (*lines, *(Measurement(metric, subject, why) for subject in subjects for metric in OF_A_PART))


def _line(cue: Cue) -> Subject:
    return Subject(Scope.LINE, cue.id, cue.character)


def _line_ranges(cues: Sequence[Cue], original: _Track, dub: _Track) -> Iterable[Measurement]:
    for cue, a, b in zip(cues, original.frames, dub.frames, strict=True):
        value = _ratio(_steady(a), _steady(b), original.hop_s, LEAST_LINE_VOICED_S)
        yield Measurement("line_range_ratio", _line(cue), value, cue.span.duration_s, (cue.span,))


def _steady(frames: Doubles) -> Doubles:
    return voiced_of(centred([frames])[0])


def _ratio(a: Doubles, b: Doubles, hop_s: float, least_s: float) -> Value:
    """The spread of b over that of a."""
    if min(len(a), len(b)) * hop_s < least_s:
        return Unmeasured(f"less than {least_s:g} s of voiced speech in original or dub")
    return _over(spread_st(b), spread_st(a))


def _over(b: float, a: float) -> Value:
    return b / a if a > 0 else Unmeasured("the original does not vary at all")


def _of_part(subject: Subject, pair: _Pair) -> Iterable[Measurement]:
    """All metrics of one part."""
    a, b = pair.original, pair.dub
    values: dict[str, Value] = {
        "register_shift_st": _register_shift(a, b),
        "range_ratio": _ratio(a.voiced, b.voiced, a.hop_s, LEAST_PART_VOICED_S),
        "f0_dtw_lift": f0_dtw_lift(*pair.contours),
        "final_rise_match": _final_rise_match(a, b),
        "energy_range_ratio": _energy_ratio(a, b),
        "rate_spearman": _rate_spearman(a.paces, b.paces),
    }
    yield from (Measurement(metric, subject, value, b.speech_s) for metric, value in values.items())
    yield _flatness(subject, [pair])


def _of_programme(pairs: Sequence[_Pair]) -> Iterable[Measurement]:
    """Flatness of all parts together, each about its own median."""
    if len(pairs) > 1:
        yield _flatness(Subject(Scope.PROGRAMME), pairs)


def _flatness(subject: Subject, pairs: Sequence[_Pair]) -> Measurement:
    a, b = [f for p in pairs for f in p.original.frames], [f for p in pairs for f in p.dub.frames]
    first, second = (np.concatenate([p.contours[side] for p in pairs]) for side in (0, 1))
    hop_s = pairs[0].dub.hop_s
    spans, moves = [span_st(voiced_of(x)) for x in (a, b)], [movement_st_per_s(x, hop_s) for x in (a, b)]
    part = Melodies(
        span_ratio=spans[1] / max(spans[0], 1e-9),
        movement_ratio=moves[1] / max(moves[0], 1e-9),
        agreement=mean_agreement(first, second),
        n_lines=sum(bool(np.isfinite(f).any()) for f in b),
        speech_s=sum(pair.dub.speech_s for pair in pairs),
        voiced_s=min(len(voiced_of(x)) * hop_s for x in (a, b)),
    )
    detail = (
        ("range of F0 against the original", part.span_ratio),
        ("movement of F0 against the original", part.movement_ratio),
        ("agreement of contours", part.agreement),
    )
    return Measurement("flatness_share", subject, flatness_share(part), part.speech_s, (), detail)


def f0_dtw_lift(original: Doubles, dub: Doubles) -> Value:
    """By how much a line's warped correlation with its own original exceeds that with others' [(n, 40)] each."""
    n = len(original)
    if n < LEAST_CONTOURS:
        return Unmeasured(f"fewer than {LEAST_CONTOURS} lines have a melody in both tracks")
    shifts = range(1, min(n, N_MISMATCHED + 1))
    others = np.concatenate([np.roll(np.arange(n), s) for s in shifts])
    own = warped_correlation(original, dub).mean()
    return float(own - warped_correlation(np.tile(original, (len(shifts), 1)), dub[others]).mean())


def _register_shift(a: Sound, b: Sound) -> Value:
    if min(a.voiced_s, b.voiced_s) < LEAST_PART_VOICED_S:
        return Unmeasured(f"less than {LEAST_PART_VOICED_S:g} s of voiced speech in original or dub")
    return b.median_st - a.median_st


def _final_rise_match(a: Sound, b: Sound) -> Value:
    """Share of lines that end as the original does, rising or falling, among those where both do either."""
    ends = [(_final_st(x, a.hop_s), _final_st(y, b.hop_s)) for x, y in zip(a.frames, b.frames, strict=True)]
    clear = [(x, y) for x, y in ends if min(abs(x), abs(y)) >= LEAST_FINAL_ST]
    if len(clear) < LEAST_CONTOURS:
        return Unmeasured(f"fewer than {LEAST_CONTOURS} lines end in a rise or fall in both tracks")
    return sum((x > 0) == (y > 0) for x, y in clear) / len(clear)


def _final_st(frames: Doubles, hop_s: float) -> float:
    """Rise over the last 0.3 s to the last voiced frame, by the fitted line; 0 with too few voiced frames."""
    voiced = np.flatnonzero(np.isfinite(frames))
    if not len(voiced):
        return 0.0
    at = voiced[voiced > voiced[-1] - FINAL_S / hop_s]
    if len(at) < 0.5 * FINAL_S / hop_s:
        return 0.0
    away = at - at.mean()
    return float((away @ frames[at]) / (away @ away) * FINAL_S / hop_s)


def _energy_ratio(a: Sound, b: Sound) -> Value:
    if min(a.speech_s, b.speech_s) < LEAST_PART_VOICED_S:
        return Unmeasured(f"less than {LEAST_PART_VOICED_S:g} s of speech in original or dub")
    return _over(spread_st(b.energy_db), spread_st(a.energy_db))


def _rate_spearman(a: Sequence[Value], b: Sequence[Value]) -> Value:
    """Rank correlation of the lines' paces; the original's come from its own text in the script."""
    known = [
        (x, y) for x, y in zip(a, b, strict=True) if not isinstance(x, Unmeasured) and not isinstance(y, Unmeasured)
    ]
    if len(known) < LEAST_RATES:
        return Unmeasured(f"fewer than {LEAST_RATES} lines have the original's text and the dub's")
    ranks = [_ranks(np.array(side)) for side in zip(*known, strict=True)]
    away = [r - r.mean() for r in ranks]
    norm = float(np.sqrt(np.square(away[0]).sum() * np.square(away[1]).sum()))
    return float((away[0] * away[1]).sum()) / norm if norm > 0 else Unmeasured("all lines are spoken at one pace")


def _ranks(values: Doubles) -> Doubles:
    """Ranks, equal values sharing their mean rank."""
    ordered = np.sort(values)
    return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
