"""The child's side of sandbox.py: limits first, then shut in, then import the task and run it.

Started by sandbox.parent with the scratch folder as its only argument. Nothing but the standard library is imported before the
process is shut in. Its standard output carries messages to the parent; what libraries print goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dubgate.pinned import pin_process
from dubgate.sandbox.isolation import Isolation, die_with_parent, isolate, set_limits

# task -> module:function, called with (request, scratch, progress), returning (JSON-able data, arrays by name)
TASKS = {
    "probe": "dubgate.delivery.media:probe_task",
    "hear": "dubgate.hearing:hear_task",
    "voices": "dubgate.hearing:voices_task",
    "words": "dubgate.hearing_words:words_task",
    "labels": "dubgate.labels.reading:labels_task",
    "package": "dubgate.package_hearing:package_task",
    "digest": "dubgate.digesting:digest_task",
    "excerpts": "dubgate.excerpts:excerpts_task",
    "enrol": "dubgate.enrolling:enrol_task",
    "spoken": "dubgate.spoken:spoken_task",
}

_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/opt", "/sys")
_KERNEL = ("cpuinfo", "meminfo", "stat", "version", "filesystems", "devices", "modules", "driver", "sys", "self")
_SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "timezone", "OpenCL", "nvidia", "alternatives")
_DEVICES = ("null", "zero", "full", "random", "urandom", "nvidia*", "nvidia-caps/*", "dri/*")

Say = Callable[[dict[str, Any]], None]


def main() -> int:
    """Run the task; 0 where a reply or an error was handed over."""
    say = _private_output()
    home = Path(sys.argv[1])
    die_with_parent()
    told = json.loads((home / "request.json").read_text(encoding="utf-8"))
    try:
        _run(told, home, say)
    except BaseException as error:  # whatever it was, the parent must hear of it
        say({"error": _described(error)})
        if os.environ.get("DUBGATE_TRACEBACK"):
            raise
    return 0


def _private_output() -> Say:
    """Keep standard output for messages; prints of libraries go to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, Any]) -> None:
        channel.write(json.dumps(message) + "\n")
        channel.flush()

    return say


def _run(told: dict[str, Any], home: Path, say: Say) -> None:
    limits = told["limits"]
    set_limits(**{k: limits[k] for k in ("cpu_s", "file_bytes", "open_files", "address_space_bytes")})
    module, function = _entry(told["task"], limits["test_tasks"])
    isolation = _shut_in(told, home)
    pin_process(told["pins"], told["roots"])
    run = getattr(importlib.import_module(module), function)
    data, arrays = run(told["request"], home / "tmp", lambda stage, share: say({"progress": [stage, float(share)]}))
    from dubgate.sandbox.reply import write_reply

    write_reply(home / "out", data, arrays)
    say({"done": True, "isolation": [isolation.network, isolation.files]})


def _entry(task: str, test_tasks: str | None) -> tuple[str, str]:
    if test_tasks is not None and task not in TASKS:
        sys.path.insert(0, test_tasks)
        return "sandbox_tasks", task
    module, _, function = TASKS[task].partition(":")
    return module, function


def _shut_in(told: dict[str, Any], home: Path) -> Isolation:
    limits = told["limits"]
    if not limits["confine_files"]:
        return isolate(None, ())
    readable = [*_program(), *(Path(p) for p in told["readable"])]
    models = os.environ.get("DUBGATE_MODELS", "").split(os.pathsep)
    readable += [Path(p) for p in (limits["test_tasks"], *models) if p]
    devices = [p for pattern in _DEVICES for p in Path("/dev").glob(pattern)]
    return isolate(readable, [home, Path("/proc/self"), *devices])


def _program() -> list[Path]:
    """Where the interpreter, its libraries and this package lie."""
    root = Path(__file__).resolve().parents[1]
    packages = [root / name for name in ("dubgate", "consent", "rules")]
    folders = [Path(p) for p in sys.path if p and Path(p).resolve() != root]
    settings = [*(Path("/etc") / name for name in _SETTINGS), *(Path("/proc") / name for name in _KERNEL)]
    return [Path(sys.prefix), Path(sys.base_prefix), *map(Path, _SYSTEM), *settings, *folders, *packages]


def _described(error: BaseException) -> dict[str, Any]:
    """An error as the parent can raise it again."""
    from dubgate.errors import DubgateError

    if isinstance(error, DubgateError):
        return {"class": type(error).__name__, "what": error.what, "where": error.where, "remedy": error.remedy}
    if isinstance(error, MemoryError):
        return {"class": "ChildError", "what": "the child process ran out of the memory it may use"}
    return {"class": "ChildError", "what": f"{type(error).__name__}: {str(error)[:1000]}"}
