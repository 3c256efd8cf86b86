"""A signed statement taken home: one file with the entry, the key behind it, and the proofs that both are in the ledger.

Whoever has the file can verify it without the registry, against a checkpoint that somebody kept.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from consent import ledger
from consent.checkpoint import Checkpoint, read_body
from consent.dsse import PAYLOAD_TYPE, loads_strictly
from consent.entries import Entry, leaf_bytes, parse_time
from consent.errors import RecordError, SignatureError
from consent.lookup import keyids_in
from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.strict import Sha256, Strict
from consent.views import View

SCHEMA = "consent-statement/1.0"
MOST_BYTES = 10_000_000
_NO_STATEMENT = "this is no statement that was taken home from a desk"
_ITS_PAGE = "It is downloaded at the desk, under Signed statements; a certificate is read by dubgate verify."
_SALT = re.compile(r"^[0-9a-f]{32}\Z")
_THREE_LINES = re.compile(r"^\S[^\n]{0,400}\n[0-9]{1,18}\n[A-Za-z0-9+/]{43}=$", re.M)


class ProvedEntry(Strict):
    """An entry with everything that its leaf commits to, and the way from there to the checkpoint's root."""

    index: Annotated[int, Field(ge=0)]
    recorded_at: str
    record: Annotated[str, Field(alias="schema")]
    body: str
    salt: Annotated[str, Field(pattern=_SALT)]
    sealed: Sha256 | None = None
    envelope: str | None = None
    inclusion: Annotated[tuple[Sha256, ...], Field(max_length=64)]

    @property
    def entry(self) -> Entry:
        """The entry, with the leaf hash that follows from what is here.

        Raises:
            StoreError: its time is not one.
        """
        at = parse_time(self.recorded_at)
        leaf = leaf_bytes(self.index, at, self.record, self.body, self.salt, self.sealed, self.envelope)
        leaf_hash = ledger.leaf_hash(leaf).hex()
        return Entry(self.index, at, self.record, self.body, self.salt, self.sealed, self.envelope, leaf_hash)

    def is_under(self, checkpoint: Checkpoint) -> bool:
        """Whether the proof leads to the checkpoint's root."""
        leaf, path = bytes.fromhex(self.entry.leaf_hash), [bytes.fromhex(p) for p in self.inclusion]
        return ledger.verify_inclusion(leaf, self.index, checkpoint.size, path, checkpoint.root)


class TakenHome(Strict):
    """The file: the signed entry, the keys and parties behind its signature, and the checkpoint that the proofs lead to."""

    schema_name: Annotated[Literal["consent-statement/1.0"], Field(alias="schema")]
    checkpoint: Annotated[str, Field(max_length=1000)]
    statement: ProvedEntry
    behind: Annotated[tuple[ProvedEntry, ...], Field(max_length=20)]

    @property
    def head(self) -> Checkpoint:
        """The checkpoint that comes with the file: as true as whoever handed it out.

        Raises:
            SignatureError: it is none.
        """
        return read_body(self.checkpoint)


def take_home(registry: Registry, leaf_index: int, size: int | None = None) -> bytes:
    """The file of a signed entry, proved in the tree over the first `size` entries (all of them by default).

    Raises:
        RecordError: there is no such signed entry among them.
    """
    head = registry.head()
    with registry.view() as view:
        entry = view.store.entry(leaf_index) if leaf_index >= 0 else None
        total = head.size if size is None else size
        if entry is None or entry.envelope is None or not leaf_index < total <= head.size:
            raise RecordError("there is no such signed entry in a ledger of this size")
        behind = _behind(view, entry)
        if any(e.leaf_index >= total for e in behind):
            raise RecordError("the key behind it is not in a ledger of this size")
        at = Checkpoint(head.origin, total, ledger.root(total, view.store.read_node))
        said = {
            "schema": SCHEMA,
            "checkpoint": at.body(),
            "statement": _proved(view, entry, total),
            "behind": [_proved(view, e, total) for e in behind],
        }
    return json.dumps(said, ensure_ascii=False, indent=1).encode() + b"\n"


def _behind(view: View, entry: Entry) -> list[Entry]:
    """The entries of the keys that are named in an envelope, and of the parties that own them."""
    keys = [e for k in keyids_in(entry.envelope) for e in view.store.entries(f"keyid:{k}", PartyKey)]
    owners = sorted({r.party_id for e in keys if isinstance(r := e.record, PartyKey)})
    parties = [e for o in owners for e in view.store.entries(f"party:{o}", Party) if _is(e, o)]
    return [*keys, *parties]


def _is(entry: Entry, party_id: str) -> bool:
    """A party's own entry, and none of its people's."""
    return isinstance(entry.record, Party) and entry.record.party_id == party_id


def _proved(view: View, entry: Entry, size: int) -> dict[str, Any]:
    path = ledger.inclusion_proof(entry.leaf_index, size, view.store.read_node)
    told = {
        "index": entry.leaf_index,
        "recorded_at": json.loads(entry.leaf())["recorded_at"],
        "schema": entry.schema_name,
        "body": entry.body,
        "salt": entry.salt,
        "sealed": entry.sealed_sha256,
        "envelope": entry.envelope,
        "inclusion": [sibling.hex() for sibling in path],
    }
    return {name: value for name, value in told.items() if value is not None}


def read_taken_home(data: bytes, where: str) -> TakenHome | str:
    """A file as the desk gives it; or the text of a bare envelope, which proves nothing of the ledger.

    Raises:
        RecordError: neither: cut off, a member that is unknown or twice there, another version.
    """
    found = strict_json(data, where)
    if isinstance(found, dict) and set(found) == {"payload", "payloadType", "signatures"}:
        if found["payloadType"] != PAYLOAD_TYPE:
            raise RecordError(
                _NO_STATEMENT, where=where, remedy=_ITS_PAGE
            )  # a trust store, or whatever else somebody signed
        return data.decode()
    if not isinstance(found, dict) or not str(found.get("schema", "")).startswith("consent-statement/"):
        raise RecordError(_NO_STATEMENT, where=where, remedy=_ITS_PAGE)
    if found["schema"] != SCHEMA:
        remedy = "Update dubgate, or ask who handed it out."
        raise RecordError(f"its schema {str(found['schema'])[:60]} is not known", where=where, remedy=remedy)
    try:
        read = TakenHome.model_validate_json(data)
        for proved in (read.statement, *read.behind):
            parse_time(proved.recorded_at)
        _ = read.head
    except (ValidationError, SignatureError) as error:
        told = error.errors()[0]["loc"] if isinstance(error, ValidationError) else ("checkpoint",)
        raise RecordError(f"the file is damaged at {'.'.join(map(str, told))}", where=where) from None
    return read


def strict_json(data: bytes, where: str) -> Any:
    """The JSON of a file, in which no name stands twice.

    Raises:
        RecordError: too large, not text, cut off, or a name twice.
    """
    if len(data) > MOST_BYTES:
        raise RecordError(f"larger than {MOST_BYTES // 1_000_000} MB", where=where)
    try:
        return loads_strictly(data)
    except (ValueError, RecursionError):
        remedy = "It is damaged or cut off: download it again."
        raise RecordError("this is not the whole file of a statement", where=where, remedy=remedy) from None


def checkpoint_in(text: str) -> str:
    """The three lines of a checkpoint out of what somebody kept: the lines alone, a signed note, or a whole message.

    Raises:
        SignatureError: there are none, or several that differ.
    """
    found = {m[0] + "\n" for m in _THREE_LINES.finditer(text.replace("\r\n", "\n"))}
    if len(found) != 1:
        what = "several checkpoints" if found else "no checkpoint: three lines with the ledger's name, size and root"
        remedy = "Name a message of the desk that you kept, or what `dubgate consent checkpoint` printed then."
        raise SignatureError(f"there is {what}" if not found else f"there are {what}; keep one", remedy=remedy)
    return found.pop()


__all__ = ["SCHEMA", "ProvedEntry", "TakenHome", "checkpoint_in", "read_taken_home", "take_home"]
