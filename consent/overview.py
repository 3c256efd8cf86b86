"""What a registry holds, by the keys under which it can be asked: parties, titles, voices and how their consents stand."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar

from consent.parties import Party
from consent.report_lines import grant_line
from consent.strict import Record
from consent.titles import Title
from consent.views import View
from consent.voices import Voice

RecordT = TypeVar("RecordT", bound=Record)


def overview(view: View, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """Rows of each kind, in the order in which they were first recorded; no name of a person is in them."""
    voices = _newest(view, Voice)
    return {
        "parties": [_party(p) for p in _newest(view, Party)],
        "titles": [_title(t) for t in _newest(view, Title)],
        "voices": [_voice(v, view, at) for v in voices],
        "grants": [_grant(grant_line(g, at)) for v in voices for g in view.grants(v.voice_id)],
    }


def _newest(view: View, kind: type[RecordT]) -> list[RecordT]:
    """Each record of a kind as it was said last."""
    found = (e.record for e in view.store.of_kind(kind))
    return list({r.record_id: r for r in found if isinstance(r, kind)}.values())


def _party(party: Party) -> dict[str, Any]:
    of = party.organisation_id
    return {"key": f"party:{party.party_id}", "roles": [str(r) for r in party.roles], "of": of}


def _title(title: Title) -> dict[str, Any]:
    return {"key": f"title:{title.title_id}", "level": str(title.level), "name": title.name, "within": title.parent_id}


def _voice(voice: Voice, view: View, at: datetime) -> dict[str, Any]:
    permitted = sorted(str(kind) for kind in view.permissions(voice.voice_id, at))
    enrolled = bool(view.standing_enrolments(voice.voice_id, at))
    return {"key": f"voice:{voice.voice_id}", "owner": voice.owner_id, "permits": permitted, "enrolled": enrolled}


def _grant(line: dict[str, Any]) -> dict[str, Any]:
    kept = {name: line[name] for name in ("status", "titles", "languages", "until")}
    return {"key": f"grant:{line['grant_id']}", "voice": line["voice_id"], **kept}
