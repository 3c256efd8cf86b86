"""One folder for whoever must be shown: a certificate with all that it takes to verify it, on a machine without a registry.

Offline and without secrets: the trust store and root key, the checkpoint with its proofs, the packs by digest, and,
where it is asked for, the private annex with the measurements.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from dubgate.certificate.file import Certificate, open_certificate
from dubgate.certificate.package import MAX_BYTES, is_package_certificate, open_package
from dubgate.certificate.refusals import AlteredEvidence
from dubgate.certificate.trust import TrustStore, read_trust
from dubgate.certificate.verdict import certificate_id
from dubgate.certifying import place_whole
from dubgate.errors import InputError
from dubgate.replaying import packs_of_that_day, replay
from dubgate.verifying import read_small, root_of, same_bytes

SUMS = "SHA256SUMS"
CERTIFICATE, TRUST, ROOT, PACKS = "certificate.json", "trust.json", "root.hex", "packs"
PRIVATE = ("annex.json", "judged.json")
SCRIPT = '''"""Verifies this folder where it lies: python verify.py [FILE]. Needs `pip install dubgate`, and nothing else."""

import sys
from pathlib import Path

from dubgate.errors import DubgateError
from dubgate.evidence_folder import check_evidence

try:
    for line in check_evidence(Path(__file__).parent, Path(sys.argv[1]) if len(sys.argv) > 1 else None):
        print(line)
except DubgateError as error:
    sys.exit(f"REFUSED ({getattr(error, 'reason', 'error')}): {error}")
'''
README = """# Evidence: certificate {certificate_id}

Taken on {taken_at}. The verdict is {result} ({level}) for {title}, by {verifier}.

| file | what it is |
| --- | --- |
| `certificate.json` | verdict and measurements (in-toto Statements in DSSE envelopes), with the ledger's checkpoint and proofs |
| `trust.json`, `root.hex` | whose signatures counted on that day, and the root key that says so. Compare the root key with one that you have from elsewhere: nothing in this folder can vouch for it |
| `checkpoint.txt`, `proofs.json` | the ledger's signed head, and the entries that are under it (RFC 9162) |
| `packs/` | the rule packs that judged, each under the SHA-256 of its bytes |
| `annex.json`, `judged.json` | private, where they are here: what people signed, every finding, every measurement |
| `SHA256SUMS` | the digest of every other file here |

    python verify.py              # signatures, digests, proofs, packs; and judged again, where the annex is here
    python verify.py dub.flac     # and that the file is the one that was judged

    dubgate verify certificate.json dub.flac --territory DE --channel svod --trust trust.json --root root.hex

The first asks as of the day on which this folder was made; `dubgate verify` asks as of now, when the certificate may
have expired.
"""


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What is to be shown: a certificate in the folder that `check --certify` wrote, and by whose trust store."""

    certificate: Path
    trust: Path
    root: str
    with_annex: bool = False


def write_evidence(request: EvidenceRequest, out: Path, *, now: datetime) -> Certificate:
    """Write the folder; it is whole and verified, or it is not there.

    Raises:
        Refused: the certificate does not hold as of now.
        InputError: a part is missing, or something lies at `out`.
    """
    if out.exists():
        raise InputError("something is already there", where=str(out), remedy="Choose another place.")
    waiting = out.with_name(f".{out.name}.partial")
    shutil.rmtree(waiting, ignore_errors=True)
    try:
        opened = _gathered(request, waiting, now)
        tuple(check_evidence(waiting))
        waiting.rename(out)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=str(out)) from error
    finally:
        shutil.rmtree(waiting, ignore_errors=True)
    return opened


def _gathered(request: EvidenceRequest, folder: Path, now: datetime) -> Certificate:
    data = read_small(request.certificate, MAX_BYTES)
    trust = read_small(request.trust)
    store = read_trust(trust, root_of(request.root), request.trust.name)
    store.require_current(now)
    opened = _opened(data, store, now)
    source = request.certificate.parent
    (folder / PACKS).mkdir(parents=True)
    packs_of_that_day(opened, source / PACKS)
    for used in opened.verdict.claim.packs:
        shutil.copyfile(source / PACKS / f"{used.sha256}.yaml", folder / PACKS / f"{used.sha256}.yaml")
    for name, content in _texts(opened, request, now):
        (folder / name).write_text(content, encoding="utf-8")
    place_whole(folder / CERTIFICATE, data, 0o644)
    place_whole(folder / TRUST, trust, 0o644)
    for name in PRIVATE if request.with_annex else ():
        place_whole(folder / name, read_small(source / name, MAX_BYTES), 0o600)
    (folder / SUMS).write_text("".join(_sums(folder)), encoding="utf-8")
    return opened


def _texts(opened: Certificate, request: EvidenceRequest, now: datetime) -> Iterator[tuple[str, str]]:
    verdict = opened.verdict
    part = verdict.claim.ledger
    yield "verify.py", SCRIPT
    yield ROOT, f"{request.root}\n"
    yield "taken_at", f"{now.isoformat()}\n"
    if part is not None:
        yield "checkpoint.txt", part.checkpoint
        proofs = [{"index": p.index, "leaf": p.leaf, "path": list(p.path)} for p in part.proofs]
        yield "proofs.json", json.dumps(proofs, indent=1) + "\n"
    named = {
        "certificate_id": certificate_id(opened.statement),
        "taken_at": now.isoformat(),
        "result": verdict.result,
        "level": verdict.level,
        "title": verdict.claim.title_id or "no known title",
        "verifier": verdict.verifier,
    }
    yield "README.md", README.format(**{k: "".join(c for c in v if c.isprintable()) for k, v in named.items()})


def _sums(folder: Path) -> Iterator[str]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n"


def check_evidence(folder: Path, file: Path | None = None) -> Iterator[str]:
    """Verify a folder of evidence as of the day on which it was made; each step that held, in words.

    Raises:
        AlteredEvidence: a file of it is missing, added or changed.
        Refused: the certificate in it does not hold.
    """
    yield f"files: {_check_sums(folder)} as they were"
    now = datetime.fromisoformat((folder / "taken_at").read_text(encoding="ascii").strip())
    store = read_trust(read_small(folder / TRUST), root_of((folder / ROOT).read_text(encoding="ascii").strip()), TRUST)
    store.require_current(now)
    opened = _opened(read_small(folder / CERTIFICATE, MAX_BYTES), store, now)
    verdict = opened.verdict
    yield f"certificate: {verdict.result}, {verdict.level}, signed by {verdict.verifier}; measurements and ledger proofs hold"
    yield f"packs: {len(packs_of_that_day(opened, folder / PACKS))} as they judged"
    if (folder / PRIVATE[0]).exists():
        again = _replayed(opened, folder)
        yield f"annex: {len(verdict.claim.signed)} signed objects verify"
        yield again
    if file is not None:
        same_bytes(file, verdict.file_sha256, verdict.claim, file.name)
        yield f"file: {file.name} is the one that was judged"


def _replayed(opened: Certificate, folder: Path) -> str:
    found = replay(opened, folder)
    if not found.same:
        raise AlteredEvidence(f"judged again it is {found.decision}: {'; '.join(found.changes[:10])}")
    return f"judged again: {found.decision}, the same in {found.n_judged} findings"


def _opened(data: bytes, store: TrustStore, now: datetime) -> Certificate:
    if is_package_certificate(data):
        return open_package(data, store, now, CERTIFICATE).master
    return open_certificate(data, store, now, CERTIFICATE)


def _check_sums(folder: Path) -> int:
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise AlteredEvidence("the list of digests is missing", where=SUMS) from None
    said = [line.split("  ", 1) for line in text.splitlines()]
    there = [line.rstrip("\n").split("  ", 1) for line in _sums(folder) if not line.endswith(f"  {SUMS}\n")]
    if said != there:
        known = {tuple(row) for row in said} ^ {tuple(row) for row in there}
        names = sorted({row[-1] for row in known})
        raise AlteredEvidence(f"not as it was made: {', '.join(names[:5])}", where=str(folder))
    return len(there)
