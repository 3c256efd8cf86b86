"""Parties and their signing keys: who somebody is to the registry, and what a key may sign, and when."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

import rfc8785
from pydantic import Field, model_validator

from consent import cose
from consent.events import RecordedEvent, fold
from consent.passkeys import MAX_CREDENTIAL_BYTES, PasskeyError, PasskeyKey, unbase64url
from consent.signed_entries import Verifier
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


_HOST = r"(?=.{1,253}(?::|\Z))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
_ORIGIN = re.compile(rf"(https?)://({_HOST})(?::[1-9][0-9]{{0,4}})?\Z")


class Passkey(Strict):
    """A passkey's public half: its COSE key in hex, its credential's id in base64url, where and for whom it signs."""

    cose_hex: Annotated[str, Field(pattern=re.compile(r"^(?:[0-9a-f]{2}){1,1024}\Z"))]
    credential_id: Annotated[str, Field(pattern=re.compile(r"^[A-Za-z0-9_-]{1,1400}\Z"))]
    rp_id: Annotated[str, Field(pattern=re.compile(rf"^{_HOST}\Z"))]
    origins: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)]

    @property
    def key(self) -> PasskeyKey:
        """What its signatures are verified with."""
        return PasskeyKey(bytes.fromhex(self.cose_hex), unbase64url(self.credential_id), self.rp_id, self.origins)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        cose.algorithm_of(bytes.fromhex(self.cose_hex))
        try:
            if len(unbase64url(self.credential_id)) > MAX_CREDENTIAL_BYTES:
                raise ValueError("the credential id is longer than 1023 bytes")
        except PasskeyError as error:
            raise ValueError(f"credential_id: {error}") from None
        for origin in self.origins:
            _require_origin(origin, self.rp_id)
        return self


def _require_origin(origin: str, rp_id: str) -> None:
    """An origin is the relying party's own or below it, over https; a machine may ask itself without."""
    found = _ORIGIN.match(origin)
    scheme, host = found.groups() if found is not None else ("", "")
    if not (host == rp_id or host.endswith(f".{rp_id}")) or (scheme == "http" and rp_id != "localhost"):
        raise ValueError(f"{origin!r} is no https origin of {rp_id}")


class PartyKey(Record):
    """A public key of a party (Ed25519 or a passkey), the roles in which it may sign, and from when until when."""

    schema_name: ClassVar[str] = "consent-key/1.0"

    key_id: Id
    party_id: Id
    public_hex: PublicHex | None = None
    passkey: Passkey | None = None
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
        return self.passkey.key.keyid if self.passkey is not None else dsse_keyid(self.public)

    @property
    def public(self) -> str:
        """The public half in hex: 32 bytes of Ed25519, or a passkey's COSE key."""
        return self.passkey.cose_hex if self.passkey is not None else str(self.public_hex)

    @property
    def verifier(self) -> Verifier:
        """What its signatures are verified with."""
        return self.passkey.key if self.passkey is not None else self.public

    @property
    def kind(self) -> str:
        """`ed25519` or `passkey`."""
        return "ed25519" if self.passkey is None else "passkey"

    def found_under(self) -> tuple[str, ...]:
        """By the registry's id, the key itself, its name in envelopes, its owner, and a passkey's credential."""
        own = (f"key:{self.key_id}", f"public:{self.public}", f"keyid:{self.keyid}")
        credential = () if self.passkey is None else (f"credential:{self.passkey.credential_id}",)
        return (*own, f"party:{self.party_id}", *credential)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.public_hex is None) == (self.passkey is None):
            raise ValueError("a key is either Ed25519 (public_hex) or a passkey")
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
