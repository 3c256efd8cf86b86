"""The child process that evaluates conditions: one JSON request a line in, one JSON answer a line out.

It is run as a file, without keys, environment or other files, under limits; whatever goes wrong in it, up to a panic
of the Rust evaluator or its death, is an answer that is not a truth value. A condition that takes more of a processor
than its share ends it with SIGPROF, which the evaluator cannot hold up.
"""

from __future__ import annotations

import json
import resource
import signal
import sys

MEMORY_BYTES = 1 << 30
CPU_S = 2.0
ALL_CPU_S = 600


def limit() -> None:
    """No other files, no output to disk, bounded memory and time; on Linux, no longer life than the parent's."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, ALL_CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(what, (most, most))


def answer(line: str) -> dict[str, object]:
    """`{"value": …}`, or `{"error": …}` where anything at all was raised."""
    import cel

    try:
        request = json.loads(line)
        value = cel.evaluate(request["expression"], request["facts"])
    except BaseException as error:  # noqa: BLE001 - a Rust panic is a BaseException; the parent decides
        return {"error": f"{type(error).__name__}: {error}"[:500]}
    return {"value": value} if isinstance(value, bool) else {"error": f"it gives {type(value).__name__}, not a bool"}


def main() -> None:
    """Answer until the input ends."""
    import cel

    cel.evaluate("true", {})
    limit()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, CPU_S)
        print(json.dumps(answer(line)), flush=True)


if __name__ == "__main__":
    main()
