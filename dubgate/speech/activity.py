"""From speech probabilities to spans of speech, with the hysteresis that silero-vad's own iterator uses."""

from __future__ import annotations

from dubgate.features import Series
from dubgate.spans import Span

THRESHOLD = 0.3  # IWSLT automatic dubbing: silero threshold 0.3, pauses under 300 ms bridged
MIN_SILENCE_S = 0.3
MIN_SPEECH_S = 0.1
HYSTERESIS = 0.15


def speech_spans(
    prob: Series,
    *,
    threshold: float = THRESHOLD,
    min_silence_s: float = MIN_SILENCE_S,
    min_speech_s: float = MIN_SPEECH_S,
) -> tuple[Span, ...]:
    """Stretches of speech in seconds: opened at `threshold`, closed after `min_silence_s` below threshold - 0.15.

    The end lies where the probability first fell, so that bridging moves no edge. Stretches under `min_speech_s` drop.
    """
    hop, close_below = prob.hop_s, max(threshold - HYSTERESIS, 0.01)
    spans: list[Span] = []
    start: int | None = None
    quiet_from: int | None = None
    values = prob.values.tolist()
    for k, p in enumerate(values):
        if p >= threshold:
            start, quiet_from = (k if start is None else start), None
        elif p < close_below and start is not None:
            quiet_from = k if quiet_from is None else quiet_from
            if (k + 1 - quiet_from) * hop >= min_silence_s:
                spans.append(Span(start * hop, quiet_from * hop))
                start = quiet_from = None
    if start is not None:
        spans.append(Span(start * hop, (quiet_from if quiet_from is not None else len(values)) * hop))
    return tuple(s for s in spans if s.duration_s >= min_speech_s)
