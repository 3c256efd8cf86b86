"""Deliveries and their jobs: submit, follow, cancel, fetch reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from dubgate.service import jobs
from dubgate.service.bodies import ID, JOB_ID, ByPath, ByUpload, JobBody, JobPage, NewDelivery
from dubgate.service.clock import iso
from dubgate.service.fetching import check_url
from dubgate.service.filing import file_of
from dubgate.service.following import events_of
from dubgate.service.idempotency import PATTERN
from dubgate.service.jobs import Job
from dubgate.service.pages import Cursor, Limit, next_of, place_of
from dubgate.service.problems import Problem, documented, not_found, request_id
from dubgate.service.reads import Read
from dubgate.service.sources import allowed_path, uploaded
from dubgate.service.state import Reader, Service, State, Submitter
from dubgate.service.submitting import cancel, submit
from dubgate.service.tokens import Caller
from dubgate.service.verdicts import RESTS_ON, archive_of, verdict_files

router = APIRouter(prefix="/v1", tags=["jobs"], responses=documented(400, 401, 403, 404, 408, 409, 413, 422, 429, 503))
JobId = Annotated[str, Path(pattern=ID, examples=[JOB_ID])]
Key = Annotated[str, Header(alias="idempotency-key", pattern=PATTERN, examples=["ep03-2026-11-28"])]
EXIT = {"release": 0, "hold": 3, "block": 1}
FILES = ("report.html", "report.json", "requests.json", "certificate.json", RESTS_ON)


def body_of(job: Job) -> JobBody:
    """A job for its reader."""
    code = EXIT.get(job.decision or "") if job.state == jobs.DONE else 2 if job.state == jobs.FAILED else None
    here = f"/v1/jobs/{job.job_id}"
    links = {"self": here, "events": f"{here}/events"}
    if job.state == jobs.DONE:
        links |= {"report": f"{here}/files/report.html", "report_json": f"{here}/files/report.json"}
    if job.certificate_id is not None:
        links["certificate"] = f"/v1/certificates/{job.certificate_id}"
        links["verdict"] = f"{here}/verdict"
    told = {k: getattr(job, k) for k in ("job_id", "kind", "state", "stage", "progress", "attempts", "error")}
    done = {k: getattr(job, k) for k in ("certificate_id", "created_at", "finished_at")}
    decision = job.decision if job.state == jobs.DONE else None
    return JobBody.model_validate({**told, **done, "decision": decision, "exit_code": code, "links": links})


def own_job(state: State, caller: Caller, job_id: str) -> Job:
    """A job of the caller's organisation.

    Raises:
        Problem: 404.
    """
    job = jobs.get(state.engine, job_id, caller.organisation)
    if job is None:
        raise not_found("job")
    return job


def note_read(request: Request, state: State, caller: Caller, about: str, status: int = 200) -> None:
    """Write a read into the log before it is answered."""
    route = request.scope["route"].path
    state.reads.add(Read(request_id(request) or "", caller.token_id, caller.organisation, route, about, status))


@router.post("/deliveries", status_code=202, summary="Submit a delivery to be judged", responses=documented(413))
def submit_delivery(body: NewDelivery, request: Request, state: Service, caller: Submitter, key: Key = "") -> JobBody:
    """Queue a delivery. Which packs and models judge it, the service decides, never the submitter."""
    return body_of(_submitted(jobs.CHECK, body, request, state, caller, key))


@router.post("/requests", status_code=202, summary="Ask the parties for the decisions that a delivery lacks")
def ask_parties(body: NewDelivery, request: Request, state: Service, caller: Submitter, key: Key = "") -> JobBody:
    """Judge a delivery again from what was measured, and open an approval request to each party whose decision is missing."""
    return body_of(_submitted(jobs.REQUEST, body, request, state, caller, key))


def _submitted(kind: str, body: NewDelivery, request: Request, state: State, caller: Caller, key: str) -> Job:
    told = body.model_dump()
    if isinstance(body, ByPath):
        allowed_path(body.path, caller.organisation, state.settings)
    elif isinstance(body, ByUpload):
        uploaded(body.upload, caller.organisation, state.settings)
    else:
        check_url(body.url, caller.organisation, state.settings)
    return own_job(
        state, caller, submit(state, caller, kind=kind, request=told, key=key, request_id=request_id(request))
    )


@router.get("/jobs", summary="List jobs, newest first")
def list_jobs(
    request: Request,
    state: Service,
    caller: Reader,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[list[str] | None, Query(max_length=5, description="Only jobs in these states.")] = None,
) -> JobPage:
    """The jobs of the caller's organisation."""
    before = place_of(state.own, "jobs", cursor)
    found = jobs.page(state.engine, caller.organisation, states=status or (), before=before, limit=limit)
    note_read(request, state, caller, f"{len(found)} jobs")
    last = found[-1] if found else None
    after = next_of(state.own, "jobs", len(found) == limit, iso(last.created_at), last.job_id) if last else None
    return JobPage(items=[body_of(job) for job in found], next=after)


@router.get("/jobs/{job_id}", summary="Where a job stands", responses=documented(404))
def get_job(job_id: JobId, request: Request, state: Service, caller: Reader) -> JobBody:
    """State, progress, and in the end the decision."""
    job = own_job(state, caller, job_id)
    note_read(request, state, caller, job_id)
    return body_of(job)


@router.delete("/jobs/{job_id}", status_code=202, summary="Cancel a job", responses=documented(404))
def cancel_job(job_id: JobId, request: Request, state: Service, caller: Submitter) -> JobBody:
    """End a job that waits or is heard. What was decided already runs to its end."""
    own_job(state, caller, job_id)
    cancel(state, caller, job_id, request_id(request))
    return body_of(own_job(state, caller, job_id))


@router.get(
    "/jobs/{job_id}/files/{name}",
    summary="A file that a job made",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/json": {}}}, **documented(404)},
)
def get_file(
    job_id: JobId,
    name: Annotated[str, Path(max_length=100, examples=["report.json"])],
    request: Request,
    state: Service,
    caller: Reader,
) -> Response:
    """`report.html`, `report.json`, `certificate.json`, `rests_on.json` (what was judged, by digest), or `requests.json` of
    a job that asked for decisions."""
    own_job(state, caller, job_id)
    found = file_of(state.engine, job_id, name) if name in FILES else None
    if found is None:
        raise not_found("file")
    note_read(request, state, caller, f"{job_id}/{name}")
    media_type, content = found
    headers = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
    if media_type.startswith("text/html"):  # names and texts in it come from strangers
        headers["content-security-policy"] = "sandbox allow-scripts"
    return Response(content, media_type=media_type, headers=headers)


@router.get(
    "/jobs/{job_id}/verdict",
    summary="What an auditor needs: certificate and packs, and the private annex where it is asked for",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}, **documented(404)},
)
def get_verdict(
    job_id: JobId,
    request: Request,
    state: Service,
    caller: Reader,
    private: Annotated[bool, Query(description="With annex.json and judged.json; needs the scope admin too.")] = False,
) -> Response:
    """The folder that `dubgate check --certify` writes, as a ZIP; unpacked, `dubgate evidence` and `dubgate replay` take it."""
    if private and not caller.may("admin"):
        raise Problem(403, "the private annex needs a token with the scope admin", kind="scope-missing")
    own_job(state, caller, job_id)
    files = verdict_files(state.engine, state.own, job_id, private=private)
    if files is None:
        raise not_found("verdict")
    note_read(request, state, caller, f"{job_id}/verdict{' with annex' if private else ''}")
    headers = {
        "cache-control": "private, no-store",
        "content-disposition": f'attachment; filename="{job_id}.zip"',
        "x-content-type-options": "nosniff",
    }
    return Response(archive_of(files), media_type="application/zip", headers=headers)


@router.get(
    "/jobs/{job_id}/events",
    summary="Follow a job as server-sent events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **documented(404)},
)
def follow_job(job_id: JobId, request: Request, state: Service, caller: Reader) -> StreamingResponse:
    """An event each time that the job changes, until it ends; reconnect as any EventSource does."""
    own_job(state, caller, job_id)
    note_read(request, state, caller, job_id)
    events: AsyncIterator[Any] = events_of(
        state, caller, job_id, lambda job: body_of(job).model_dump_json(exclude_none=True)
    )
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)
