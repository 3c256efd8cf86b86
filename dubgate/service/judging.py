"""What a job of a delivery does, from its manifest to the judgement and its reports; certificates come after it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from dubgate.delivery.manifest import Delivery
from dubgate.errors import InputError
from dubgate.judging_again import Judged
from dubgate.policy.label_sidecars import LABEL_SIDECAR
from dubgate.release import CheckRequest, open_registry
from dubgate.report.write import write_reports
from dubgate.service.jobs import Job
from dubgate.service.settings import Settings
from dubgate.service.sources import require_own_files
from dubgate.service.verdicts import RESTS_ON, rests_on_of
from dubgate.signed_evidence import signed_files
from dubgate.watching import Watched, watch

Progress = Callable[[str, float], None]
MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}
MAX_REPORT_BYTES = 64 << 20


class Hear(Protocol):
    """Hears and judges a delivery; the real one is `judge_again`, in whose child alone media are opened."""

    def __call__(
        self, request: CheckRequest, *, at: datetime, progress: Progress, clock: Callable[[], datetime]
    ) -> Judged: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """A judged delivery, as it lay there before judging began, and its reports by name."""

    judged: Judged
    watched: Watched
    reports: dict[str, bytes]


def request_of(job: Job, settings: Settings, manifest: Path) -> CheckRequest:
    """How the delivery is judged: with the packs and models of the service, which no submitter chooses."""
    how = (tuple(settings.packs), settings.models, settings.device, settings.company)
    return CheckRequest(manifest, settings.registry, *how)


Render = Callable[[Judged], dict[str, bytes]]


def judge(
    job: Job,
    settings: Settings,
    manifest: Path,
    *,
    clock: Callable[[], datetime],
    hear: Hear,
    render: Render,
    progress: Progress,
    reached: Callable[[str], None],
) -> Outcome:
    """Judge a job's delivery, by the registry as it is once it was heard, and render its reports.

    Raises:
        InputError: the delivery cannot be used, names another submitter than the one who submitted it, or they signed in it.
        DubgateError: hearing could not be done.
    """
    watched = watch(manifest, company=settings.company)
    require_submitter(watched.delivery.submitter, job)
    require_other_signers(watched.delivery, job, settings, at := clock())
    if "path" in job.request:
        require_own_files(watched.lie_at, job.organisation, settings)
    reached("watched")
    with watched.pinned():
        judged = hear(request_of(job, settings, manifest), at=at, progress=progress, clock=clock)
    watched.require_judged(judged.delivery)
    reached("judged")
    reports = render(judged)
    reached("rendered")
    used = rests_on_of(judged.judgement, watched)
    return Outcome(judged, watched, {**reports, RESTS_ON: used})


def require_submitter(submitter: str | None, job: Job) -> None:
    """Who submits is who the delivery says: else somebody could approve what their own house handed in.

    Raises:
        InputError
    """
    if submitter not in (job.party, job.organisation):
        what = f"the delivery says that {submitter or 'nobody'} submits it, and {job.party} did"
        raise InputError(what, where="submitter", remedy=f"Write submitter: {job.party} or {job.organisation}.")


def require_other_signers(delivery: Delivery, job: Job, settings: Settings, at: datetime) -> None:
    """Where a delivery names the organisation, whose person hands it in answered nothing in it; a label's sidecar is no answer.

    Raises:
        InputError
    """
    if delivery.submitter == job.party:
        return  # then their answers do not count anyway
    with open_registry(settings.registry) as registry, registry.view() as view:
        signed = [s.signed for s in signed_files(delivery, view, at) if s.copy.kind != LABEL_SIDECAR]
    if own := [s.file for s in signed if s.by == job.party]:
        what = f"{job.party} submitted this delivery and signed {', '.join(own[:5])}"
        raise InputError(what, where="evidence", remedy="Have somebody else submit it, or sign it.")


def rendered(judged: Judged) -> dict[str, bytes]:
    """The reports of a judgement."""
    with tempfile.TemporaryDirectory(prefix="dubgate-report-") as name:
        folder = Path(name)
        written: list[Any] = list(write_reports(judged.judgement, folder, ("html", "json"), media="flagged"))
        files = {path.name: path.read_bytes() for path in written if path.parent == folder}
    if any(len(data) > MAX_REPORT_BYTES for data in files.values()):
        raise InputError("a report is too large to be kept")
    return files
