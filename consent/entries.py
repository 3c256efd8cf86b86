"""An entry of the ledger: a record with its place, time and salt, and the bytes that the tree hashes of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import rfc8785
from pydantic import ValidationError

from consent.acts import Act, ReadsDigest
from consent.approvals import Approval
from consent.certifications import Adoption, Certification
from consent.errors import StoreError
from consent.events import Event
from consent.parties import Party, PartyKey
from consent.releases import Release
from consent.requests import Request
from consent.spoken import SpokenConsent, SpokenPhrase
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title
from consent.uses import UseNotice
from consent.voices import Enrolment, Permission, SearchHalt, Voice
from consent.witnessing import Witness

_ABOUT_PEOPLE = (Party, PartyKey, Voice, Permission, Enrolment, SearchHalt, SpokenPhrase, SpokenConsent)
_DECIDED = (Title, Claim, Refusal, Grant, Approval, Release, Request, UseNotice, Witness, Event)
_CERTIFIED = (Certification, Adoption)
_OF_THE_SERVICE = (Act, ReadsDigest)
KINDS: tuple[type[Record], ...] = (*_ABOUT_PEOPLE, *_DECIDED, *_CERTIFIED, *_OF_THE_SERVICE)
BY_SCHEMA: dict[str, type[Record]] = {kind.schema_name: kind for kind in KINDS}


@lru_cache(maxsize=4096)
def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: the one form in which times are kept, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Entry:
    """A record with its place and time in the ledger."""

    leaf_index: int
    recorded_at: datetime
    schema_name: str
    body: str
    salt: str
    sealed_sha256: str | None
    envelope: str | None
    leaf_hash: str

    @cached_property
    def record(self) -> Record:
        """The record, validated anew.

        Raises:
            StoreError: of a kind that this program does not know, or not what such a record must be.
        """
        kind = BY_SCHEMA.get(self.schema_name)
        if kind is None:
            what = f"entry {self.leaf_index} is a {self.schema_name}, which this program does not know"
            raise StoreError(what, remedy="Update dubgate on this machine.")
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            raise StoreError(f"entry {self.leaf_index} is damaged: {error.errors()[0]['msg']}") from None

    def leaf(self) -> bytes:
        """What the tree hashes: commitments only, so that a proof shows nothing of the record."""
        return leaf_bytes(
            self.leaf_index, self.recorded_at, self.schema_name, self.body, self.salt, self.sealed_sha256, self.envelope
        )


def leaf_bytes(
    index: int,
    recorded_at: datetime,
    schema: str,
    body: str,
    salt: str,
    sealed_sha256: str | None,
    envelope: str | None,
) -> bytes:
    """RFC 8785 JSON of an entry's place, time, kind and salted commitments."""
    leaf: dict[str, Any] = {
        "schema": "consent-leaf/1.0",
        "index": index,
        "recorded_at": iso(recorded_at),
        "record": schema,
        "commitment": hashlib.sha256(bytes.fromhex(salt) + body.encode()).hexdigest(),
    }
    if sealed_sha256 is not None:
        leaf["sealed"] = sealed_sha256
    if envelope is not None:
        leaf["envelope"] = hashlib.sha256(bytes.fromhex(salt) + envelope.encode()).hexdigest()
    return rfc8785.dumps(leaf)


def entry_of(row: Any) -> Entry:
    """An entry from its row."""
    return Entry(
        leaf_index=int(row["leaf_index"]),
        recorded_at=parse_time(row["recorded_at"]),
        schema_name=row["schema_name"],
        body=row["body"],
        salt=row["salt"],
        sealed_sha256=row["sealed_sha256"],
        envelope=row["envelope"],
        leaf_hash=row["leaf_hash"],
    )


def parse_time(value: str) -> datetime:
    """A kept time.

    Raises:
        StoreError: it is not in the one form.
    """
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or iso(moment) != value:
        raise StoreError(f"{value[:40]!r} is not a time as the registry keeps it")
    return moment
