"""Work side by side where there are cores for it: tracks, consumers of one track's sound; progress only goes forward."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

T = TypeVar("T")
U = TypeVar("U")
P = ParamSpec("P")
Progress = Callable[[str, float], None]
AHEAD = 8  # pieces that wait for a slower consumer


def side_by_side(work: Sequence[Callable[[], T]], *, at_once: int) -> list[T]:
    """What each piece of work gives, in order; the first that fails ends it, once those that run have ended."""
    if at_once < 2 or len(work) < 2:
        return [each() for each in work]
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda each: each(), work))


def both(first: Callable[[], T], second: Callable[[], U], *, at_once: int) -> tuple[T, U]:
    """What the two give: the second beside the first where `at_once` is 2, else after it."""
    if at_once < 2:
        return first(), second()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        return first(), other.result()


@contextmanager
def beside(consume: Callable[P, object], *, apart: bool) -> Iterator[Callable[P, None]]:
    """The consumer in a thread of its own, each piece in order; where not `apart`, itself.

    What it raises is raised by a later call, or at the end; then all pieces were consumed.
    """
    if not apart:
        yield lambda *args, **kwargs: _ignored(consume(*args, **kwargs))
        return
    waiting: deque[Future[object]] = deque()

    def hand_over(*args: P.args, **kwargs: P.kwargs) -> None:
        waiting.append(pool.submit(consume, *args, **kwargs))
        if len(waiting) > AHEAD:
            waiting.popleft().result()

    with ThreadPoolExecutor(1) as pool:
        yield hand_over
        while waiting:
            waiting.popleft().result()


def _ignored(_: object) -> None:
    return None


def forward(progress: Progress) -> Progress:
    """The same progress, told by one thread at a time, its share never smaller than before."""
    lock, most = threading.Lock(), 0.0

    def tell(stage: str, share: float) -> None:
        nonlocal most
        with lock:
            most = max(most, share)
            progress(stage, most)

    return tell
