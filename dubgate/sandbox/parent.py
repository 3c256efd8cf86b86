"""Run one task in a fresh process that has no keys, no network and limits, and take back only what can be checked.

Decoders and models read what strangers hand in. They run in a child: a new interpreter with a clean environment, its
own session and a scratch folder, which shuts itself in (see isolation.py) before it imports them. What comes back is
plain JSON and plain arrays, bounded in size; a crash, a hang or a reply that is not whole is a ChildError.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubgate.errors import ChildError, MediaError
from dubgate.pinned import CHANGED, REMEDY, pins
from dubgate.sandbox.endings import ended, printable, raised, said
from dubgate.sandbox.environment import child_environment
from dubgate.sandbox.isolation import Isolation
from dubgate.sandbox.reply import read_reply

if TYPE_CHECKING:
    from dubgate.stored import Arrays

Progress = Callable[[str, float], None]  # stage, share done of the whole

_GIB = 1 << 30
_POLL_S = 0.05
_KEPT_STDERR = 8000
_READ_BYTES = 65_536
_MOST_TALK_BYTES = 16 << 20

# The very package that is asking, not another one that happens to be installed; -I keeps everything else out.
_ROOT = Path(__file__).resolve().parents[2]
_START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from dubgate.sandbox_child import main; sys.exit(main())"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use.

    `memory_bytes` is resident memory, watched from outside: an address-space limit would also count what CUDA and torch
    merely reserve. Tasks without models can have one as well (`address_space_bytes`).
    `test_tasks` opens the tasks of tests/sandbox_tasks.py by their folder; never set outside tests.
    """

    wall_s: float = 4 * 3600.0
    cpu_s: int = 32 * 3600
    memory_bytes: int = 8 * _GIB
    address_space_bytes: int | None = None
    file_bytes: int = 16 * _GIB  # of one file in its scratch folder
    output_bytes: int = 2 * _GIB  # of everything that comes back
    open_files: int = 1024
    confine_files: bool = True
    test_tasks: str | None = None


HEAR_LIMITS = Limits()
PROBE_LIMITS = Limits(
    wall_s=60.0, cpu_s=60, memory_bytes=_GIB, address_space_bytes=4 * _GIB, file_bytes=1 << 20, output_bytes=16 << 20
)


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """What a task answered: JSON-able data, arrays by name, and how far the child was shut in."""

    data: Any
    arrays: Arrays
    isolation: Isolation
    peak_memory_bytes: int


@dataclass(slots=True)
class _Talk:
    """What the child has said so far."""

    progress: Progress | None
    task: str
    stop: threading.Event | None = None
    pending: bytes = b""
    stderr: bytes = b""
    heard_bytes: int = 0
    last: dict[str, Any] = field(default_factory=dict)


def run_in_child(
    task: str,
    request: Mapping[str, Any],
    *,
    limits: Limits | None = None,
    inputs: Sequence[Path] = (),
    progress: Progress | None = None,
    scratch: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> Reply:
    """Run a task of sandbox_child.TASKS and wait for its reply.

    Args:
        request: JSON-able.
        inputs: files and folders that the child may read, beside the program itself; the files must not change
            meanwhile, and those that are pinned must be the ones that were digested when the child opens them.
        progress: called here with what the child reports.
        scratch: folder in which the child's own scratch folder is made; the system's one by default. It should not lie
            in memory, since decoded sound goes there.
        environment: further variables for the child.
        stop: where it is set the child is ended; for whoever waits for several.

    Raises:
        DubgateError: what the task itself raised, in its own class.
        ChildError: it crashed, hung, went over a limit, or its reply is not whole.
    """
    limits = limits or Limits()
    before = _states(inputs)
    with tempfile.TemporaryDirectory(prefix="dubgate-", dir=scratch) as folder:
        home = Path(folder)
        _write_request(home, task, request, limits, inputs)
        last, peak = _converse(task, home, limits, progress, environment or {}, stop)
        reply = _reply_from(task, last, home, limits, peak)
    if _states(inputs) != before:
        raise MediaError(CHANGED, remedy=REMEDY)
    return reply


def _states(inputs: Sequence[Path]) -> list[tuple[int, ...] | None]:
    def state(path: Path) -> tuple[int, ...] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        # The time of the last change, which nobody sets: a swap there and back shows too.
        return None if path.is_dir() else (found.st_dev, found.st_ino, found.st_size, found.st_ctime_ns)

    return [state(p) for p in inputs]


def _write_request(home: Path, task: str, request: Mapping[str, Any], limits: Limits, inputs: Sequence[Path]) -> None:
    (home / "out").mkdir()
    (home / "tmp").mkdir()
    whole = {
        "task": task,
        "request": dict(request),
        "limits": asdict(limits),
        "readable": [str(p.absolute()) for p in inputs],
        "pins": pins().of(inputs).stored(),
        "roots": pins().folders_of(inputs, (_ROOT, Path(sys.prefix), Path(sys.base_prefix), home)),
    }
    (home / "request.json").write_text(json.dumps(whole), encoding="utf-8")


def _converse(
    task: str,
    home: Path,
    limits: Limits,
    progress: Progress | None,
    environment: Mapping[str, str],
    stop: threading.Event | None,
) -> tuple[dict[str, Any], int]:
    """Start the child, listen until it ends; its last word, and the most memory seen."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _START, str(_ROOT), str(home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home / "tmp",
        env=child_environment(home, environment),
        start_new_session=True,
        close_fds=True,
    )
    talk = _Talk(progress, task, stop)
    try:
        peak = _listen(process, talk, limits)
        code = process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        raise ChildError(f"{task}: the child process does not end") from None
    finally:
        _kill(process)
    if code != 0 and not talk.last:
        raise ChildError(f"{task}: the child process {ended(code)}{said(talk.stderr)}", remedy=_FAULT)
    return talk.last, peak


_FAULT = "the file may be damaged or made to break decoders; nothing of it was used"


def _listen(process: subprocess.Popen[bytes], talk: _Talk, limits: Limits) -> int:
    """Read both pipes until they close, watching the clock and the memory; the most memory seen, in bytes."""
    assert process.stdout is not None
    assert process.stderr is not None
    deadline = time.monotonic() + limits.wall_s
    peak = 0
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(_POLL_S):
                chunk = os.read(key.fd, _READ_BYTES)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    _hear(talk, chunk)
                else:
                    talk.stderr = (talk.stderr + chunk)[-_KEPT_STDERR:]
            peak = max(peak, _resident_bytes(process.pid))
            _refuse_excess(talk, limits, peak, deadline)
    return peak


def _refuse_excess(talk: _Talk, limits: Limits, peak: int, deadline: float) -> None:
    if peak > limits.memory_bytes:
        most = f"{limits.memory_bytes / _GIB:.2g} GiB"
        raise ChildError(f"{talk.task}: the child process took more than {most} of memory", remedy=_FAULT)
    if talk.stop is not None and talk.stop.is_set():
        raise ChildError(f"{talk.task}: another child that it was waited for with has failed")
    if time.monotonic() > deadline:
        raise ChildError(f"{talk.task}: the child process did not finish in time{said(talk.stderr)}", remedy=_FAULT)


def _hear(talk: _Talk, chunk: bytes) -> None:
    """Take in progress lines, and the last word."""
    talk.heard_bytes += len(chunk)
    talk.pending += chunk
    *lines, talk.pending = talk.pending.split(b"\n")
    if talk.heard_bytes > _MOST_TALK_BYTES:
        raise ChildError(f"{talk.task}: the child process talks without end", remedy=_FAULT)
    for line in lines:
        message = _message(talk.task, line)
        if "progress" in message:
            _report(talk, message["progress"])
        else:
            talk.last = message


def _message(task: str, line: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict):
            return message
    raise ChildError(f"{task}: the child process says what is not a message", remedy=_FAULT)


def _report(talk: _Talk, told: Any) -> None:
    if talk.progress is None:
        return
    if isinstance(told, list) and len(told) == 2 and isinstance(told[0], str) and type(told[1]) in (int, float):
        talk.progress(printable(told[0][:200]), min(1.0, max(0.0, float(told[1]))))


def _resident_bytes(pid: int) -> int:
    """Resident memory of the child; it cannot start processes of its own."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _reply_from(task: str, last: dict[str, Any], home: Path, limits: Limits, peak: int) -> Reply:
    if "error" in last:
        raise raised(task, last["error"])
    isolation = _isolation(last.get("isolation"))
    if last.get("done") is not True or isolation is None:
        raise ChildError(f"{task}: the child process ended without a reply", remedy=_FAULT)
    data, arrays = read_reply(home / "out", limits.output_bytes, task)
    return Reply(data, arrays, isolation, peak)


def _isolation(told: Any) -> Isolation | None:
    if isinstance(told, list) and len(told) == 2 and all(isinstance(t, str) and len(t) < 40 for t in told):
        return Isolation(printable(told[0]), printable(told[1]))
    return None
