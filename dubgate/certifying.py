"""Sign what was decided: the decision enters the ledger first, then the verdict is signed under the checkpoint that has it.

A crash in between leaves an entry without a certificate, never a certificate without an entry. `certificate.json` appears
last and whole. Whatever goes wrong, there is no certificate; one of an earlier run is gone before judging starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from consent.errors import ConsentError, StoreError
from consent.registry import Registry
from dubgate.certificate.claim import FAILED, PASSED
from dubgate.certificate.dsse import sign
from dubgate.certificate.file import certificate_bytes
from dubgate.certificate.measured import measured_statement
from dubgate.certificate.verdict import Verdict, verdict_statement
from dubgate.deciding import Decided, decide_in_ledger
from dubgate.errors import DubgateError, InputError, RegistryError
from dubgate.hit_notices import hit_notices, record_hits
from dubgate.judgement import Judgement
from dubgate.policy.verdict import Decision
from dubgate.watching import Watched
from dubgate.witnessed import ledger_part

CERTIFICATE, ANNEX, JUDGED, PACKS = "certificate.json", "annex.json", "judged.json", "packs"


@dataclass(frozen=True, slots=True)
class Gate:
    """Who signs: the verifier's name, the party that the registry knows it as, its signer, and the ledger's key.

    `signer` is securesystemslib's; `ledger_key` is cryptography's Ed25519 private key.
    """

    verifier: str
    party: str
    signer: Any
    ledger_key: Any
    ends_at: tuple[datetime, ...] = ()  # of both keys


@dataclass(frozen=True, slots=True)
class Certified:
    """What was written."""

    certificate: Path
    annex: Path
    verdict: Verdict


def clear_place(folder: Path) -> None:
    """Take away the certificate of an earlier run, so that none is left beside a decision that it is not of.

    Raises:
        InputError: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CERTIFICATE, ANNEX, JUDGED):
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"certificates cannot be written: {error.strerror}", where=str(folder)) from error


def certify(
    judgement: Judgement,
    watched: Watched,
    registry: str,
    gate: Gate,
    folder: Path,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Certified:
    """Record the decision, sign it, and write it into `folder`: PASSED for a release, FAILED for everything else.

    Raises:
        InputError: the delivery changed while it was judged, or the folder cannot be written to.
        RegistryError: the registry refuses the release as it stands now, or cannot be written.
    """
    if judgement.verdict.quality_only:
        raise ValueError("a judgement of quality alone is never certified")
    watched.require_unchanged()
    with explained(), watched.pinned(), Registry.open(registry, clock=clock) as opened:
        asked = (judgement, watched.delivery, watched.file_sha256, gate.verifier, gate.party)
        decided = decide_in_ledger(*asked, opened, ends_at=gate.ends_at, rests_on=watched.rests_on)
        _record_hits(judgement, decided.verdict.claim.packets_sha256, opened, gate.party)
        part = ledger_part(opened, decided.leaf_indexes, gate.ledger_key)
    return _write(decided, decided.certified(part), gate, folder, judgement.verdict.decision)


def _record_hits(judgement: Judgement, packets_sha256: str | None, registry: Registry, party: str) -> None:
    """Put each voice that was heard without its consent into the history, where its owner's report finds it."""
    if packets_sha256 is None:
        return
    with registry.view() as view:
        notices = hit_notices(judgement.verdict.findings, view, packets_sha256)
    if notices:
        record_hits(registry, notices, party)


@contextmanager
def explained() -> Iterator[None]:
    """Errors of the registry as dubgate's own, which say that nothing was certified."""
    try:
        yield
    except StoreError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error
    except ConsentError as error:
        raise RegistryError(f"nothing was certified: {error.what}", where=error.where, remedy=error.remedy) from error


def _write(decided: Decided, verdict: Verdict, gate: Gate, folder: Path, decision: Decision) -> Certified:
    """Sign both statements and write the annex, then the certificate."""
    if verdict.result != (PASSED if decision is Decision.RELEASE else FAILED):
        raise RuntimeError("the verdict to be signed is not what was decided")
    claim = verdict.claim
    measured = measured_statement(decided.measured, verdict.file_sha256, claim.packs, claim.models)
    signed = certificate_bytes(signed_statement(verdict_statement(verdict), gate), signed_statement(measured, gate))
    try:
        keep_packs(folder, decided.packs)
        place_whole(folder / JUDGED, decided.judged, 0o600)
        place_whole(folder / ANNEX, decided.annex, 0o600)
        place_whole(folder / CERTIFICATE, signed, 0o644)
    except OSError as error:
        (folder / CERTIFICATE).unlink(missing_ok=True)
        raise InputError(f"the certificate cannot be written: {error.strerror}", where=str(folder)) from error
    return Certified(folder / CERTIFICATE, folder / ANNEX, verdict)


def keep_packs(folder: Path, packs: Sequence[tuple[str, bytes]]) -> None:
    """Each pack under its digest in `packs/`: what judged stays what it was."""
    (folder / PACKS).mkdir(exist_ok=True)
    for sha256, data in packs:
        place_whole(folder / PACKS / f"{sha256}.yaml", data, 0o644)


def signed_statement(statement: dict[str, Any], gate: Gate) -> bytes:
    """The envelope that the gate's key signs.

    Raises:
        InputError: the key service did not.
    """
    try:
        return sign(statement, gate.signer)
    except DubgateError:
        raise
    except Exception as error:  # key services raise what they like
        raise InputError(f"the gate's key did not sign: {type(error).__name__}: {error}") from error


def place_whole(path: Path, data: bytes, mode: int) -> None:
    """Write under another name beside its place, to the disk, then rename."""
    waiting = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(waiting, path)
    finally:
        waiting.unlink(missing_ok=True)
