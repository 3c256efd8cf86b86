"""What concerns a visitor: their voices, the titles that they hold, what they were asked. What does not is not there."""

from __future__ import annotations

from collections.abc import Iterable

from consent.approvals import Approval
from consent.asking import request_histories
from consent.denials import GrantHistory
from consent.entries import Entry
from consent.events import Event
from consent.parties import Party
from consent.report_lines import claim_counts, of_kind
from consent.requests import Request, RequestHistory
from consent.signatures import author_of
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title, TitleRecord
from consent.views import View
from consent.voices import Voice
from consent.web.protocols import Summary
from consent.web.visiting import NotYoursError, Visitor

MOST_REQUESTS = 500


def voices_of(view: View, who: Visitor) -> tuple[Voice, ...]:
    """The voices for which the visitor speaks."""
    found = of_kind(view, [f"party:{who.party_id}"], Voice)
    return tuple(v for _, v in found if who.party_id in (v.owner_id, *v.agent_ids))


def voice_of(view: View, who: Visitor, voice_id: str) -> Voice:
    """One of the visitor's voices.

    Raises:
        NotYoursError: there is none of this id among them.
    """
    voice = view.record_of_voice(voice_id)
    if voice is None or who.party_id not in (voice.owner_id, *voice.agent_ids):
        raise NotYoursError
    return voice


def grant_of(view: View, who: Visitor, grant_id: str) -> GrantHistory:
    """A grant that the visitor may speak for.

    Raises:
        NotYoursError: there is none of this id.
    """
    found = [(e, g) for e, g in of_kind(view, [f"grant:{grant_id}"], Grant) if g.grant_id == grant_id]
    if not found or who.party_id not in view.concerned(found[0][1]):
        raise NotYoursError
    return history_of(view, *found[0])


def history_of(view: View, entry: Entry, grant: Grant) -> GrantHistory:
    """A grant with its events."""
    events, signed = view.events(f"grant:{grant.grant_id}"), entry.envelope is not None
    return GrantHistory(grant, entry.recorded_at, events, signed, view.discredited_at(entry))


def newest_grants(view: View, voice_id: str, start: int, most: int) -> list[GrantHistory]:
    """Some grants of a voice, the newest first, with one question for the events of all of them."""
    entries = view.store.newest([f"voice:{voice_id}"], Grant, start + most)[start:]
    known = [(e, g) for e in entries if isinstance(g := e.record, Grant)]
    view.store.entries_of([f"grant:{g.grant_id}" for _, g in known], Event)
    return [history_of(view, e, g) for e, g in known]


def held_by(view: View, who: Visitor) -> frozenset[str]:
    """The titles on which the visitor has a claim that counts: it stands, and a second operator confirmed it."""
    if not who.holder:
        return frozenset()
    found = of_kind(view, [f"party:{p}" for p in who.ids], Claim)
    mine = ((e, c) for e, c in found if who.ids & set(c.holder_ids))
    return frozenset(c.title_id for e, c in mine if claim_counts(view, e, c, view.now))


def held_titles(view: View, who: Visitor) -> list[str]:
    """The titles that the visitor holds, with all that belong to them, by name."""
    tree = who.desk.titles
    tree.refresh(view)
    return tree.under(held_by(view, who))


def title_of(view: View, who: Visitor, title_id: str) -> TitleRecord:
    """A title that the visitor holds, itself or by what stands above it.

    Raises:
        NotYoursError: there is none of this id.
    """
    title = view.title(title_id) if ":" not in title_id else None
    if title is None or not held_by(view, who) & set(title.title_ids):
        raise NotYoursError
    return title


def request_of(view: View, who: Visitor, request_id: str) -> RequestHistory:
    """A request that the visitor was asked, or that its house asked.

    Raises:
        NotYoursError: there is none of this id.
    """
    found = [h for h in request_histories(view, f"request:{request_id}") if h.request.request_id == request_id]
    if not found or not who.ids & {found[0].request.to, found[0].request.asked_by}:
        raise NotYoursError
    return found[0]


def asked_of(view: View, who: Visitor) -> tuple[RequestHistory, ...]:
    """The newest requests to the visitor or its house, the newest first."""
    entries = view.store.newest([f"party:{p}" for p in sorted(who.ids)], Request, MOST_REQUESTS)
    known = [(e, r) for e in entries if isinstance(r := e.record, Request) and r.to in who.ids]
    view.store.entries_of([f"request:{r.request_id}" for _, r in known], Event)  # one question for all of them
    histories = (RequestHistory(r, e.recorded_at, view.events(f"request:{r.request_id}")) for e, r in known)
    return tuple(sorted(histories, key=lambda h: h.request.asked_at, reverse=True))


def asked_about(view: View, who: Visitor, packets_sha256: str) -> bool:
    """Whether the visitor or its house was asked about this very sound."""
    return any(h.request.to in who.ids for h in request_histories(view, f"sound:{packets_sha256}"))


def waiting_for(view: View, who: Visitor) -> tuple[RequestHistory, ...]:
    """The requests that wait for the visitor's answer, the newest first."""
    return tuple(h for h in asked_of(view, who) if h.waiting(view.now))


def delivery_of(who: Visitor, asked: Request) -> str:
    """The delivery of the sound that a request is about; empty where no gate knows one. It tells like requests apart."""
    judge = who.desk.judge
    return (judge.of_sound(asked.release.packets_sha256) if judge is not None else None) or ""


def approval_of(view: View, who: Visitor, approval_id: str) -> Approval:
    """An approval by the visitor's house.

    Raises:
        NotYoursError: there is none of this id.
    """
    approval = view.record(f"approval:{approval_id}", Approval)
    if approval is None or not who.ids & {approval.by, approval.for_holder_id}:
        raise NotYoursError
    return approval


def may_review(view: View, who: Visitor, summary: Summary) -> bool:
    """Whether a delivery is for this reviewer: of its house, of a title that its house holds, or it was asked."""
    if not who.reviewer:
        return False
    submitter = view.party(summary.submitted_by)
    if submitter is not None and submitter.house_id in who.ids:
        return True
    title = view.title(summary.title_id) if summary.title_id else None
    claims = view.claims(title) if title is not None else ()
    if any(set(h.claim.holder_ids) & who.ids and h.stands(view.now) and h.confirmed(view.now) for h in claims):
        return True
    return asked_about(view, who, summary.packets_sha256)


def may_hear_all(view: View, who: Visitor, summary: Summary) -> bool:
    """Whether somebody may hear and see a whole delivery: its reviewers, who holds the title, and who submitted it."""
    if may_review(view, who, summary) or (who.vendor and summary.submitted_by in who.ids):
        return True
    title = view.title(summary.title_id) if summary.title_id else None
    return title is not None and bool(held_by(view, who) & set(title.title_ids))


def title_names(view: View, title_ids: Iterable[str]) -> dict[str, str]:
    """The names of titles by their ids."""
    return {t.title_id: t.name for _, t in of_kind(view, (f"title:{i}" for i in title_ids), Title)}


def may_take(who: Visitor, record: Record) -> bool:
    """Whether the visitor takes home what was signed: their own words, and their house's of its titles. What an agency says
    of another performer's voice is not a colleague's."""
    author = author_of(record)
    of_titles = isinstance(record, Approval | Refusal) or (
        isinstance(record, Event) and record.target in ("approval", "refusal")
    )
    return author is not None and (author[0] == who.party_id or (of_titles and author[0] in who.ids))


def told_name(view: View, party_id: str) -> str:
    """The name under which a party stands in what is signed: a person's id, since no name can be taken out of the ledger."""
    party = view.party(party_id)
    return party_id if party is None or party.person else name_of(view, party_id, Party)


def name_of(view: View, party_id: str, kind: type[Record]) -> str:
    """A party's name where the registry may read it, else its id."""
    personal = view.personal(f"party:{party_id}", kind) if view.store.keyring is not None else None
    return personal.name if personal is not None else party_id
