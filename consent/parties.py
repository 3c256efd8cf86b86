"""Parties and their signing keys: who somebody is to the registry, and what a key may sign, and when."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

import rfc8785
from pydantic import Field, model_validator

from consent.events import RecordedEvent, fold
from consent.strict import Id, Identifier, Line, PublicHex, Record, Strict, Text, Time, Window
from consent.vocabulary import Role


class Party(Record):
    """Somebody who grants, holds, asks, signs or works; a natural person's name lies sealed, not here.

    `organisation_id` is whom a person acts for, so that nobody approves what their own house submitted.
    """

    schema_name: ClassVar[str] = "consent-party/1.0"

    party_id: Id
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    person: bool
    organisation_id: Id | None = None
    identifiers: tuple[Identifier, ...] = ()

    @property
    def record_id(self) -> str:
        """The party's id."""
        return self.party_id

    @property
    def house_id(self) -> str:
        """The organisation that the party acts for, or the party itself."""
        return self.organisation_id or self.party_id

    def found_under(self) -> tuple[str, ...]:
        """By party and by organisation."""
        return (f"party:{self.party_id}", *((f"party:{self.organisation_id}",) if self.organisation_id else ()))

    @model_validator(mode="after")
    def _schemes(self) -> Self:
        wrong = [i for i in self.identifiers if i.partition(":")[0] not in ("isni", "ipi", "eidr", "internal")]
        if wrong:
            raise ValueError(f"a party is identified by isni, ipi, eidr or internal, not {wrong[0]!r}")
        return self


class Personal(Strict):
    """What is sealed beside a party or a voice: a name, and how to reach them."""

    name: Line
    contact: Text | None = None


class PartyKey(Record):
    """An Ed25519 public key of a party, the roles in which it may sign, and from when until when."""

    schema_name: ClassVar[str] = "consent-key/1.0"

    key_id: Id
    party_id: Id
    public_hex: PublicHex
    roles: Annotated[tuple[Role, ...], Field(min_length=1)]
    not_before: Time
    not_after: Time

    @property
    def record_id(self) -> str:
        """The registry's id of the key."""
        return self.key_id

    @property
    def keyid(self) -> str:
        """The key's name in a DSSE envelope."""
        return dsse_keyid(self.public_hex)

    def found_under(self) -> tuple[str, ...]:
        """By the registry's id, the key itself, its name in envelopes, and its owner."""
        own = (f"key:{self.key_id}", f"public:{self.public_hex}", f"keyid:{self.keyid}")
        return (*own, f"party:{self.party_id}")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.not_after <= self.not_before:
            raise ValueError("the validity ends before it starts")
        return self


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """A key with its owner; `problem` says why it may not be used at the moment asked for, empty where it may."""

    key: PartyKey
    party: Party
    problem: str

    def refusal(self, *roles: Role) -> str:
        """Why the key may not sign as any of `roles` (expired, revoked, a role that is lacking); empty where it may."""
        if self.problem:
            return self.problem
        if not set(roles) & set(self.key.roles) & set(self.party.roles):
            wanted = " or ".join(roles)
            return f"{self.party.party_id} has no key for the role {wanted}"
        return ""


def key_problem(key: PartyKey, events: tuple[RecordedEvent, ...], at: datetime) -> str:
    """Why a key may not be used at `at`, as known then; empty where it may."""
    if not Window(start=key.not_before, end=key.not_after).holds(at):
        return f"the key {key.key_id} is not valid at {at.isoformat()}"
    if not fold(events, known_at=at, born=key.not_before).alive(at):
        return f"the key {key.key_id} was revoked"
    return ""


def dsse_keyid(public_hex: str) -> str:
    """The key id that securesystemslib gives an Ed25519 public key: SHA-256 over its canonical JSON."""
    described: dict[str, Any] = {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public_hex}}
    return hashlib.sha256(rfc8785.dumps(described)).hexdigest()
