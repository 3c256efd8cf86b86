"""One statement verified: what was signed, by whose key, whether the ledger holds it, and what stands behind the ledger.

Each question has its own answer: it holds, it fails, or it stays open. A file that agrees only with itself stays open:
whoever can write a file can write the ledger in it too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from consent import ledger
from consent.approvals import Approval
from consent.checkpoint import Checkpoint
from consent.entries import Entry
from consent.errors import ConsentError, RecordError, SignatureError
from consent.events import Event
from consent.parties import KeyHolder, Party, PartyKey, key_problem
from consent.registry import Registry
from consent.signatures import SIGNED_KINDS, check_envelope
from consent.strict import Record
from consent.taken_home import TakenHome
from consent.terms import Grant
from consent.titles import Refusal
from consent.views import View
from consent.voices import Permission


class Answer(IntEnum):
    """What comes of a question; the worst one decides, and is the exit code that a terminal sees in `EXIT`."""

    HOLDS = 0
    OPEN = 1
    FAILS = 2


EXIT = {Answer.HOLDS: 0, Answer.OPEN: 3, Answer.FAILS: 1}


@dataclass(frozen=True, slots=True)
class Point:
    """One question with its answer; `key` names the sentence (`verify.KEY` of the desk's texts), `values` fill it in."""

    asks: str
    answer: Answer
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement with every answer; `entry` is None where only a bare envelope is there, `record` where it is none."""

    entry: Entry | None
    record: Record | None
    holder: KeyHolder | None
    points: tuple[Point, ...]

    @property
    def answer(self) -> Answer:
        """The worst answer; open where nothing was asked."""
        return max((p.answer for p in self.points), default=Answer.OPEN)


class _InTheFile:
    """The keys and parties that a file brings along, as of the moment of its statement."""

    def __init__(self, behind: Sequence[Entry], statement: Entry) -> None:
        earlier = [e.record for e in behind if e.leaf_index < statement.leaf_index]
        self._keys = {r.keyid: r for r in earlier if isinstance(r, PartyKey)}
        self._parties = {r.party_id: r for r in earlier if isinstance(r, Party)}
        self.now = statement.recorded_at

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        found = self._keys.get(key)
        party = self._parties.get(found.party_id) if found is not None else None
        return None if found is None or party is None else KeyHolder(found, party, key_problem(found, (), at))


class _AsOf:
    """A registry's keys as they stood at a moment."""

    def __init__(self, view: View, now: datetime) -> None:
        self._view, self.now = view, now

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        return self._view.key(key, at)


def check_statement(
    taken: TakenHome, *, kept: Checkpoint | None = None, signed_by: str | None = None, registry: Registry | None = None
) -> Checked:
    """Everything that can be asked of a file with what is at hand.

    Args:
        kept: a checkpoint that somebody kept outside the registry.
        signed_by: whose signature over `kept` was verified; None where nobody's was.
        registry: the registry itself, or a copy of it.
    """
    try:
        entry, behind = taken.statement.entry, [p.entry for p in taken.behind]
        record = entry.record
        points, holder = _signature(record, entry, _InTheFile(behind, entry))
    except ConsentError as error:
        entry, record, holder = taken.statement.entry, None, None
        points = [Point("signature", Answer.FAILS, "no_record", {"why": error.what})]
    points += [_ledger(taken), *_anchor(taken, kept, signed_by, registry)]
    if registry is not None and record is not None:
        points += _in_registry(registry, entry, record)
    return Checked(entry, record, holder, tuple(points))


def check_bare(envelope: str, registry: Registry) -> Checked | None:
    """A bare envelope looked up in a registry; None where no entry of it carries this envelope."""
    with registry.view() as view:
        entry = _entry_of(view, envelope)
        if entry is None:
            return None
        points, holder = _signature(entry.record, entry, _AsOf(view, entry.recorded_at))
    origin = registry.head()
    here = Point("ledger", Answer.HOLDS, "in_registry", {"index": entry.leaf_index, "size": origin.size})
    return Checked(entry, entry.record, holder, (*points, here, *_in_registry(registry, entry, entry.record)))


def said_in(envelope: str) -> tuple[Record, ...]:
    """The first record that a bare envelope says; nothing is verified.

    Raises:
        RecordError: it says none that a registry keeps: a certificate, or somebody else's statement.
    """
    kinds = {k.schema_name: k for k in SIGNED_KINDS}
    try:
        predicate = json.loads(base64.b64decode(json.loads(envelope)["payload"]))["predicate"]
        told = predicate.get("records") or predicate.get("approvals") or [predicate]
        return tuple(_read(kinds[p["schema"]], p) for p in told[:1])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise RecordError("this envelope holds no statement that a registry keeps") from None


def _entry_of(view: View, envelope: str) -> Entry | None:
    """The first entry that carries an envelope: of several records under one signature any does."""
    records, wanted = said_in(envelope), json.loads(envelope)
    found = (e for r in records for e in view.store.named(type(r), r.record_id))
    return next((e for e in found if e.envelope is not None and json.loads(e.envelope) == wanted), None)


def _read(kind: type[Record], predicate: Mapping[str, Any]) -> Record:
    return kind.model_validate_json(json.dumps({k: v for k, v in predicate.items() if k != "schema"}))


def _signature(record: Record, entry: Entry, keys: _InTheFile | _AsOf) -> tuple[list[Point], KeyHolder | None]:
    if entry.envelope is None:
        return [Point("signature", Answer.FAILS, "unsigned")], None
    try:
        holder = check_envelope(keys, record, entry.envelope)
    except SignatureError as error:
        return [Point("signature", Answer.FAILS, "not_signed", {"why": error.what})], None
    said = {"who": holder.party.party_id, "name": holder.key.key_id, "keyid": holder.key.keyid[:16]}
    return [Point("signature", Answer.HOLDS, f"signed_{holder.key.kind}", said)], holder


def _ledger(taken: TakenHome) -> Point:
    """Whether the entry, and the keys behind it, are under the root of the checkpoint that came with them."""
    head = taken.head
    said = {"index": taken.statement.index, "size": head.size}
    lost = [p.index for p in (taken.statement, *taken.behind) if not p.is_under(head)]
    if lost:
        return Point("ledger", Answer.FAILS, "not_in_ledger", {"index": lost[0]})
    return Point("ledger", Answer.HOLDS, "in_ledger", said)


def _anchor(
    taken: TakenHome, kept: Checkpoint | None, signed_by: str | None, registry: Registry | None
) -> Iterator[Point]:
    """What says from outside the file that its ledger is the true one."""
    if kept is None and registry is None:
        yield Point("checkpoint", Answer.OPEN, "no_anchor")
    if kept is not None:
        yield _against_kept(taken, kept, signed_by, registry)
    if registry is not None:
        yield _against_registry(taken.head, registry)


def _against_kept(taken: TakenHome, kept: Checkpoint, signed_by: str | None, registry: Registry | None) -> Point:
    head, said = taken.head, {"size": kept.size, "of": taken.head.size, "by": signed_by or ""}
    if kept.origin != head.origin:
        return Point("checkpoint", Answer.FAILS, "other_ledger", {"origin": kept.origin, "own": head.origin})
    if kept.size == head.size:
        same = kept.root == head.root
        key = ("same_signed" if signed_by else "same_kept") if same else "rewritten"
        return Point("checkpoint", Answer.HOLDS if same else Answer.FAILS, key, said)
    if registry is not None:
        return _kept_in(registry, kept, said)
    if kept.size <= taken.statement.index:
        return Point("checkpoint", Answer.OPEN, "older", said)
    return Point("checkpoint", Answer.OPEN, "other_size", said)


def _kept_in(registry: Registry, kept: Checkpoint, said: Mapping[str, Any]) -> Point:
    """A checkpoint of another size than the file's, held against the registry itself."""
    answer = Answer.HOLDS if _had_root(registry, kept) else Answer.FAILS
    return Point("checkpoint", answer, "kept_in_registry" if answer is Answer.HOLDS else "rewritten", said)


def _had_root(registry: Registry, told: Checkpoint) -> bool:
    """Whether the registry's first entries, as many as are told of, come to the root that is told."""
    with registry.view() as view:
        if told.size > view.store.size():
            return False
        return ledger.root(told.size, view.store.read_node) == told.root


def _against_registry(head: Checkpoint, registry: Registry) -> Point:
    own = registry.head()
    if own.origin != head.origin:
        return Point("registry", Answer.FAILS, "other_registry", {"origin": own.origin, "own": head.origin})
    if not _had_root(registry, head):
        return Point("registry", Answer.FAILS, "not_this_history", {"size": head.size, "of": own.size})
    return Point("registry", Answer.HOLDS, "this_history", {"size": head.size, "of": own.size})


def _in_registry(registry: Registry, entry: Entry, record: Record) -> list[Point]:
    """What only a registry knows: that it is this very entry, that its key was not revoked, and how it stands now."""
    with registry.view() as view:
        own = view.store.entry(entry.leaf_index)
        if own is None or own.leaf_hash != entry.leaf_hash:
            return [Point("registry", Answer.FAILS, "other_entry", {"index": entry.leaf_index})]
        points, _ = _signature(record, entry, _AsOf(view, entry.recorded_at))
        wrong = [p for p in points if p.answer is Answer.FAILS]
        gone = view.discredited_at(entry)
        if gone is not None:
            wrong.append(Point("key", Answer.OPEN, "revoked_since", {"at": gone}))
        return [*(wrong or [Point("key", Answer.HOLDS, "key_stands")]), _standing(view, record)]


def _standing(view: View, record: Record) -> Point:
    """How it stands today: what was said is true for ever, and may have been taken back since."""
    if isinstance(record, Event):
        return Point("today", Answer.HOLDS, "happened")
    if not isinstance(record, Grant | Approval | Permission | Refusal):
        return Point("today", Answer.OPEN, "unknown_standing")
    status = view.state(record.found_under()[0], record, view.now).status(view.now)
    if status is None or not status.alive:
        kind = "never given" if status is None else str(status.kind)
        return Point("today", Answer.OPEN, "stands_no_more", {"status": kind})
    return Point("today", Answer.HOLDS, "stands")
