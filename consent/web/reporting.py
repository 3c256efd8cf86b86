"""What a report shows: the uses, consents and approvals of a period that concern a visitor, for a title, a voice or all.

A page reads only what it shows: of the other uses it knows day, decision and language at a glance, each read once.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from consent.approvals import Approval
from consent.entries import Entry, iso
from consent.events import Event
from consent.releases import Release
from consent.report_lines import Proofs, approval_line, grant_line, use_line
from consent.terms import Grant
from consent.views import View
from consent.web import scope
from consent.web.catalogue import word
from consent.web.glancing import Glance
from consent.web.visiting import Visitor
from consent.web.wording import spoken

ON_PAGE, IN_FILE = 2_000, 20_000
A_PAGE, AT_ONCE = 50, 200
Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A period `[since, until)`, and one title or voice, or everything of the visitor's.

    `last` is the last day of the period where somebody chose one; else it goes on until now.
    """

    since: datetime
    until: datetime
    title: str = ""
    voice: str = ""
    last: str = ""

    def query(self) -> str:
        """The same choice in an address."""
        said = {"since": self.since.date().isoformat(), "until": self.last, "title": self.title, "voice": self.voice}
        return urlencode({k: v for k, v in said.items() if v})


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of a report; `every` are the uses of the period at a glance, `uses` those that are shown."""

    every: list[Glance]
    uses: Lines
    grants: Lines
    approvals: Lines
    titles: tuple[str, ...]
    voices: tuple[str, ...]
    cut: bool
    n_live: int  # of the uses: released, and still in their window
    n_grants: int


def chosen_lines(view: View, who: Visitor, chosen: Chosen, *, start: int = 0, proofs: bool = False) -> Found:
    """Everything of the period that concerns the visitor, the newest first; with `proofs`, all of it, for a file."""
    voices = [v.voice_id for v in scope.voices_of(view, who)] if who.performer and not chosen.title else []
    voices = [chosen.voice] if chosen.voice else voices
    held = scope.held_titles(view, who) if not chosen.voice else []
    titles = [chosen.title] if chosen.title else held
    most = IN_FILE if proofs else ON_PAGE
    keys = [*(f"voice:{v}" for v in voices), *(f"title:{t}" for t in titles)]
    places = view.store.newest_places(keys, Release, most + 1)
    every = [g for g in who.desk.glances.of(view.store, places) if chosen.since <= g.recorded_at < chosen.until]
    shown, every = every[:most] if proofs else every[start : start + A_PAGE], every[:most]
    part = view.store.at_places([g.place for g in shown])
    line = _Lines(view, Proofs(view.store, view.store.size()) if proofs else None)
    limit = IN_FILE if proofs else A_PAGE
    return Found(
        every=every,
        uses=[line.of(e, lambda r: use_line(r, voices, view.now)) for e in part],
        grants=_grants(view, voices, line, limit),
        approvals=_approvals(view, who, titles, chosen, line, limit),
        titles=tuple(held),
        voices=tuple(voices),
        cut=len(places) > most,
        n_live=sum(g.live(view.now) for g in every),
        n_grants=sum(view.store.count(f"voice:{v}", Grant) for v in voices),
    )


@dataclass(frozen=True, slots=True)
class _Lines:
    view: View
    proofs: Proofs | None

    def of(self, entry: Entry, line: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """A line with its place in the ledger, or its whole proof."""
        place = {"entry": entry.leaf_index, "leaf_hash": entry.leaf_hash}
        return line(entry.record) | {"proof": place if self.proofs is None else self.proofs.of(entry)}


def _grants(view: View, voices: Sequence[str], line: _Lines, limit: int) -> Lines:
    entries = view.store.newest([f"voice:{v}" for v in voices], Grant, limit)
    known = (e.record for e in entries)
    view.store.entries_of([f"grant:{g.grant_id}" for g in known if isinstance(g, Grant)], Event)  # one question for all
    return [line.of(e, lambda g: grant_line(scope.history_of(view, e, g), view.now)) for e in entries]  # noqa: B023


def _approvals(view: View, who: Visitor, titles: Sequence[str], chosen: Chosen, line: _Lines, limit: int) -> Lines:
    places = view.store.newest_places([f"title:{t}" for t in titles], Approval, IN_FILE)
    found = (
        e for start in range(0, len(places), AT_ONCE) for e in view.store.at_places(places[start : start + AT_ONCE])
    )
    own = itertools.islice((e for e in found if _is_own(e, who, chosen)), limit)
    return [line.of(e, lambda a: approval_line(view, a, view.now)) for e in own]


def _is_own(entry: Entry, who: Visitor, chosen: Chosen) -> bool:
    """Whether an approval was signed by the visitor or for its house, within the period."""
    a = entry.record
    return (
        isinstance(a, Approval)
        and bool(who.ids & {a.by, a.for_holder_id})
        and chosen.since <= a.signed_at < chosen.until
    )


def counted(uses: Iterable[Glance], field: str, language: str) -> list[tuple[str, int]]:
    """How many uses there are of each value of a field; a time counts for its month."""
    counts = Counter(u.decided_at[:7] if field == "decided_at" else str(getattr(u, field)) for u in uses)
    named: dict[str, Callable[[str], str]] = {
        "decision": lambda v: word("decision_of", v, language),
        "language": lambda v: spoken(v, language),
    }
    known = sorted(counts.items()) if field == "decided_at" else counts.most_common(8)
    return [(named.get(field, str)(value), n) for value, n in known][-12:]


__all__ = ["A_PAGE", "Chosen", "Found", "chosen_lines", "counted", "iso"]
