"""The report for a performer or a rights holder: everything done with their voice or title, as data, HTML or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from consent.denials import GrantHistory
from consent.errors import RecordError
from consent.releases import Release
from consent.store import iso
from consent.titles import Refusal
from consent.views import View
from consent.vocabulary import EventKind

SOON = timedelta(days=90)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Report:
    """What a party is shown; `subject` is their name where the registry may read it, else their id."""

    party_id: str
    subject: str
    at: datetime
    origin: str
    ledger_size: int
    ledger_root: str
    grants: tuple[GrantHistory, ...]
    releases: tuple[Release, ...]
    refusals: tuple[Refusal, ...]
    expiring: tuple[str, ...]
    pending: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Plain data, for JSON and for the page."""
        return {
            "schema": "consent-report/1.0",
            "party_id": self.party_id,
            "at": iso(self.at),
            "ledger": {"origin": self.origin, "entries": self.ledger_size, "root": self.ledger_root},
            "grants": [_grant(h, self.at) for h in self.grants],
            "uses": [_use(r) for r in self.releases],
            "refusals": [r.model_dump(mode="json", exclude_none=True) for r in self.refusals],
            "expiring_within_90_days": list(self.expiring),
            "pending": list(self.pending),
        }


def report_for(view: View, party_id: str, *, at: datetime, origin: str, size: int, root: str, subject: str) -> Report:
    """Collect what concerns a party: its voices, the titles that it holds, its refusals.

    Raises:
        RecordError: no such party.
    """
    if view.party(party_id) is None:
        raise RecordError(f"no party {party_id!r} is registered")
    voices = [v.voice_id for v in view.voices() if party_id in (v.owner_id, *v.agent_ids)]
    grants = tuple(h for v in voices for h in view.grants(v))
    titles = view.titles_under(view.titles_held_by(party_id))
    keys = [f"voice:{v}" for v in voices] + [f"title:{t}" for t in titles]
    releases = {r.release_id: r for key in keys for r in view.releases(key)}
    return Report(
        party_id=party_id,
        subject=subject,
        at=at,
        origin=origin,
        ledger_size=size,
        ledger_root=root,
        grants=grants,
        releases=tuple(releases.values()),
        refusals=view.refusals_by(party_id),
        expiring=tuple(h.grant.grant_id for h in grants if _ends_soon(h, at)),
        pending=tuple(h.grant.grant_id for h in grants if _pending(h, at)),
    )


def _ends_soon(history: GrantHistory, at: datetime) -> bool:
    end = history.grant.not_after
    return end is not None and at < end <= at + SOON and history.state(at).alive(at)


def _pending(history: GrantHistory, at: datetime) -> bool:
    known = [e.event.kind for e in history.events if e.recorded_at <= at]
    return bool(known) and known[-1] in (EventKind.REQUESTED, EventKind.DEFERRED)


def _grant(history: GrantHistory, at: datetime) -> dict[str, Any]:
    grant, state = history.grant, history.state(at)
    status = state.status(at)
    return {
        "grant_id": grant.grant_id,
        "voice_id": grant.voice_id,
        "status": str(status.kind) if status is not None else "never given",
        "titles": list(grant.title_ids),
        "languages": list(grant.languages),
        "territories": list(grant.territories),
        "territories_excluded": list(grant.territories_excluded),
        "channels": [str(c) for c in grant.channels],
        "techniques": [str(t) for t in grant.techniques],
        "from": iso(grant.not_before),
        "until": iso(grant.not_after) if grant.not_after else None,
        "uses_spent": state.uses_spent,
        "minutes_spent": state.minutes_spent,
        "intended_use": grant.intended_use,
        "signed": history.signed,
    }


def _use(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "decided_at": iso(release.decided_at),
        "decision": str(release.decision),
        "title_id": release.title_id,
        "language": release.language,
        "territories": list(release.territories),
        "channels": [str(c) for c in release.channels],
        "from": iso(release.window.start),
        "until": iso(release.window.end) if release.window.end else None,
        "label": release.label,
        "certificate_sha256": release.certificate_sha256,
    }


def to_csv(report: Report) -> str:
    """One row a use; a cell that a spreadsheet would run as a formula starts with an apostrophe."""
    rows: Sequence[dict[str, Any]] = report.data()["uses"]
    fields = list(_use_fields())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(fields)
    writer.writerows([_cell(row[field]) for field in fields] for row in rows)
    return out.getvalue()


def _use_fields() -> tuple[str, ...]:
    decided = ("release_id", "decided_at", "decision", "title_id", "language", "territories")
    return (*decided, "channels", "from", "until", "label", "certificate_sha256")


def _cell(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def to_html(report: Report) -> str:
    """One self-contained page that prints well; every value is escaped."""
    return str(_page().render(subject=report.subject, **report.data()))


@cache
def _page() -> Any:
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("consent").joinpath("report.html").read_text(encoding="utf-8"))
