"""What people sign over a dub's sound: approvals and human-performance statements, as in-toto Statements v1.

The subject of each is the sound, by the digest of its packets; the predicate carries every field that was shown.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError

from consent.approvals import Approval
from consent.dsse import STATEMENT_TYPE
from consent.strict import Id, Language, Line, Record, Sha256, Time, canonical_json
from dubgate.certificate.dsse import Opened, SignatureError

APPROVAL = "urn:dubgate:approval:1.0"
HUMAN_PERFORMANCE = "urn:dubgate:human-performance:1.0"
WAIVER = "urn:dubgate:waiver:1.0"
ATTESTATION = "urn:dubgate:attestation:1.0"
SIGN_OFF = "urn:dubgate:sign-off:1.0"
RECORD_CONFIRMATION = "urn:dubgate:record-confirmation:1.0"
STUDIO_POLICY = "urn:dubgate:studio-policy:1.0"
WRITTEN_APPROVAL = "urn:dubgate:written-approval:1.0"
RULING = "urn:dubgate:ruling:1.0"

R = TypeVar("R", bound=Record)


class HumanPerformance(Record):
    """The dubbing director's statement that people performed these characters, in this sound.

    Without `characters` it is for all characters that the cast declares as human.
    """

    schema_name: ClassVar[str] = "human-performance/1.0"

    statement_id: Id
    by: Id
    title_id: Id
    language: Language
    characters: tuple[Line, ...] = ()
    packets_sha256: Sha256
    pcm_sha256: Sha256 | None = None
    signed_at: Time

    @property
    def record_id(self) -> str:
        """The statement's id."""
        return self.statement_id

    def found_under(self) -> tuple[str, ...]:
        """By statement, signer, title and sound."""
        own = (f"statement:{self.statement_id}", f"party:{self.by}", f"title:{self.title_id}")
        return (*own, f"sound:{self.packets_sha256}")


def statement(predicate_type: str, record: Record, digests: tuple[str, ...], subject: str = "dub") -> dict[str, Any]:
    """An in-toto Statement over sounds (by packet digests; or over what `subject` names) with the record as its predicate."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": subject, "digest": {"sha256": digest}} for digest in digests],
        "predicateType": predicate_type,
        "predicate": {"schema": record.schema_name, **json.loads(canonical_json(record))},
    }


def digest_id(prefix: str, *said: str) -> str:
    """An id for what somebody signs, which the same words give again: 80 bits of their digest."""
    return f"{prefix}-{hashlib.sha256(' '.join(said).encode()).hexdigest()[:20]}"


def approval_statement(approval: Approval) -> dict[str, Any]:
    """The statement that a rights holder signs."""
    return statement(APPROVAL, approval, tuple(s.packets_sha256 for s in approval.sounds))


def human_statement(performance: HumanPerformance) -> dict[str, Any]:
    """The statement that a dubbing director signs."""
    return statement(HUMAN_PERFORMANCE, performance, (performance.packets_sha256,))


def record_of(opened: Opened, model: type[R], sounds_of: str, name: str) -> R:
    """The record in a verified statement.

    Args:
        sounds_of: the place of the subject's digests: "sounds" (a list of ApprovedSound), "packets_sha256", "pack_sha256".

    Raises:
        SignatureError: unknown fields, wrong types, another schema, or a subject that is not the sound it names.
    """
    record = predicate_of(opened, model, name)
    named = getattr(record, sounds_of)
    digests = [s.packets_sha256 for s in named] if sounds_of == "sounds" else [named]
    if [s.get("digest") for s in opened.statement["subject"]] != [{"sha256": d} for d in digests]:
        raise SignatureError("its subject is not the sound that it names", where=name)
    return record


def predicate_of(opened: Opened, model: type[R], name: str) -> R:
    """The record in a verified statement, whatever its subject is.

    Raises:
        SignatureError: unknown fields, wrong types, or another schema.
    """
    predicate = opened.predicate
    if predicate.pop("schema", None) != model.schema_name:
        raise SignatureError(f"its predicate is not of schema {model.schema_name}", where=name)
    try:
        return model.model_validate_json(json.dumps(predicate))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise SignatureError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where=name) from None


def read_approval(opened: Opened, name: str) -> Approval:
    """The approval in a verified envelope; see record_of."""
    return record_of(opened, Approval, "sounds", name)


def read_human(opened: Opened, name: str) -> HumanPerformance:
    """The human-performance statement in a verified envelope; see record_of."""
    return record_of(opened, HumanPerformance, "packets_sha256", name)
