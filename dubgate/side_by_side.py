"""Work on two tracks at once: a thread each where there are cores for it, and progress that only goes forward."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
Progress = Callable[[str, float], None]


def side_by_side(work: Sequence[Callable[[], T]], *, at_once: int) -> list[T]:
    """What each piece of work gives, in order; the first that fails ends it, once those that run have ended."""
    if at_once < 2 or len(work) < 2:
        return [each() for each in work]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda each: each(), work))


def forward(progress: Progress) -> Progress:
    """The same progress, told by one thread at a time, its share never smaller than before."""
    lock, most = threading.Lock(), 0.0

    def tell(stage: str, share: float) -> None:
        nonlocal most
        with lock:
            most = max(most, share)
            progress(stage, most)

    return tell
