"""The GPU's code on the processor: its blocks, batches, order of tensors and what it does side by side, in this process.

A card's own arithmetic is stood in for by noise on all that a network gives: what sums in another order change in float32 lies
around 1e-6. Used by devices.py (`--second gpu-code`).
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

import dubgate.sandbox
from dubgate import hearing
from dubgate.cli.main import run
from dubgate.features import Floats
from dubgate.sandbox import Isolation, Reply
from dubgate.sandbox_child import TASKS
from dubgate.speech import ears, ge2e, silero, swiftf0, swiftf0_network

NOISE = (
    1e-5  # standard deviation: of probabilities and confidences, of F0 relative to it, of each component of a vector
)
IN_THIS_PROCESS = {"hear": hearing.hear_task, "voices": hearing.voices_task}


@contextlib.contextmanager
def gpu_code() -> Iterator[None]:
    """Inside, `subprocess.run` of the demonstration runs dubgate here, heard as on a GPU by the processor; nothing is kept."""
    assert IN_THIS_PROCESS.keys() <= TASKS.keys()
    noise = Noise(np.random.default_rng(20261129))
    with contextlib.ExitStack() as stack:
        for where, name, value in (
            (silero, "_CPU_BLOCK_STEPS", silero._GPU_BLOCK_STEPS),
            (swiftf0, "_CPU_WINDOW_FRAMES", swiftf0._GPU_WINDOW_FRAMES),
            (swiftf0_network, "_CPU_BUDGET_S", swiftf0_network._GPU_BUDGET_S),
            (ge2e, "_BATCH_BUDGET_S", ge2e._GPU_BUDGET_S),
            (silero.SileroVad, "_run", noise.of_activity(silero.SileroVad._run)),
            (swiftf0_network.Network, "__call__", noise.of_pitch(swiftf0_network.Network.__call__)),
            (ge2e.Ge2e, "_run", noise.of_vectors(ge2e.Ge2e._run)),
            (torch, "channels_last", torch.contiguous_format),
            (ears, "load_ears", _as_on_a_gpu(ears.load_ears)),
            (dubgate.sandbox, "run_in_child", _here(dubgate.sandbox.run_in_child)),
            (subprocess, "run", _run(subprocess.run)),
        ):
            stack.enter_context(mock.patch.object(where, name, value))
        stack.enter_context(mock.patch.dict(os.environ, {"DUBGATE_CACHE": "off"}))
        yield


@dataclass(frozen=True)
class Noise:
    """Networks whose answers are a little other ones."""

    random: np.random.Generator

    def _like(self, values: Floats) -> Floats:
        return np.asarray(NOISE * self.random.standard_normal(values.shape), dtype=np.float32)

    def of_activity(self, run: Any) -> Any:
        def noisy(*args: Any) -> Any:
            probs, state = run(*args)
            return np.clip(probs + self._like(probs), 0.0, 1.0), state

        return noisy

    def of_pitch(self, call: Any) -> Any:
        def noisy(*args: Any) -> Any:
            return [(hz * (1 + self._like(hz)), np.clip(c + self._like(c), 0.0, 1.0)) for hz, c in call(*args)]

        return noisy

    def of_vectors(self, run: Any) -> Any:
        def noisy(*args: Any) -> Any:
            return [vector + self._like(vector) for vector in run(*args)]

        return noisy


def _as_on_a_gpu(load: Any) -> Any:
    """hearing.py asks the pitch tracker where it runs."""

    def loaded(*args: Any, **named: Any) -> Any:
        found = load(*args, **named)
        found.pitch.info = replace(found.pitch.info, device="the GPU's code")
        return found

    return loaded


def _here(run_in_child: Any) -> Any:
    def answered(task: str, request: Mapping[str, Any], **named: Any) -> Reply:
        if task not in IN_THIS_PROCESS:
            reply: Reply = run_in_child(task, request, **named)
            return reply
        progress = named.get("progress") or (lambda *_: None)
        with tempfile.TemporaryDirectory() as scratch:
            data, arrays = IN_THIS_PROCESS[task](json.loads(json.dumps(request)), Path(scratch), progress)
        return Reply(json.loads(json.dumps(data)), arrays, Isolation("none", "none"), 0)

    return answered


def _run(elsewhere: Any) -> Any:
    def ran(command: Sequence[str], **named: Any) -> Any:
        if list(command[1:3]) != ["-m", "dubgate"]:
            return elsewhere(command, **named)
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            code = run(list(command[3:]))
        return subprocess.CompletedProcess(command, code, "", said.getvalue())

    return ran
