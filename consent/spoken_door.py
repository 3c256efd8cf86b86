"""What a phrase and a saying of it must be true to before they enter the history, and the templates that it opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from consent.errors import RecordError
from consent.spoken import SpokenConsent, SpokenPhrase, staleness
from consent.strict import Record
from consent.views import EnrolledVoice, View
from consent.voices import Voice


def admit_phrase(view: View, phrase: SpokenPhrase) -> None:
    """Check a phrase before it is issued.

    Raises:
        RecordError: for a voice, or by a party, that nobody registered.
    """
    if view.record(f"voice:{phrase.voice_id}", Voice) is None:
        raise RecordError(f"no voice {phrase.voice_id!r} is registered")
    if view.party(phrase.issued_by) is None:
        raise RecordError(f"no party {phrase.issued_by!r} is registered")


def admit_spoken(view: View, said: SpokenConsent) -> None:
    """Check a saying before it is kept: a phrase is said once, in time, and no recording counts twice.

    Raises:
        RecordError: the phrase is unknown, stale or used, or this recording was handed in before.
    """
    if view.party(said.recorded_by) is None:
        raise RecordError(f"no party {said.recorded_by!r} is registered")
    require_fresh(view, said.phrase_id, said.voice_id, said.recording_sha256, view.now)


def require_fresh(view: View, phrase_id: str, voice_id: str, recording_sha256: str, at: datetime) -> SpokenPhrase:
    """The phrase, if it may be said now with this recording.

    Raises:
        RecordError: why not.
    """
    phrase = view.record(f"phrase:{phrase_id}", SpokenPhrase)
    if phrase is None:
        raise RecordError(f"no phrase {phrase_id!r} was issued", remedy="Issue one: dubgate consent phrase VOICE.")
    stale = staleness(phrase, voice_id, _said(view, f"phrase:{phrase_id}"), at)
    if stale is None and _said(view, f"recording:{recording_sha256}"):
        stale = "this recording was handed in before"
    if stale is not None:
        raise RecordError(stale, remedy="Issue a fresh phrase and record it anew.")
    return phrase


def templates_for(view: View, phrase: SpokenPhrase, at: datetime) -> tuple[EnrolledVoice, ...]:
    """The templates of the phrase's voice: whoever said the phrase granted this one comparison. `keep` must stand."""
    return view.kept_templates(phrase.voice_id, at)


def _said(view: View, key: str) -> list[SpokenConsent]:
    entries = view.store.entries(key, SpokenConsent)
    return [r for e in entries if isinstance(r := e.record, SpokenConsent)]


NAMES: dict[type[Record], str] = {SpokenPhrase: "phrase", SpokenConsent: "spoken"}
CHECKS: dict[type[Record], Callable[[View, Any], None]] = {SpokenPhrase: admit_phrase, SpokenConsent: admit_spoken}
