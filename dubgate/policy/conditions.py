"""Conditions evaluated apart: in a child process with a time limit, so that an expression can cost an answer, no more."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dubgate.policy.expression_types import Condition
from dubgate.policy.facts import Facts
from dubgate.unmeasured import Unmeasured

LIMIT_S = 30.0
"""How long an answer is waited for. What it may take of a processor is bounded in the child (`condition_child.CPU_S`), \
so that a verdict does not hang on what else the machine has to do."""
START_LIMIT_S = 60.0
_CHILD = Path(__file__).with_name("condition_child.py")
_ENVIRONMENT = {"PATH": "", "LANG": "C.UTF-8"}  # nothing of the parent's: no keys, no addresses
_LONGEST_ANSWER = 10_000


class Evaluator:
    """Evaluates conditions in a child that is started when first needed and replaced when it dies or overruns.

    Use it as a context manager, or close it.
    """

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def holds(self, condition: Condition, facts: Facts) -> bool | Unmeasured:
        """Whether a checked condition is exactly true or false of these facts.

        Unmeasured where a fact that it reads is, whatever the other facts say; or for an error, a crash, an overrun.
        """
        for path in sorted(condition.reads):
            reason = facts.reason(path)
            if reason is not None:
                return Unmeasured(reason)
        return self.ask(condition.source, facts.plain(condition.reads))

    def ask(self, expression: str, facts: dict[str, object]) -> bool | Unmeasured:
        """The child's answer to any expression; `holds` is for those of packs."""
        request = json.dumps({"expression": expression, "facts": facts}).encode() + b"\n"
        try:
            child = self._running()
            deadline = time.monotonic() + self._limit_s
            _write(child, request, deadline)
            reply = _line(child, deadline)
        except (TimeoutError, OSError, EOFError) as error:
            return Unmeasured(_reason(error, self.close()))
        return truth_of(reply)

    def close(self) -> int | None:
        """End the child; how it ended."""
        child, self._child = self._child, None
        if child is None:
            return None
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
        return child.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-I", str(_CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                bufsize=0,
                close_fds=True,
            )
            assert self._child.stdin is not None
            os.set_blocking(self._child.stdin.fileno(), False)
            _line(self._child, time.monotonic() + START_LIMIT_S)
        return self._child


def _write(child: subprocess.Popen[bytes], data: bytes, deadline: float) -> None:
    assert child.stdin is not None
    pipe, view = child.stdin.fileno(), memoryview(data)
    while view:
        _, ready, _ = select.select([], [pipe], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        view = view[os.write(pipe, view) :]


def _line(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    assert child.stdout is not None
    pipe, got = child.stdout.fileno(), b""
    while not got.endswith(b"\n"):
        ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        chunk = os.read(pipe, 4096)
        if not chunk or len(got) > _LONGEST_ANSWER:
            raise EOFError
        got += chunk
    return got


def _reason(error: BaseException, ended: int | None) -> str:
    if isinstance(error, TimeoutError) or ended == -signal.SIGPROF:
        return "the condition took too long and was stopped"
    return "the condition's evaluator died"


def truth_of(reply: bytes) -> bool | Unmeasured:
    """The child's answer, if it is exactly true or false."""
    try:
        answer = json.loads(reply)
    except ValueError:
        return Unmeasured("the condition's evaluator gave no answer")
    given = answer if isinstance(answer, dict) else {}
    value = given.get("value")
    if value is True or value is False:
        return value
    return Unmeasured(f"the condition could not be evaluated ({given.get('error', 'no answer')})")
