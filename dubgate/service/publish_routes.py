"""May these bytes be published; the certificates themselves; and what a consent's end would touch."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from consent.consequences import touched
from consent.languages import canonical
from consent.partners import known_partner
from consent.releases import Release
from consent.vocabulary import Channel
from dubgate.regions import countries
from dubgate.service import certificates, jobs
from dubgate.service.bodies import (
    DIGEST,
    Affected,
    CertificatePage,
    JobBody,
    ReleaseRow,
)
from dubgate.service.certificates import Facts
from dubgate.service.job_routes import Key, body_of, note_read, own_job
from dubgate.service.pages import Cursor, Limit, next_of, place_of
from dubgate.service.problems import MEDIA_TYPE, Problem, documented, not_found, request_id
from dubgate.service.publishing import LONGEST_AHEAD, Allowed, Use
from dubgate.service.renewing import source_of
from dubgate.service.state import Reader, Service, Submitter, authenticated, state_of
from dubgate.service.submitting import submit

router = APIRouter(
    prefix="/v1", tags=["publishing"], responses=documented(400, 401, 403, 404, 408, 409, 413, 422, 429, 503)
)
NEEDED = ("territory", "channel", "language", "at")
_DIGEST = re.compile(r"(?:sha256:)?([0-9a-f]{64})\Z")
CertificateId = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", examples=[DIGEST])]
KNOWN_S = 1.0  # for so long a token that was just looked up is believed here


def _parameter(name: str, about: str, schema: dict[str, Any], example: str, *, required: bool = True) -> dict[str, Any]:
    told = {"name": name, "in": "query", "required": required, "description": about}
    return told | {"schema": {"type": "string", "minLength": 1, "maxLength": 200, **schema}, "example": example}


_PARAMETERS = [
    _parameter("digest", "SHA-256 of the file.", {"pattern": r"^(sha256:)?[0-9a-f]{64}$"}, DIGEST),
    _parameter("territory", "A country (ISO 3166-1), or a group (UN M49, EU), all of which must be covered.", {}, "DE"),
    _parameter("channel", "How it is published.", {"enum": [str(c) for c in Channel]}, "svod"),
    _parameter("language", "BCP 47, as the release names it.", {}, "de"),
    _parameter("at", "`now`, or a moment with its zone within the next 24 hours (ISO 8601).", {}, "now"),
    _parameter(
        "partner",
        "By whom: a partner; needed where the holder approved the release for partners by name.",
        {},
        "netflix",
        required=False,
    ),
]


_AT = "at is `now`, or a moment with its zone within the next 24 hours, such as 2026-11-28T18:00:00Z"


@router.get(
    "/may-publish",
    summary="May this file be published here, so, now?",
    response_class=JSONResponse,
    openapi_extra={"parameters": _PARAMETERS},
    responses={
        200: {
            "description": "Yes: a valid certificate, and every consent that it rests on stands.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/MayPublish"}}},
        },
        403: {
            "description": "No, with a reason; or the token may not ask.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/RefusalBody"}}},
        },
    },
)
def may_publish(request: Request) -> Response:
    """200 only with a valid certificate and living consents for exactly this use; everything else is a refusal.

    Asked often, so it reads its parameters itself: one thread, one statement.
    """
    state = state_of(request)
    caller = authenticated(request, known_s=KNOWN_S)
    if not caller.may("read"):
        raise Problem(403, "this needs a token with the scope read", kind="scope-missing")
    given = {name: request.query_params.get(name, "") for name in ("digest", *NEEDED)}
    if missing := [name for name, value in given.items() if not value]:
        more = {"reason": "incomplete-use", "publish": False, "missing": missing}
        raise Problem(422, f"the question lacks {', '.join(missing)}", kind="incomplete-use", more=more)
    if (partner := request.query_params.get("partner")) is not None:
        given["partner"] = partner
    found = _DIGEST.match(given["digest"])
    if found is None or len(request.query_params.multi_items()) != len(given):
        what = f"each part of the question is there once, and nothing else: digest, {', '.join(NEEDED)}, partner"
        what = (
            what
            if found is not None
            else "digest is the file's SHA-256, 64 characters in lower-case hex: sha256sum FILE"
        )
        raise Problem(422, what, more={"reason": "malformed", "publish": False})
    use = _use(given["territory"], given["channel"], given["language"], given["at"], partner, state.clock())
    answer = state.publishing.ask(found[1], use, caller.asks_for)
    reason = "yes" if isinstance(answer, Allowed) else answer.refusal.reason
    state.metrics.answers.labels(reason).inc()
    about = " ".join([found[1], *(given[name] for name in NEEDED), *([] if partner is None else [partner]), reason])
    note_read(request, state, caller, about, 200 if isinstance(answer, Allowed) else 403)
    if isinstance(answer, Allowed):
        return JSONResponse(_yes(answer.facts), headers={"cache-control": "no-store"})
    more = {"publish": False, "reason": reason, "largest_scope": answer.largest and _scope(answer.largest)}
    remedy = answer.refusal.remedy
    raise Problem(403, answer.refusal.what, kind="refused", title="Do not publish this", remedy=remedy, more=more)


def _use(territory: str, channel: str, language: str, at: str, partner: str | None, now: datetime) -> Use:
    """The use that is asked about.

    Raises:
        Problem: 403, for a use that there is not: what does not exist is covered by nothing.
    """
    try:
        places = frozenset(countries(territory))
        by = None if partner is None else known_partner(partner)
        return Use(places, _channel(channel), canonical(language), _moment(at, now), by)
    except ValueError as error:
        more = {"reason": "malformed", "publish": False}
        raise Problem(403, str(error)[:300], kind="refused", title="Do not publish this", more=more) from None


def _channel(name: str) -> str:
    try:
        return str(Channel(name))
    except ValueError:
        raise ValueError(f"no channel is called {name!r}; known are {', '.join(Channel)}") from None


def _moment(at: str, now: datetime) -> datetime:
    """`now`, or a moment of the day to come: what was allowed once is no question, and a certificate lives for a day."""
    if at == "now":
        return now
    try:
        asked = datetime.fromisoformat(at.replace(" ", "+"))  # a `+` that nobody escaped
        asked = asked.astimezone(UTC) if asked.tzinfo is not None else now - LONGEST_AHEAD
    except OverflowError:
        raise ValueError("this moment lies beyond the ends of the calendar") from None
    except ValueError:
        raise ValueError(_AT) from None
    if not now <= asked <= now + LONGEST_AHEAD:
        raise ValueError(_AT)
    return asked


_SCOPE = (
    "certificate_id",
    "language",
    "territories",
    "channels",
    "partners",
    "window_start",
    "window_end",
    "expires_at",
)
_MORE = ("release_id", "title_id", "level", "verified_at")


def _scope(facts: Facts) -> dict[str, Any]:
    """As ScopeBody describes it."""
    told = facts.data()
    return {name: told[name] for name in _SCOPE}


def _yes(facts: Facts) -> dict[str, Any]:
    """As MayPublish describes it."""
    told = facts.data()
    return {"publish": True, "digest": facts.file_sha256, **{name: told[name] for name in (*_SCOPE, *_MORE)}}


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
def renew(certificate_id: CertificateId, request: Request, state: Service, caller: Submitter, key: Key = "") -> JobBody:
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
