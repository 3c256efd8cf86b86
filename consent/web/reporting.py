"""What a report shows: the uses, consents and approvals of a period that concern a visitor, for a title, a voice or all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from consent.approvals import Approval
from consent.releases import Release
from consent.report_lines import Proofs, approval_line, grant_line, grants_of, of_kind, use_line
from consent.views import View
from consent.web import scope
from consent.web.catalogue import word
from consent.web.visiting import Visitor
from consent.web.wording import spoken

MOST = 5_000


@dataclass(frozen=True, slots=True)
class Chosen:
    """A period `[since, until)`, and one title or voice, or everything of the visitor's."""

    since: datetime
    until: datetime
    title: str = ""
    voice: str = ""

    def query(self) -> str:
        """The same choice in an address."""
        days = {"since": self.since.date().isoformat(), "title": self.title, "voice": self.voice}
        return urlencode({k: v for k, v in days.items() if v})


@dataclass(frozen=True, slots=True)
class Found:
    """The lines of a report; `cut` where there were more uses than are shown."""

    uses: list[dict[str, Any]]
    grants: list[dict[str, Any]]
    approvals: list[dict[str, Any]]
    titles: tuple[str, ...]
    voices: tuple[str, ...]
    cut: bool


def chosen_lines(view: View, who: Visitor, chosen: Chosen, *, proofs: bool = False) -> Found:
    """Everything of the period that concerns the visitor, the newest first."""
    voices = [v.voice_id for v in scope.voices_of(view, who)] if who.performer and not chosen.title else []
    voices = [chosen.voice] if chosen.voice else voices
    held = sorted(scope.held_by(view, who)) if not chosen.voice else []
    titles = [chosen.title] if chosen.title else held
    proof = Proofs(view.store, view.store.size())
    keys = [*(f"voice:{v}" for v in voices), *(f"title:{t}" for t in titles)]
    releases = _within(view, keys, chosen)
    uses = [_with(use_line(r, voices, view.now), proof, e, proofs) for e, r in releases[:MOST]]
    grants = [_with(grant_line(h, view.now), proof, e, proofs) for e, h in grants_of(view, voices)]
    named = of_kind(view, (f"title:{t}" for t in titles), Approval) if titles else []
    own = [(e, a) for e, a in named if who.ids & {a.by, a.for_holder_id} and _in(a.signed_at, chosen)]
    approvals = [_with(approval_line(view, a, view.now), proof, e, proofs) for e, a in own]
    return Found(uses, grants, approvals, tuple(titles), tuple(voices), len(releases) > MOST)


def _within(view: View, keys: Sequence[str], chosen: Chosen) -> list[tuple[Any, Release]]:
    found: dict[int, tuple[Any, Release]] = {}
    for key in keys:
        for entry in view.store.latest(key, Release, MOST + 1):
            if entry.recorded_at < chosen.since:
                break
            if isinstance(r := entry.record, Release) and _in(r.decided_at, chosen):
                found[entry.leaf_index] = (entry, r)
    return [found[index] for index in sorted(found, reverse=True)]


def _in(moment: datetime, chosen: Chosen) -> bool:
    return chosen.since <= moment < chosen.until


def _with(line: dict[str, Any], proof: Proofs, entry: Any, proofs: bool) -> dict[str, Any]:
    own = proof.of(entry) if proofs else {"entry": entry.leaf_index, "leaf_hash": entry.leaf_hash}
    return line | {"proof": own}


def counted(uses: Iterable[dict[str, Any]], field: str, language: str) -> list[tuple[str, int]]:
    """How many uses there are of each value of a field; a time counts for its month."""
    counts = Counter(str(u[field])[:7] if field == "decided_at" else str(u[field]) for u in uses)
    named = {"decision": lambda v: word("decision_of", v, language), "language": lambda v: spoken(v, language)}
    known = sorted(counts.items()) if field == "decided_at" else counts.most_common(8)
    return [(named.get(field, str)(value), n) for value, n in known][-12:]
