"""From a judgement to a certificate in steps that a crash can be resumed between: decided with its job, then signed.

The decision enters the ledger in the same transaction in which the job notes it, with everything that is still to be
signed. Whoever takes the job over finds either no decision, and judges again, or this one, and signs it: never two.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.approvals import Approval
from consent.registry import Registry
from consent.releases import ReleaseDecision
from consent.views import View
from dubgate.certificate.dsse import sign
from dubgate.certificate.file import certificate_bytes
from dubgate.certificate.measured import measured_statement
from dubgate.certificate.verdict import EXTENSION, verdict_statement
from dubgate.certifying import Gate
from dubgate.deciding import Decided, Within, decide_in_ledger
from dubgate.errors import DubgateError, InputError
from dubgate.hit_notices import hit_notices, record_hits
from dubgate.judgement import Judgement
from dubgate.standing import what_ended
from dubgate.watching import Watched
from dubgate.witnessed import ledger_part


@dataclass(frozen=True, slots=True)
class Pending:
    """What was decided, as it will be signed but for the ledger's part; its entries, and the private annex."""

    decision: str
    release_id: str
    verdict: dict[str, Any]
    measured: dict[str, Any]
    annex: bytes
    leaf_indexes: tuple[int, ...]

    def data(self) -> bytes:
        """As it is kept with the job."""
        annex = base64.b64encode(self.annex).decode()
        told = {name: getattr(self, name) for name in self.__slots__} | {"annex": annex}
        return json.dumps(told, sort_keys=True).encode()


def read_pending(data: bytes) -> Pending:
    """What was kept with a job, by this program."""
    told = json.loads(data)
    indexes = tuple(told["leaf_indexes"])
    return Pending(**told | {"annex": base64.b64decode(told["annex"]), "leaf_indexes": indexes})


def pending_of(decided: Decided) -> Pending:
    """What is left to do once a decision stands."""
    verdict, claim = decided.verdict, decided.verdict.claim
    return Pending(
        decision=claim.decision,
        release_id=claim.release_id,
        verdict=verdict_statement(decided.annexed()),
        measured=measured_statement(decided.measured, verdict.file_sha256, claim.packs, claim.models),
        annex=decided.annex,
        leaf_indexes=decided.leaf_indexes,
    )


def decide(
    judgement: Judgement, watched: Watched, registry: Registry, gate: Gate, release_id: str, within: Within
) -> Pending:
    """Ask the consents again and append the decision.

    Raises:
        InputError: the delivery changed while it was judged.
        RegistryError, ConsentError: the registry refuses the release as it stands now, or cannot be written.
    """
    watched.require_unchanged()
    _record_hits(judgement, registry, gate.party)
    asked = (judgement, watched.delivery, watched.file_sha256, gate.verifier, gate.party, registry)
    how = {"ends_at": gate.ends_at, "release_id": release_id, "within": within, "rests_on": watched.rests_on}
    with watched.pinned():
        decided = decide_in_ledger(*asked, **how)  # type: ignore[arg-type]
    return pending_of(decided)


def require_another_hand(view: View, release_id: str, party: str) -> None:
    """Nobody's own approval carries what they handed in themselves, whatever the delivery says of who submits it.

    Raises:
        InputError: the party of the token signed one that the release rests on.
    """
    for release in view.releases(f"release:{release_id}"):
        found = (view.record(f"approval:{a}", Approval) for a in release.approval_ids)
        if any(approval is not None and approval.by == party for approval in found):
            what = f"{party} submitted this delivery and signed its approval"
            raise InputError(what, where="approvals", remedy="Have somebody else submit it, or approve it.")


def require_standing_still(pending: Pending, registry: Registry, now: datetime) -> None:
    """What was decided and never signed, since its worker died, is signed only while everything it rests on stands.

    Raises:
        InputError: something ended since; there is no certificate.
    """
    with registry.view() as view:
        for release in view.releases(f"release:{pending.release_id}"):
            if release.decision is ReleaseDecision.RELEASE and (ended := what_ended(release, view, now)):
                what = f"it was released and never certified, and since then: {'; '.join(ended)}"
                raise InputError(what, where=release.release_id, remedy="Submit it again.")


def _record_hits(judgement: Judgement, registry: Registry, party: str) -> None:
    """Each voice that was heard without its consent enters the history once, whatever becomes of this attempt."""
    if judgement.features.published is None:
        return
    with registry.view() as view:
        notices = hit_notices(judgement.verdict.findings, view, judgement.features.published.packet_sha256)
    if notices:
        record_hits(registry, notices, party)


def _signed(statement: dict[str, Any], gate: Gate) -> bytes:
    try:
        return sign(statement, gate.signer)
    except DubgateError:
        raise
    except Exception as error:  # key services raise what they like
        raise InputError(f"the gate's key did not sign: {type(error).__name__}: {error}") from error


def certificate_of(pending: Pending, registry: Registry, gate: Gate) -> bytes:
    """Sign what was decided, under a checkpoint that has it. The same decision may be signed again after a crash."""
    verdict = json.loads(json.dumps(pending.verdict))
    if pending.leaf_indexes:
        part = ledger_part(registry, pending.leaf_indexes, gate.ledger_key)
        proofs = [{"leaf": p.leaf, "index": p.index, "path": list(p.path)} for p in part.proofs]
        verdict["predicate"][EXTENSION]["ledger"] = {"checkpoint": part.checkpoint, "proofs": proofs}
    return certificate_bytes(_signed(verdict, gate), _signed(pending.measured, gate))
