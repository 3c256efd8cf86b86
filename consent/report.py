"""The report for a performer or a rights holder: everything done with their voice or title, as data, HTML or CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from consent import report_lines as lines
from consent.approvals import Approval
from consent.checkpoint import Checkpoint
from consent.denials import GrantHistory
from consent.entries import iso
from consent.errors import RecordError
from consent.releases import Release
from consent.report_lines import Line, Proofs, of_kind
from consent.titles import Claim, Refusal
from consent.views import View
from consent.voices import Voice

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ALIVE = frozenset({"given", "renewed", "resumed", "standing", "contested", "unconfirmed"})


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
    lines: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Plain data, for JSON and for the page; each line carries its inclusion proof against the checkpoint."""
        head = Checkpoint(self.origin, self.ledger_size, bytes.fromhex(self.ledger_root))
        return {
            "schema": "consent-report/1.1",
            "party_id": self.party_id,
            "at": iso(self.at),
            "ledger": {
                "origin": self.origin,
                "entries": self.ledger_size,
                "root": self.ledger_root,
                "checkpoint": head.body(),
            },
            "expiring_within_90_days": list(self.expiring),
            "pending": list(self.pending),
            **self.lines,
        }


def report_for(view: View, party_id: str, *, at: datetime, origin: str, size: int, root: str, subject: str) -> Report:
    """Collect what concerns a party: its voices, the titles that it holds, its refusals.

    Raises:
        RecordError: no such party.
    """
    if view.party(party_id) is None:
        raise RecordError(f"no party {party_id!r} is registered")
    found = _Concern(view, party_id, at, Proofs(view.store, size))
    collected = found.collected()
    return Report(
        party_id=party_id,
        subject=subject,
        at=at,
        origin=origin,
        ledger_size=size,
        ledger_root=root,
        grants=tuple(h for _, h in found.grants),
        releases=tuple(r for _, r in found.releases),
        refusals=tuple(r for _, r in found.refusals),
        expiring=tuple(line["id"] for line in collected["expiring"]),
        pending=tuple(line["id"] for line in collected["awaiting"]),
        lines=collected,
    )


class _Concern:
    """Everything in one snapshot of the registry that concerns a party."""

    def __init__(self, view: View, party_id: str, at: datetime, proofs: Proofs) -> None:
        self.view, self.at, self.proofs = view, at, proofs
        own = [f"party:{party_id}"]
        self.voices = [v for _, v in of_kind(view, own, Voice) if party_id in (v.owner_id, *v.agent_ids)]
        self.claims = [(e, c) for e, c in of_kind(view, own, Claim) if party_id in c.holder_ids]
        held = {c.title_id for e, c in self.claims if lines.claim_counts(view, e, c, at)}
        self.titles = view.titles_under(sorted(held))
        self.own = [*own, *(f"voice:{v.voice_id}" for v in self.voices)]
        self.title_keys = [f"title:{t}" for t in self.titles]
        self.grants = lines.grants_of(view, [v.voice_id for v in self.voices])
        self.releases = of_kind(view, [*self.own, *self.title_keys], Release)
        self.refusals = [(e, r) for e, r in of_kind(view, own, Refusal) if r.by == party_id]
        by_party = [(e, a) for e, a in of_kind(view, own, Approval) if party_id in (a.by, a.for_holder_id)]
        approvals = {e.leaf_index: (e, a) for e, a in [*of_kind(view, self.title_keys, Approval), *by_party]}
        self.approvals = [approvals[index] for index in sorted(approvals)]

    def collected(self) -> dict[str, Any]:
        """The report's lists of lines."""
        view, at, proof = self.view, self.at, self.proofs.of
        voice_ids = [v.voice_id for v in self.voices]
        grants = [lines.grant_line(h, at) | {"proof": proof(e)} for e, h in self.grants]
        uses = [lines.use_line(r, voice_ids, at) | {"proof": proof(e)} for e, r in self.releases]
        approvals = [lines.approval_line(view, a, at) | {"proof": proof(e)} for e, a in self.approvals]
        claims = [lines.claim_line(view, e, c, at) | {"proof": proof(e)} for e, c in self.claims]
        voices = [lines.voice_line(view, v, at, self.proofs) for v in self.voices]
        named = {t for line in grants for t in line["titles"]} | {
            line["title_id"] for line in (*uses, *claims, *approvals)
        }
        return {
            "titles": lines.title_names(view, sorted(named | set(self.titles))),
            "summary": _summary(uses),
            "expiring": list(self._expiring(grants, approvals, claims, voices)),
            "awaiting": list(self._awaiting(claims, voices)),
            "grants": grants,
            "uses": uses,
            "approvals": approvals,
            "claims": claims,
            "voices": voices,
            "refusals": [lines.refusal_line(view, e, r, at) | {"proof": proof(e)} for e, r in self.refusals],
            "history": lines.history_lines(view, self.own, self.title_keys, at, self.proofs),
        }

    def _expiring(
        self, grants: list[Line], approvals: list[Line], claims: list[Line], voices: list[Line]
    ) -> Iterator[Line]:
        """What stands and ends within 90 days, soonest first."""
        permissions = [p for v in voices for p in v["permissions"]]
        kinds = (
            ("grant", "grant_id", "until", grants),
            ("approval", "approval_id", "expires_at", approvals),
            ("claim", "claim_id", "until", claims),
            ("permission", "permission_id", "until", permissions),
        )
        found = [
            ending
            for kind, own_id, end, rows in kinds
            for row in rows
            for ending in lines.ending_soon(kind, row[own_id], row[end], row["status"] in _ALIVE, self.at)
        ]
        yield from sorted(found, key=lambda line: line["ends_at"])

    def _awaiting(self, claims: list[Line], voices: list[Line]) -> Iterator[Line]:
        """What waits for somebody's word: consents asked for, recordings to confirm, claims that do not count yet."""
        for _, history in self.grants:
            yield from lines.grant_waits(history, self.at)
        for voice in voices:
            for row in voice["enrolments"]:
                if row["standing"] and not row["confirmed"]:
                    what = "is this recording of your voice? until you or an agent confirm it, a match is unknown"
                    since = row["proof"]["recorded_at"]
                    yield {"kind": "enrolment", "id": row["enrolment_id"], "since": since, "what": what}
        for row in claims:
            if row["status"] in ("contested", "unconfirmed"):
                since = row["proof"]["recorded_at"]
                yield {"kind": "claim", "id": row["claim_id"], "since": since, "what": row["status"]}


def _summary(uses: list[Line]) -> dict[str, Any]:
    """The uses in numbers: by decision, and where and how those that were released are heard."""
    released = [u for u in uses if u["decision"] == "release"]
    return {
        "decisions": dict(sorted(Counter(u["decision"] for u in uses).items())),
        "live": sum(u["live"] for u in uses),
        "languages": _all(u["language"] for u in released),
        "territories": _all(t for u in released for t in u["territories"]),
        "channels": _all(c for u in released for c in u["channels"]),
        "labels": _all(u["label"] for u in released if u["label"]),
        "without_label": sum(not u["label"] for u in released),
    }


def _all(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def to_csv(report: Report) -> str:
    """One row a use; a cell that a spreadsheet would run as a formula starts with an apostrophe."""
    return uses_csv(report.data()["uses"])


def uses_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The lines of uses as CSV."""
    fields = list(_use_fields())
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*fields, "grants", "ledger_entry", "leaf_hash"])
    for row in rows:
        grants = [v["grant_id"] for v in row["voices"] if v["grant_id"]]
        extra = (grants, row["proof"]["entry"], row["proof"]["leaf_hash"])
        writer.writerow([_cell(value) for value in (*(row[f] for f in fields), *extra)])
    return out.getvalue()


def _use_fields() -> tuple[str, ...]:
    decided = ("release_id", "decided_at", "decision", "title_id", "language", "territories", "territories_excluded")
    return (*decided, "channels", "from", "until", "live", "label", "reasons", "approvals", "certificate_sha256")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = " ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return "'" + text if text.lstrip(" \n").startswith(_FORMULA) else text


def to_html(report: Report) -> str:
    """One self-contained page that prints well; every value is escaped."""
    return str(_page().render(subject=report.subject, **report.data()))


@cache
def _page() -> Any:
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(files("consent").joinpath("report.html").read_text(encoding="utf-8"))
