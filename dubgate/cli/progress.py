"""A progress bar with the time left, on stderr, while models run."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

Progress = Callable[[str, float], None]
EVERY_S = 30.0  # a log is no terminal: a line now and then says that the run is alive


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Yields `progress(stage, share)`: a bar on a terminal, a line every `EVERY_S` elsewhere, nothing where asked."""
    if quiet:
        yield lambda stage, share: None
        return
    if not sys.stderr.isatty():
        yield lines_to(sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)


def lines_to(out: TextIO, clock: Callable[[], float] = time.monotonic) -> Progress:
    """Progress for a log: the stage and how much is done, at most every `EVERY_S`, and nothing of a short run."""
    told = clock()

    def line(stage: str, share: float) -> None:
        nonlocal told
        if clock() - told >= EVERY_S:
            told = clock()
            print(f"dubgate: {stage}, {share:.0%}", file=out, flush=True)

    return line
