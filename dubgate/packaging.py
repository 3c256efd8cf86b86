"""From the approved master to what is published: a package is heard whole, laid over its master, and signed file by file.

The master's approval carries over: each rendition of the dub is shown to be the approved performance within stated
bounds, and to carry the label. The consents are asked again in the transaction that records it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from consent.certifications import Certification
from consent.registry import Registry
from consent.releases import Release
from consent.writing import Addition
from dubgate.alignment import BOUNDS, Comparison, Fault
from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.package import (
    DUB,
    MANIFEST,
    OTHER,
    PackageClaim,
    PackageFile,
    RenditionShown,
    package_certificate_bytes,
    package_sha256,
    package_statement,
)
from dubgate.certificate.refusals import LabelLost, OtherPerformance, PackageIncomplete
from dubgate.certificate.trust import TrustStore
from dubgate.certificate.verdict import certificate_id
from dubgate.certifying import PACKS, Gate, explained, place_whole, signed_statement
from dubgate.delivery.digests import Seen, seen
from dubgate.errors import InputError
from dubgate.label_rules import broken_label_rules
from dubgate.labels.tracks import Labels
from dubgate.labels.wording import speak_alike
from dubgate.package_files import files_in
from dubgate.package_hearing import HeardPackage, HeardRendition, hear_package
from dubgate.pinned import pinned
from dubgate.policy.findings import Outcome
from dubgate.policy.label_checks import label_findings
from dubgate.standing import check_standing, require_standing
from dubgate.verifying import read_small, require_in_time, require_passed, same_bytes
from dubgate.witnessed import ledger_part

NAME = "package-certificate.json"
MASTER = "//master"  # no place in a folder
_SAID = {
    "take": "another performance",
    "envelope": "another sound colour",
    "level": "another level",
    "added": "sound that the master does not have",
    "cancelled": "speech between the channels that the master does not have",
    "spoken": "speech under its sound that the master does not have",
    "offset": "it starts at another time",
    "length": "it is longer or shorter",
    "gain": "its level as a whole is another",
}


@dataclass(frozen=True, slots=True)
class PackageCertified:
    """What was written."""

    certificate: Path
    claim: PackageClaim


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """What is to be certified: the master's certificate and file, and the package's manifest."""

    certificate: Path
    master: Path
    manifest: Path
    stream: int = 0

    @property
    def folder(self) -> Path:
        """The package: everything beside and below its manifest."""
        return self.manifest.parent


def certify_package(
    request: PackageRequest,
    trust: TrustStore,
    registry: str,
    gate: Gate,
    out: Path,
    *,
    progress: Callable[[str, float], None] = lambda stage, share: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PackageCertified:
    """Hear a package, and sign it where it is what was approved.

    Raises:
        Refused: the master's certificate does not allow it, or the package is not the approved performance.
        InputError, MediaError, ChildError, RegistryError: it could not be judged.
    """
    if out.resolve().is_relative_to(request.folder.resolve()):
        raise InputError("the certificate may not lie inside the package", where=str(out), remedy="Give another --out.")
    (out / NAME).unlink(missing_ok=True)
    now, name = clock(), request.certificate.name
    data = read_small(request.certificate)
    master = open_certificate(data, trust, now, name)
    require_passed(master, name)
    same_bytes(request.master, master.verdict.file_sha256, master.verdict.claim, name)
    require_in_time(master, now, name)
    release = check_standing(master, registry, now)
    before = _seen(request)
    places = {path: s.place for s in before.values() for path in {s.path, os.path.realpath(s.path)}}
    with pinned(places, [os.path.abspath(request.folder), os.path.realpath(request.folder)]):
        heard = hear_package(request.manifest, request.folder, request.master, request.stream, progress)
    require_approved(heard, master, release)
    require_label_rules(heard, master, release, request.certificate.parent / PACKS)
    digests = {name: s.sha256 for name, s in before.items() if name != MASTER}
    files = files_of(heard, master, digests)
    if _seen(request) != before:
        raise InputError("the package or its master changed while it was heard", where=str(request.folder))
    same_bytes(request.master, master.verdict.file_sha256, master.verdict.claim, name)
    claim = _claim(heard, master, files, gate)
    signed = _recorded(claim, master, registry, gate, clock)
    return _written(signed, data, gate, out)


def _seen(request: PackageRequest) -> dict[str, Seen]:
    """Every file of the package, and its master, by digest and by which file it is."""
    found = {name: seen(path) for name, path in files_in(request.folder).items()}
    return {**found, MASTER: seen(request.master)}


def require_approved(heard: HeardPackage, master: Certificate, release: Release) -> None:
    """Every rendition of the dub is the approved performance and labelled, and nothing else in the package is it.

    Raises:
        OtherPerformance, LabelLost, PackageIncomplete.
    """
    claim = master.verdict.claim
    if claim.packets_sha256 is not None and heard.master_packets_sha256 != claim.packets_sha256:
        raise OtherPerformance("the master's stream is not the one that was judged")
    ours = [r for r in heard.renditions if is_of_dub(r, release.language)]
    if not ours:
        raise PackageIncomplete(f"no rendition is in {release.language}")
    if wrong := [f"{r.where}: {'; '.join(_told(r.comparison))}" for r in ours if not r.comparison.same]:
        raise OtherPerformance("; ".join(wrong))
    if hidden := [r.where for r in heard.renditions if r not in ours and r.comparison.same]:
        raise LabelLost(f"plays the dub and is marked as another language: {', '.join(hidden)}")
    _require_labelled(heard, release)


def is_of_dub(rendition: HeardRendition, language: str) -> bool:
    """Whether an entry is to be the dub: it is marked with its language, or with none."""
    return rendition.language is None or speak_alike(rendition.language, language)


def _require_labelled(heard: HeardPackage, release: Release) -> None:
    """The same checks as of a delivery's package, over the dub's own entries."""
    found = label_findings(_labels_of_dub(heard, release), synthetic=bool(release.voices))
    if against := [f.text.en for f in found if f.outcome > Outcome.WARN]:
        raise LabelLost("; ".join(dict.fromkeys(against)))


def require_label_rules(heard: HeardPackage, master: Certificate, release: Release, packs: Path | None = None) -> None:
    """The rules about labels that the master passed are true of the package too.

    Raises:
        LabelLost
    """
    labels, synthetic = _labels_of_dub(heard, release), bool(release.voices)
    if broken := broken_label_rules(master, labels, packs, "package", synthetic):
        raise LabelLost("; ".join(broken))


def _labels_of_dub(heard: HeardPackage, release: Release) -> Labels:
    pairs = zip(heard.renditions, heard.labels.tracks, strict=True)
    tracks = tuple(t for r, t in pairs if is_of_dub(r, release.language))
    kept = {k for k, r in enumerate(heard.renditions) if is_of_dub(r, release.language)}
    places = tuple(p for p in heard.labels.places if p.track is None or p.track in kept)
    signed = tuple(m for m in heard.labels.manifests if m.entry is None or m.entry in kept)
    return Labels(tracks, heard.labels.unreadable, heard.labels.unmeasured, places, release.language, signed)


def _told(comparison: Comparison) -> Iterator[str]:
    if not comparison.n_sounding:
        yield "nothing sounds that could be compared"
    for fault in comparison.faults[:6]:
        yield f"{_SAID[fault.what]} {_when(fault)}"


def _when(fault: Fault) -> str:
    return f"from {fault.start_s:.1f} s to {fault.end_s:.1f} s"


def files_of(heard: HeardPackage, master: Certificate, digests: dict[str, str]) -> tuple[PackageFile, ...]:
    """Every file of the package with its part in it.

    Raises:
        PackageIncomplete: a file of the folder is named by no manifest, or the reverse.
    """
    scope = master.verdict.claim.scope
    assert scope is not None  # what passed has one
    roles = dict.fromkeys(heard.others, OTHER)
    for rendition in heard.renditions:
        role = DUB if is_of_dub(rendition, scope.language) else OTHER
        roles |= {path: role for path in rendition.files if roles.get(path) != DUB}
    roles[heard.manifest] = MANIFEST
    if unnamed := sorted(digests.keys() - roles.keys()):
        raise PackageIncomplete(f"no manifest names {', '.join(unnamed[:5])}")
    if missing := sorted(roles.keys() - digests.keys()):
        raise PackageIncomplete(f"missing: {', '.join(missing[:5])}")
    return tuple(PackageFile(path, digests[path], roles[path]) for path in sorted(roles))


def _claim(heard: HeardPackage, master: Certificate, files: tuple[PackageFile, ...], gate: Gate) -> PackageClaim:
    verdict = master.verdict
    assert verdict.claim.scope is not None  # what passed has one
    shown = zip(heard.renditions, heard.labels.tracks, strict=True)
    others = (r for r in heard.renditions if not is_of_dub(r, verdict.claim.scope.language))
    return PackageClaim(
        package_id=f"pkg-{uuid.uuid4().hex}",
        certificate_id=certificate_id(master.statement),
        release_id=verdict.claim.release_id,
        master_sha256=verdict.file_sha256,
        verifier=gate.verifier,
        packaged_at=verdict.verified_at,  # until it is recorded
        files=files,
        renditions=tuple(_shown(r, t.name) for r, t in shown if is_of_dub(r, verdict.claim.scope.language)),
        bounds={bound: f"{value:g}" for bound, value in asdict(BOUNDS).items()},
        others=tuple((r.where, r.language or "") for r in others),
    )


def _shown(rendition: HeardRendition, label: str | None) -> RenditionShown:
    found = rendition.comparison
    return RenditionShown(
        where=rendition.where,
        label=label or "",
        offset_ms=round(1000 * found.offset_s),
        gain_centi_db=round(100 * found.gain_db),
        n_windows=found.n_windows,
        n_sounding=found.n_sounding,
        least_correlation_ppm=max(0, round(1e6 * found.least_correlation)),
    )


def _recorded(
    claim: PackageClaim, master: Certificate, location: str, gate: Gate, clock: Callable[[], datetime]
) -> PackageClaim:
    """The claim under a checkpoint that includes it, once everything it rests on stood in that very transaction."""
    with explained(), Registry.open(location, clock=clock) as registry:
        origin = registry.head().origin
        with registry.write() as writer:
            require_standing(master, writer, origin, writer.now)
            require_in_time(master, writer.now, claim.package_id)
            dated = replace(claim, packaged_at=writer.now)
            record = Certification(
                certification_id=claim.package_id,
                kind="package",
                release_id=claim.release_id,
                certificate_sha256=package_sha256(package_statement(dated)),
                recorded_by=gate.party,
            )
            entry = writer.add(Addition(record))
        return replace(dated, ledger=ledger_part(registry, (entry.leaf_index,), gate.ledger_key))


def _written(claim: PackageClaim, master: bytes, gate: Gate, out: Path) -> PackageCertified:
    data = package_certificate_bytes(signed_statement(package_statement(claim), gate), master)
    try:
        out.mkdir(parents=True, exist_ok=True)
        place_whole(out / NAME, data, 0o644)
    except OSError as error:
        raise InputError(f"the certificate cannot be written: {error.strerror}", where=str(out)) from error
    return PackageCertified(out / NAME, claim)
