"""Phrases and pauses of a line: where speech starts and stops, finer than a frame of voice activity."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise

from dubgate.features import Series
from dubgate.spans import Span, intersection, union
from dubgate.speech.activity import THRESHOLD, speech_spans

PAUSE_S = 0.3  # IWSLT automatic dubbing: what counts as a pause
BREATH_S = 0.1  # what still parts two phrases of different lines
_SHORTEST_PHRASE_S = 0.1


def phrases(prob: Series, *, min_silence_s: float = BREATH_S) -> tuple[Span, ...]:
    """Stretches of speech with silences of `min_silence_s` or more between them.

    Edges lie where the line through the probabilities crosses the threshold, not on the 32 ms grid.
    """
    spans = speech_spans(prob, min_silence_s=min_silence_s, min_speech_s=_SHORTEST_PHRASE_S)
    return tuple(Span(_rise_s(prob, s.start_s), max(_rise_s(prob, s.start_s), _fall_s(prob, s.end_s))) for s in spans)


class Speech:
    """A track's speech, merged and in order, of which many stretches are asked for."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = union(spans)
        self._starts = [s.start_s for s in self._spans]

    def within(self, span: Span) -> tuple[Span, ...]:
        """The speech inside a span, cut at its edges."""
        first = max(0, bisect_right(self._starts, span.start_s) - 1)
        last = bisect_left(self._starts, span.end_s)
        return intersection([span], self._spans[first:last])


def without(spans: Iterable[Span], cuts: Iterable[Span]) -> tuple[Span, ...]:
    """Where `spans` hold and `cuts` do not, in order; in time that grows with their number only."""
    edges = [0.0, *(t for cut in union(cuts) for t in (cut.start_s, cut.end_s)), float("inf")]
    return intersection(spans, [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a])


def pauses_within(speech: Sequence[Span], line: Span, *, at_least_s: float = PAUSE_S) -> tuple[Span, ...]:
    """The silences between the first and the last speech of a line."""
    spoken = intersection([line], speech)
    return tuple(Span(a.end_s, b.start_s) for a, b in pairwise(spoken) if b.start_s - a.end_s >= at_least_s)


def _rise_s(prob: Series, start_s: float) -> float:
    """Where the probability rises through the threshold near the frame that starts at `start_s`."""
    k = round(start_s / prob.hop_s)
    if k < 1:
        return start_s
    before, after = float(prob.values[k - 1]), float(prob.values[k])
    if after <= before:
        return start_s
    return (k - 0.5 + min(1.0, max(0.0, (THRESHOLD - before) / (after - before)))) * prob.hop_s


def _fall_s(prob: Series, end_s: float) -> float:
    """Where the probability falls through the threshold before the frame that ends the speech."""
    k = round(end_s / prob.hop_s)
    while k > 0 and k <= len(prob.values) - 1 and prob.values[k - 1] < THRESHOLD:
        k -= 1
    if not 0 < k < len(prob.values):
        return end_s
    before, after = float(prob.values[k - 1]), float(prob.values[k])
    if after >= before:
        return k * prob.hop_s
    return (k - 0.5 + min(1.0, max(0.0, (before - THRESHOLD) / (before - after)))) * prob.hop_s
