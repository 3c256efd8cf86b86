"""A certificate renewed: everything it rests on asked again in one transaction, a re-wrapped file read again, a new end.

What was withdrawn, refused, revoked or changed is never renewed; then only a new judgement helps.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import rfc8785

from consent.certifications import Certification, in_force
from consent.registry import Registry
from consent.releases import Release
from consent.views import View
from consent.writing import Addition, Writer
from dubgate import __version__
from dubgate.certificate.annex import check_annex
from dubgate.certificate.claim import Claim
from dubgate.certificate.file import Certificate, certificate_bytes, open_certificate
from dubgate.certificate.measured import measured_statement
from dubgate.certificate.package import (
    PackageCertificate,
    PackageClaim,
    is_package_certificate,
    open_package,
    package_certificate_bytes,
    package_sha256,
    package_statement,
)
from dubgate.certificate.refusals import LabelLost, OtherBytes, PackRetired
from dubgate.certificate.trust import TrustStore
from dubgate.certificate.verdict import Verdict, certificate_id, verdict_statement
from dubgate.certifying import Gate, explained, signed_statement
from dubgate.deciding import LIFETIME
from dubgate.delivery.digests import seen
from dubgate.label_rules import broken_label_rules
from dubgate.pinned import pinned
from dubgate.policy.findings import Outcome
from dubgate.policy.label_checks import label_findings
from dubgate.renewal_ends import WARN_AHEAD, End, SignedPart, ends_of, signed_parts, warnings_of
from dubgate.standing import require_standing
from dubgate.verifying import require_passed
from dubgate.witnessed import ledger_part

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Renewed:
    """The new certificate's bytes, until when it holds, and what will stop the next renewal soon."""

    certificate: bytes
    expires_at: datetime
    warnings: tuple[End, ...]


def utc_now() -> datetime:
    """This machine's clock."""
    return datetime.now(UTC)


def renew(
    certificate: bytes,
    annex: bytes,
    trust: TrustStore,
    registry: str,
    gate: Gate,
    *,
    file: Path | None = None,
    packs: Path | None = None,
    clock: Clock = utc_now,
) -> Renewed:
    """Renew a certificate, of a release or of a package; the old one stays what it was.

    Args:
        annex: the certificate's private annex: what people signed, and until when.
        file: the file that is published now, where it is not the judged one any more: the same sound re-wrapped, whose
            label and timeline are read again. None renews for the judged bytes.
        packs: where the packs that judged were kept by their digest (`packs/` beside the certificate).

    Raises:
        Refused: with its reason; there is no new certificate.
        InputError, MediaError, ChildError, RegistryError: it could not be asked.
    """
    now = clock()
    packaged = open_package(certificate, trust, now, "certificate") if is_package_certificate(certificate) else None
    opened = packaged.master if packaged is not None else open_certificate(certificate, trust, now, "certificate")
    signed = _checked(opened, annex)
    with explained(), Registry.open(registry, clock=clock) as held:
        origin = held.head().origin
        with held.view() as view:
            release = require_renewable(opened, signed, view, origin, now)
        sha256 = _file_read_again(file, opened, release, packs)
        with held.write() as writer:
            require_renewable(opened, signed, writer, origin, writer.now)
            verdict, entry = _recorded(opened, release, signed, sha256, gate, writer)
        part = ledger_part(held, (entry, *_resting_on(opened)), gate.ledger_key)
        verdict = replace(verdict, claim=replace(verdict.claim, ledger=part))
        data = _signed(verdict, opened, gate)
        if packaged is not None:
            data = _repackaged(packaged, verdict, data, held, gate, signed)
        with held.view() as view:
            warnings = warnings_of(release, signed, view, verdict.verified_at)
    return Renewed(data, verdict.claim.expires_at, warnings)


def renewal_warnings(
    certificate: bytes,
    annex: bytes,
    trust: TrustStore,
    registry: str,
    *,
    ahead: timedelta = WARN_AHEAD,
    clock: Clock = utc_now,
) -> tuple[End, ...]:
    """What would stop renewals within `ahead`; empty where nothing that is known does.

    Raises:
        Refused: it could not even be renewed now.
    """
    now = clock()
    is_package = is_package_certificate(certificate)
    opened = open_package(certificate, trust, now, "certificate").master if is_package else None
    opened = opened or open_certificate(certificate, trust, now, "certificate")
    signed = _checked(opened, annex)
    with explained(), Registry.open(registry, read_only=True) as held:
        origin = held.head().origin
        with held.view() as view:
            release = require_renewable(opened, signed, view, origin, now)
            return warnings_of(release, signed, view, now, ahead)


def require_renewable(
    opened: Certificate, signed: Sequence[SignedPart], view: View, origin: str, now: datetime
) -> Release:
    """The release, once everything that it rests on stands at `now`.

    Raises:
        NotPassed, ConsentEnded, LedgerRewritten, PackRetired.
    """
    release = require_standing(opened, view, origin, now)
    ends_of(release, signed, view, now)
    history = view.adoptions()
    standing, known = in_force(history), {a.pack for a in history}
    for pack in opened.verdict.claim.packs:
        adopted = standing.get(pack.name)
        if adopted is None and pack.name in known:
            what = f"the pack {pack.name} is not in force any more"
            raise PackRetired(what, remedy="Have it judged again: dubgate check … --certify.")
        if adopted is not None and adopted.sha256 != pack.sha256:
            what = f"the pack {pack.name} in force is {adopted.version} ({adopted.sha256[:16]}…), and another judged"
            raise PackRetired(what, remedy="Have it judged again: dubgate check … --certify.")
    return release


def _checked(opened: Certificate, annex: bytes) -> tuple[SignedPart, ...]:
    require_passed(opened, "certificate")
    check_annex(annex, opened.verdict.claim, "annex")
    return signed_parts(annex)


def _file_read_again(file: Path | None, opened: Certificate, release: Release, packs: Path | None) -> str:
    """The digest of the file that is certified: the judged one's, or that of the same sound in a labelled file.

    Raises:
        OtherBytes: not the judged sound, or more than that.
        LabelLost: the label is not there.
    """
    if file is None:
        return opened.verdict.file_sha256
    before = seen(file)
    if before.sha256 == opened.verdict.file_sha256:
        return before.sha256
    with pinned(dict.fromkeys((before.path, os.path.realpath(file)), before.place)):
        stream = _stream_of(file, opened.verdict.claim)
        _require_label(file, stream, before.sha256, opened, release, packs)
    if seen(file) != before:
        raise OtherBytes("the file changed while it was read", where=file.name)
    return before.sha256


def _stream_of(file: Path, claim: Claim) -> int:
    """The one audio stream of a file, whose packets and timeline are those that were judged."""
    from dubgate.delivery.media import probe_apart
    from dubgate.digesting import digest_sound

    found = probe_apart(file)
    streams = [stream.index for stream in found.audio]
    if len(streams) != 1 or found.n_sounds != 1:
        raise OtherBytes(f"it has {found.n_sounds} audio streams, and one was judged", where=file.name)
    if claim.packets_sha256 is None or digest_sound(file, streams[0]).packet_sha256 != claim.packets_sha256:
        raise OtherBytes("its sound or its place on the timeline is not what was judged", where=file.name)
    return streams[0]


def _require_label(
    file: Path, stream: int, sha256: str, opened: Certificate, release: Release, packs: Path | None
) -> None:
    from dubgate.labels.reading import read_labels

    labels = read_labels(
        published=file,
        stream=stream,
        language=release.language,
        published_sha256=sha256,
        package=None,
        root=file.parent,
    )
    found = label_findings(labels, synthetic=bool(release.voices))
    against = [f.text.en for f in found if f.outcome > Outcome.WARN]
    if against := against or list(broken_label_rules(opened, labels, packs, "master", bool(release.voices))):
        raise LabelLost("; ".join(dict.fromkeys(against)), where=file.name)


def _recorded(
    opened: Certificate, release: Release, signed: Sequence[SignedPart], sha256: str, gate: Gate, writer: Writer
) -> tuple[Verdict, int]:
    """The new verdict but for its ledger part, and its entry in the ledger."""
    old, now = opened.verdict, writer.now
    ends = [end.at for end in ends_of(release, signed, writer, now)]
    claim = replace(
        old.claim,
        expires_at=min([now + LIFETIME, *gate.ends_at, *ends]),
        renews=certificate_id(opened.statement),
        ledger=None,
    )
    measured = measured_statement(opened.measured, sha256, claim.packs, claim.models)
    verdict = replace(
        old,
        verifier=gate.verifier,
        version=__version__,
        verified_at=now,
        file_sha256=sha256,
        measurements_sha256=hashlib.sha256(rfc8785.dumps(measured)).hexdigest(),
        claim=claim,
    )
    record = Certification(
        certification_id=f"ren-{uuid.uuid4().hex}",
        kind="renewal",
        release_id=claim.release_id,
        certificate_sha256=certificate_id(verdict_statement(verdict)),
        recorded_by=gate.party,
    )
    return verdict, writer.add(Addition(record)).leaf_index


def _resting_on(opened: Certificate) -> tuple[int, ...]:
    """The entries that the old certificate proved: the release's own first, a renewal's own left out."""
    claim = opened.verdict.claim
    assert claim.ledger is not None  # what passed has one
    indexes = tuple(proof.index for proof in claim.ledger.proofs)
    return indexes if claim.renews is None else indexes[1:]


def _signed(verdict: Verdict, opened: Certificate, gate: Gate) -> bytes:
    claim = verdict.claim
    measured = measured_statement(opened.measured, verdict.file_sha256, claim.packs, claim.models)
    return certificate_bytes(signed_statement(verdict_statement(verdict), gate), signed_statement(measured, gate))


def _repackaged(
    packaged: PackageCertificate,
    verdict: Verdict,
    master: bytes,
    held: Registry,
    gate: Gate,
    signed: Sequence[SignedPart],
) -> bytes:
    """The package's certificate bound to the renewed one: the files are the same, by their digests."""
    origin = held.head().origin
    with held.write() as writer:
        require_renewable(packaged.master, signed, writer, origin, writer.now)
        claim: PackageClaim = replace(
            packaged.claim,
            package_id=f"pkg-{uuid.uuid4().hex}",
            certificate_id=certificate_id(verdict_statement(verdict)),
            verifier=gate.verifier,
            packaged_at=writer.now,
            ledger=None,
        )
        record = Certification(
            certification_id=claim.package_id,
            kind="package",
            release_id=claim.release_id,
            certificate_sha256=package_sha256(package_statement(claim)),
            recorded_by=gate.party,
        )
        entry = writer.add(Addition(record))
    claim = replace(claim, ledger=ledger_part(held, (entry.leaf_index,), gate.ledger_key))
    return package_certificate_bytes(signed_statement(package_statement(claim), gate), master)
