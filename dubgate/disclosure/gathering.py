"""Gathers what may be told of a delivery: asks the registry and opens what was signed, over the sound that lies there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from consent.approvals import Approval, Candidate, approval_denials
from consent.asking import request_histories
from consent.parties import Party
from consent.views import View
from consent.vocabulary import ApprovalDecision
from dubgate.answers import ATTESTATIONS, CONFIRMATIONS, SIGN_OFFS, circumstances_of, ruled_packs, verified
from dubgate.approved_parts import script_sha256_of
from dubgate.approving import Sounds
from dubgate.choosing_packs import destination_of, packs_for
from dubgate.clearing import Release, candidate_over, clearances_of, directed, human_refusal, refusals_of, release_of
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_record import CreditRole, Tool
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.delivery.script import CueSheet
from dubgate.disclosure.told import Agreement, Part, Person, Told, ToolTold
from dubgate.gate import QualityRequest, style_of
from dubgate.labels.tracks import Labels
from dubgate.policy.approval_checks import approval_findings, at_hand
from dubgate.policy.evidence import APPROVALS, HUMAN, evidence_files, open_all
from dubgate.policy.findings import Outcome
from dubgate.policy.packs import Pack
from dubgate.policy.request_checks import refused_findings
from dubgate.policy.signed_objects import Circumstances, sorted_out
from dubgate.policy.speakers import Declared
from dubgate.record_confirming import record_confirmations


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at before anything is told: the sounds digested, the script, the labels read back.

    `quality` names the packs that somebody asked for, to which a standing approval may be bound.
    """

    sounds: Sounds
    sheet: CueSheet | None
    labels: Labels
    quality: QualityRequest


Evidence = Mapping[str, tuple[Path, ...]]


def gather(delivery: Delivery, looked: Looked, view: View, at: datetime) -> Told:
    """What is on record of the delivery at `at`; what is not is a gap, never left out."""
    release, found = release_of(delivery, view)
    unknown = tuple(f.text.en for f in found if f.outcome > Outcome.PASS)
    evidence = evidence_files(delivery)[0]
    declared = (
        () if release is None else tuple(_declared(release, e, looked, evidence, view, at) for e in delivery.cast)
    )
    parts = tuple(map(_part, declared)) or tuple(_unplaced(e) for e in delivery.cast)
    approvals, refusals, now = _asked(delivery, release, declared, looked, evidence, view, at)
    record, where = delivery.production, delivery.distribution
    return Told(
        title=delivery.title.name if delivery.title else "",
        language=delivery.dub.language,
        original_language=delivery.original.language,
        style=str(style_of(looked.quality, looked.sheet)),
        parts=parts,
        tools=() if record is None else tuple(map(_tool, record.tools)),
        purposes=() if record is None else tuple(str(p) for p in record.purposes),
        purpose_confirmed=now is not None and _confirmed(delivery, evidence, now, view),
        used_to_train=None if record is None or record.used_to_train is None else tuple(map(str, record.used_to_train)),
        reviews=() if now is None else tuple(_reviews(evidence, now, view)),
        named_reviewers=() if record is None else tuple(dict.fromkeys(r.role for r in record.reviewers)),
        approvals=approvals,
        not_approved=tuple(dict.fromkeys((*unknown, *refusals))),
        labels=tuple(t.name or "" for t in looked.labels.tracks if t.of_the_dub and t.human_readable),
        unlabelled=(*(t.where for t in looked.labels.tracks if not t.human_readable), *looked.labels.unreadable),
        people=_people(delivery, parts),
        territories=() if where is None else where.territories,
        channels=() if where is None else tuple(str(c) for c in where.channels),
        window=None if where is None else (where.window.start, where.window.end),
        packets_sha256=looked.sounds.dub.packet_sha256,
        manifest_sha256=delivery.manifests[0][1],
        as_of=at,
    )


def _tool(tool: Tool) -> ToolTold:
    return ToolTold(tool.name, tool.version, tool.vendor, tool.training_data)


def _asked(
    delivery: Delivery,
    release: Release | None,
    declared: Sequence[Declared],
    looked: Looked,
    evidence: Evidence,
    view: View,
    at: datetime,
) -> tuple[tuple[Agreement, ...], tuple[str, ...], Circumstances | None]:
    """Who approved, why that does not suffice, and what signed objects are held against."""
    if release is None:
        return (), (), None
    chosen = packs_for(
        looked.quality, style_of(looked.quality, looked.sheet), destination_of(delivery, release, declared)
    )
    packs = ruled_packs(chosen, evidence, delivery, view, at)[0].packs
    candidate = _candidate(delivery, release, looked, packs)
    now = circumstances_of(delivery, candidate, packs, looked.sounds.dub.duration_s, view, at)
    return (*_approved(release, candidate, evidence, view, at), now)


def _candidate(delivery: Delivery, release: Release, looked: Looked, packs: Sequence[Pack]) -> Candidate:
    return candidate_over(
        delivery,
        release,
        looked.sounds.dub,
        looked.sounds.original.packet_sha256,
        script_sha256=script_sha256_of(delivery),
        pack_sha256s=tuple(p.sha256 for p in packs),
        style=str(style_of(looked.quality, looked.sheet)),
    )


def _approved(
    release: Release | None, candidate: Candidate, evidence: Evidence, view: View, at: datetime
) -> tuple[tuple[Agreement, ...], tuple[str, ...]]:
    """Who approved exactly this; or nobody, and every reason why the approvals do not suffice."""
    if release is None or release.title is None:
        return (), ("the registry does not know the title",)
    signed, _ = open_all(APPROVALS, evidence.get(APPROVALS.predicate_type, ()), view, at)
    asked = (
        *approval_findings(release.title, candidate, signed, view, at),
        *refused_findings(request_histories(view, f"sound:{candidate.packets_sha256}"), candidate, at),
    )
    reasons = tuple(f.text.en for f in asked if f.outcome > Outcome.WARN)
    if reasons:
        return (), reasons
    known = at_hand(release.title, candidate, signed, view, at)
    counted = [h.approval for h in known if _covers(h.approval) and not approval_denials(h, candidate, at)]
    return tuple(_approval(a, view) for a in counted), () if counted else ("no approval of this sound is on record",)


def _covers(approval: Approval) -> bool:
    return approval.decision is not ApprovalDecision.REJECT


def _approval(approval: Approval, view: View) -> Agreement:
    holder = approval.for_holder_id
    return Agreement(approval.approval_id, "rights_holder", holder, printable(holder, view), approval.signed_at)


def printable(party_id: str, view: View) -> str:
    """The name of an organisation; of a natural person nothing, unless they are credited."""
    party = view.party(party_id)
    if party is None or party.person:
        return ""
    personal = view.personal(f"party:{party_id}", Party)
    return "" if personal is None else personal.name


def _confirmed(delivery: Delivery, evidence: Evidence, now: Circumstances, view: View) -> bool:
    given, _ = verified(CONFIRMATIONS, evidence, view, now.at)
    return bool(record_confirmations(delivery, given, now)[0])


def _reviews(evidence: Evidence, now: Circumstances, view: View) -> Iterator[Agreement]:
    """Who signed that they agree, in a role that their key has, outside the vendor's house; and who answered by ear."""
    agreed, _ = sorted_out(verified(SIGN_OFFS, evidence, view, now.at)[0], now)
    for s in agreed:
        if s.record.answer == "agreed" and s.record.role in s.roles and s.house not in now.vendor_houses:
            name = printable(s.house, view)
            yield Agreement(s.record.record_id, str(s.record.role), s.party, name, s.record.signed_at)
    heard, _ = sorted_out(verified(ATTESTATIONS, evidence, view, now.at)[0], now)
    for a in heard:
        role = sorted(str(r) for r in a.roles)[0] if a.roles else "reviewer"
        yield Agreement(a.record.record_id, role, a.party, printable(a.house, view), a.record.signed_at)


def _declared(
    release: Release, entry: CastEntry, looked: Looked, evidence: Evidence, view: View, at: datetime
) -> Declared:
    """A cast entry with the registry's answers; nothing is heard, so nothing is compared."""
    spoken_s = _spoken_s(looked.sheet, entry.name)
    statements, _ = open_all(HUMAN, evidence.get(HUMAN.predicate_type, ()), view, at)
    return Declared(
        name=entry.name,
        technique=str(entry.technique),
        voice_ids=entry.voice_ids,
        clearances=clearances_of(release, entry, view, at, spoken_s),
        refusals=refusals_of(release, entry, view, at, spoken_s),
        human_statement=human_refusal(release, entry, directed(statements), looked.sounds.dub.packet_sha256, at),
    )


def _unplaced(entry: CastEntry) -> Part:
    return Part(entry.name, str(entry.technique), lacks=("the delivery does not say where it is to be released",))


def _part(declared: Declared) -> Part:
    if declared.human:
        why = declared.human_statement
        return Part(declared.name, declared.technique, lacks=() if why is None else (why,))
    lacks = [d.text.en for c in declared.clearances for d in c.denials]
    lacks += [f"no grant covers {c.voice_id}" for c in declared.clearances if not c.cleared and not c.denials]
    lacks += [f"{r.by} has refused: {_words(r.words)}" for r in declared.refusals]
    grants = [g for c in declared.clearances for g in c.grants]
    texts = tuple(dict.fromkeys(g.credit_text for g in grants if g.credit_text))
    return Part(
        declared.name, declared.technique, tuple(g.grant_id for g in grants), texts, tuple(dict.fromkeys(lacks))
    )


def _words(words: Mapping[str, str]) -> str:
    return words.get("en") or next(iter(words.values()))


def _spoken_s(sheet: CueSheet | None, character: str) -> float | None:
    """How long the script has the character speak, for grants that count minutes; None where there is no script."""
    return None if sheet is None else sum(c.span.duration_s for c in sheet.cues if c.character == character)


def _people(delivery: Delivery, parts: Sequence[Part]) -> tuple[Person, ...]:
    """Whom the credits name: voices in the words of their grants, everybody else as the delivery writes them."""
    owners = [Person(str(CreditRole.VOICE_OWNER), text, p.character) for p in parts for text in p.credit_texts]
    worded = {(p.role, p.character) for p in owners}
    named = () if delivery.credits is None else delivery.credits.people
    given = [Person(str(p.role), p.name, p.character) for p in named]
    return (*given, *owners) if not worded else (*(p for p in given if (p.role, p.character) not in worded), *owners)
