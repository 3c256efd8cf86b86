"""What a release rests on as the registry stands now: each voice's grant, and every approval that covers it.

Asked inside the transaction that records the release; what no longer stands refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.approvals import Approval, ApprovalHistory, Candidate, approval_denials
from consent.asking import request_histories
from consent.quorum import missing_approvals
from consent.releases import RefusedError
from consent.terms import Grant, Use
from consent.titles import TitleRecord
from consent.vocabulary import ApprovalDecision
from consent.writing import Writer
from dubgate.clearing import Release, candidate_judged, use_of
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.errors import RegistryError
from dubgate.features import VoiceSegment
from dubgate.judgement import Judgement
from dubgate.lapsed import lapsed_since
from dubgate.policy.approval_checks import approval_findings, at_hand, rights_of
from dubgate.policy.findings import Outcome
from dubgate.policy.request_checks import refused_findings
from dubgate.signed_evidence import SignedFile
from dubgate.unmeasured import Unmeasured
from dubgate.voices_heard import own_translation, translated

REFUSED = "the registry refuses this release as it stands now"


@dataclass(frozen=True, slots=True)
class Resting:
    """What a release rests on: each voice with its use and the grant that clears it, and the approvals that cover it.

    `held` are approvals that the registry itself holds; no file of the delivery brings them.
    """

    voices: tuple[tuple[CastEntry, str, Use, Grant], ...] = ()
    approvals: tuple[SignedFile, ...] = ()
    held: tuple[Approval, ...] = ()
    candidate: Candidate | None = None

    @property
    def approval_ids(self) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys((*(s.record.record_id for s in self.approvals), *(a.approval_id for a in self.held)))
        )

    @property
    def grants(self) -> tuple[Grant, ...]:
        return tuple({g.grant_id: g for _, _, _, g in self.voices}.values())


def resting_of(
    judgement: Judgement, delivery: Delivery, release: Release | None, signed: Sequence[SignedFile], writer: Writer
) -> Resting:
    if release is None or release.title is None:
        raise RegistryError("nothing was certified: the release is not one that the registry knows any more")
    candidate = candidate_judged(judgement, delivery, release)
    approvals = [s.signed for s in signed if isinstance(s.record, Approval)]
    requests = request_histories(writer, f"sound:{candidate.packets_sha256}")
    asked = (
        *approval_findings(release.title, candidate, approvals, writer, writer.now),
        *refused_findings(requests, candidate, writer.now),
    )
    against = [f.text.en for f in asked if f.outcome > Outcome.WARN]
    if against := [*against, *lapsed_since(judgement.judged_at, delivery, signed, writer)]:
        raise RegistryError("; ".join((f"nothing was certified: {REFUSED}", *against)))
    histories = at_hand(release.title, candidate, approvals, writer, writer.now)
    _require_whole(release.title, candidate, histories, writer)
    covering = tuple(s for s in signed if isinstance(s.record, Approval) and _covers(s.record, candidate, writer))
    held = tuple(h.approval for h in histories if _is_held(h, covering, candidate, writer.now))
    return Resting(tuple(voices_of(judgement, delivery, release, writer)), covering, held, candidate)


def _require_whole(
    title: TitleRecord, candidate: Candidate, histories: Sequence[ApprovalHistory], writer: Writer
) -> None:
    """Every holder approved all of the release: what is for its own places alone names no release, so nobody could end it.

    Raises:
        RegistryError
    """
    everywhere = {"territories": ("001",), "territories_excluded": ()}
    claims = [c.model_copy(update=everywhere) for c in rights_of(title, candidate, writer, writer.now).claims]
    if missing_approvals(claims, title.title.approvals, histories, candidate, writer.now):
        what = "nothing was certified: a holder approved the release for a part of its places alone"
        raise RegistryError(what, remedy="Have each approve all of it, or release the parts apart.")


def _is_held(history: ApprovalHistory, covering: Sequence[SignedFile], candidate: Candidate, at: datetime) -> bool:
    """An approval of the registry's own that covers the release; a standing one is told of this use, which spends one."""
    approval = history.approval
    if approval.decision is ApprovalDecision.REJECT or approval.approval_id in {s.record.record_id for s in covering}:
        return False
    return not approval_denials(history, candidate, at)


def _covers(record: Approval, candidate: Candidate, writer: Writer) -> bool:
    events = writer.events(f"approval:{record.approval_id}")
    return not approval_denials(ApprovalHistory(record, record.signed_at, events), candidate, writer.now)


def voices_of(
    judgement: Judgement, delivery: Delivery, release: Release, writer: Writer
) -> Iterator[tuple[CastEntry, str, Use, Grant]]:
    """Each synthetic voice of the cast with its use, in minutes heard, and the grant that covered it when it was judged, and does.

    Who had granted the translation of their own performance may sound like the original: then that has to stand too.

    Raises:
        RefusedError: none does.
    """
    heard = judgement.features.dub.voices
    spoken: Sequence[VoiceSegment] = () if isinstance(heard, Unmeasured) else heard
    for entry in delivery.cast:
        if entry.technique == "human":
            continue
        seconds = sum(v.speech_s for v in spoken if v.character == entry.name)
        own = own_translation(entry, release, writer, judgement.judged_at)
        for voice_id in entry.voice_ids:
            use = use_of(release, entry, seconds if seconds > 0 else None, voice_id)
            for asked, grant in _granted(
                voice_id, (use, translated(use)) if own else (use,), judgement.judged_at, writer
            ):
                yield entry, voice_id, asked, grant


def _granted(voice_id: str, uses: Sequence[Use], judged_at: datetime, writer: Writer) -> Iterator[tuple[Use, Grant]]:
    """For each use the grant by whose terms it was judged, which covers it still; one that covers several comes once.

    Raises:
        RefusedError: none does, or only another, whose terms no rule was asked about.
    """
    chosen: list[Grant] = []
    for use in uses:
        now, then = (writer.clear(voice_id, use, at) for at in (writer.now, judged_at))
        if not now.cleared:
            raise RefusedError(REFUSED, now.denials, where=voice_id)
        if any(g in now.grants for g in chosen):
            continue
        judged = [g for g in then.grants[:1] if g in now.grants]
        if not judged:
            what = f"the grant that {voice_id} was judged by does not cover it any more: judge it again"
            raise RegistryError(f"nothing was certified: {what}")
        chosen += judged
        yield use, judged[0]
