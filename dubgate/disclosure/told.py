"""What there is to tell of a delivery, as frozen values; every one of them was looked up or verified, none is free words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A character: how its voice was made, whose consent is on record, and what the grants want printed.

    `lacks` says why consent (or, for a person's performance, the signed statement) is not on record; empty where it is.
    """

    character: str
    technique: str
    grant_ids: tuple[str, ...] = ()
    credit_texts: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def synthetic(self) -> bool:
        return self.technique != "human"


@dataclass(frozen=True, slots=True)
class ToolTold:
    """A program or model that made a part of the dub."""

    name: str
    version: str
    vendor: str | None = None
    training_data: str | None = None

    def __str__(self) -> str:
        maker = f" ({self.vendor})" if self.vendor else ""
        return f"{self.name} {self.version}{maker}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Somebody in a role agreed, listened or approved: the record, the party, its printable name, and when."""

    record_id: str
    role: str
    party: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is credited, in the words that the grant or the delivery gives."""

    role: str
    name: str
    character: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that a disclosure may say of one dub.

    `reviews` are signed: sign-offs and answers by ear; `named_reviewers` are roles that only the delivery names.
    `not_approved` lists why the rights holder's approval does not stand; empty where it does. `labels` are entries as
    they were read back from the deliverable.
    """

    title: str
    language: str
    original_language: str
    style: str
    parts: tuple[Part, ...]
    tools: tuple[ToolTold, ...]
    purposes: tuple[str, ...]
    purpose_confirmed: bool
    used_to_train: tuple[str, ...] | None
    reviews: tuple[Agreement, ...]
    named_reviewers: tuple[str, ...]
    approvals: tuple[Agreement, ...]
    not_approved: tuple[str, ...]
    labels: tuple[str, ...]
    unlabelled: tuple[str, ...]
    people: tuple[Person, ...]
    territories: tuple[str, ...]
    channels: tuple[str, ...]
    window: tuple[datetime, datetime | None] | None
    packets_sha256: str
    manifest_sha256: str
    as_of: datetime

    @property
    def machine(self) -> tuple[Part, ...]:
        """The characters whose voices a machine made or changed."""
        return tuple(p for p in self.parts if p.synthetic)

    @property
    def human(self) -> tuple[Part, ...]:
        """The characters that people performed, as a signed statement says."""
        return tuple(p for p in self.parts if not p.synthetic and not p.lacks)

    @property
    def claimed_human(self) -> tuple[Part, ...]:
        """The characters that are only declared as performed by people."""
        return tuple(p for p in self.parts if not p.synthetic and p.lacks)

    @property
    def gaps(self) -> tuple[str, ...]:
        """What a truthful text has to leave open, in English; a text with gaps is not for publication."""
        return tuple(_gaps(self))


def _gaps(told: Told) -> list[str]:
    gaps = [f"{p.character}: {'; '.join(p.lacks)}" for p in told.parts if p.lacks]
    if told.machine:
        gaps += [f"approval: {why}" for why in told.not_approved]
        gaps += [] if told.tools else ["tools: no production record names a tool"]
        gaps += [] if told.reviews else ["review: no signed sign-off or answer by ear"]
        gaps += [] if told.labels else ["label: no entry of the dub is labelled as AI"]
        gaps += [f"label: {where} is not labelled as AI" for where in told.unlabelled]
        gaps += [] if told.purposes else ["purpose: the production record gives none of the vocabulary"]
        gaps += ["purpose: nobody has signed it"] if told.purposes and not told.purpose_confirmed else []
    credited = {person.role for person in told.people}
    return gaps + [f"credits: nobody is named as {r}" for r in ("adapter", "dubbing_director") if r not in credited]
