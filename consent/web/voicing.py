"""A performer's consents in plain words: each grant as sentences, what ends soon, and what waits to be confirmed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.denials import GrantHistory
from consent.entries import Entry, iso
from consent.report_lines import of_kind
from consent.terms import Grant
from consent.views import View
from consent.vocabulary import EventKind
from consent.voices import Enrolment, Voice
from consent.web.catalogue import text, word
from consent.web.scope import history_of, newest_grants, title_names, told_name
from consent.web.wording import places_short, since, spoken, until

MOST_GLANCED = 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """A grant in plain words: who may do what, where, until when; and how it stands now."""

    grant_id: str
    voice_id: str
    status: str
    stands: bool
    suspended: bool
    sentences: tuple[str, ...]
    until: datetime | None


def told_grant(view: View, history: GrantHistory, language: str) -> Told:
    """A grant for people."""
    grant, state = history.grant, history.state(view.now).status(view.now)
    over = grant.not_after is not None and grant.not_after <= view.now
    status = "over" if over else "waiting" if state is None else str(state.kind)
    stands = not over and state is not None and state.alive
    suspended = not over and state is not None and state.kind is EventKind.SUSPENDED
    said = tuple(_sentences(view, grant, language))
    return Told(grant.grant_id, grant.voice_id, status, stands, suspended, said, grant.not_after)


def _sentences(view: View, grant: Grant, language: str) -> Iterable[str]:
    joint = "、" if language == "ja" else ", "
    names = title_names(view, grant.title_ids)
    who = told_name(view, grant.licensee_id) if grant.licensee_id else text("grant.anybody", language)
    yield text(
        "grant.may",
        language,
        who=who,
        how=joint.join(word("technique", t, language) for t in grant.techniques),
        titles=joint.join(names.get(t, t) for t in grant.title_ids),
        spoken=joint.join(spoken(tag, language) for tag in grant.languages),
    )
    yield text(
        "grant.where",
        language,
        channels=joint.join(word("channel", c, language) for c in grant.channels),
        places=places_short(grant.territories, grant.territories_excluded, language),
        start=since(grant.not_before, language),
        end=until(grant.not_after, language),
    )
    if grant.characters:
        yield text("grant.characters", language, names=joint.join(grant.characters))
    if grant.max_uses is not None or grant.max_minutes is not None:
        yield text("grant.metered", language, uses=grant.max_uses or "–", minutes=grant.max_minutes or "–")
    key = "grant.irrevocable" if not grant.revocation.revocable else f"grant.effect.{grant.revocation.effect}"
    yield text(key, language)


def grants_told(view: View, voice_id: str, language: str, *, start: int = 0, most: int = 25) -> list[Told]:
    """Some grants of a voice, the newest first, those that stand before the others."""
    told = [told_grant(view, h, language) for h in newest_grants(view, voice_id, start, most)]
    return sorted(told, key=lambda g: (not g.stands, not g.suspended))


def ending_soon(view: View, voices: Iterable[Voice], now: str, until: str) -> list[dict[str, Any]]:
    """What stands and ends within the time, soonest first; of the grants only these are read."""
    entries = view.store.newest([f"voice:{v.voice_id}" for v in voices], Grant, MOST_GLANCED)
    soon = [e for e in entries if now < _ends(e) <= until]
    found = []
    for entry in soon:
        grant = entry.record
        if isinstance(grant, Grant) and history_of(view, entry, grant).state(view.now).alive(view.now):
            found.append({"grant_id": grant.grant_id, "voice_id": grant.voice_id, "ends_at": grant.not_after})
    return sorted(found, key=lambda line: line["ends_at"])


def _ends(entry: Entry) -> str:
    """When a grant's term ends, as text that sorts; empty where it has no end."""
    end = json.loads(entry.body).get("not_after")
    return iso(datetime.fromisoformat(end)) if end else ""


def unconfirmed(view: View, voice_id: str) -> list[Enrolment]:
    """The recordings of a voice that its owner or agent has neither confirmed nor rejected."""
    who = view.spokespeople(voice_id)
    return [e for e in view.standing_enrolments(voice_id, view.now) if not _confirmed(view, e, who)]


def _confirmed(view: View, enrolment: Enrolment, who: frozenset[str]) -> bool:
    said = view.events(f"enrolment:{enrolment.enrolment_id}")
    by = {e.event.by for e in said if e.event.kind is EventKind.CONFIRMED and e.counts(view.now)}
    return bool(who & (by | {enrolment.confirmed_by}))


def hits_of(view: View, voice_id: str) -> list[dict[str, Any]]:
    """Deliveries in which this voice was heard without a grant, the newest first."""
    events = view.events(f"voice:{voice_id}")
    heard = [e for e in events if e.event.kind is EventKind.HEARD and e.event.ref]
    return [{"sound": e.event.ref, "at": e.recorded_at, "words": e.event.reason} for e in reversed(heard)]


def enrolment_of(view: View, enrolment_id: str) -> Enrolment | None:
    """An enrolment by its id."""
    found = [r for _, r in of_kind(view, [f"enrolment:{enrolment_id}"], Enrolment)]
    return found[0] if found else None
