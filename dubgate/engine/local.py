"""The local engine: a process for each worker, a new one for each that is lost, and a delivery tried twice at most."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any

from dubgate.engine.jobs import Answer, Failure, Job, Result, Settings

Task = Callable[..., Result]
Asked = tuple[Job, tuple[Any, ...]]
TRIES = 2


class LocalEngine:
    """Judges on this machine.

    Args:
        workers: how many deliveries at once; each hears in a sandboxed process of its own with its share of the cores,
            and on one of several GPUs.
    """

    def __init__(self, settings: Settings, workers: int) -> None:
        self._settings = settings
        self._workers = max(1, workers)

    def run(self, task: Task, asked: Sequence[Asked]) -> Iterator[tuple[Job, Result]]:
        """Each job with what `task(job, settings, *more)` answered, as they end; no more is asked for than is taken."""
        waiting: queue.SimpleQueue[Asked] = queue.SimpleQueue()
        for each in asked:
            waiting.put(each)
        ended: queue.Queue[tuple[Job, Result]] = queue.Queue(maxsize=self._workers)  # a slow parent slows the workers
        stop = threading.Event()
        threads = [
            threading.Thread(target=self._serve, args=(k, task, waiting, ended, stop), daemon=True)
            for k in range(min(self._workers, len(asked)))
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in asked:
                yield ended.get()
        finally:
            stop.set()

    def close(self) -> None:
        """Nothing outlives a run."""

    def _serve(
        self,
        number: int,
        task: Task,
        waiting: queue.SimpleQueue[Asked],
        ended: queue.Queue[tuple[Job, Result]],
        stop: threading.Event,
    ) -> None:
        worker = _Worker(self._settings, self._workers, number)
        try:
            while not stop.is_set():
                try:
                    job, more = waiting.get_nowait()
                except queue.Empty:
                    return
                result = self._tried(worker, task, job, more, stop)
                while not stop.is_set():
                    try:
                        ended.put((job, result), timeout=0.5)
                        break
                    except queue.Full:
                        continue
        finally:
            worker.end()

    def _tried(self, worker: _Worker, task: Task, job: Job, more: tuple[Any, ...], stop: threading.Event) -> Result:
        result: Result = Failure("it was not tried")
        for _ in range(TRIES):
            if stop.is_set():
                return result
            try:
                result = worker.ask(task, job, more)
            except Exception as error:  # noqa: BLE001 - an answer that cannot be read costs its delivery, no other
                worker.end()
                result = Failure(f"the worker failed: {type(error).__name__}: {error}")
            if not (isinstance(result, Failure) and result.lost):
                return result
        return result


class _Worker:
    """One process that judges; made when it is first asked, and again after it was lost."""

    def __init__(self, settings: Settings, of: int, number: int) -> None:
        self._settings, self._of, self._number = settings, of, number
        self._process: Any = None
        self._line: Connection | None = None

    def ask(self, task: Task, job: Job, more: tuple[Any, ...]) -> Result:
        try:
            line = self._started()
            line.send((task, job, more))
            result = line.recv()
        except (EOFError, OSError) as error:
            code = self._code()
            self.end()
            return Failure(f"the worker was lost ({code or type(error).__name__})", lost=True)
        return result if isinstance(result, Answer | Failure) else Failure("the worker answered what is no answer")

    def _started(self) -> Connection:
        if self._process is None or self._line is None:
            context = multiprocessing.get_context("spawn")  # a fork would take the parent's threads and locks along
            self._line, theirs = context.Pipe()
            self._process = context.Process(
                target=_work, args=(theirs, self._settings, self._of, self._number), daemon=True
            )
            self._process.start()
            theirs.close()
        return self._line

    def _code(self) -> str:
        if self._process is None:
            return ""
        self._process.join(timeout=5)
        code = self._process.exitcode
        return "" if code is None else f"signal {-code}" if code < 0 else f"exit code {code}"

    def end(self) -> None:
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.join(timeout=10)
        self._process = self._line = None


def _work(line: Connection, settings: Settings, of: int, number: int) -> None:
    """A worker's life: jobs in, results out, until its parent hangs up or dies."""
    from dubgate.engine.gpus import place
    from dubgate.sandbox.isolation import die_with_parent

    die_with_parent()
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches every process of the terminal; the parent ends this one
    os.environ["OMP_NUM_THREADS"] = str(threads_of(of))
    place(number)
    while True:
        try:
            task, job, more = line.recv()
        except (EOFError, OSError):
            return
        line.send(task(job, settings, *more))


def threads_of(workers: int) -> int:
    """Each worker's share of the cores; OMP_NUM_THREADS where that is less."""
    share = max(1, len(os.sched_getaffinity(0)) // max(1, workers))
    given = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(given)) if given.isdecimal() and int(given) > 0 else share
