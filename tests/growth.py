"""How work grows with its input: a ratio, since a time would judge the machine that the tests run on."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

TIMES = 4
LINEAR = 2.0 * TIMES
"""Work in proportion grows by TIMES, work that looks at every pair by its square; this lies as far from either."""


def processor_s(work: Callable[[], object]) -> float:
    """The processor seconds of this process that the work takes, without those of collecting what others left."""
    gc.collect()
    gc.disable()
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def growth(
    prepare: Callable[[int], Callable[[], Any]],
    n: int,
    *,
    turns: int = 5,
    seconds: Callable[[Callable[[], Any]], float] = processor_s,
) -> float:
    """How many times the time of n the work on TIMES n takes: of each the least of several, taken by turns.

    `prepare(n)` gives the work on an input of n (making that input is not counted), `seconds(work)` what it took.
    """
    small, large = prepare(n), prepare(TIMES * n)
    took = [(seconds(small), seconds(large)) for _ in range(turns)]
    return min(long for _, long in took) / min(short for short, _ in took)
