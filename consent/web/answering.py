"""Which findings of a delivery concern a visitor by their own voice: it was hit in it, or its character is cast with it."""

from __future__ import annotations

from collections.abc import Collection

from consent.views import View
from consent.web import scope
from consent.web.protocols import Dossier, Finding, Judge
from consent.web.visiting import Visitor

_OPEN = ("unknown", "hold", "block")
MOST_PLACES = 5  # of a finding that its voice's owner may hear; each is an excerpt


def own_voices(view: View, who: Visitor) -> frozenset[str]:
    """The voices that the visitor speaks for."""
    return frozenset(v.voice_id for v in scope.voices_of(view, who))


def concerns(found: Finding, dossier: Dossier, voices: Collection[str]) -> bool:
    """Whether a finding is about one of these voices; a hit is its voice's owner's alone, whoever is cast there."""
    if found.voice_id is not None:
        return found.voice_id in voices
    return any(set(c.voice_ids) & set(voices) for c in dossier.cast if c.character == found.name)


def own_findings(view: View, who: Visitor, judge: Judge, dossier: Dossier) -> tuple[Finding, ...]:
    """What the visitor may answer by ear about a delivery, since it is their own voice that is in question."""
    judged, voices = judge.last(dossier.summary.delivery_id), own_voices(view, who)
    found = judged.findings if judged is not None and voices else ()
    return tuple(f for f in found if f.outcome in _OPEN and "attest" in f.answers and concerns(f, dossier, voices))


def may_hear(start_s: float, end_s: float, findings: Collection[Finding]) -> bool:
    """Whether a stretch lies inside a place of one of these findings."""
    return any(a <= start_s and end_s <= b + 0.05 for f in findings for a, b in f.spans[:MOST_PLACES])
