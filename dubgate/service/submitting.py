"""Writes of jobs: submitted, renewed, asked about, cancelled; each once, with its act in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consent.writing import Writer
from dubgate.service import jobs
from dubgate.service.acts import record_act
from dubgate.service.idempotency import digest_of, earlier_answer, keep_answer
from dubgate.service.problems import Problem
from dubgate.service.state import State
from dubgate.service.tokens import Caller


def submit(
    state: State, caller: Caller, *, kind: str, request: Mapping[str, Any], key: str, request_id: str | None
) -> str:
    """Queue a job; its id. The same key with the same request gives the same job.

    Raises:
        Problem: 422 for a key that was used for another request, 429 where too many jobs are open.
        ConsentError: the registry does not take the act; then nothing was queued.
    """
    digest = digest_of(f"jobs:{kind}", dict(request))
    with state.registry.write() as writer:  # one transaction: the job, the act and the answer, or none of them
        connection = writer.store.connection
        earlier = earlier_answer(connection, caller.organisation, key, digest)
        if earlier is not None:
            return str(earlier["job_id"])
        if jobs.n_open(connection, caller.organisation) >= state.settings.limits.open_jobs:
            raise Problem(429, "too many jobs of this organisation are open", headers={"retry-after": "60"})
        job_id = jobs.new_job_id()
        now = state.clock()
        jobs.add(
            connection, job_id=job_id, organisation=caller.organisation, party=caller.party, token_id=caller.token_id,
            kind=kind, request=request, now=now,
        )  # fmt: skip
        _act(writer, caller, f"job.{kind}", job_id, dict(request), request_id)
        keep_answer(connection, caller.organisation, key, digest, {"job_id": job_id}, now)
    return job_id


def cancel(state: State, caller: Caller, job_id: str, request_id: str | None) -> None:
    """Ask for a job's end."""
    with state.registry.write() as writer:
        jobs.ask_to_cancel(writer.store.connection, job_id, caller.organisation, state.clock())
        _act(writer, caller, "job.cancelled", job_id, {}, request_id)


def _act(writer: Writer, caller: Caller, verb: str, about: str, what: dict[str, Any], request_id: str | None) -> None:
    record_act(
        writer, by=caller.party, verb=verb, about=about, token_id=caller.token_id, what=what, request_id=request_id
    )
