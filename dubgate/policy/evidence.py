"""Signed objects that came with a delivery: opened with the keys that the registry lists, in the roles it gives them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from consent.approvals import Approval
from consent.parties import KeyHolder
from consent.strict import Record
from consent.views import View
from consent.vocabulary import Role
from dubgate.certificate.dsse import MAX_ENVELOPE_BYTES, Opened, PublicKey, SignatureError, open_envelope, strict_json
from dubgate.certificate.statements import (
    APPROVAL,
    HUMAN_PERFORMANCE,
    HumanPerformance,
    read_approval,
    read_human,
)
from dubgate.delivery.manifest import Delivery
from dubgate.measure.measurement import Scope, Subject
from dubgate.pinned import pins, read_pinned
from dubgate.policy.checks import failed
from dubgate.policy.findings import Finding

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Signed(Generic[R]):
    """A record whose signature verified: who signed, from which file, and in which roles the key that signed may."""

    record: R
    by: str
    file: str
    payload_sha256: str
    roles: frozenset[Role] = frozenset()
    key_id: str = ""


@dataclass(frozen=True, slots=True)
class Kind(Generic[R]):
    """A kind of signed object: its predicate type, how it is read, and the roles that may sign it."""

    predicate_type: str
    read: Callable[[Opened, str], R]
    roles: tuple[Role, ...]


APPROVALS: Kind[Approval] = Kind(APPROVAL, read_approval, (Role.RIGHTS_HOLDER,))
# The director's says that people performed; a performer's or agent's own, that it was they with a voice that is protected.
HUMAN: Kind[HumanPerformance] = Kind(HUMAN_PERFORMANCE, read_human, (Role.DUBBING_DIRECTOR, Role.PERFORMER, Role.AGENT))


def open_all(
    kind: Kind[R], files: Sequence[Path], view: View, at: datetime
) -> tuple[tuple[Signed[R], ...], tuple[Finding, ...]]:
    """The objects that verify, and a finding for each file that does not."""
    good: list[Signed[R]] = []
    bad: list[Finding] = []
    for path in files:
        try:
            good.append(open_one(kind, path, view, at))
        except SignatureError as error:
            subject = Subject(Scope.PROGRAMME, "")
            bad.append(
                failed("INT-001", subject, f"{path.name} does not count: {error.what}", f"{path.name}は無効です")
            )
    return tuple(good), tuple(bad)


def open_one(kind: Kind[R], path: Path, view: View, at: datetime) -> Signed[R]:
    """The record of one envelope.

    Raises:
        SignatureError: unreadable, signed by nobody the registry knows, by a key that may not sign this now, or in the
            name of another party.
    """
    data = _bytes(path)
    refusals: list[str] = []
    for holder in _holders(data, path.name, view, at):
        refusal = holder.refusal(*kind.roles)
        if refusal:
            refusals.append(refusal)
            continue
        verifier = holder.key.verifier
        key = PublicKey(verifier) if isinstance(verifier, str) else verifier
        opened = open_envelope(data, [key], predicate_type=kind.predicate_type, name=path.name)
        return _checked(kind, opened, holder, path.name)
    raise SignatureError("; ".join(refusals) or "no party in the registry has the key that signed it", where=path.name)


def _checked(kind: Kind[R], opened: Opened, holder: KeyHolder, name: str) -> Signed[R]:
    record = kind.read(opened, name)
    by = getattr(record, "by", None)
    if by != holder.party.party_id:
        raise SignatureError(f"it speaks for {by}, and {holder.party.party_id} signed it", where=name)
    roles = frozenset(holder.key.roles) & frozenset(holder.party.roles)
    return Signed(record, holder.party.party_id, name, opened.payload_sha256, roles, holder.key.key_id)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_ENVELOPE_BYTES:
            raise SignatureError("larger than 4 MB", where=path.name)
        return read_pinned(path)
    except OSError as error:
        raise SignatureError(f"cannot be read: {error.strerror}", where=path.name) from None


def _holders(data: bytes, name: str, view: View, at: datetime) -> Iterator[KeyHolder]:
    """The registered owners of the keys that the envelope names."""
    plain = strict_json(data, name)
    signatures = plain.get("signatures") if isinstance(plain, dict) else None
    if not isinstance(signatures, list):
        raise SignatureError("not a DSSE envelope", where=name)
    for signature in signatures[:16]:
        keyid = signature.get("keyid") if isinstance(signature, dict) else None
        found = view.key(keyid, at) if isinstance(keyid, str) else None
        if found is not None:
            yield found


def predicate_type_of(data: bytes, name: str) -> str:
    """What an envelope says it states, before anything is verified; only to sort files by kind."""
    import base64

    plain = strict_json(data, name)
    try:
        payload = json.loads(base64.b64decode(plain["payload"]))
        return str(payload["predicateType"])
    except (KeyError, TypeError, ValueError) as error:
        raise SignatureError("not a DSSE envelope over a statement", where=name) from error


def evidence_files(delivery: Delivery) -> tuple[dict[str, tuple[Path, ...]], tuple[Finding, ...]]:
    """Envelopes by what they say they state: those that the manifest lists, and all of the folder `evidence/`.

    What is no envelope is a finding; what states something that nobody asked for is left alone.

    Raises:
        ChangedError: one that is pinned is another, or is not there.
    """
    listed = delivery.evidence
    named = (*listed.approvals, *listed.waivers, *listed.attestations, *listed.human_performance, *listed.sign_offs)
    folder = delivery.root / "evidence"
    lying = sorted(p for p in folder.glob("*.json") if not p.is_symlink()) if folder.is_dir() else []
    pins().require_listed(folder, lying)
    by_type: dict[str, tuple[Path, ...]] = {}
    bad: list[Finding] = []
    for path in dict.fromkeys((*named, *lying)):
        try:
            kind = predicate_type_of(_bytes(path), path.name)
            by_type[kind] = (*by_type.get(kind, ()), path)
        except SignatureError as error:
            en = f"{path.name} does not count: {error.what}"
            bad.append(failed("INT-001", Subject(Scope.PROGRAMME), en, f"{path.name}は無効です"))
    return by_type, tuple(bad)
