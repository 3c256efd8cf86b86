"""Runs pytest again and again in one tree, for `make mutants`: a fork each, so that imports are paid for once.

Reads `{"tests": [...], "timeout_s": n}` a line, answers pytest's exit code. What may be mutated is never imported here,
but by the forks; with `--warm` only rule packs are mutated, and the program is imported here too.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import sys
import time

MEMORY_BYTES = 4 << 30  # a mutant without its limits must not take the machine
THIRD_PARTY = (
    "pytest",
    "hypothesis",
    "numpy",
    "pydantic",
    "ruamel.yaml",
    "click",
    "rfc8785",
    "cryptography",
    "langcodes",
    "sqlalchemy",
    "sqlmodel",
)
OWN = ("dubgate.policy.judge", "dubgate.policy.pack_cases", "dubgate.policy.pack_report")


def run(tests: list[str], timeout_s: float) -> int:
    """pytest's exit code; 1 where it took too long."""
    child = os.fork()
    if child == 0:
        _be_pytest(tests)
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 1


def _be_pytest(tests: list[str]) -> None:
    import pytest

    code = 3
    try:
        os.setpgid(0, 0)
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: no hanging mutant outlives the run
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        silent = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silent, stream)
        code = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]))
    finally:
        os._exit(code)


def _fewer_examples() -> None:
    """A law that a mutant breaks is mostly broken within a few examples."""
    from hypothesis import settings

    settings.register_profile("mutants", max_examples=30, deadline=None)
    settings.load_profile("mutants")


def main() -> None:
    sys.path.insert(0, os.getcwd())
    for name in (*THIRD_PARTY, *(OWN if "--warm" in sys.argv else ())):
        importlib.import_module(name)
    _fewer_examples()
    for line in sys.stdin:
        asked = json.loads(line)
        print(run(asked["tests"], asked["timeout_s"]), flush=True)


if __name__ == "__main__":
    main()
