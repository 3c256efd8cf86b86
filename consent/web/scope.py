"""What concerns a visitor: their voices, the titles that they hold, what they were asked. What does not is not there."""

from __future__ import annotations

from collections.abc import Iterable

from consent.approvals import Approval
from consent.asking import request_histories
from consent.denials import GrantHistory
from consent.releases import Release
from consent.report_lines import claim_counts, of_kind
from consent.requests import RequestHistory
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Claim, Title, TitleRecord
from consent.views import View
from consent.voices import Voice
from consent.web.protocols import Summary
from consent.web.visiting import NotYoursError, Visitor


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
    grant = view.record(f"grant:{grant_id}", Grant)
    if grant is None or who.party_id not in view.concerned(grant):
        raise NotYoursError
    return next(h for h in view.grants(grant.voice_id) if h.grant.grant_id == grant_id)


def held_by(view: View, who: Visitor) -> frozenset[str]:
    """The titles on which the visitor has a claim that counts: it stands, and a second operator confirmed it."""
    if not who.holder:
        return frozenset()
    found = of_kind(view, [f"party:{p}" for p in who.ids], Claim)
    mine = ((e, c) for e, c in found if who.ids & set(c.holder_ids))
    return frozenset(c.title_id for e, c in mine if claim_counts(view, e, c, view.now))


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
    """Every request to the visitor or its house, the newest first."""
    found = {h.request.request_id: h for p in who.ids for h in request_histories(view, f"party:{p}")}
    mine = (h for h in found.values() if h.request.to in who.ids)
    return tuple(sorted(mine, key=lambda h: h.request.asked_at, reverse=True))


def waiting_for(view: View, who: Visitor) -> tuple[RequestHistory, ...]:
    """The requests that wait for the visitor's answer, the newest first."""
    return tuple(h for h in asked_of(view, who) if h.waiting(view.now))


def approval_of(view: View, who: Visitor, approval_id: str) -> Approval:
    """An approval by the visitor's house.

    Raises:
        NotYoursError: there is none of this id.
    """
    approval = view.record(f"approval:{approval_id}", Approval)
    if approval is None or not who.ids & {approval.by, approval.for_holder_id}:
        raise NotYoursError
    return approval


def may_see_release(view: View, who: Visitor, release: Release) -> bool:
    """Whether a decision concerns the visitor: one of their voices is in it, or it is of a title that they hold."""
    mine = {v.voice_id for v in voices_of(view, who)} & {v.voice_id for v in release.voices}
    if mine:
        return True
    title = view.title(release.title_id)
    return title is not None and bool(held_by(view, who) & set(title.title_ids))


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
    asked = request_histories(view, f"sound:{summary.packets_sha256}")
    return any(h.request.to in who.ids for h in asked)


def may_hear_all(view: View, who: Visitor, summary: Summary) -> bool:
    """Whether somebody may hear and see a whole delivery: its reviewers, who holds the title, and who submitted it."""
    if may_review(view, who, summary) or (who.vendor and summary.submitted_by in who.ids):
        return True
    title = view.title(summary.title_id) if summary.title_id else None
    return title is not None and bool(held_by(view, who) & set(title.title_ids))


def title_names(view: View, title_ids: Iterable[str]) -> dict[str, str]:
    """The names of titles by their ids."""
    return {t.title_id: t.name for _, t in of_kind(view, (f"title:{i}" for i in title_ids), Title)}


def name_of(view: View, party_id: str, kind: type[Record]) -> str:
    """A party's name where the registry may read it, else its id."""
    personal = view.personal(f"party:{party_id}", kind) if view.store.keyring is not None else None
    return personal.name if personal is not None else party_id
