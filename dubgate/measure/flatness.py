"""Whether a part is flat as a whole: in range, in movement and in contour at once.

Each alone is innocent: a lively original, another language, a voice with a small range. A part is flat where its F0
spans less than the original's, moves no more, and does not rise and fall where the original does. What real,
synthetic and flattened dubs measure is printed by tests/bench/real_dubs.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dubgate.measure.contours import Doubles
from dubgate.unmeasured import Unmeasured

LEAST_LINES, LEAST_SPEECH_S = 20, 60.0
LEAST_VOICED_S = 5.0
# Against the original, real automatic dubs span 1.07 to 1.42 and move 1.31 to 1.62 times as much; with the range of their
# F0 halved 0.54 to 0.74 and 0.87 to 1.01 (an F0 tracker's own restlessness is not halved). Monotone text-to-speech
# spans 0.39 to 0.49 (quality-metrics P2), flattened by a vocoder 0.16.
NARROW_BELOW, STILL_BELOW = 0.8, 1.15
# Unrelated melodies correlate by 0. Lines of automatic dubs agree with other lines as well as with their own (all fall
# towards the end), so that other lines are no null here; a voice that falls where the original falls is not flat. Real
# dubs of a few lines reach 0.39 by chance, narrow text-to-speech voices over 28 lines and more 0.50 to 0.74.
UNRELATED_BELOW = 0.45


@dataclass(frozen=True, slots=True)
class Melodies:
    """What flatness is judged on, of one part in both tracks: values of the dub over those of the original.

    `agreement` is the mean correlation of a line's contour with the original's, over `n_lines`.
    """

    span_ratio: float
    movement_ratio: float
    agreement: float
    n_lines: int
    speech_s: float
    voiced_s: float  # of the track that has less


def flatness_share(part: Melodies) -> float | Unmeasured:
    """How many of range, movement and contour are flat: 0, 1/3, 2/3 or 1."""
    if part.n_lines < LEAST_LINES and part.speech_s < LEAST_SPEECH_S:
        return Unmeasured(f"under {LEAST_LINES} lines and {LEAST_SPEECH_S:g} s of speech")
    if part.voiced_s < LEAST_VOICED_S:
        return Unmeasured(f"less than {LEAST_VOICED_S:g} s of voiced speech in original or dub")
    signs = (part.span_ratio < NARROW_BELOW, part.movement_ratio < STILL_BELOW, part.agreement < UNRELATED_BELOW)
    return sum(signs) / len(signs)


def mean_agreement(original: Doubles, dub: Doubles) -> float:
    """Mean correlation of contours [shape=(n, 40)] line by line; 0 where there are none."""
    return float(np.mean(original * dub)) if len(original) else 0.0
