"""Hearing in this process, each clip once, for tests whose claim is what is judged and not that a child hears it.

The same tasks get the same requests and answer through the same files as in the child (dubgate/sandbox); what is missing
is the process, its limits and its isolation, which tests/test_sandbox.py is about. PocketSphinx gives the same clip the
same answer whatever came before (tests/speech/test_words_contract.py), so a clip that was heard is not heard again.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pickle
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dubgate.errors import ChildError, DubgateError
from dubgate.sandbox import Isolation, Limits, Reply
from dubgate.sandbox.reply import read_reply, write_reply
from dubgate.sandbox_child import TASKS


def hear_here(monkeypatch: pytest.MonkeyPatch, kept: Path) -> None:
    """Until the test ends, what a child would do is done here, and clips are kept below `kept`."""
    monkeypatch.setattr("dubgate.sandbox.run_in_child", run_here)
    kept.mkdir(exist_ok=True)
    for where, remember in (
        ("pocketsphinx.PocketSphinxTranscriber._words", _once),
        ("sphinx_aligner.PocketSphinxAligner._place", _each_once),
    ):
        module, name, method = where.split(".")
        heard = getattr(getattr(importlib.import_module(f"dubgate.speech.{module}"), name), method)
        monkeypatch.setattr(f"dubgate.speech.{where}", remember(heard, kept))


def kept_clips() -> Path:
    """Where test workers share clips: beside what is kept of whole tracks (conftest.py)."""
    return Path(os.environ["DUBGATE_CACHE"]).with_name("clips")


def call_here(arguments: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
    """In place of subprocess.run, for `python -m dubgate …`: the same command line in this process."""
    from dubgate.cli.main import run

    assert list(arguments[1:3]) == ["-m", "dubgate"]
    return subprocess.CompletedProcess(arguments, run(list(arguments[3:])), "", "see the captured output")


def run_here(
    task: str,
    request: Mapping[str, Any],
    *,
    limits: Limits | None = None,
    inputs: Sequence[Path] = (),
    progress: Callable[[str, float], None] | None = None,
    scratch: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
) -> Reply:
    """What dubgate.sandbox.run_in_child answers; one task after the other, since this process has one environment."""
    with _ONE_AT_A_TIME:
        return _run_here(task, request, limits or Limits(), progress, scratch, environment or {})


_ONE_AT_A_TIME = threading.RLock()


def _run_here(
    task: str,
    request: Mapping[str, Any],
    limits: Limits,
    progress: Callable[[str, float], None] | None,
    scratch: Path | None,
    environment: Mapping[str, str],
) -> Reply:
    module, _, function = TASKS[task].partition(":")
    work = getattr(importlib.import_module(module), function)
    with tempfile.TemporaryDirectory(dir=scratch) as folder, pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        home = Path(folder)
        (home / "tmp").mkdir()
        (home / "out").mkdir()
        try:
            data, arrays = work(json.loads(json.dumps(request)), home / "tmp", progress or (lambda *_: None))
        except DubgateError:
            raise
        except Exception as error:
            raise ChildError(f"{type(error).__name__}: {error}") from error
        write_reply(home / "out", data, arrays)
        return Reply(*read_reply(home / "out", limits.output_bytes, task), Isolation(True, True), 0)


def _each_once(place: Callable[..., Any], kept: Path) -> Callable[..., Any]:
    """The same where a list of clips and texts is taken at once."""

    @wraps(place)
    def one(self: Any, clip: Any, text: Any) -> Any:
        [placed] = place(self, [(clip, text)])
        return placed

    each = _once(one, kept)
    return wraps(place)(lambda self, lines: [each(self, clip, text) for clip, text in lines])


def _once(hear: Callable[..., Any], kept: Path) -> Callable[..., Any]:
    """The answer that was kept for this clip and text, or a new one; test workers share the folder."""

    @wraps(hear)
    def heard(self: Any, clip: Any, *text: Any) -> Any:
        told = [hear.__qualname__, self.info.weights_sha256, list(map(list, text))]
        digest = hashlib.sha256(np.ascontiguousarray(clip).tobytes() + json.dumps(told).encode()).hexdigest()
        path = kept / f"{digest}.pickle"
        if not path.exists():
            part = path.with_suffix(f".{os.getpid()}")
            part.write_bytes(pickle.dumps(hear(self, clip, *text)))
            part.replace(path)
        return pickle.loads(path.read_bytes())

    return heard
