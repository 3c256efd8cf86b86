"""One character, one voice: which lines of a character are spoken by somebody else.

Each line is compared with the pooled other lines of its character and scored in nats above the point at which it is
named. That point comes from the encoder's calibration, and is lowered for characters whose lines differ among themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import ProgrammeFeatures, VoiceSegment
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.voice_pooling import AgainstOthers, against_others, pool
from dubgate.speech.calibration import Band, Calibration, Relation, find
from dubgate.unmeasured import Unmeasured

# A line must also lie this many robust deviations under the middle of its character's own lines: acted speech, noise and
# codecs spread a voice's lines, and what all of them do is not another voice. The bound gives way by so much at most.
# Both were chosen on the calibration's fitted voices.
_DEVIATIONS = 3.0
_GIVES_WAY_COSINE = 0.1
_LINES_FOR_SPREAD = 4
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True, eq=False)
class ScoredLine:
    """A line's score: nats above (below, if negative) the point at which it is named as another voice."""

    segment: VoiceSegment
    score: float | Unmeasured
    cosine: float = float("nan")
    llr: float = float("nan")

    @property
    def named(self) -> bool:
        return not isinstance(self.score, Unmeasured) and self.score < 0


def measure_voice(
    features: ProgrammeFeatures, sheet: CueSheet, *, calibrations: Sequence[Calibration] | None = None
) -> tuple[Measurement, ...]:
    """`one_voice_score` of every line of dialogue and `one_voice_outliers` of every character of the dub.

    Args:
        calibrations: to look in; by default those that come with dubgate.
    """
    cues = [c for c in sheet.cues if c.kind is CueKind.DIALOGUE and c.character is not None]
    calibration = _calibration(features, calibrations)
    voices = features.dub.voices
    segments: dict[str, list[VoiceSegment]] = {}
    for segment in () if isinstance(voices, Unmeasured) else voices:
        if segment.cue_id is not None:
            segments.setdefault(segment.cue_id, []).append(segment)
    out: list[Measurement] = []
    for character in dict.fromkeys(c.character for c in cues if c.character is not None):
        own = [c for c in cues if c.character == character]
        lines = [(cue, _line(segments.get(cue.id, ()))) for cue in own]
        if isinstance(voices, Unmeasured):
            out += _nothing(character, own, voices.reason)
        else:
            out += _character(character, lines, calibration)
    return tuple(out)


def one_voice_scores(segments: Sequence[VoiceSegment], calibration: Calibration | Unmeasured) -> tuple[ScoredLine, ...]:
    """Every line of one character against its others, in order.

    Lines too short to tell a voice, and characters with too little else to compare with, are Unmeasured.
    """
    if isinstance(calibration, Unmeasured):
        return tuple(ScoredLine(s, calibration) for s in segments)
    bands = [_band(s, calibration) for s in segments]
    usable = [k for k, band in enumerate(bands) if not isinstance(band, Unmeasured)]
    compared = _compared([segments[k] for k in usable], [b for b in bands if not isinstance(b, Unmeasured)])
    floor = _floor([c for c in compared if c.reference_s >= calibration.min_reference_s])
    by_line = dict(zip(usable, compared, strict=True))
    return tuple(
        _scored(s, b, by_line.get(k), floor, calibration) for k, (s, b) in enumerate(zip(segments, bands, strict=True))
    )


def _compared(segments: Sequence[VoiceSegment], bands: Sequence[Band]) -> list[AgainstOthers]:
    vectors = [v.astype(np.float64) for s in segments if not isinstance(v := s.vector, Unmeasured)]
    if not vectors:
        return []
    one_voice_cosine = min(band.named_below_cosine for band in bands)
    return against_others(np.array(vectors), np.array([s.speech_s for s in segments]), one_voice_cosine)


def _floor(compared: Sequence[AgainstOthers]) -> float:
    """The cosine that lines of this character fall under only if something sets them apart; infinite for few lines."""
    if len(compared) < _LINES_FOR_SPREAD:
        return float("inf")
    cosines = np.array([c.cosine for c in compared])
    middle = float(np.median(cosines))
    return middle - _DEVIATIONS * _MAD_TO_SIGMA * float(np.median(np.abs(cosines - middle)))


def _band(segment: VoiceSegment, calibration: Calibration) -> Band | Unmeasured:
    if isinstance(segment.vector, Unmeasured):
        return segment.vector
    return calibration.band(segment.speech_s)


def _scored(
    segment: VoiceSegment,
    band: Band | Unmeasured,
    compared: AgainstOthers | None,
    floor: float,
    calibration: Calibration,
) -> ScoredLine:
    if isinstance(band, Unmeasured) or compared is None:
        return ScoredLine(segment, band if isinstance(band, Unmeasured) else Unmeasured("not compared"))
    if not compared.reference_s >= calibration.min_reference_s:
        rest = f"the character's other lines hold {compared.reference_s:.1f} s of one voice"
        return ScoredLine(segment, Unmeasured(f"{rest}, under {calibration.min_reference_s:g} s"), compared.cosine)
    bound = min(band.named_below_cosine, max(floor, band.named_below_cosine - _GIVES_WAY_COSINE))
    return ScoredLine(segment, band.slope * (compared.cosine - bound), compared.cosine, band.llr(compared.cosine))


def _line(segments: Sequence[VoiceSegment]) -> VoiceSegment | None:
    """The segments of one cue as one; None where there are none."""
    if len(segments) < 2:
        return segments[0] if segments else None
    pooled = pool(segments)
    first = segments[0]
    seconds = sum(s.speech_s for s in segments)
    vector = pooled if isinstance(pooled, Unmeasured) else pooled.vector
    return VoiceSegment(first.span, seconds, first.cue_id, first.character, vector, first.cluster)


def _calibration(features: ProgrammeFeatures, calibrations: Sequence[Calibration] | None) -> Calibration | Unmeasured:
    encoders = [m for m in features.models if m.kind == "speaker_encoder"]
    if not encoders:
        return Unmeasured("no speaker encoder heard this")
    return find(encoders[0].weights_sha256, Relation.SAME, among=calibrations)


def _character(
    name: str, lines: Sequence[tuple[Cue, VoiceSegment | None]], calibration: Calibration | Unmeasured
) -> list[Measurement]:
    heard = [(cue, segment) for cue, segment in lines if segment is not None]
    scored = dict(zip((cue.id for cue, _ in heard), one_voice_scores([s for _, s in heard], calibration), strict=True))
    rows = [_line_measurement(name, cue, scored.get(cue.id)) for cue, _ in lines]
    return [*rows, _outliers(name, list(scored.values()), calibration)]


def _line_measurement(name: str, cue: Cue, line: ScoredLine | None) -> Measurement:
    subject = Subject(Scope.LINE, cue.id, name)
    if line is None:
        return Measurement("one_voice_score", subject, Unmeasured("no speech was heard in this line"), 0.0, (cue.span,))
    detail: tuple[tuple[str, str | float], ...] = ()
    if not np.isnan(line.cosine):
        detail = (("cosine", round(line.cosine, 4)), ("llr", round(line.llr, 2)))
    return Measurement("one_voice_score", subject, line.score, line.segment.speech_s, (cue.span,), detail)


def _outliers(name: str, lines: Sequence[ScoredLine], calibration: Calibration | Unmeasured) -> Measurement:
    subject = Subject(Scope.CHARACTER, name)
    judged = [line for line in lines if not isinstance(line.score, Unmeasured)]
    named = [line for line in judged if line.named]
    detail: tuple[tuple[str, str | float], ...] = (("lines_compared", float(len(judged))),)
    detail += (("lines_left_out", float(len(lines) - len(judged))),)
    if named:
        detail += (("lines", ", ".join(str(line.segment.cue_id) for line in named)),)
    if not isinstance(calibration, Unmeasured):
        detail += (("calibration", calibration.name),)
    seconds = sum(line.segment.speech_s for line in judged)
    value = float(len(named)) if judged else _why_not(lines)
    return Measurement(
        "one_voice_outliers", subject, value, seconds, tuple(line.segment.span for line in named), detail
    )


def _why_not(lines: Sequence[ScoredLine]) -> Unmeasured:
    reasons = [line.score for line in lines if isinstance(line.score, Unmeasured)]
    return reasons[0] if reasons else Unmeasured("no line of this character was heard")


def _nothing(name: str, cues: Sequence[Cue], reason: str) -> list[Measurement]:
    why = Unmeasured(reason)
    rows = [Measurement("one_voice_score", Subject(Scope.LINE, c.id, name), why, 0.0, (c.span,)) for c in cues]
    return [*rows, Measurement("one_voice_outliers", Subject(Scope.CHARACTER, name), why)]
