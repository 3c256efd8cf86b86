"""The intake as a whole: answers in, advice and demands out, written as a file that a later check knows by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dubgate.intake.advising import Advised, advise
from dubgate.intake.answers import Answers
from dubgate.intake.demands import Demand, demands
from dubgate.intake.file import PackChosen, intake_bytes
from dubgate.policy.choosing import Destination, choose
from dubgate.policy.packs import Pack, choosable, load_packs
from dubgate.regions import expand
from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class Intake:
    """What a producer is told, and the file to keep."""

    answers: Answers
    advised: Advised
    packs: tuple[Pack, ...]
    demands: tuple[Demand, ...]
    data: bytes


def take_in(answers: Answers, *, asked_for: tuple[str, ...], at: datetime) -> Intake:
    """Judge the answers and list what will be asked for, by the packs that the planned use chooses and those named.

    Raises:
        PackError: a pack is unknown or cannot be read.
    """
    packs = packs_for(answers, asked_for)
    advised, asked = advise(answers), demands(answers, packs)
    chosen = tuple(PackChosen(name=p.name, version=p.version, sha256=p.sha256) for p in packs)
    return Intake(answers, advised, packs, asked, intake_bytes(answers, advised, asked, chosen, at))


def packs_for(answers: Answers, asked_for: tuple[str, ...]) -> tuple[Pack, ...]:
    """core, those that are named, and those that territories, channels and partners of the planned use choose."""
    use = answers.planned
    unknown = Unmeasured("no grant exists yet whose agreement could be read")
    to = Destination(expand(use.territories), tuple(str(c) for c in use.channels), use.partners, unknown)
    named = load_packs(asked_for)
    known = {p.name for p in named}
    brought = choose([p for p in choosable() if p.name not in known], to)
    return (*named, *(c.pack for c in brought if c.applies))
