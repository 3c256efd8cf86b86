"""The bodies of requests and answers, with the examples that the API's description shows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dubgate.service.problems import ProblemBody

JOB_ID = "job-5f0c1f6f2f3c4b7f9d0a1b2c"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ID = r"^[a-z0-9][a-z0-9._-]{0,63}$"


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ByPath(_In):
    """A delivery that lies below one of the organisation's folders."""

    path: Annotated[str, Field(min_length=1, max_length=1000, examples=["/srv/deliveries/polyglot/ep03/delivery.yaml"])]


class ByUpload(_In):
    """A delivery that was uploaded."""

    upload: Annotated[str, Field(pattern=r"^up-[0-9a-f]{24}$", examples=["up-0123456789abcdef01234567"])]


class ByUrl(_In):
    """A delivery that the service fetches."""

    url: Annotated[str, Field(min_length=1, max_length=1000, examples=["s3://dubs/ep03/delivery.yaml"])]


NewDelivery = ByPath | ByUpload | ByUrl


class JobError(BaseModel):
    """Why a job failed."""

    kind: str = Field(examples=["ManifestError"])
    what: str = Field(examples=["'dub' is missing"])
    where: str | None = Field(None, examples=["delivery.yaml:1:1"])
    remedy: str | None = None


class JobBody(BaseModel):
    """A job, and where to find what it made."""

    job_id: str = Field(examples=[JOB_ID])
    kind: Literal["check", "renew", "request"]
    state: Literal["queued", "running", "done", "failed", "cancelled"] = Field(examples=["done"])
    stage: str = Field(examples=["done"])
    progress: float = Field(examples=[1.0])
    attempts: int = Field(examples=[1])
    decision: Literal["release", "hold", "block"] | None = None
    exit_code: int | None = Field(None, description="As dubgate check: 0 release, 3 hold, 1 block, 2 could not judge.")
    certificate_id: str | None = Field(None, examples=[DIGEST])
    error: JobError | None = None
    created_at: datetime
    finished_at: datetime | None = None
    links: dict[str, str] = Field(examples=[{"self": f"/v1/jobs/{JOB_ID}", "events": f"/v1/jobs/{JOB_ID}/events"}])


class JobPage(BaseModel):
    """Jobs, newest first; `next` is the cursor of the next page."""

    items: list[JobBody]
    next: str | None = None


class Uploaded(BaseModel):
    """An upload that can be submitted."""

    upload_id: str = Field(examples=["up-0123456789abcdef01234567"])
    files: dict[str, str] = Field(examples=[{"delivery.yaml": DIGEST}], description="Each file's SHA-256.")


class ScopeBody(BaseModel):
    """A use that would be released."""

    certificate_id: str = Field(examples=[DIGEST])
    language: str = Field(examples=["de"])
    territories: list[str] = Field(examples=[["AT", "DE"]])
    channels: list[str] = Field(examples=[["svod"]])
    partners: list[str] = Field(default=[], examples=[["netflix"]])
    window_start: datetime
    window_end: datetime | None = None
    expires_at: datetime


class MayPublish(ScopeBody):
    """Yes: the certificate under which these bytes may be published for the use that was asked about."""

    publish: Literal[True] = True
    digest: str = Field(
        description="Of the file that was asked about: an answer to another question is no yes.", examples=[DIGEST]
    )
    release_id: str
    title_id: str
    level: str = Field(examples=["DUBGATE_RELEASE"])
    verified_at: datetime


class RefusalBody(ProblemBody):
    """No: why, and the largest scope that would be released instead."""

    publish: Literal[False] = False
    reason: str = Field(examples=["other-territory"])
    largest_scope: ScopeBody | None = None


class CertificatePage(BaseModel):
    """What certificates say, newest first."""

    items: list[dict[str, Any]]
    next: str | None = None


class ReleaseRow(BaseModel):
    """A live release that something touches."""

    release_id: str
    title_id: str
    language: str
    territories: list[str]
    channels: list[str]
    certificate_id: str | None = None
    decided_at: datetime


class Affected(BaseModel):
    """The live releases of the caller's organisations that rest on a consent, approval, claim or key."""

    target: str = Field(examples=["grant:g-ada"])
    effect: str = Field(examples=["stop_distribution"])
    items: list[ReleaseRow]


class NewWebhook(_In):
    """An endpoint for messages of some kinds."""

    url: Annotated[str, Field(min_length=8, max_length=1000)] = Field(examples=["https://pipeline.example.org/dubgate"])
    kinds: Annotated[list[Literal["verdict", "withdrawal", "takedown", "warning"]], Field(min_length=1, max_length=4)]


class WebhookBody(BaseModel):
    """An endpoint; its secret is shown once, when it is made."""

    webhook_id: str
    url: str
    kinds: list[str]
    created_at: datetime
    secret: str | None = Field(None, examples=["whsec_…"])


class WebhookList(BaseModel):
    """An organisation's endpoints."""

    items: list[WebhookBody]


class MessageBody(BaseModel):
    """A message and what came of sending it."""

    message_id: str
    webhook_id: str
    kind: str
    created_at: datetime
    attempts: int
    next_at: datetime | None = None
    delivered_at: datetime | None = None
    error: str | None = None


class MessagePage(BaseModel):
    """Messages, newest first."""

    items: list[MessageBody]
    next: str | None = None


class RequestBody(BaseModel):
    """A decision that somebody is asked for."""

    request_id: str
    to: str
    asked_by: str
    status: str
    title_id: str
    language: str
    wanted: list[dict[str, str]]
    asked_at: datetime
    expires_at: datetime


class RequestList(BaseModel):
    """Requests that concern the caller's party."""

    items: list[RequestBody]


class NewAnswer(_In):
    """A no, or not yet, to a request; a yes is a signed approval (dubgate approve, or the review desk)."""

    answer: Literal["refused", "deferred"]
    reason: Annotated[str, Field(min_length=1, max_length=2000)] = Field(examples=["Not this film."])


class Done(BaseModel):
    """It is done."""

    done: Literal[True] = True


class Health(BaseModel):
    """Whether the service runs."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether the service can answer, part by part."""

    ready: bool
    parts: dict[str, str] = Field(examples=[{"database": "ok", "trust": "ok"}])
