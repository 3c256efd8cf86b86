"""The cluster engine: Ray places actors that hear, by CPU or GPU, restarts the lost ones, and hands their answers to the parent.

Each actor hears in the same sandboxed process as one machine would. Ray queues and schedules; here is only how much is
asked for at once, so that answers do not pile up before the parent has committed them.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from dubgate.engine.jobs import Answer, Failure, Job, Result, Settings
from dubgate.engine.local import TRIES, Asked, Task
from dubgate.errors import InputError

AHEAD = 2  # jobs handed to each actor: one that it hears, one that waits
RESTARTS, RETRIES = 8, 2
CONNECT_S = 10.0
Flying = dict[Any, tuple[Job, Any, tuple[Any, ...]]]


class RayEngine:
    """Judges on a Ray cluster.

    Args:
        address: of a cluster, such as `auto` or `ray://head:10001`; `local` starts one on this machine.
        workers: how many actors; None for as many as the cluster has room for.
        cpus, gpus: what each actor takes; with a GPU each it hears on that one.

    Raises:
        InputError: Ray is not installed, or does not answer.
    """

    def __init__(
        self, settings: Settings, *, address: str, workers: int | None, cpus: float = 1.0, gpus: float = 0.0
    ) -> None:
        try:
            import ray
        except ImportError:
            raise InputError("the ray engine needs Ray", remedy="pip install 'dubgate[cluster]'") from None
        self._ray, self._settings = ray, settings
        _require_answer(address)
        try:
            self._started = not ray.is_initialized()
            if self._started:
                ray.init(**_how(address, workers, cpus), log_to_driver=False, include_dashboard=False)
        except Exception as error:  # Ray raises what it likes
            raise InputError(f"Ray does not answer: {error}", where=address) from error
        room: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
        most = int(room.get("GPU", 0) // gpus) if gpus else int(room.get("CPU", 1) // cpus)
        if most < 1:
            raise InputError("the cluster has no room for a worker", where=address, remedy=f"it has {dict(room)}")
        self._n = min(workers or most, most)
        hearer = ray.remote(num_cpus=cpus, num_gpus=gpus, max_restarts=RESTARTS, max_task_retries=RETRIES)(Hearer)
        self._actors: list[Any] = [hearer.remote(settings, max(1, int(cpus))) for _ in range(self._n)]

    def run(self, task: Task, asked: Sequence[Asked]) -> Iterator[tuple[Job, Result]]:
        """Each job with its answer, as they end; an actor is asked again only when an answer of its was taken."""
        waiting, tries = list(reversed(asked)), dict.fromkeys((job.name for job, _ in asked), 0)
        flying: Flying = {}
        for actor in [a for _ in range(AHEAD) for a in self._actors]:
            self._send(actor, task, waiting, flying)
        while flying:
            [reference], _ = self._ray.wait(list(flying), num_returns=1)
            job, actor, more = flying.pop(reference)
            result = self._answer(reference)
            tries[job.name] += 1
            if isinstance(result, Failure) and result.lost and tries[job.name] < TRIES:
                waiting.append((job, more))
            else:
                yield job, result
            self._send(actor, task, waiting, flying)

    def close(self) -> None:
        """Let the actors go, and the cluster too where it was started here."""
        for actor in self._actors:
            self._ray.kill(actor)
        if self._started:
            self._ray.shutdown()

    def _send(self, actor: Any, task: Task, waiting: list[Asked], flying: Flying) -> None:
        if waiting:
            job, more = waiting.pop()
            flying[actor.hear.remote(task.__name__, job, more)] = (job, actor, more)

    def _answer(self, reference: Any) -> Result:
        try:
            result = self._ray.get(reference)
        except Exception as error:  # noqa: BLE001 - a worker lost for good costs its delivery, no other
            return Failure(f"the worker was lost: {type(error).__name__}", lost=True)
        return result if isinstance(result, Answer | Failure) else Failure("the worker answered what is no answer")


class Hearer:
    """What a cluster's worker is: it judges one delivery at a time, in the sandbox of any machine."""

    def __init__(self, settings: Settings, threads: int) -> None:
        os.environ["OMP_NUM_THREADS"] = str(threads)
        self._settings = settings

    def hear(self, task: str, job: Job, more: tuple[Any, ...]) -> Result:
        """Judge, write again, or hear voices again."""
        from dubgate.engine import judging

        tasks: dict[str, Task] = {
            "judge_one": judging.judge_one,
            "rewrite_one": judging.rewrite_one,
            "voices_again": judging.voices_again,
        }
        return tasks[task](job, self._settings, *more)


def _require_answer(address: str) -> None:
    """Ray itself waits many minutes for a head that is not there.

    Raises:
        InputError: nobody listens at the address.
    """
    host, mark, port = address.removeprefix("ray://").rpartition(":")
    if not mark or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"nobody answers there: {error}", where=address, remedy="start Ray, or correct it") from None


def _how(address: str, workers: int | None, cpus: float) -> dict[str, Any]:
    if address != "local":
        return {"address": address}
    cores = len(os.sched_getaffinity(0))
    return {"address": "local", "num_cpus": max(cores, int((workers or 1) * cpus + 0.999))}
