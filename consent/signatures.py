"""Who signed a record: DSSE around an in-toto Statement whose predicate is the record, by its author's own key.

The statement's predicate is `{"schema": …, **record}` and its type `urn:dubgate:<kind>:1.0`, as dubgate signs them.
Nothing is serialised again: the bytes that were signed are compared with the record that is to be kept.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from consent.approvals import Approval
from consent.certifications import Adoption
from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE, loads_strictly, pre_authentication_encoding
from consent.errors import SignatureError
from consent.events import Event
from consent.parties import KeyHolder
from consent.signed_entries import SignatureEntry, read_entry, signature_problem
from consent.strict import Record, canonical_json
from consent.terms import Grant
from consent.titles import Refusal
from consent.vocabulary import Capacity, EventKind, Role
from consent.voices import Permission

MAX_ENVELOPE_BYTES = 4_000_000
LIST_TYPE, LIST_SCHEMA = "urn:dubgate:approvals:1.0", "consent-approvals/1.0"  # several approvals, one signature
RECORDS_TYPE, RECORDS_SCHEMA = (
    "urn:dubgate:records:1.0",
    "consent-records/1.0",
)  # what one gesture says in several records

_GRANTING_ROLES = {
    Capacity.SELF: (Role.PERFORMER, Role.TTS_VENDOR),
    Capacity.AGENT: (Role.AGENT,),
    Capacity.GUARDIAN: (Role.GUARDIAN,),
    Capacity.COURT: (Role.GUARDIAN, Role.LEGAL),
    Capacity.EXECUTOR: (Role.ESTATE,),
    Capacity.HEIR: (Role.HEIR,),
    Capacity.UNION: (Role.UNION,),
}
# Who may put rule packs in force: not those whose work the rules judge, nor those whom they protect.
ANSWERABLE = (Role.OPERATOR, Role.LEGAL, Role.PRODUCTION, Role.LOCALIZATION_SUPERVISOR, Role.CREATIVE_LEAD)
_SAID = frozenset({EventKind.CONFIRMED, EventKind.REFUSED, EventKind.DEFERRED})
# What carries its author's signature where the registry demands signatures.
SIGNED_KINDS = (Grant, Approval, Permission, Refusal, Event, Adoption)
_GESTURES = (Grant, Permission, Refusal, Event)


def stands_unsigned(record: Record) -> bool:
    """What opens nothing and can be undone, so that nobody needs a key at hand for it: a suspension, and what was said to
    a request. A yes to a request is the signed approval itself; its answer only says that there is one."""
    if not isinstance(record, Event):
        return False
    return record.kind is EventKind.SUSPENDED or (record.target == "request" and record.kind in _SAID)


def predicate_type(record: Record) -> str:
    """`urn:dubgate:grant:1.0` for a `consent-grant/1.0`."""
    name, _, version = record.schema_name.removeprefix("consent-").partition("/")
    return f"urn:dubgate:{name}:{version}"


def author_of(record: Record) -> tuple[str, tuple[Role, ...]] | None:
    """The party whose signature a record carries, and the roles in which it may; None where nobody signs it."""
    if isinstance(record, Grant):
        return record.granted_by, _GRANTING_ROLES[record.capacity]
    if isinstance(record, Approval):
        return record.by, (Role.RIGHTS_HOLDER,)
    if isinstance(record, Permission):
        return record.given_by, tuple(Role)
    if isinstance(record, Adoption):
        return record.by, ANSWERABLE
    return (record.by, tuple(Role)) if isinstance(record, Event | Refusal) else None


class KnownKeys(Protocol):
    """Who owned which key at the moment `now`: a view of the registry, or an audit of its past."""

    now: datetime

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        """The holder of a key by its name in envelopes, and what speaks against its use at `at`."""


def check_envelope(view: KnownKeys, record: Record, envelope: str) -> KeyHolder:
    """Whose key signed this very record, in a role that it has now.

    Raises:
        SignatureError: malformed, another record, or no valid signature by its author in a fitting role.
    """
    author = author_of(record)
    where = f"{record.schema_name} {record.record_id}"
    if author is None:
        raise SignatureError("such a record is not signed", where=where)
    payload, signatures = _opened(envelope, where)
    _same_record(payload, record, where)
    signed = pre_authentication_encoding(payload)
    refusals = []
    for entry in signatures:
        holder = view.key(entry.keyid, view.now)
        if holder is None or not (holder.party.party_id == author[0] or _for_its_house(holder, record, author[0])):
            refusals.append(f"the key {entry.keyid[:16]}… is not one of {author[0]}")
        elif problem := holder.refusal(*author[1]) or signature_problem(holder.key.verifier, entry, signed):
            refusals.append(problem)
        else:
            return holder
    raise SignatureError("; ".join(refusals), where=where)


def _for_its_house(holder: KeyHolder, record: Record, house_id: str) -> bool:
    """Whether a person signs what their house says of its titles: its refusals and approvals, as its rights holder."""
    of_titles = isinstance(record, Refusal) or (isinstance(record, Event) and record.target in ("refusal", "approval"))
    return of_titles and holder.party.house_id == house_id and not holder.refusal(Role.RIGHTS_HOLDER)


def counters_of(envelope: str, keyid: str) -> dict[int, bytes]:
    """The counters of a passkey's assertions in an envelope, each with its signature; none where it does not count."""
    _, signatures = _opened(envelope, keyid[:16])
    own = (e.assertion for e in signatures if e.keyid == keyid and e.assertion is not None)
    return {a.counter: a.signature for a in own if a.counter}


def require_one_authenticator(earlier: Iterable[str], envelope: str, holder: KeyHolder) -> None:
    """An authenticator that counts says each number once; whoever says it again holds a copy of it.

    Order does not matter: what was signed in a delivery enters the history later than it was signed.

    Raises:
        SignatureError: an earlier envelope has another signature of this passkey under the same number.
    """
    now = counters_of(envelope, holder.key.keyid)
    for before in earlier if now else ():
        for counter, signature in counters_of(before, holder.key.keyid).items():
            if now.get(counter, signature) != signature:
                raise SignatureError("the passkey's counter says a number twice: it may have been copied")


def _opened(envelope: str, where: str) -> tuple[bytes, tuple[SignatureEntry, ...]]:
    data = _strict_json(envelope, where)
    if not isinstance(data, dict) or set(data) != {"payload", "payloadType", "signatures"}:
        raise SignatureError("not a DSSE envelope", where=where)
    if data["payloadType"] != PAYLOAD_TYPE:
        raise SignatureError("its payload is not an in-toto Statement", where=where)
    try:
        payload = base64.b64decode(data["payload"], validate=True)
        signatures = tuple(read_entry(s) for s in data["signatures"])
    except (binascii.Error, TypeError, ValueError) as error:
        raise SignatureError(f"not a DSSE envelope: {error}", where=where) from None
    if not 1 <= len(signatures) <= 10:
        raise SignatureError("an envelope has one to ten signatures", where=where)
    return payload, signatures


def _same_record(payload: bytes, record: Record, where: str) -> None:
    try:
        statement = _strict_json(payload.decode(), where)
    except UnicodeDecodeError:
        raise SignatureError("its payload is not text", where=where) from None
    wanted = predicate_of(record)
    stated = statement if isinstance(statement, dict) else {}
    if stated.get("predicateType") == LIST_TYPE and isinstance(record, Approval):
        _in_list(stated, wanted, where)
        return
    if stated.get("predicateType") == RECORDS_TYPE and isinstance(record, _GESTURES):
        _in_gesture(stated, wanted, where)
        return
    if stated.get("_type") != STATEMENT_TYPE or stated.get("predicateType") != predicate_type(record):
        raise SignatureError(f"it is not a statement of type {predicate_type(record)}", where=where)
    if stated.get("predicate") != wanted:
        different = sorted(_different(stated.get("predicate"), wanted))
        raise SignatureError(f"something else was signed: {', '.join(different)}", where=where)


def predicate_of(record: Record) -> dict[str, Any]:
    """A record as it stands in the statement that its author signs."""
    return {"schema": record.schema_name, **json.loads(canonical_json(record))}


def _in_list(stated: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    """One of a list of approvals that were signed in one gesture; each id stands there once, and is this very one."""
    listed = _listed(stated, "approvals", LIST_SCHEMA, where)
    own = [a for a in listed if isinstance(a, dict) and a.get("approval_id") == wanted["approval_id"]]
    if own != [wanted]:
        different = sorted(_different(own[0] if len(own) == 1 else None, wanted))
        raise SignatureError(f"something else was signed: {', '.join(different)}", where=where)


def records_statement(records: Sequence[Record]) -> dict[str, Any]:
    """The statement in which one gesture signs several records, each of them whole."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [],
        "predicateType": RECORDS_TYPE,
        "predicate": {"schema": RECORDS_SCHEMA, "records": [predicate_of(r) for r in records]},
    }


def _in_gesture(stated: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    """One of the records that one gesture signed; it stands there once, as it is."""
    listed = _listed(stated, "records", RECORDS_SCHEMA, where)
    if listed.count(wanted) != 1:
        raise SignatureError("something else was signed: it is not one of the records", where=where)


def _listed(stated: dict[str, Any], name: str, schema: str, where: str) -> list[Any]:
    """What a statement over several records lists; it says nothing else."""
    predicate = stated.get("predicate")
    known = predicate if isinstance(predicate, dict) else {}
    listed = known.get(name)
    right = stated.get("_type") == STATEMENT_TYPE and known.get("schema") == schema
    if not right or set(known) != {"schema", name} or not isinstance(listed, list):
        raise SignatureError(f"it is not a list of {name} of schema {schema}", where=where)
    return listed


def _different(signed: Any, wanted: dict[str, Any]) -> Iterator[str]:
    known = signed if isinstance(signed, dict) else {}
    yield from (key for key in {*known, *wanted} if known.get(key) != wanted.get(key))


def _strict_json(text: str, where: str) -> Any:
    try:
        if len(text) > MAX_ENVELOPE_BYTES:
            raise ValueError("larger than 4 MB")
        return loads_strictly(text)
    except (ValueError, RecursionError) as error:
        raise SignatureError(f"not strict JSON: {error}", where=where) from None
