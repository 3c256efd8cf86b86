"""How a run ends that somebody or something stopped: by a signal, or because nobody reads what it prints any more."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType

BY_SIGNAL = 128  # shells say 128 + the signal's number: 130 for Ctrl-C
TOLD = "stopped; nothing was decided. The same command starts again"


class Stopped(BaseException):
    """A signal asked this process to end; what it holds open is put away on the way out."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(signal.Signals(number).name)


def end_on_signals() -> None:
    """Let SIGTERM and SIGHUP end this process as Ctrl-C does: through every `finally`, so that nothing half-made stays."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup's choice stands
            signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)


def signal_of(error: BaseException) -> int | None:
    """The signal that ended a run, or None: SIGPIPE where whoever read the output has gone (rich exits then)."""
    if isinstance(error, Stopped):
        return error.number
    if isinstance(error, KeyboardInterrupt):
        return int(signal.SIGINT)
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, BrokenPipeError):
            return int(signal.SIGPIPE)
        seen = seen.__context__
    return None


def told_of(error: BaseException) -> str:
    """What stays of the run that was stopped, in the words of whoever noted it down; else that nothing does."""
    seen: BaseException | None = error
    while seen is not None:
        if notes := getattr(seen, "__notes__", None):
            return str(notes[0])
        seen = seen.__cause__ or seen.__context__
    return TOLD


@contextlib.contextmanager
def pipes_told() -> Iterator[None]:
    """A reader that has gone ends a run as a signal does, before click makes exit code 1 (a block) of it."""
    try:
        yield
    except BrokenPipeError:
        raise Stopped(signal.SIGPIPE) from None


@contextlib.contextmanager
def served_until_asked() -> Iterator[None]:
    """A server's life ends by a signal, once it has answered what it had begun: that is no failure."""
    try:
        yield
    except KeyboardInterrupt:
        return
    except Stopped as stopped:
        if stopped.number == signal.SIGPIPE:
            raise


def put_output_away() -> None:
    """Nobody reads standard output: what is still buffered goes nowhere, without an error at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
