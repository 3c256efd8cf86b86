"""How pauses and lengths of the lines follow the original: stopes pause alignment, the IWSLT metrics, text length.

The IWSLT metrics and length compliance are for comparison with published numbers only: a human dub scores 0 on some.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dubgate.delivery.script import CueSheet
from dubgate.features import TrackFeatures
from dubgate.measure.lines import Line
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.pauses import Speech, pauses_within
from dubgate.spans import Span, total_s
from dubgate.unmeasured import Unmeasured

FRAME_S = 256 / 22_050  # of iwslt-autodub-task
WRONG_PAUSES_S = 35 * FRAME_S  # what a segment counts there when the number of pauses is wrong
LEAST_PAUSES = 5  # of both tracks
LENGTH_BAND = (0.9, 1.1)  # IWSLT 2022 isometric
LONGER_THAN_CHARS = 10
_PROGRAMME = Subject(Scope.PROGRAMME)
_NO_PAIRS = Unmeasured("no line was heard from start to end in both tracks")

Pair = tuple[tuple[Span, ...], tuple[Span, ...]]  # the segments of speech of one line: original, dub


def isochrony(
    original_lines: Sequence[Line],
    dub_lines: Sequence[Line],
    original: TrackFeatures,
    dub: TrackFeatures,
    sheet: CueSheet,
) -> tuple[Measurement, ...]:
    """Pause score, IWSLT metrics 1 to 3 and length compliance of the programme."""
    pairs: list[Pair] = []
    weight_s = 0.0
    spoken = Speech(original.speech), Speech(dub.speech)
    for a, b in zip(original_lines, dub_lines, strict=True):
        if a.extent is None or b.extent is None:
            continue
        pair = spoken[0].within(a.extent), spoken[1].within(b.extent)
        if all(pair):
            pairs.append(pair)
            weight_s += total_s(pair[1])
    m1, m2, m3 = iwslt_metrics(pairs) if pairs else (_NO_PAIRS,) * 3
    values: tuple[tuple[str, float | Unmeasured], ...] = (
        ("pause_score", pause_score(pairs) if pairs else _NO_PAIRS),
        ("iwslt_m1", m1),
        ("iwslt_m2", m2),
        ("iwslt_m3", m3),
        ("length_compliance", length_compliance(sheet)),
    )
    return tuple(Measurement(metric, _PROGRAMME, value, weight_s) for metric, value in values)


def pause_score(pairs: Sequence[Pair]) -> float | Unmeasured:
    """Seamless (stopes) pause alignment, words placed in proportion: 1 where every pause has its like.

    A pause of the original and one of the dub agree by the ratio of their lengths times the share of words that both
    leave on the same side; pauses are paired so that this is highest; what stays unpaired scores 0; all are weighted
    by their length.
    """
    scored = weight = 0.0
    n_pauses = 0
    for original, dub in pairs:
        (a, at_a), (b, at_b) = _pauses(original), _pauses(dub)
        weight += float(a.sum() + b.sum())
        n_pauses += len(a) + len(b)
        if len(a) and len(b):
            ratio = np.minimum.outer(a, b) / np.maximum.outer(a, b)
            uncrossed = 1 - np.abs(np.subtract.outer(at_a, at_b))
            scored += _best_pairing(ratio * uncrossed, np.add.outer(a, b))
    if n_pauses < LEAST_PAUSES:
        return Unmeasured(f"fewer than {LEAST_PAUSES} pauses inside lines: too few to compare")
    return scored / weight


def _pauses(segments: Sequence[Span]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Length of each pause, and the share of the line's net speech before it."""
    pauses = pauses_within(segments, Span(segments[0].start_s, segments[-1].end_s))
    spoken_s = total_s(segments)
    before = [total_s(s for s in segments if s.end_s <= p.start_s + 1e-9) / spoken_s for p in pauses]
    return np.array([p.duration_s for p in pauses]), np.array(before)


def _best_pairing(score: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The weighted score of the pairing with the highest sum of scores."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(score, maximize=True)
    return float((score[rows, columns] * weight[rows, columns]).sum())


def iwslt_metrics(pairs: Sequence[Pair]) -> tuple[float, float, float]:
    """count_durations.py of iwslt-autodub-task, on durations heard: 1 - relative error, duration ratio, error in s.

    Means over the original's segments; a line with another number of pauses counts as wholly wrong.
    """
    errors: list[tuple[float, float, float]] = []
    for original, dub in pairs:
        if len(original) != len(dub):
            errors += [(1.0, 0.0, WRONG_PAUSES_S)] * len(original)
            continue
        for a, b in zip(original, dub, strict=True):
            reference, away = max(a.duration_s, FRAME_S), abs(b.duration_s - max(a.duration_s, FRAME_S))
            ratio = min(reference, b.duration_s) / max(reference, b.duration_s)
            errors.append((away / reference, ratio, away))
    relative, ratio, seconds = np.mean(errors, axis=0).tolist()
    return 1 - relative, ratio, seconds


def length_compliance(sheet: CueSheet) -> float | Unmeasured:
    """Share of lines of more than 10 characters whose text is within 10 % of the original's length."""
    pairs = [(len(c.original_text), len(c.text)) for c in sheet.cues if c.original_text and c.text]
    ratios = [dub / original for original, dub in pairs if original > LONGER_THAN_CHARS]
    if not ratios:
        return Unmeasured("the script does not have the original's text")
    low, high = LENGTH_BAND
    return sum(low <= r <= high for r in ratios) / len(ratios)
