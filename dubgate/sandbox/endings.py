"""How a child ended, in words; and the error that it told of, in its own class."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from typing import Any

from dubgate import errors
from dubgate.errors import ChildError, DubgateError


def _error_classes() -> Iterator[tuple[str, type[DubgateError]]]:
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, DubgateError):
            yield name, value


def raised(task: str, told: Any) -> DubgateError:
    """The error that the task raised, in its own class; anything else is a ChildError."""
    fields = told if isinstance(told, dict) else {}
    texts = {k: printable(v[:2000]) for k in ("what", "where", "remedy") if isinstance(v := fields.get(k), str)}
    cls = dict(_error_classes()).get(str(fields.get("class")))
    what = texts.pop("what", "it failed without a reason")
    return ChildError(f"{task}: {what}", **texts) if cls is None else cls(what, **texts)


def ended(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    names = {
        signal.SIGXCPU: "used more processor time than it may",
        signal.SIGXFSZ: "wrote a larger file than it may",
        signal.SIGSYS: "called what is closed to it (SIGSYS)",
        signal.SIGKILL: "was killed by the system, most likely for want of memory (SIGKILL)",
    }
    with contextlib.suppress(ValueError):
        which = signal.Signals(-code)
        return names.get(which, f"crashed ({which.name})")
    return f"was ended by signal {-code}"


def said(stderr: bytes) -> str:
    text = printable(stderr.decode("utf-8", "replace")).strip()
    return f"; it said: {text[-500:]}" if text else ""


def printable(text: str) -> str:
    """Text from a child without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)
