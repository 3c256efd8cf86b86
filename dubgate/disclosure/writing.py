"""Writes what is told in the sentences of a language: social, credits, press or technical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Literal

from dubgate.disclosure.localised import Localised
from dubgate.disclosure.told import Agreement, Part, Person, Told
from dubgate.disclosure.words import HOLES, Wording

Tier = Literal["social", "credits", "press", "technical"]
TIERS: tuple[Tier, ...] = ("social", "credits", "press", "technical")


@dataclass(frozen=True, slots=True)
class Written:
    """A disclosure as it is published, paragraph by paragraph, with the status of its wording as the last line."""

    tier: Tier
    language: str
    lines: tuple[str, ...]
    status: str
    wording: Wording

    @property
    def text(self) -> str:
        return "\n".join((*self.lines, "", self.status))


def write(told: Told, tier: Tier, wording: Wording) -> Written:
    """The text of a tier."""
    writer = _Writer(told, wording, Localised(wording.language))
    lines = {"social": writer.social, "credits": writer.credits, "press": writer.press, "technical": writer.technical}
    return Written(tier, wording.language, tuple(lines[tier]()), writer.status(), wording)


def write_for_decision(told: Told, wording: Wording) -> str:
    """What a rights holder is shown before it decides: the social text and the credits, silent on its own approval.

    It is signed, and then stands in a ledger from which no name can be taken: it names nobody but in the words that
    their grants, which stand there too, want printed.
    """
    worded = {text for part in told.parts for text in part.credit_texts}
    named = tuple(person for person in told.people if person.name in worded)
    writer = _Writer(replace(told, people=named), wording, Localised(wording.language))
    return "\n".join((*writer.shortly(()), *writer.credits(), writer.status()))


class _Writer:
    """The sentences of one disclosure."""

    def __init__(self, told: Told, wording: Wording, here: Localised) -> None:
        self.told, self.say, self.here = told, wording.said, here
        self.wording = wording
        self.between = "" if wording.language.split("-")[0] in ("ja", "zh") else " "
        self.dub = {"title": told.title, "language": here.language(told.language)}

    def status(self) -> str:
        if self.wording.reviewed_by is None or self.wording.reviewed_on is None:
            return self.say("status_machine")
        day = self.here.day(date.fromisoformat(self.wording.reviewed_on))
        return self.say("status_reviewed", who=self.wording.reviewed_by, date=day)

    def social(self) -> Iterator[str]:
        return self.shortly(tuple(self._approved()))

    def shortly(self, approved: tuple[str, ...]) -> Iterator[str]:
        """The social text, with these sentences on its approval where a machine made any voice."""
        told = self.told
        if not told.machine:
            yield self.between.join((self.say("social_none", **self.dub), *self._humans()))
            return
        count, total = self.here.number(len(told.machine)), self.here.number(len(told.parts))
        made = self.say("social_made", **self.dub, count=count, total=total)
        yield self.between.join((made, *self._consents(), *approved))

    def press(self) -> Iterator[str]:
        yield self.between.join(self._made())
        yield from self._humans()
        if self.told.machine:
            yield self._tools()
            yield self.between.join(self._consents())
            yield self._purpose()
            yield self._reviewed()
            yield from self._approved()
            yield self._label()
        yield from self._released()
        yield self.say("as_of", date=self.here.day(self.told.as_of))

    def credits(self) -> Iterator[str]:
        yield self.say("credits_title", language=self.dub["language"])
        yield from (self._credited(person) for person in self.told.people)
        if self.told.machine:
            yield self.say("credits_ai", characters=self._names(self.told.machine))
            if self.told.tools:
                yield self.say("credits_tools", tools=self.here.listed([str(t) for t in self.told.tools]))

    def technical(self) -> Iterator[str]:
        yield from self.press()
        yield f"sha256 (packets): {self.told.packets_sha256}"
        yield f"sha256 (delivery.yaml): {self.told.manifest_sha256}"
        for part in self.told.machine:
            yield f"{part.character}: {part.technique}; {', '.join(part.grant_ids) or '–'}"
        for agreement in (*self.told.reviews, *self.told.approvals):
            moment = agreement.at.isoformat().replace("+00:00", "Z")
            yield f"{agreement.role}: {agreement.record_id}, {agreement.party}, {moment}"

    def _made(self) -> Iterator[str]:
        machine = self.told.machine
        if not machine:
            yield self.say("made_none", **self.dub)
            return
        yield self.say("made", **self.dub, characters=self._names(machine))
        by_technique = sorted(machine, key=lambda p: p.technique)
        for technique, parts in groupby(by_technique, key=lambda p: p.technique):
            word = self.say(f"technique.{technique}")
            yield self.say("made_as", characters=self._names(tuple(parts)), technique=word)

    def _humans(self) -> Iterator[str]:
        for key, parts in (("human", self.told.human), ("human_claimed", self.told.claimed_human)):
            if parts:
                yield self.say(key, characters=self._names(parts))

    def _tools(self) -> str:
        tools = [str(t) for t in self.told.tools]
        return self.say("tools", tools=self.here.listed(tools)) if tools else self.say("tools_unknown")

    def _consents(self) -> Iterator[str]:
        given = tuple(p for p in self.told.machine if not p.lacks)
        lacking = tuple(p for p in self.told.machine if p.lacks)
        for key, parts in (("consent", given), ("consent_missing", lacking)):
            if parts:
                yield self.say(key, characters=self._names(parts))

    def _purpose(self) -> str:
        if not self.told.purposes:
            return self.say("purpose_unknown")
        words = self.here.listed([self.say(f"purpose.{p}") for p in self.told.purposes])
        return self.say("purpose" if self.told.purpose_confirmed else "purpose_unconfirmed", purposes=words)

    def _reviewed(self) -> str:
        if self.told.reviews:
            return self.say("reviewed", reviewers=self.here.listed([self._signed(r) for r in self.told.reviews]))
        if self.told.named_reviewers:
            roles = self.here.listed([self._role(r) for r in self.told.named_reviewers])
            return self.say("reviewed_named", roles=roles)
        return self.say("reviewed_none")

    def _signed(self, agreement: Agreement) -> str:
        role, day = self._role(agreement.role), self.here.day(agreement.at)
        if agreement.name:
            return self.say("signed_for", role=role, name=agreement.name, date=day)
        return self.say("signed", role=role, date=day)

    def _role(self, role: str) -> str:
        """The word for a role; what is no role of the vocabulary is a reviewer, never somebody's own words."""
        key = f"role.{role.strip().casefold().replace(' ', '_').replace('-', '_')}"
        return self.say(key if key in HOLES else "role.reviewer")

    def _approved(self) -> Iterator[str]:
        if not self.told.approvals:
            yield self.say("approved_none")
            return
        latest = self.here.day(max(a.at for a in self.told.approvals))
        names = [a.name for a in self.told.approvals if a.name]
        if names:
            yield self.say("approved", holders=self.here.listed(names), date=latest)
        else:
            yield self.say("approved_plain", date=latest)

    def _label(self) -> str:
        labels = self.told.labels
        if not labels or self.told.unlabelled:
            return self.say("label_none")
        return self.say("label", labels=self.here.listed([f"“{text}”" for text in labels]))

    def _released(self) -> Iterator[str]:
        if self.told.window is None:
            return
        start, end = self.told.window
        where = self.here.listed([self.here.territory(t) for t in self.told.territories])
        if end is None:
            yield self.say("released", territories=where, date=self.here.day(start))
        else:
            yield self.say("released_until", territories=where, date=self.here.day(start), until=self.here.day(end))

    def _credited(self, person: Person) -> str:
        role = self._role(person.role)
        if person.character is None:
            return self.say("credits_person", role=role, name=person.name)
        return self.say("credits_character", role=role, character=person.character, name=person.name)

    def _names(self, parts: Sequence[Part]) -> str:
        return self.here.listed([p.character for p in parts])
