"""A package's certificate: every file of what is published by its digest, bound to the certificate of its master.

{"schema": "package-certificate/1.0", "package": <DSSE envelope>, "master": <certificate/1.0>}
The envelope holds an in-toto Statement whose subjects are the files, relative to the package's folder.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE
from dubgate.certificate.claim import LedgerPart, ledger_data, read_ledger
from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.ledger_part import CERTIFICATION_RECORD, check_ledger
from dubgate.certificate.opening import open_payload
from dubgate.certificate.refusals import Malformed, NotYetValid, OtherMaster, WrongPredicate, WrongVerifier
from dubgate.certificate.strict_fields import Fields, iso, read_json
from dubgate.certificate.trust import TrustedGate, TrustStore
from dubgate.certificate.verdict import certificate_id

FILE_SCHEMA = "package-certificate/1.0"
SCHEMA = "release-package/1.1"
_BEFORE = "release-package/1.0"  # which did not name the renditions that are not the dub
PREDICATE = "urn:dubgate:package:1.0"
MANIFEST, DUB, OTHER = "manifest", "dub", "other"  # what a file is to the package
ROLES = (MANIFEST, DUB, OTHER)
MAX_FILES = 100_000
MAX_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file of the package: its place in it, its digest, and whether it is the dub's."""

    path: str
    sha256: str
    role: str


@dataclass(frozen=True, slots=True)
class RenditionShown:
    """A rendition of the dub, and how it was shown to be the approved performance."""

    where: str
    label: str
    offset_ms: int
    gain_centi_db: int
    n_windows: int
    n_sounding: int
    least_correlation_ppm: int

    def data(self) -> dict[str, Any]:
        """As it is signed: whole numbers only."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class PackageClaim:
    """What is signed over a package."""

    package_id: str
    certificate_id: str  # of the master's certificate
    release_id: str
    master_sha256: str
    verifier: str
    packaged_at: datetime
    files: tuple[PackageFile, ...]
    renditions: tuple[RenditionShown, ...]
    bounds: dict[str, str]  # within which each window was found to be the master's
    ledger: LedgerPart | None = None
    others: tuple[tuple[str, str], ...] | None = ()  # entries in other languages, with those; None: it does not say

    @property
    def not_judged(self) -> tuple[str, ...]:
        """What sounds in the package and is not the dub, in words; of an earlier version every file that is not the dub's."""
        if self.others is None:
            return tuple(f.path for f in self.files if f.role == OTHER)
        return tuple(f"{where} ({language})" for where, language in self.others)

    def role_of(self, sha256: str) -> str | None:
        """What a file with this digest is to the package; the dub's own role where it has several."""
        found = {f.role for f in self.files if f.sha256 == sha256}
        return next((role for role in (DUB, MANIFEST, OTHER) if role in found), None)


@dataclass(frozen=True, slots=True)
class PackageCertificate:
    """A package's certificate whose signatures and proofs hold, and its master's."""

    claim: PackageClaim
    master: Certificate
    gate: TrustedGate
    sha256: str  # the package's own id: what the ledger names it by


def package_statement(claim: PackageClaim) -> dict[str, Any]:
    """The statement to sign."""
    predicate: dict[str, Any] = {
        "schema": SCHEMA if claim.others is not None else _BEFORE,
        "package_id": claim.package_id,
        "certificate_id": claim.certificate_id,
        "release_id": claim.release_id,
        "master_sha256": claim.master_sha256,
        "verifier": claim.verifier,
        "packaged_at": iso(claim.packaged_at),
        "roles": [f.role for f in claim.files],
        "renditions": [r.data() for r in claim.renditions],
        "bounds": [[name, value] for name, value in sorted(claim.bounds.items())],
    }
    if claim.others is not None:
        predicate["others"] = [[where, language] for where, language in claim.others]
    if claim.ledger is not None:
        predicate["ledger"] = ledger_data(claim.ledger)
    subjects = [{"name": f.path, "digest": {"sha256": f.sha256}} for f in claim.files]
    return {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE, "predicate": predicate}


def package_sha256(statement: dict[str, Any]) -> str:
    """What the ledger names it by: SHA-256 of the statement's canonical JSON without its ledger part."""
    import rfc8785

    predicate = {k: v for k, v in statement["predicate"].items() if k != "ledger"}
    return hashlib.sha256(rfc8785.dumps({**statement, "predicate": predicate})).hexdigest()


def package_certificate_bytes(package: bytes, master: bytes) -> bytes:
    """The file of the package's envelope and the master's certificate."""
    data = {"schema": FILE_SCHEMA, "package": json.loads(package), "master": json.loads(master)}
    return json.dumps(data, indent=1).encode() + b"\n"


def is_package_certificate(data: bytes) -> bool:
    """Whether it says of itself that it is one; nothing is verified."""
    return f'"schema": "{FILE_SCHEMA}"'.encode() in data[:200]


def open_package(data: bytes, trust: TrustStore, now: datetime, name: str) -> PackageCertificate:
    """Verify every signature, digest and proof of a package's certificate and of its master's.

    Raises:
        Refused: the first thing that does not hold.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("larger than 64 MB", where=name)
    fields = Fields(read_json(data, name), name, FILE_SCHEMA)
    envelope, inner = fields.take("package"), fields.take("master")
    fields.done()
    master = open_certificate(json.dumps(inner).encode(), trust, now, f"{name}: master")
    keys = {g.key.keyid: g.key for g in trust.gates}
    payload, keyid = open_payload(envelope, keys, payload_type=PAYLOAD_TYPE, name=f"{name}: package")
    statement = read_json(payload, name)
    claim, gate = _read(statement, f"{name}: package"), trust.gate(keyid)
    _check(claim, master, gate, now, name)
    assert claim.ledger is not None  # _check
    check_ledger(claim.ledger, trust, claim.packaged_at, now, f"{name}: package ledger", CERTIFICATION_RECORD)
    return PackageCertificate(claim, master, gate, package_sha256(statement))


def _check(claim: PackageClaim, master: Certificate, gate: TrustedGate, now: datetime, name: str) -> None:
    verdict = master.verdict
    if claim.verifier != gate.verifier:
        raise WrongVerifier(f"the package speaks for {claim.verifier[:100]!r}, not {gate.verifier!r}", where=name)
    named = (claim.certificate_id, claim.release_id, claim.master_sha256)
    if named != (certificate_id(master.statement), verdict.claim.release_id, verdict.file_sha256):
        raise OtherMaster(
            "the package was made of another master than the one whose certificate it carries", where=name
        )
    if claim.packaged_at > now:
        raise NotYetValid(f"it is dated {claim.packaged_at.isoformat()}, which is still to come", where=name)
    if claim.packaged_at < verdict.verified_at:
        raise Malformed("it is older than its master's certificate", where=name)
    if claim.ledger is None:
        raise Malformed("it does not say under which ledger it stands", where=name)
    gate.validity.require(claim.packaged_at, now, f"{name}: the gate's key")


def _read(statement: Any, name: str) -> PackageClaim:
    fields = Fields(statement, name)
    if fields.text("_type") != STATEMENT_TYPE or fields.text("predicateType") != PREDICATE:
        raise WrongPredicate(f"it does not state {PREDICATE}", where=name)
    subjects = fields.each("subject", _subject, MAX_FILES)
    predicate = fields.take("predicate")
    before = isinstance(predicate, dict) and predicate.get("schema") == _BEFORE
    inner = Fields(predicate, name, _BEFORE if before else SCHEMA)
    fields.done()
    claim = PackageClaim(
        package_id=inner.text("package_id"),
        certificate_id=inner.sha256("certificate_id"),
        release_id=inner.text("release_id"),
        master_sha256=inner.sha256("master_sha256"),
        verifier=inner.text("verifier"),
        packaged_at=inner.time("packaged_at"),
        files=_files(subjects, inner.texts("roles", MAX_FILES), name),
        renditions=inner.each("renditions", _rendition),
        bounds=dict(inner.each("bounds", _pair)),
        others=None if before else inner.each("others", _pair),
        ledger=read_ledger(inner.inner("ledger")) if inner.has("ledger") else None,
    )
    inner.done()
    if not claim.renditions or not any(f.role == DUB for f in claim.files):
        raise Malformed("it names no rendition of the dub", where=name)
    return claim


def _files(subjects: tuple[tuple[str, str], ...], roles: tuple[str, ...], name: str) -> tuple[PackageFile, ...]:
    if len(subjects) != len(roles) or set(roles) - set(ROLES) or len({path for path, _ in subjects}) != len(subjects):
        raise Malformed("its files are not each there once, with what they are", where=name)
    return tuple(PackageFile(path, sha256, role) for (path, sha256), role in zip(subjects, roles, strict=True))


def _subject(data: Any, name: str) -> tuple[str, str]:
    fields = Fields(data, name)
    path, digest = fields.text("name"), fields.inner("digest")
    fields.done()
    sha256 = digest.sha256("sha256")
    digest.done()
    return path, sha256


def _rendition(data: Any, name: str) -> RenditionShown:
    fields = Fields(data, name)
    said = (fields.text("where"), fields.text("label"), fields.integer("offset_ms"), fields.integer("gain_centi_db"))
    counted = (fields.number("n_windows"), fields.number("n_sounding"), fields.number("least_correlation_ppm"))
    fields.done()
    return RenditionShown(*said, *counted)


def _pair(data: Any, name: str) -> tuple[str, str]:
    if not isinstance(data, list) or len(data) != 2 or not all(isinstance(part, str) for part in data):
        raise Malformed("a bound, and an entry in another language, is a pair of texts", where=name)
    return data[0], data[1]
