"""What a job leaves behind: reports, the certificate in its index, the annex under lock, and the message that tells of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from sqlalchemy import Connection, Engine, select

from consent.database import reading
from dubgate.certificate.claim import LEVELS, PASSED
from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.opening import SigningKey
from dubgate.certificate.refusals import ConsentEnded, NotPassed, Refused
from dubgate.certificate.trust import TrustedGate, TrustedLedger, TrustStore, Validity
from dubgate.certifying import Gate
from dubgate.errors import RegistryError
from dubgate.service import certificates, jobs, messages
from dubgate.service.asked import AskedStore
from dubgate.service.certificates import Facts, Standing
from dubgate.service.database import looking, put_over
from dubgate.service.jobs import Job
from dubgate.service.judging import MEDIA_TYPES
from dubgate.service.own_key import OwnKey
from dubgate.service.signing import Pending
from dubgate.service.sources import source_sha256
from dubgate.service.tables import FILE

CERTIFICATE, ANNEX = "certificate.json", "annex.json"
_EVER = Validity(datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def file_reports(connection: Connection, job: Job, files: Mapping[str, bytes]) -> None:
    """Keep files with a job, over those of an earlier attempt."""
    for name, content in files.items():
        media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
        row = {"job_id": job.job_id, "name": name, "media_type": media_type, "content": content}
        put_over(connection, FILE, row)


def file_of(engine: Engine, job_id: str, name: str) -> tuple[str, bytes] | None:
    """A file that a job made: its type and content."""
    query = select(FILE.c.media_type, FILE.c.content).where(FILE.c.job_id == job_id, FILE.c.name == name)
    with looking(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (row.media_type, bytes(row.content))


def own_trust(gate: Gate, origin: str) -> TrustStore:
    """A trust store of this gate alone: with it the service reads back what it has just signed."""
    public = gate.ledger_key.public_key().public_bytes_raw().hex()
    named = gate.signer.public_key
    key = SigningKey(named.keytype, named.scheme, named.keyval["public"])
    gates = (TrustedGate(gate.verifier, key, _EVER, LEVELS),)
    return TrustStore(1, _EVER.not_before, _EVER.not_after, gates, (TrustedLedger(origin, public, _EVER),))


def file_certificate(
    job: Job, pending: Pending, document: bytes, gate: Gate, own: OwnKey, engine: Engine, origin: str, now: datetime
) -> Callable[[Connection], None]:
    """What ends a job, to be called in one transaction, once the certificate was read back and its consents asked.

    Raises:
        RegistryError: what was signed does not verify; it is not filed.
    """
    trust = own_trust(gate, origin)
    try:
        opened = open_certificate(document, trust, now, CERTIFICATE)
    except Refused as error:
        raise RegistryError(
            f"the certificate that was signed does not verify ({error.reason}): {error.what}"
        ) from error
    facts = certificates.facts_of(opened, document, trust, job.organisation, job.job_id)
    standing = _standing(opened, engine, origin, now) if facts.result == PASSED else None
    annex = own.encrypted(f"{job.job_id}/{ANNEX}", pending.annex)

    def filed(connection: Connection) -> None:
        certificates.put(connection, facts, document, own, now, source=source_sha256(job.organisation, job.request))
        if standing is not None:
            certificates.keep_standing(connection, standing, own)
        file_reports(connection, job, {CERTIFICATE: document, f"{ANNEX}.locked": annex})
        messages.tell(connection, _verdict(job, facts, now))
        jobs.finish(connection, job, now, certificate_id=facts.certificate_id)

    return filed


def _standing(opened: Certificate, engine: Engine, origin: str, now: datetime) -> Standing | None:
    """That everything stands, for the first question; None where it ended since, which that question will find."""
    try:
        with reading(engine) as connection:
            return certificates.ask_whole(opened, AskedStore(connection), origin, now)
    except (ConsentEnded, NotPassed):
        return None


def _verdict(job: Job, facts: Facts, now: datetime) -> messages.Told:
    said = facts.data()
    names = ("certificate_id", "release_id", "file_sha256", "title_id", "language", "decision", "reasons", "expires_at")
    data = {"job_id": job.job_id, **{k: said[k] for k in names}}
    return messages.Told(messages.message_id("verdict", job.job_id), job.organisation, "verdict", data, now)
