"""What will be asked for before the planned dub can be released: consents, approvals, labels, sign-offs, with their rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dubgate.intake.answers import Answers, PlannedVoice
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Group
from dubgate.policy.packs import Pack

Kind = Literal["consent", "approval", "label", "sign_off", "record"]
KINDS: tuple[Kind, ...] = ("consent", "approval", "label", "sign_off", "record")
_KIND_OF: dict[Group, Kind] = {
    Group.CONSENT: "consent",
    Group.APPROVAL: "approval",
    Group.LABEL: "label",
    Group.RECORD: "record",
}
_SCOPE = ("CON-001", "CON-002", "CON-010", "CON-011", "CON-012", "CON-013", "CON-014", "CON-015")


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that will be asked for: what, of whom, and by which rules (`pack/RULE`) with their sources."""

    kind: Kind
    what: str
    of: str
    rules: tuple[str, ...]
    sources: tuple[str, ...] = ()


def demands(answers: Answers, packs: Sequence[Pack]) -> tuple[Demand, ...]:
    """Everything that the program's checks and the chosen packs will ask of the planned dub."""
    synthetic = [v for v in answers.voices if v.technique != "human"]
    human = [v.character for v in answers.voices if v.technique == "human"]
    found = [*(_consent(v, answers) for v in synthetic), *_statements(human), _approval(answers)]
    found += _labels(answers) if synthetic else []
    found += list(_of_packs(packs))
    return tuple(sorted(found, key=lambda d: KINDS.index(d.kind)))


def _checks(*ids: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(f"core/{i}" for i in ids), tuple(dict.fromkeys(CHECKS[i].source for i in ids))


def _consent(voice: PlannedVoice, answers: Answers) -> Demand:
    use = answers.planned
    until = use.window.until if use.window.until == "open" else use.window.until.date().isoformat()
    what = (
        f"a grant for the voice of {voice.character}: {voice.technique}, in {answers.language}, "
        f"{', '.join(use.territories)}, {', '.join(use.channels)}, until {until}; "
        "and the permission to compare the voice heard with the one enrolled"
    )
    return Demand("consent", what, "the performer or agent", *_checks(*_SCOPE, "CON-030", "CON-034"))


def _statements(human: Sequence[str]) -> Iterator[Demand]:
    if human:
        what = f"a signed statement that people performed {', '.join(human)}"
        yield Demand("consent", what, "the dubbing director", *_checks("CON-040"))


def _approval(answers: Answers) -> Demand:
    what = "the approval of exactly the sound that is to be released, by whoever the registry shows as the holder"
    return Demand("approval", what, "the rights holder", *_checks("RH-001", "RH-002", "RH-003", "RH-005", "RH-010"))


def _labels(answers: Answers) -> list[Demand]:
    text = f"a label that people read on every entry of the dub in {answers.language}, such as “… [AI]”"
    token = 'the token that machines read (CHARACTERISTICS="public.machine-generated")'
    return [
        Demand("label", text, "the localization team", *_checks("LAB-001", "LAB-009", "LAB-010")),
        Demand("label", token, "the localization team", *_checks("LAB-002")),
    ]


def _of_packs(packs: Sequence[Pack]) -> Iterator[Demand]:
    for pack in packs:
        for role in pack.sign_offs:
            name = role.replace("_", " ")
            rule = f"{pack.name}/SGN-{role.upper().replace('_', '-')}"
            yield Demand("sign_off", f"the sign-off of the {name} over the final sound", name, (rule,), (pack.about,))
        for condition in pack.conditions:
            kind = _KIND_OF.get(condition.group or pack.group)
            if kind is not None:
                what = f"{condition.asks.en} ({condition.severity}): {condition.remedy.en}"
                yield Demand(kind, what, "the localization team", (f"{pack.name}/{condition.id}",), (condition.source,))
