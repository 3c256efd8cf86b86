"""A decision enters the ledger: consents looked up again in the one transaction that records it, or nothing is recorded."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import rfc8785

from consent.approvals import Approval
from consent.entries import Entry
from consent.registry import Registry
from consent.releases import Planned, ReleaseDecision, VoiceUse
from consent.releases import Release as ReleaseRecord
from consent.strict import Record
from consent.terms import Grant
from consent.vocabulary import Technique
from consent.writing import Addition, Writer
from dubgate import __version__
from dubgate.certificate.annex import annex_bytes
from dubgate.certificate.claim import FAILED, LEVEL, LEVEL_EMBEDDED, PASSED, Claim, LedgerPart, SignedUsed
from dubgate.certificate.measured import Measured, measured_statement
from dubgate.certificate.verdict import Verdict, certificate_id, verdict_statement
from dubgate.clearing import Release, published_sound, release_of
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.errors import RegistryError
from dubgate.judged_facts import annex_findings, measured_in, models_in, packs_in, reasons_in, scope_of
from dubgate.judged_kept import judged_bytes
from dubgate.judgement import Judgement
from dubgate.policy.verdict import Decision
from dubgate.resting import Resting, resting_of
from dubgate.signed_evidence import SignedFile, signed_files

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that stands in the ledger, and what is still to be signed; the release's own entry comes first."""

    verdict: Verdict  # without its ledger part
    measured: Measured
    annex: bytes
    judged: bytes  # what was measured, by which it can be judged again
    packs: tuple[tuple[str, bytes], ...]  # the rule packs that judged, by digest
    leaf_indexes: tuple[int, ...]

    def certified(self, part: LedgerPart) -> Verdict:
        """The verdict to sign, under a checkpoint that includes it."""
        verdict = self.annexed()
        return replace(verdict, claim=replace(verdict.claim, ledger=part if self.leaf_indexes else None))

    def annexed(self) -> Verdict:
        """The verdict with its annex named, still without the ledger's part."""
        annex = hashlib.sha256(self.annex).hexdigest()
        return replace(self.verdict, claim=replace(self.verdict.claim, annex_sha256=annex))


Within = Callable[[Writer, Decided], None]


def decide_in_ledger(
    judgement: Judgement,
    delivery: Delivery,
    file_sha256: str,
    verifier: str,
    party: str,
    registry: Registry,
    *,
    ends_at: Sequence[datetime] = (),
    release_id: str | None = None,
    within: Within | None = None,
    rests_on: Sequence[tuple[str, str]] = (),
) -> Decided:
    """Append the decision, and the approvals that it rests on, in one transaction.

    Args:
        ends_at: when the keys end that will sign it; the certificate ends no later.
        release_id: the id of the decision, so that whoever asks can find it again; a new one by default.
        within: called in the transaction with what was decided; what it raises undoes everything.
        rests_on: every file that was judged, by its digest; the annex binds them.

    Raises:
        RefusedError: the registry does not release it as it stands now; nothing was recorded.
        ConsentError: it could not be recorded.
    """
    with registry.write() as writer:
        release, _ = release_of(delivery, writer)
        signed = signed_files(delivery, writer, writer.now)
        passed = judgement.verdict.decision is Decision.RELEASE
        resting = resting_of(judgement, delivery, release, signed, writer) if passed else Resting()
        verdict = _verdict(judgement, release, signed, resting, verifier, file_sha256, ends_at, writer, release_id)
        record = _record(verdict, judgement, delivery, release, resting, party, writer)
        entries = _append(record, resting, writer) if record is not None else ()
        own = {"body": entries[0].body, "salt": entries[0].salt} if entries else {}
        judged = judged_bytes(judgement, rests_on)
        signed_copies, findings = [s.copy for s in signed], annex_findings(judgement)
        annex = annex_bytes(signed_copies, own, findings, hashlib.sha256(judged).hexdigest())
        packs = tuple((p.sha256, p.data) for p in judgement.packs)
        indexes = tuple(e.leaf_index for e in entries)
        decided = Decided(verdict, measured_in(judgement), annex, judged, packs, indexes)
        if within is not None:
            within(writer, decided)
    return decided


def _verdict(
    judgement: Judgement,
    release: Release | None,
    signed: Sequence[SignedFile],
    resting: Resting,
    verifier: str,
    file_sha256: str,
    ends_at: Sequence[datetime],
    writer: Writer,
    release_id: str | None,
) -> Verdict:
    """What will be signed, but for its ledger part and annex."""
    passed = judgement.verdict.decision is Decision.RELEASE
    sound = published_sound(judgement.features)
    packs, models = packs_in(judgement), models_in(judgement)
    claim = Claim(
        release_id=release_id or f"rel-{uuid.uuid4().hex}",
        decision=judgement.verdict.decision.name.lower(),
        title_id=release.title.title.title_id if release is not None and release.title is not None else None,
        scope=scope_of(release) if release is not None else None,
        packets_sha256=None if sound is None else sound.packet_sha256,
        pcm_sha256=None if sound is None else sound.lossless_sha256,
        packs=packs,
        models=models,
        grant_ids=tuple(g.grant_id for g in resting.grants),
        signed=tuple(SignedUsed(s.copy.kind, s.payload_sha256) for s in signed),
        reasons=reasons_in(judgement),
        expires_at=_expiry(writer.now, release, signed, resting, ends_at) if passed else writer.now + LIFETIME,
    )
    measured = measured_statement(measured_in(judgement), file_sha256, packs, models)
    return Verdict(
        verifier=verifier,
        version=__version__,
        verified_at=writer.now,
        file_sha256=file_sha256,
        result=PASSED if passed else FAILED,
        level=(LEVEL_EMBEDDED if any(m.fallback for m in models) else LEVEL) if passed else FAILED,
        measurements_sha256=hashlib.sha256(rfc8785.dumps(measured)).hexdigest(),
        claim=claim,
    )


def _expiry(
    now: datetime,
    release: Release | None,
    signed: Sequence[SignedFile],
    resting: Resting,
    ends_at: Sequence[datetime],
) -> datetime:
    """The earliest end of what the release rests on, and 24 hours at most."""
    ends: list[datetime | None] = [*ends_at, *(g.not_after for g in resting.grants)]
    ends += [release.window.end if release is not None else None]
    ends += [end for s in signed for end in s.ends_at]
    ends += [approval.expires_at for approval in resting.held]
    expiry = min([now + LIFETIME, *(end for end in ends if end is not None)])
    if expiry <= now:
        raise RegistryError("nothing was certified: something that the release rests on has ended")
    return expiry


def _record(
    verdict: Verdict,
    judgement: Judgement,
    delivery: Delivery,
    release: Release | None,
    resting: Resting,
    party: str,
    writer: Writer,
) -> ReleaseRecord | None:
    """The ledger's record of the decision; None where there is no title or use that it could be about."""
    claim = verdict.claim
    if release is None or release.title is None or claim.packets_sha256 is None:
        return None
    passed = verdict.result == PASSED
    voices = _used(resting) if passed else tuple(_declared(delivery, writer))
    return ReleaseRecord(
        release_id=claim.release_id,
        decision=ReleaseDecision(claim.decision),
        title_id=release.title.title.title_id,
        language=release.language,
        territories=release.territories,
        channels=release.channels,
        window=release.window,
        packets_sha256=claim.packets_sha256,
        certificate_sha256=certificate_id(verdict_statement(verdict)),
        voices=voices,
        approval_ids=resting.approval_ids,
        label=next(iter(delivery.label.text.values()), None) if delivery.label else None,
        reasons=claim.reasons,
        recorded_by=party,
        decided_at=judgement.judged_at,
    )


def _used(resting: Resting) -> tuple[VoiceUse, ...]:
    return tuple(
        _voice_use(entry, voice_id, use.technique, use.minutes, grant) for entry, voice_id, use, grant in resting.voices
    )


def _declared(delivery: Delivery, writer: Writer) -> Iterator[VoiceUse]:
    """The voices that were asked for and are registered; without grants, since nothing was released."""
    for entry in delivery.cast:
        for voice_id in entry.voice_ids:
            if entry.technique != "human" and writer.record_of_voice(voice_id) is not None:
                yield _voice_use(entry, voice_id, entry.technique, None, None)


def _voice_use(
    entry: CastEntry, voice_id: str, technique: Technique, minutes: float | None, grant: Grant | None
) -> VoiceUse:
    return VoiceUse(
        voice_id=voice_id,
        grant_id=None if grant is None else grant.grant_id,
        character=entry.name,
        technique=technique,
        minutes=minutes or 0.0,
    )


def _append(record: ReleaseRecord, resting: Resting, writer: Writer) -> tuple[Entry, ...]:
    """The entries that the certificate proves: the decision's own, then approvals and grants."""
    approvals = [_approval_entry(signed, writer) for signed in resting.approvals]
    if record.decision is not ReleaseDecision.RELEASE:
        return (writer.add(Addition(record)),)
    planned = [Planned(voice_id, use) for _, voice_id, use, _ in resting.voices]
    own = writer.release(record, planned, resting.candidate)
    grants = [_entry(writer, f"grant:{g.grant_id}", g) for g in resting.grants]
    held = [_entry(writer, f"approval:{a.approval_id}", a) for a in resting.held]
    return (own, *approvals, *held, *grants)


def _approval_entry(signed: SignedFile, writer: Writer) -> Entry:
    """An approval enters the ledger in its own envelope, so that it can be taken back there; once."""
    record = signed.record
    if writer.record(f"approval:{record.record_id}", Approval) is None:
        return writer.add(Addition(record, envelope=signed.copy.envelope.decode()))
    return _entry(writer, f"approval:{record.record_id}", record)


def _entry(writer: Writer, key: str, record: Record) -> Entry:
    """The entry of this very record."""
    for entry in writer.store.entries(key, type(record)):
        if entry.record == record:
            return entry
    raise RegistryError(f"nothing was certified: the registry holds another record as {key}")
