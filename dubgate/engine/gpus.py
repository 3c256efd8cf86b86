"""Which GPU a local worker hears on: each worker one of those that this process may use, in turn."""

from __future__ import annotations

import os
import re
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
DEVICES = Path("/dev")


def visible_gpus() -> tuple[str, ...]:
    """The GPUs by the names that CUDA_VISIBLE_DEVICES takes, without loading CUDA: that variable, else the driver's device files."""
    given = os.environ.get(VISIBLE)
    if given is None:
        found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in DEVICES.glob("nvidia*"))
        return tuple(str(k) for k in range(sum(match is not None for match in found)))
    names: list[str] = []
    for name in map(str.strip, given.split(",")):
        if not name or name == "-1":  # CUDA, too, takes none from the first that is no device on
            break
        names.append(name)
    return tuple(names)


def place(worker: int) -> None:
    """Let this process, and those it starts, see the GPU of the worker of that number; nothing where there is but one."""
    gpus = visible_gpus()
    if len(gpus) > 1:
        os.environ[VISIBLE] = gpus[worker % len(gpus)]
