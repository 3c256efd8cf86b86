"""When the dub speaks against when the original does: as a whole, line by line, and pause by pause.

A lag is dub minus original, so late is positive. Under a lector without a stem nothing here can be told, since the
original stays audible in the dub.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dubgate.delivery.script import Cue, CueSheet, Style
from dubgate.features import ProgrammeFeatures, TrackFeatures
from dubgate.measure.drift import Drift
from dubgate.measure.isochrony import isochrony
from dubgate.measure.lines import Line, Why, dialogue
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.pauses import without
from dubgate.measure.placement import UNDER_LECTOR, Lines, is_under_lector, place
from dubgate.measure.rate import paces, rate_ratios, spoken_units, usual_pace
from dubgate.spans import Span, mask, total_s, union
from dubgate.unmeasured import Unmeasured

MASK_HOP_S = 0.01
PROGRAMME = Subject(Scope.PROGRAMME)
METRICS_OF_PROGRAMME = (
    "speech_iou",
    "global_offset_s",
    "drift_ms_per_min",
    "cross_overlap_s",
    "uncovered_original_s",
    "uncovered_original_share",
    "unexpected_speech_s",
)
_NO_DUB = Unmeasured("no speech was heard in the dub")
_NO_ORIGINAL = Unmeasured("no speech was heard in the original")

Detail = tuple[tuple[str, str | float], ...]


def measure_timing(features: ProgrammeFeatures, sheet: CueSheet, style: Style) -> tuple[Measurement, ...]:
    """All timing metrics: lines in order of the sheet, then the programme."""
    cues = dialogue(sheet)
    if is_under_lector(features, style):
        return _nothing_heard(cues, UNDER_LECTOR)
    original, dub = features.original, features.dub
    placed = place(features, sheet)
    lines, offset_s = placed.lines, placed.offset_s
    pace = paces(lines.dub, dub, sheet)
    usual = usual_pace(pace)
    return (
        *_onset_errors(lines),
        *_overruns(lines, cues, dub.duration_s),
        *rate_ratios(lines.dub, pace, usual),
        _of_programme("speech_iou", speech_iou(original, dub), dub),
        _of_programme("global_offset_s", offset_s, dub),
        _drift(placed.drift, dub),
        _cross_overlap(lines, usual, dub, sheet),
        *_uncovered(original, dub),
        _unexpected(original, dub, sheet),
        *isochrony(lines.original, lines.dub, original, dub, sheet),
    )


def speech_iou(original: TrackFeatures, dub: TrackFeatures) -> float | Unmeasured:
    """Speech in both over speech in either, on 10 ms masks of the absolute timeline."""
    n = round(max(original.duration_s, dub.duration_s) / MASK_HOP_S) + 1
    a, b = mask(original.speech, MASK_HOP_S, n), mask(dub.speech, MASK_HOP_S, n)
    either = int((a | b).sum())
    if not a.any():
        return _NO_ORIGINAL
    return float((a & b).sum() / either)


def _nothing_heard(cues: Sequence[Cue], why: Unmeasured) -> tuple[Measurement, ...]:
    lines = ("onset_error_s", "slot_overrun_s", "rate_ratio")
    programme = (*METRICS_OF_PROGRAMME, "pause_score", "iwslt_m1", "iwslt_m2", "iwslt_m3", "length_compliance")
    return (
        *(Measurement(m, _subject(c), why, c.span.duration_s, (c.span,)) for m in lines for c in cues),
        *(Measurement(m, PROGRAMME, why) for m in programme),
    )


def _subject(cue: Cue) -> Subject:
    return Subject(Scope.LINE, cue.id, cue.character)


def _of_programme(metric: str, value: float | Unmeasured, dub: TrackFeatures) -> Measurement:
    return Measurement(metric, PROGRAMME, value, total_s(dub.speech))


def _onset_errors(lines: Lines) -> Iterable[Measurement]:
    """How late each line starts. A line that runs on from the one before in both tracks starts as that one does."""
    before: float | Unmeasured = Unmeasured(Why.RUNS_ON.value)
    for original, dub in zip(lines.original, lines.dub, strict=True):
        value, detail = _onset_error(original, dub, before)
        before = value
        spans = (dub.extent or dub.cue.span,)
        yield Measurement("onset_error_s", _subject(dub.cue), value, dub.cue.span.duration_s, spans, detail)


def _onset_error(original: Line, dub: Line, before: float | Unmeasured) -> tuple[float | Unmeasured, Detail]:
    if dub.start_s is Why.RUNS_ON and original.start_s is Why.RUNS_ON:
        return before, (("runs on", "from the line before, as in the original"),)
    if isinstance(dub.start_s, Why):
        return Unmeasured(dub.start_s.value), ()
    reference_s = dub.cue.span.start_s if isinstance(original.start_s, Why) else original.start_s
    return dub.start_s - reference_s, (("original starts at", reference_s), ("dub starts at", dub.start_s))


def _overruns(lines: Lines, cues: Sequence[Cue], duration_s: float) -> Iterable[Measurement]:
    """How far each line runs past its slot, which lasts until the next line's."""
    starts = [*(c.span.start_s for c in cues), duration_s]
    for original, dub, next_s in zip(lines.original, lines.dub, starts[1:], strict=True):
        slot_end_s = max(dub.cue.span.end_s, next_s)
        value: float | Unmeasured
        if not isinstance(dub.end_s, Why):
            value = max(0.0, dub.end_s - slot_end_s)
        elif dub.end_s is Why.RUNS_ON and original.end_s is Why.RUNS_ON:
            value = 0.0  # the original speaks on into the next line too
        else:
            value = Unmeasured(_why_no_end(dub))
        spans = (dub.extent or dub.cue.span,)
        yield Measurement("slot_overrun_s", _subject(dub.cue), value, dub.cue.span.duration_s, spans)


def _why_no_end(line: Line) -> str:
    if isinstance(line.start_s, Why):
        return line.start_s.value
    return "the speech runs on into the next line, so that this line's end cannot be told"


def _drift(drift: Drift | Unmeasured, dub: TrackFeatures) -> Measurement:
    if isinstance(drift, Unmeasured):
        return _of_programme("drift_ms_per_min", drift, dub)
    detail: Detail = (
        ("looks like", "; ".join(drift.candidates) or "no frame-rate conversion"),
        ("fitted ms/min", drift.fitted_ms_per_min),
        ("standard error ms/min", drift.error * 60_000),
    )
    return Measurement("drift_ms_per_min", PROGRAMME, drift.ms_per_min, total_s(dub.speech), (), detail)


def _cross_overlap(lines: Lines, pace: float | Unmeasured, dub: TrackFeatures, sheet: CueSheet) -> Measurement:
    """Seconds in which lines of two characters overlap in the dub where the original's do not.

    A breath between two lines shows that they do not. Where the dub runs on into another character's line and the
    original does not, the first line's end is put where its text ends at the track's usual speed.
    """
    if not dub.speech:
        return _of_programme("cross_overlap_s", _NO_DUB, dub)
    overlaps: list[Span] = []
    unclear: list[str] = []
    for k in [k for k, line in enumerate(lines.dub) if k and line.start_s is Why.RUNS_ON]:
        before, line, original = lines.dub[k - 1], lines.dub[k], lines.original[k]
        if before.cue.character == line.cue.character is not None or original.start_s is Why.RUNS_ON:
            continue
        units = spoken_units(before.cue, dub, sheet)
        start_s = line.cue.span.start_s if isinstance(original.start_s, Why) else original.start_s
        if isinstance(pace, Unmeasured) or isinstance(before.start_s, Why) or not units:
            unclear.append(line.cue.id)
        elif before.start_s + units / pace > start_s:
            overlaps.append(Span(start_s, before.start_s + units / pace))
    if unclear:
        return _of_programme("cross_overlap_s", Unmeasured(f"the dub runs on into the lines {', '.join(unclear)}"), dub)
    return Measurement("cross_overlap_s", PROGRAMME, total_s(overlaps), total_s(dub.speech), tuple(overlaps))


def _uncovered(original: TrackFeatures, dub: TrackFeatures) -> tuple[Measurement, Measurement]:
    """Original speech without dub speech: its longest stretch, and its share."""
    spoken_s = total_s(original.speech)
    silent = without(original.speech, dub.speech)
    longest, share = "uncovered_original_s", "uncovered_original_share"
    if spoken_s <= 0:
        return Measurement(longest, PROGRAMME, _NO_ORIGINAL), Measurement(share, PROGRAMME, _NO_ORIGINAL)
    worst_s = max((s.duration_s for s in silent), default=0.0)
    shown = tuple(s for s in silent if s.duration_s >= 0.5)
    return (
        Measurement(longest, PROGRAMME, worst_s, spoken_s, shown),
        Measurement(share, PROGRAMME, total_s(silent) / spoken_s, spoken_s, shown),
    )


def _unexpected(original: TrackFeatures, dub: TrackFeatures, sheet: CueSheet) -> Measurement:
    """The longest stretch of dub speech where neither original nor script has any."""
    if not dub.speech:
        return _of_programme("unexpected_speech_s", _NO_DUB, dub)
    expected = union((*original.speech, *(c.span for c in sheet.cues)))
    stray = without(dub.speech, expected)
    worst_s = max((s.duration_s for s in stray), default=0.0)
    shown = tuple(s for s in stray if s.duration_s >= 0.3)
    return Measurement("unexpected_speech_s", PROGRAMME, worst_s, total_s(dub.speech), shown)
