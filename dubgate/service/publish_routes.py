"""May these bytes be published; the certificates themselves; and what a consent's end would touch."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from consent.consequences import touched
from consent.languages import canonical
from consent.releases import Release
from consent.vocabulary import Channel
from dubgate.regions import countries
from dubgate.service import certificates, jobs
from dubgate.service.bodies import (
    DIGEST,
    Affected,
    CertificatePage,
    JobBody,
    MayPublish,
    RefusalBody,
    ReleaseRow,
    ScopeBody,
)
from dubgate.service.certificates import Facts
from dubgate.service.job_routes import Key, body_of, note_read, own_job
from dubgate.service.pages import Cursor, Limit, next_of, place_of
from dubgate.service.problems import MEDIA_TYPE, Problem, documented, not_found, request_id
from dubgate.service.publishing import LONGEST_AHEAD, Allowed, Use
from dubgate.service.renewing import source_of
from dubgate.service.state import Reader, Service, Submitter
from dubgate.service.submitting import submit

router = APIRouter(prefix="/v1", tags=["publishing"], responses=documented(401, 403, 422, 429, 503))
NEEDED = ("territory", "channel", "language", "at")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})\Z")
CertificateId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", examples=[DIGEST])]
Text = Annotated[str | None, Query(max_length=200)]


@router.get(
    "/may-publish",
    summary="May this file be published here, so, now?",
    responses={
        200: {"description": "Yes: a valid certificate, and every consent that it rests on stands."},
        403: {
            "description": "No, with a reason; or the token may not ask.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/RefusalBody"}}},
        },
    },
)
def may_publish(
    request: Request,
    state: Service,
    caller: Reader,
    digest: Annotated[str | None, Query(max_length=200, description="SHA-256 of the file.", examples=[DIGEST])] = None,
    territory: Annotated[
        str | None, Query(max_length=200, description="A country, or a group (EU, 419).", examples=["DE"])
    ] = None,
    channel: Annotated[str | None, Query(max_length=200, examples=["svod"])] = None,
    language: Annotated[str | None, Query(max_length=200, description="BCP 47.", examples=["de"])] = None,
    at: Annotated[
        str | None, Query(max_length=200, description="ISO 8601 with its zone, or `now`.", examples=["now"])
    ] = None,
) -> MayPublish:
    """200 only with a valid certificate and living consents for exactly this use; everything else is a refusal."""
    given = {"digest": digest, "territory": territory, "channel": channel, "language": language, "at": at}
    if missing := [name for name, value in given.items() if not value]:
        more = {"reason": "incomplete-use", "publish": False, "missing": missing}
        raise Problem(422, f"the question lacks {', '.join(missing)}", kind="incomplete-use", more=more)
    found = _DIGEST.match(digest or "")
    if found is None:
        raise Problem(422, "digest is a SHA-256 in lower-case hex", more={"reason": "malformed", "publish": False})
    use = _use(territory or "", channel or "", language or "", at or "", state.clock())
    answer = state.publishing.ask(found[1], use, caller.asks_for)
    if isinstance(answer, Allowed):
        state.metrics.answers.labels("yes").inc()
        note_read(request, state, caller, f"{found[1]} {territory} {channel} {language} {at}")
        return _yes(answer.facts)
    state.metrics.answers.labels(answer.refusal.reason).inc()
    note_read(request, state, caller, f"{found[1]} {territory} {channel} {language} {at}", 403)
    largest = None if answer.largest is None else _scope(answer.largest).model_dump(mode="json")
    more = {"publish": False, "reason": answer.refusal.reason, "largest_scope": largest}
    remedy = answer.refusal.remedy
    raise Problem(403, answer.refusal.what, kind="refused", title="Do not publish this", remedy=remedy, more=more)


def _use(territory: str, channel: str, language: str, at: str, now: datetime) -> Use:
    try:
        places = frozenset(countries(territory))
        kind, spoken = str(Channel(channel)), canonical(language)
    except ValueError as error:
        raise Problem(422, str(error)[:300], more={"reason": "malformed", "publish": False}) from None
    return Use(places, kind, spoken, _moment(at, now))


def _moment(at: str, now: datetime) -> datetime:
    """`now`, or a moment of the day to come: what was allowed once is no question, and a certificate lives for a day."""
    if at == "now":
        return now
    try:
        asked = datetime.fromisoformat(at.replace(" ", "+"))  # a `+` that nobody escaped
        asked = asked.astimezone(UTC) if asked.tzinfo is not None else _no_moment()
    except (ValueError, OverflowError):
        _no_moment()
    if not now <= asked <= now + LONGEST_AHEAD:
        raise Problem(
            422, "at is `now`, or a moment within the next 24 hours", more={"reason": "malformed", "publish": False}
        )
    return asked


def _no_moment() -> Any:
    raise Problem(422, "at is `now` or a moment with its zone", more={"reason": "malformed", "publish": False})


def _scope(facts: Facts) -> ScopeBody:
    return ScopeBody.model_validate(facts.data() | {"territories": sorted(facts.territories)}, extra="ignore")


def _yes(facts: Facts) -> MayPublish:
    return MayPublish.model_validate(facts.data(), extra="ignore")


@router.get("/certificates", summary="List certificates, newest first")
def list_certificates(
    request: Request, state: Service, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> CertificatePage:
    """What the certificates of the caller's organisations say."""
    before = place_of(state.own, "certificates", cursor)
    found = certificates.page(state.engine, caller.asks_for, before=before, limit=limit)
    note_read(request, state, caller, f"{len(found)} certificates")
    after = None
    if found:
        at, last = found[-1]
        after = next_of(state.own, "certificates", len(found) == limit, at, last["certificate_id"])
    return CertificatePage(items=[facts for _, facts in found], next=after)


@router.get(
    "/certificates/{certificate_id}",
    summary="A certificate, byte for byte as it was signed",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}, **documented(404)},
)
def get_certificate(certificate_id: CertificateId, request: Request, state: Service, caller: Reader) -> Response:
    """The file that `dubgate verify` takes."""
    document = certificates.document_of(state.engine, certificate_id, caller.asks_for)
    if document is None:
        raise not_found("certificate")
    note_read(request, state, caller, certificate_id)
    return Response(document, media_type="application/json", headers={"cache-control": "private, no-store"})


@router.post(
    "/certificates/{certificate_id}/renewals", status_code=202, summary="Renew a certificate", responses=documented(404)
)
def renew(
    certificate_id: CertificateId, request: Request, state: Service, caller: Submitter, key: Key = None
) -> JobBody:
    """Judge its delivery again as it lies there now, from kept measurements where nothing changed, and certify anew."""
    source = source_of(state.engine, certificate_id, caller.organisation)
    if source is None:
        raise not_found("certificate")
    told = {**source, "renews": certificate_id}
    job_id = submit(state, caller, kind=jobs.RENEW, request=told, key=key, request_id=request_id(request))
    return body_of(own_job(state, caller, job_id))


_TARGET = r"^(grant|approval|claim|key|enrolment|voice|title):[a-z0-9][a-z0-9._-]{0,63}$"


@router.get("/affected", summary="The live releases that ending something would touch")
def affected(
    request: Request,
    state: Service,
    caller: Reader,
    target: Annotated[str, Query(pattern=_TARGET, examples=["grant:g-ada"])],
) -> Affected:
    """Of the caller's organisations only; empty where nothing of theirs rests on it."""
    mine = certificates.ids_of(state.engine, caller.asks_for)
    with state.registry.view() as view:
        impact = touched(view, target, view.now)
    note_read(request, state, caller, target)
    rows = [_row(r) for r in impact.releases if r.certificate_sha256 in mine]
    return Affected(target=target, effect=str(impact.effect), items=rows)


def _row(release: Release) -> ReleaseRow:
    return ReleaseRow(
        release_id=release.release_id,
        title_id=release.title_id,
        language=release.language,
        territories=list(release.territories),
        channels=[str(c) for c in release.channels],
        certificate_id=release.certificate_sha256,
        decided_at=release.decided_at,
    )


__all__ = ["RefusalBody", "router"]
