"""Server-sent events of one job: its state whenever it changes, a sign of life in between, and an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool

from dubgate.service import jobs
from dubgate.service.clock import iso
from dubgate.service.jobs import Job
from dubgate.service.problems import Problem
from dubgate.service.state import State
from dubgate.service.tokens import Caller

POLL_S, ALIVE_S, LONGEST_S = 0.5, 15.0, 1800.0


def events_of(state: State, caller: Caller, job_id: str, body: Callable[[Job], str]) -> AsyncIterator[str]:
    """The stream, within the number of streams that one token may have open.

    Raises:
        Problem: 429.
    """
    with state.lock:
        if state.streams.get(caller.token_id, 0) >= state.settings.limits.streams:
            raise Problem(429, "too many event streams of this token are open", headers={"retry-after": "5"})
        state.streams[caller.token_id] = state.streams.get(caller.token_id, 0) + 1
    return _stream(state, caller, job_id, body)


async def _stream(state: State, caller: Caller, job_id: str, body: Callable[[Job], str]) -> AsyncIterator[str]:
    try:
        async for text in _changes(state, caller, job_id, body):
            yield text
    finally:
        with state.lock:
            state.streams[caller.token_id] -= 1


async def _changes(state: State, caller: Caller, job_id: str, body: Callable[[Job], str]) -> AsyncIterator[str]:
    seen, said, begun = "", time.monotonic(), time.monotonic()
    while not state.stopping.is_set() and time.monotonic() - begun < LONGEST_S:
        job = await run_in_threadpool(jobs.get, state.engine, job_id, caller.organisation)
        if job is None:
            return
        told = f"{job.stage} {job.state} {iso(job.changed_at)}"
        if told != seen:
            seen, said = told, time.monotonic()
            name = "end" if job.ended else "progress"
            yield f"id: {iso(job.changed_at)}\nevent: {name}\ndata: {body(job)}\n\n"
        elif time.monotonic() - said > ALIVE_S:
            said = time.monotonic()
            yield ": still there\n\n"
        if job.ended:
            return
        await asyncio.sleep(POLL_S)
