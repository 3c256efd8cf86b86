"""What somebody says at the desk, as records: entered at once, or first signed by their passkey where the registry wants it.

A suspension, and putting a decision off, never need a passkey.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785
from fastapi import Request
from fastapi.responses import Response

from consent.admission import admit
from consent.consequences import Ending, enter
from consent.errors import RecordError
from consent.events import TERMINAL, Event
from consent.parties import PartyKey
from consent.passkey_signing import to_sign
from consent.shown import Shown
from consent.signatures import author_of, records_statement
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Refusal
from consent.views import View
from consent.vocabulary import EventKind, Role
from consent.voices import Permission
from consent.web import accounts, scope, unkeying
from consent.web.catalogue import text
from consent.web.once import once
from consent.web.page import go
from consent.web.signing import ToSign, propose
from consent.web.visiting import (
    PERFORMING,
    Form,
    NotYoursError,
    PasskeyNeededError,
    Visitor,
    has_passkey,
    require_more_than_a_link,
)
from consent.web.watching import told_asker, told_of_ending
from consent.writing import Addition, Writer

KINDS: dict[str, type[Record]] = {k.schema_name: k for k in (Event, Grant, Permission, Refusal)}
_NEEDS_NONE = frozenset({EventKind.SUSPENDED, EventKind.DEFERRED})
_TOLD = {EventKind.REFUSED: "refused", EventKind.CONFIRMED: "granted"}
_ENDED = ("grant", "permission", "approval", "enrolment")
MOST_WORDS = 20_000


@dataclass(frozen=True, slots=True)
class Act:
    """What one gesture says: its records, the page that it leads to with what is said there, and the one it came from.

    `loosens` says that it opens what was closed: without a signature it then wants more than a mail's link.
    """

    records: tuple[Record, ...]
    then: str
    said: str
    back: str
    loosens: bool = False
    always_signed: bool = False


def event_of(
    view: View, target: str, kind: EventKind, *, by: str, reason: str | None = None, shown: Sequence[Shown] = ()
) -> Event:
    """An event as somebody says it now, with what they were shown."""
    word, _, target_id = target.partition(":")
    said = {"target": word, "target_id": target_id, "kind": kind, "by": by, "reason": reason}
    number = f"ev-{uuid.uuid4().hex}"
    return Event.model_validate({"event_id": number, "effective_at": view.now, "shown": tuple(shown) or None, **said})


def shown_as(language: str, /, **said: str) -> tuple[Shown, ...]:
    """What a page shows, under the names that it gives: `field.KEY` of the catalogue."""
    return tuple(
        Shown(what=text(f"field.{key}", language), said=words[:MOST_WORDS]) for key, words in said.items() if words
    )


def perform(request: Request, who: Visitor, form: Form, act_of: Callable[[View], Act]) -> Response:
    """Do what a form says: to the page on which it is signed, or into the ledger, once.

    Raises:
        PasskeyNeededError: it has to be signed, and the visitor has no passkey.
        RecordError: the registry does not take it.
    """
    with who.desk.registry.view() as view:
        act = act_of(view)
        signed = act.always_signed or (view.store.wants_signatures() and not _needs_none(act))
        if signed:
            return go(request, f"/sign/{_proposed(who, view, act)}")
    if act.loosens:
        require_more_than_a_link(who)
    with once(who, form) as first:
        if first:
            record(who, [_plain(r) for r in act.records], None)
    return go(request, act.then, said=act.said if first else "already")


def _needs_none(act: Act) -> bool:
    return all(isinstance(r, Event) and r.kind in _NEEDS_NONE for r in act.records)


def _plain(said: Record) -> Record:
    """What nobody signs does not say what its author was shown."""
    return said.model_copy(update={"shown": None}) if isinstance(said, Event | Refusal) else said


def _proposed(who: Visitor, view: View, act: Act) -> str:
    """Keep the statement of an act until it is signed; the number of its page."""
    if not has_passkey(who):
        raise PasskeyNeededError
    new = {r.grant_id for r in act.records if isinstance(r, Grant)}
    for said in act.records:
        if not (isinstance(said, Event) and said.target_id in new):
            admit(view, said)
    about = {"kind": "act", "then": act.then, "said": act.said, "back": act.back}
    if len(act.records) == 1:
        return propose(who, to_sign(act.records[0]).payload, about)
    return propose(who, rfc8785.dumps(records_statement(act.records)), about)


def acted(who: Visitor, waiting: ToSign, envelope: str) -> tuple[str, str]:
    """Enter what was signed, as it was signed; the page that it leads to, and what is said there."""
    record(who, records_in(waiting), envelope)
    return str(waiting.about["then"]), str(waiting.about["said"])


def records_in(waiting: ToSign) -> list[Record]:
    """The records in a statement: what enters the ledger is read from the bytes that were signed."""
    predicate = json.loads(waiting.shown)["predicate"]
    return [_read(p) for p in predicate.get("records", [predicate])]


def _read(predicate: Mapping[str, Any]) -> Record:
    kind = KINDS.get(str(predicate.get("schema")))
    if kind is None:
        raise RecordError("no such record is signed here")
    return kind.model_validate_json(json.dumps({k: v for k, v in predicate.items() if k != "schema"}))


def record(who: Visitor, records: Sequence[Record], envelope: str | None) -> None:
    """All of it enters the ledger, or none does; then those whom it concerns are told."""
    with who.desk.registry.write() as writer:
        endings = [_entered(writer, who, r, envelope) for r in records]
    for ending in endings:
        if ending is not None:
            _tell(who, ending)


def _entered(writer: Writer, who: Visitor, said: Record, envelope: str | None) -> Ending | None:
    _require_theirs(writer, who, said)
    if isinstance(said, Event):
        return enter(writer, said, envelope)
    writer.add(Addition(said, envelope=envelope))
    return None


def _require_theirs(view: View, who: Visitor, said: Record) -> None:
    """Check, where nothing can come between, that the visitor may say this still.

    Raises:
        NotYoursError: it is somebody else's to say.
        RecordError: it would take their last passkey.
    """
    author = author_of(said)
    if author is None or not who.decides_for(author[0], Role.RIGHTS_HOLDER):
        raise NotYoursError
    if isinstance(said, Grant | Permission):
        scope.voice_of(view, who, said.voice_id)
    if isinstance(said, Event) and said.target == "key" and said.kind is EventKind.REVOKED:
        _require_another_passkey(view, who, said.target_id)
    if isinstance(said, Event) and said.target == "request":
        asked = scope.request_of(view, who, said.target_id).request.to
        if not who.decides_for(asked, Role.RIGHTS_HOLDER, *PERFORMING):
            raise NotYoursError


def _require_another_passkey(view: View, who: Visitor, key_id: str) -> None:
    key = view.record(f"key:{key_id}", PartyKey)
    if key is not None and key.passkey is not None:
        unkeying.require_another(view, who.desk, who.account, key.passkey.credential_id)


def _forget_passkey(who: Visitor, key_id: str) -> None:
    with who.desk.registry.view() as view:
        key = view.record(f"key:{key_id}", PartyKey)
    if key is not None and key.passkey is not None:
        unkeying.forget_passkey(who.desk, who.account, key.passkey.credential_id)
        accounts.tell(who.desk, who.account, "mail.passkey_removed", link=who.desk.link("/security"))


def _tell(who: Visitor, ending: Ending) -> None:
    event = ending.event
    if event.target == "request" and event.kind in _TOLD:
        told_asker(who.desk, [event.target_id], _TOLD[event.kind], event.reason or "")
    if event.target == "key" and event.kind is EventKind.REVOKED:
        _forget_passkey(who, event.target_id)
    if event.target in _ENDED and event.kind in TERMINAL | {EventKind.SUSPENDED}:
        told_of_ending(who.desk, ending)
