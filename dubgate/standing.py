"""Whether what a certificate rests on still stands in the registry at hand: its ledger, its consents, its approvals."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from consent import languages, ledger
from consent.approvals import ApprovalHistory
from consent.asking import request_histories
from consent.certifications import Certification
from consent.checkpoint import read_body
from consent.denials import Denial, denials
from consent.entries import Entry
from consent.errors import ConsentError
from consent.events import fold
from consent.quorum import quorate
from consent.regions import expand
from consent.registry import Registry
from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.strict import Window
from consent.terms import Use
from consent.titles import TitleRecord
from consent.views import View
from consent.vocabulary import ApprovalDecision, Right, Technique
from dubgate.certificate.claim import LedgerPart
from dubgate.certificate.file import Certificate
from dubgate.certificate.refusals import ConsentEnded, LedgerRewritten, NotPassed, StandingRefusal
from dubgate.certificate.verdict import certificate_id
from dubgate.errors import RegistryError
from dubgate.policy.request_checks import refused

REFUSED_FOR_GOOD = "CON-005"
SAID_NO = "the gate judged this sound again since"
AGAIN = "Mend what it says, and have it judged again: dubgate check … --certify."
# Why a gate says no to a use to which grants do not reach: `_ended` asks just this of each release's own. RH-001 is none of
# these: it may be a holder's signed no to this sound that lay in the delivery, where no later question finds it.
ASKED_ANEW = frozenset({"CON-011", "CON-012", "CON-013", "CON-014", "RH-004"})
# Terms of a grant that this very release spent, or that were settled when it was judged and its record does not repeat:
# the number of uses and minutes, to whom it was given, by which models the voice may be made, for which performance.
SETTLED = frozenset({"max_uses", "max_minutes", "licensee_id", "voice_assets", "performances"})


def check_standing(certificate: Certificate, location: str, now: datetime) -> Release:
    """Ask the registry whether the release stands there as certified, and everything it rests on stands now.

    Raises:
        LedgerRewritten: the registry's history is not the one that the checkpoint witnessed.
        NotPassed: a gate said no to this sound since.
        ConsentEnded: with every reason.
        RegistryError: it could not be asked.
    """
    try:
        with Registry.open(location, read_only=True) as registry:
            origin = registry.head().origin
            with registry.view() as view:
                return require_standing(certificate, view, origin, now)
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error


def require_standing(certificate: Certificate, view: View, origin: str, now: datetime) -> Release:
    """The same of a registry that is open, whose ledger is called `origin`.

    Raises:
        LedgerRewritten, NotPassed, ConsentEnded.
    """
    release, ended = release_and_ends(certificate, view, origin, now)
    require_nothing_ended(release, ended)
    return release


def require_nothing_ended(release: Release, ended: Sequence[str]) -> None:
    """Nothing ended of what a release rests on.

    Raises:
        NotPassed, StandingRefusal, ConsentEnded: with every reason, by the gravest.
    """
    graver = {REFUSED_FOR_GOOD: StandingRefusal, SAID_NO: NotPassed}
    found = (why for begins, why in graver.items() if any(said.startswith(begins) for said in ended))
    if ended:
        why = next(found, ConsentEnded)
        remedy = AGAIN if why is NotPassed else None
        raise why("; ".join(ended), where=f"release {release.release_id}", remedy=remedy)


def what_ended(release: Release, view: View, now: datetime) -> tuple[str, ...]:
    """Everything that a release rests on and that does not stand at `now`, as the registry knows today; a later no too."""
    return tuple(dict.fromkeys((*_noes_since(release, view), *_ended(release, view, now))))


def release_and_ends(
    certificate: Certificate, view: View, origin: str, now: datetime
) -> tuple[Release, tuple[str, ...]]:
    """The release of a certificate in this snapshot of its registry, and what of all it rests on does not stand at `now`,
    or at the registry's last entry where a clock that is behind says that it is earlier.

    Raises:
        LedgerRewritten: the registry's history is not the one that the checkpoint witnessed.
    """
    release = release_certified(certificate, view, origin)
    return release, what_ended(release, view, max(now, view.store.last_recorded_at() or now))


def release_certified(certificate: Certificate, view: View, origin: str) -> Release:
    """The release's own record, once the history up to the checkpoint is the one that was witnessed."""
    part = certificate.verdict.claim.ledger
    assert part is not None  # what passed has one: verdict._agreeing
    _same_history(part, view, origin)
    entries = [_entry(view, proof.index, proof.leaf) for proof in part.proofs]
    own, named = entries[0].record, certificate_id(certificate.statement)
    if not isinstance(own, Release | Certification) or own.certificate_sha256 != named:
        raise LedgerRewritten("the ledger's entry names another certificate", where=f"entry {part.proofs[0].index}")
    if isinstance(own, Release):
        return own
    renewed = [e.record for e in entries[1:] if isinstance(e.record, Release)]
    if len(renewed) != 1 or not renewed[0].release_id == own.release_id == certificate.verdict.claim.release_id:
        raise LedgerRewritten("the ledger's entry renews another release", where=f"entry {part.proofs[0].index}")
    return renewed[0]


def _same_history(part: LedgerPart, view: View, origin: str) -> None:
    checkpoint = read_body(part.checkpoint)
    if checkpoint.origin != origin:
        raise LedgerRewritten(f"the checkpoint is of {checkpoint.origin}, and this registry is {origin}")
    if checkpoint.size > view.store.size():
        what = f"the checkpoint saw {checkpoint.size} entries, and this registry has {view.store.size()}"
        raise LedgerRewritten(what, remedy="It was rolled back, or it is an old copy.")
    if ledger.root(checkpoint.size, view.store.read_node) != checkpoint.root:
        raise LedgerRewritten("the registry's tree is not the one that the checkpoint saw")


def _entry(view: View, index: int, leaf: str) -> Entry:
    """The entry, hashed again from what lies in the registry."""
    entry = view.store.entry(index)
    if entry is None or entry.leaf().decode() != leaf:
        raise LedgerRewritten("the registry holds another record than was witnessed", where=f"entry {index}")
    return entry


def of_a_use_alone(reasons: Collection[str]) -> bool:
    """Whether a gate said no only because no grant reaches to that use: a yes for another use is asked about its own anew."""
    return bool(reasons) and ASKED_ANEW.issuperset(reasons)


def _noes_since(release: Release, view: View) -> Iterator[str]:
    """Each no of a gate about this very sound that was recorded after its yes, for whatever use: the delivery says the use.

    Not one that is of a use alone, with voices that were cleared. No later yes makes the earlier one good again: it has a
    certificate of its own, that says for what.
    """
    cleared = {v.voice_id for v in release.voices}
    told = [r for r in view.releases(f"title:{release.title_id}") if r.packets_sha256 == release.packets_sha256]
    for said in takewhile(lambda r: r.release_id != release.release_id, reversed(told)):
        of_use = of_a_use_alone(said.reasons) and {v.voice_id for v in said.voices} <= cleared
        if said.decision is not ReleaseDecision.RELEASE and not of_use:
            why = f": {', '.join(said.reasons[:20])}" if said.reasons else ""
            yield f"{SAID_NO} ({said.release_id}) and said {said.decision}{why}"


def _ended(release: Release, view: View, now: datetime) -> Iterator[str]:
    title = view.title(release.title_id)
    title_ids = title.title_ids if title is not None else (release.title_id,)
    if over := _is_over(release, now):
        yield "CON-014: the release window is over"
    for voice in () if over else release.voices:
        use = _use(release, voice, title_ids, now)
        yield from (f"{d.code}: {d.text.en}" for d in _of_grant(voice, use, view, now))
        for refusal in view.refusals(use, now, voice_id=voice.voice_id):
            yield f"{REFUSED_FOR_GOOD}: {refusal.by} has refused it"
    asked = request_histories(view, f"sound:{release.packets_sha256}")
    yield from (f"{r.rule}: {r.text.en}" for r in refused(asked, release.packets_sha256, title_ids, now))
    histories = view.approvals(title_ids)
    if missing := set(release.approval_ids) - {h.approval.approval_id for h in histories}:
        what = f"the registry finds no approval {', '.join(sorted(missing))} of this release any more"
        raise LedgerRewritten(what, where=f"release {release.release_id}")
    named = [h for h in histories if h.approval.approval_id in release.approval_ids]
    for history in histories:
        if not _answered(history, named):
            yield from _of_approval(history, release, now)
    holders = {h.approval.for_holder_id for h in named}
    yield from _of_rights(release, title, holders, view, now)


def _of_rights(
    release: Release, title: TitleRecord | None, approved: set[str], view: View, now: datetime
) -> Iterator[str]:
    """Whether the title is still held for this release, and by who approved it; a window that is over asks nobody."""
    if title is None:
        yield "RH-020: the registry does not know the title"
    elif not _is_over(release, now):
        use = _use_of(release, title.title_ids, now, technique=Technique.VOICE_CLONE_TTS)
        rights = view.rights(title, Right.AI_DUB, use, now)
        yield from (f"{d.code}: {d.text.en}" for d in rights.denials)
        for claim in rights.claims:
            if not quorate(claim, approved & set(claim.holder_ids)):
                yield f"RH-001: {', '.join(claim.holder_ids)} holds the title now, and has not approved this release"


def refused_now(release: Release, view: View, refusal_id: str, now: datetime) -> bool:
    """Whether this standing refusal meets any use of the release."""
    left = () if _is_over(release, now) else release.voices
    title_ids = _titles_of(release, view)
    uses = ((v.voice_id, _use(release, v, title_ids, now)) for v in left)
    return any(r.refusal_id == refusal_id for v, use in uses for r in view.refusals(use, now, voice_id=v))


def rejected_now(release: Release, view: View, approval_id: str, now: datetime) -> bool:
    """Whether this no of a holder, instead of an approval, meets the release."""
    if _is_over(release, now):
        return False
    found = [h for h in view.approvals(_titles_of(release, view)) if h.approval.approval_id == approval_id]
    return any(said.startswith("RH-001") for h in found for said in _of_approval(h, release, now))


def _is_over(release: Release, now: datetime) -> bool:
    """Whether nothing is left of the release window, so that no use can be asked about."""
    return release.window.end is not None and now >= release.window.end


def _titles_of(release: Release, view: View) -> tuple[str, ...]:
    title = view.title(release.title_id)
    return title.title_ids if title is not None else (release.title_id,)


def _use(release: Release, voice: VoiceUse, title_ids: tuple[str, ...], now: datetime) -> Use:
    said = {"character": voice.character, "technique": voice.technique, "minutes": voice.minutes}
    return _use_of(release, title_ids, now, **said)


def _use_of(release: Release, title_ids: tuple[str, ...], now: datetime, **more: Any) -> Use:
    """What is left of the use: a window that began is asked about from now on."""
    window = Window(start=max(now, release.window.start), end=release.window.end)
    return Use(
        title_ids=title_ids,
        language=release.language,
        territories=release.territories,
        territories_excluded=release.territories_excluded,
        channels=release.channels,
        window=window,
        **more,
    )


def _of_grant(used: VoiceUse, use: Use, view: View, now: datetime) -> Iterator[Denial]:
    """Why the grant that cleared the voice does not any more; for a blend, why none does for one of its voices."""
    voice = view.voice(used.voice_id, now)
    histories = [h for h in view.grants(used.voice_id) if h.grant.grant_id == used.grant_id]
    found = [d for h in histories if voice is not None for d in denials(h, use, now, voice=voice)]
    for source in voice.blend_of if voice is not None else ():
        found += view.clear(source, use, now).denials
    if voice is None or not histories:
        raise LedgerRewritten("the registry does not know a voice or grant of this release", where=used.voice_id)
    return (d for d in found if d.field not in SETTLED)


def _answered(history: ApprovalHistory, named: Sequence[ApprovalHistory]) -> bool:
    """Whether a holder's no was followed by its yes, on which the release rests."""
    no, said = history.approval, history.recorded_at
    later = any(h.approval.for_holder_id == no.for_holder_id and h.recorded_at > said for h in named)
    return no.decision is ApprovalDecision.REJECT and later


def _of_approval(history: ApprovalHistory, release: Release, now: datetime) -> Iterator[str]:
    approval = history.approval
    name = f"the approval {approval.approval_id}"
    stands = fold(history.events, known_at=now, born=approval.signed_at).alive(max(now, approval.signed_at))
    if approval.decision is ApprovalDecision.REJECT:
        if stands and _meets(history, release, now):
            yield f"RH-001: {approval.by} refused this release"
        return
    if approval.approval_id not in release.approval_ids:
        return
    if not stands:
        yield f"RH-002: {name} was taken back"
    told = (u for u in history.uses if u.notice.packets_sha256 == release.packets_sha256)
    if any(use.objection(now) is not None for use in told):
        yield f"RH-001: the holder objected to this use of {name}"
    if approval.expires_at <= now:
        yield f"RH-002: {name} has expired"
    if history.discredited_at is not None and history.discredited_at <= now:
        yield f"RH-002: the key that signed {name} was revoked"


def _meets(history: ApprovalHistory, release: Release, now: datetime) -> bool:
    """Whether a refusal to approve is about this sound, under whatever language, or about any in its language; and its places."""
    said = history.approval
    places = expand(said.territories, said.territories_excluded) & expand(release.territories)
    if said.sounds:
        about = release.packets_sha256 in {s.packets_sha256 for s in said.sounds}
    else:
        about = languages.overlap(said.language, release.language)
    return about and bool(places) and history.recorded_at <= now
