"""A performer's voices: consents, permissions, recordings, every use and every hit; and what may be said to each."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.denials import GrantHistory
from consent.errors import RecordError
from consent.releases import Release
from consent.report_lines import Proofs, use_line, voice_line
from consent.shown import Shown
from consent.terms import Grant
from consent.views import View
from consent.vocabulary import EventKind, LegalBasis, PermissionKind, Subject
from consent.voices import Enrolment, Permission, Voice
from consent.web import scope
from consent.web.acting import Act, event_of, perform, shown_as
from consent.web.catalogue import text
from consent.web.catalogue import word as word_of
from consent.web.page import iso_minute, render
from consent.web.scope import newest_grants
from consent.web.visiting import Form, NotYoursError, Posted, SignedIn, Start, Visitor, has_passkey
from consent.web.voicing import enrolment_of, grants_told, hits_of, unconfirmed

router = APIRouter()
A_PAGE = 25
YEARS = {"1": 365, "2": 730, "5": 1825}


@router.get("/voices")
def voices(request: Request, who: SignedIn) -> Response:
    """The voices for which the visitor speaks."""
    if not who.performer:
        raise NotYoursError
    with who.desk.registry.view() as view:
        rows = [_row(view, v) for v in scope.voices_of(view, who)]
    return render(request, "voices.html", who, rows=rows)


def _row(view: View, voice: Voice) -> dict[str, Any]:
    n = view.store.count(f"voice:{voice.voice_id}", Grant)
    read = newest_grants(view, voice.voice_id, 0, A_PAGE)
    return {
        "voice": voice,
        "standing": sum(_stands(h, view.now) for h in read) if n <= A_PAGE else None,
        "n": n,
        "permissions": sorted(view.permissions(voice.voice_id, view.now)),
        "unconfirmed": len(unconfirmed(view, voice.voice_id)),
        "hits": len(hits_of(view, voice.voice_id)),
    }


def _stands(history: GrantHistory, at: datetime) -> bool:
    """Whether a consent stands now: given and not ended, and its term not over."""
    ends = history.grant.not_after
    return history.state(at).alive(at) and (ends is None or at < ends)


@router.get("/voices/{voice_id}")
def voice(request: Request, who: SignedIn, voice_id: str, start: Start = 0, grants: Start = 0) -> Response:
    """One voice."""
    with who.desk.registry.view() as view:
        own = scope.voice_of(view, who, voice_id)
        key = f"voice:{voice_id}"
        known = view.store.newest([key], Release, max(0, start) + A_PAGE + 1)
        releases = [e.record for e in known][max(0, start) :]
        lines = [use_line(r, [voice_id], view.now) for r in releases[:A_PAGE] if isinstance(r, Release)]
        standing = {p.kind: p for p in view.standing_permissions(voice_id, view.now)}
        shown: dict[str, Any] = {
            "voice": own,
            "grants": grants_told(view, voice_id, who.language, start=max(0, grants), most=A_PAGE),
            "n_grants": view.store.count(key, Grant),
            "first_grant": max(0, grants),
            "permissions": [(k, standing.get(k)) for k in PermissionKind],
            "recordings": voice_line(view, own, view.now, Proofs(view.store, view.store.size()))["enrolments"],
            "uses": lines,
            "more": len(releases) > A_PAGE,
            "start": start,
            "step": A_PAGE,
            "hits": hits_of(view, voice_id),
            "names": scope.title_names(view, {line["title_id"] for line in lines}),
            "years": list(YEARS),
        }
    return render(request, "voice.html", who, **shown)


@router.post("/voices/{voice_id}/permit")
def permit(request: Request, who: SignedIn, form: Posted, voice_id: str) -> Response:
    """Write one of the three permissions, to be signed by passkey."""
    path = f"/voices/{voice_id}"

    def act(view: View) -> Act:
        given = _permission(view, who, form, scope.voice_of(view, who, voice_id))
        return Act((given,), path, "permitted", path, always_signed=True)

    return perform(request, who, form, act)


def _permission(view: View, who: Visitor, form: Form, voice: Voice) -> Permission:
    if form.get("kind") not in {str(k) for k in PermissionKind} or form.get("years") not in YEARS:
        raise RecordError("choose a permission and its term")
    synthetic = voice.subject is Subject.SYNTHETIC
    return Permission(
        permission_id=f"pm-{uuid.uuid4().hex[:24]}",
        voice_id=voice.voice_id,
        kind=PermissionKind(form.get("kind")),
        given_by=who.party_id,
        legal_basis=LegalBasis.NOT_BIOMETRIC if synthetic else LegalBasis.GDPR_EXPLICIT_CONSENT,
        not_before=view.now,
        not_after=view.now + timedelta(days=YEARS[form.get("years")]),
    )


@router.post("/voices/{voice_id}/permissions/{permission_id}/withdraw")
def withdraw(request: Request, who: SignedIn, form: Posted, voice_id: str, permission_id: str) -> Response:
    """Take a permission back; a template that nothing permits any more is erased at once. Grants stay."""
    path = f"/voices/{voice_id}"

    def act(view: View) -> Act:
        scope.voice_of(view, who, voice_id)
        given = view.record(f"permission:{permission_id}", Permission)
        if given is None or given.voice_id != voice_id:
            raise NotYoursError
        kind = word_of("permission", given.kind, who.language)
        shown = shown_as(who.language, act=text("voice.take_back", who.language), permission=kind, voice=voice_id)
        target, reason = f"permission:{permission_id}", form.get("reason") or None
        event = event_of(view, target, EventKind.WITHDRAWN, by=who.party_id, reason=reason, shown=shown)
        return Act((event,), path, "permission_withdrawn", path)

    return perform(request, who, form, act)


@router.post("/voices/{voice_id}/recordings/{enrolment_id}/{word}")
def recording(request: Request, who: SignedIn, form: Posted, voice_id: str, enrolment_id: str, word: str) -> Response:
    """Confirm that a recording is one's voice, or reject it: then nobody is compared with it any more."""
    kinds = {"confirm": EventKind.CONFIRMED, "reject": EventKind.INVALIDATED}
    path = f"/voices/{voice_id}"

    def act(view: View) -> Act:
        scope.voice_of(view, who, voice_id)
        enrolment = enrolment_of(view, enrolment_id)
        if enrolment is None or enrolment.voice_id != voice_id or word not in kinds:
            raise NotYoursError
        shown = _shown_recording(enrolment, word, who.language)
        target, reason = f"enrolment:{enrolment_id}", form.get("reason") or None
        event = event_of(view, target, kinds[word], by=who.party_id, reason=reason, shown=shown)
        return Act((event,), path, f"recording_{word}", path, loosens=word == "confirm" and has_passkey(who))

    return perform(request, who, form, act)


def _shown_recording(enrolment: Enrolment, word: str, language: str) -> tuple[Shown, ...]:
    supplied = text("home.supplied", language, who=enrolment.supplied_by)
    speech = text("voice.speech", language, s=round(enrolment.speech_s))
    recording = f"{enrolment.enrolment_id}; {supplied}; {speech}"
    return shown_as(language, act=text(f"voice.{word}", language), recording=recording, voice=enrolment.voice_id)


@router.get("/record.json")
def record(request: Request, who: SignedIn) -> Response:
    """Everything that the registry has about the visitor, with a proof for each entry."""
    report = who.desk.registry.report(who.party_id)
    name = f"record-{who.party_id}-{iso_minute(report.at)}.json"
    head = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(json.dumps(report.data(), indent=1), media_type="application/json", headers=head)
