"""Where models run, and that they compute the same there: plain float32, no TF32, no autocast."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from dubgate.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

Device = Literal["cpu", "cuda"]
CHOICES = ("auto", "cpu", "cuda")


def choose_device(choice: str = "auto") -> Device:
    """The device for `--device auto|cpu|cuda`; auto takes a GPU that torch can use.

    Raises:
        ModelError: cuda was asked for and there is none, or the choice is unknown.
    """
    if choice not in CHOICES:
        raise ModelError(f"no such device: {choice!r}", where="--device", remedy=f"choose {', '.join(CHOICES)}")
    if choice == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if choice == "cuda":
        raise ModelError("torch finds no CUDA device", where="--device", remedy="choose --device cpu or auto")
    return "cpu"


def n_threads() -> int:
    """Threads for one model: OMP_NUM_THREADS where it is set, else the cores this process may use; where several models
    run at once, each one's share of them."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    every = int(given) if given.isdecimal() and int(given) > 0 else len(os.sched_getaffinity(0))
    return max(1, every // _at_once)


_at_once = 1


@contextmanager
def sharing(at_once: int) -> Iterator[None]:
    """Models that are loaded and run inside take only their share of the cores: `at_once` of them run side by side."""
    import torch

    global _at_once
    before, threads = _at_once, torch.get_num_threads()
    _at_once = at_once
    try:
        if at_once > 1:
            torch.set_num_threads(n_threads())
        yield
    finally:
        _at_once = before
        torch.set_num_threads(threads)


def tracks_at_once() -> int:
    """How many tracks are heard at once: two where there are cores for it. With a GPU too: decoding is the cores' work."""
    return 2 if n_threads() > 1 else 1


@contextmanager
def exactly(device: torch.device | str) -> Iterator[None]:
    """Inference in full float32: convolutions on a GPU use TF32 by default, which moves results in the third digit."""
    import torch

    if torch.device(device).type != "cuda":
        with torch.inference_mode():
            yield
        return
    with torch.inference_mode(), torch.autocast("cuda", enabled=False), _full_float32:
        yield


class _FullFloat32:
    """torch's settings of precision hold for the whole process: the first thread in makes them, the last out undoes them."""

    def __init__(self) -> None:
        self._lock, self._inside = threading.Lock(), 0
        self._before: tuple[str, bool, bool, bool] | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._before is None:
                self._before = _precision()
                _set_precision("highest", False, False, True)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._before is not None:
                _set_precision(*self._before)
                self._before = None


_full_float32 = _FullFloat32()


def _precision() -> tuple[str, bool, bool, bool]:
    import torch

    cudnn = torch.backends.cudnn
    return torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic


def _set_precision(matmul: str, tf32: bool, benchmark: bool, deterministic: bool) -> None:
    import torch

    torch.set_float32_matmul_precision(matmul)
    cudnn = torch.backends.cudnn
    cudnn.allow_tf32, cudnn.benchmark, cudnn.deterministic = tf32, benchmark, deterministic


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: a recurrent network over one signal gains nothing from more, and loses where cores are busy."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
