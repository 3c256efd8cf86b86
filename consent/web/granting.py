"""A performer's yes to one release, as a grant: for this title, language, places, channels and time, and nothing more."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta

from consent.errors import RecordError
from consent.events import Event
from consent.requests import Request
from consent.terms import Evidence, Grant
from consent.vocabulary import Capacity, EventKind, EvidenceKind, Performance, Technique
from consent.web.catalogue import text
from consent.web.telling import Story

OPEN_YEARS = timedelta(days=365 * 3)


def grant_of_request(story: Story, request: Request, voice_id: str, *, by: str, language: str) -> Grant:
    """The grant that covers exactly the release that a request is about, for one voice.

    Raises:
        RecordError: the gate does not say as which character and by which technique the voice is used.
    """
    cast = [c for c in (story.dossier.cast if story.dossier else ()) if voice_id in c.voice_ids]
    techniques = tuple(dict.fromkeys(c.technique for c in cast if c.technique in {str(t) for t in Technique}))
    if not techniques:
        raise RecordError(text("grant.unknown_use", language))
    release, words = request.release, " ".join(story.sentences)
    shown = Evidence(
        kind=EvidenceKind.ESIGN, sha256=hashlib.sha256(words.encode()).hexdigest(), media_type="text/plain"
    )
    return Grant(
        grant_id=f"gr-{uuid.uuid4().hex[:24]}",
        voice_id=voice_id,
        granted_by=by,
        capacity=Capacity.SELF,
        licensee_id=release.submitted_by,
        title_ids=(release.title_ids[0],),
        characters=tuple(dict.fromkeys(c.character for c in cast)),
        intended_use=f"{words} (asked in {request.request_id})",
        techniques=tuple(Technique(t) for t in techniques),
        performances=(Performance.NEW,),
        languages=(release.language,),
        covers_subtags=False,
        territories=release.territories,
        territories_excluded=release.territories_excluded,
        channels=release.channels,
        not_before=release.window.start,
        not_after=release.window.end or release.window.start + OPEN_YEARS,
        evidence=(shown,),
    )


def given(grant: Grant) -> Event:
    """That the grant is given, from the beginning of its term."""
    return Event(
        event_id=f"ev-{uuid.uuid4().hex}",
        target="grant",
        target_id=grant.grant_id,
        kind=EventKind.GIVEN,
        effective_at=grant.not_before,
        by=grant.granted_by,
        method="signed at the desk",
    )
