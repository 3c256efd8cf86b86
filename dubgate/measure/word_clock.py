"""How the dub's time runs against the script's, from the words that both have: so that a late or drifting dub is still
matched line by line, and a line said in another line's place is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span

FEWEST_WORDS = 12
MOST_SCATTER_S = 1.5  # words further apart from the fit than this, half of the time, are no clock
STEEPEST = 0.06  # 23.976 against 25 is 0.043


@dataclass(frozen=True, slots=True)
class Clock:
    """Script time t falls at `t + offset_s + slope * t` in the dub."""

    offset_s: float = 0.0
    slope: float = 0.0

    def there(self, span: Span) -> Span:
        """Where a span of the script falls in the dub."""
        return span.shifted(self.offset_s + self.slope * (span.start_s + span.end_s) / 2)


def fit_clock(script_s: Sequence[float], heard_s: Sequence[float]) -> Clock:
    """A line through the lags of words found in both [shape=(n,)], by medians; no clock where they do not agree.

    The slope is the median over pairs half the words apart (Theil-Sen over fixed pairs), so that up to about a quarter
    of false matches does no harm.
    """
    at = np.asarray(script_s, dtype=np.float64)
    lag = np.asarray(heard_s, dtype=np.float64) - at
    if len(at) < FEWEST_WORDS:
        return Clock()
    slope = _slope(at, lag)
    offset = float(np.median(lag - slope * at))
    scatter = float(np.median(np.abs(lag - offset - slope * at)))
    return Clock(offset, slope) if scatter <= MOST_SCATTER_S and abs(slope) <= STEEPEST else Clock()


def _slope(at: NDArray[np.float64], lag: NDArray[np.float64]) -> float:
    half = len(at) // 2
    apart = at[half:] - at[: len(at) - half]
    far = apart > 1.0
    return float(np.median((lag[half:] - lag[: len(lag) - half])[far] / apart[far])) if far.any() else 0.0
