"""When a judgement is made and for which window, and what of a pack's dates follows from it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.pack_schema import Rule
from dubgate.policy.packs import Pack

REVIEW_DUE = "REVIEW-DUE"
_WHY = Text(
    "laws and partners' terms change; a rule is as good as the day on which somebody last read its source",
    "法律や取引先の規約は変わります。規則の信頼性は、出典が最後に確認された日の時点のものです",
)
_REMEDY = Text(
    "read the sources again, and use a pack of today: dubgate rules show",
    "出典を確認し直し、最新の規則パックを使ってください（dubgate rules show）",
)


@dataclass(frozen=True, slots=True)
class When:
    """The moment of judging, and the release window `[start, end)` where there is one; an open end is None.

    What is judged is what is still to come: the part of the window from the moment on.
    """

    at: datetime
    window: tuple[datetime, datetime | None] | None = None

    @property
    def start(self) -> datetime:
        return self.at if self.window is None else max(self.at, self.window[0])

    @property
    def end(self) -> datetime | None:
        """None where the window is open; the moment itself where there is no window, or it is over."""
        if self.window is None:
            return self.at
        return None if self.window[1] is None else max(self.window[1], self.start)


def out_of_force(rule: Rule, pack: Pack, when: When | None) -> str | None:
    """The dates of a rule that is not in force at any moment of the release; None where it is, or nobody asks when."""
    effective = pack.effective_of(rule)
    if when is None or effective is None or effective.meets(when.start, when.end):
        return None
    return str(effective)


def review_findings(packs: Sequence[Pack], when: When | None) -> Iterator[Finding]:
    """One warning for each pack with sources that somebody should have looked at again by now."""
    today = None if when is None else when.at.date().isoformat()
    for pack in packs:
        due = sorted({day for rule in pack.rules if (day := pack.review_by_of(rule)) is not None and today is not None})
        if today is not None and due and due[0] < today:
            yield _review_due(pack, due[0])


def _review_due(pack: Pack, day: str) -> Finding:
    return Finding(
        rule=REVIEW_DUE,
        pack=pack.name,
        group=Group.RECORD,
        subject=Subject(Scope.PROGRAMME),
        outcome=Outcome.WARN,
        text=Text(
            f"The sources of the rules in {pack.name} were to be reviewed by {day}.",
            f"規則パック{pack.name}の出典は{day}までに再確認が必要でした。",
        ),
        value=pack.version,
        bound=f"by {day}",
        bound_ja=f"{day}まで",
        why=_WHY,
        remedy=_REMEDY,
        source=f"{pack.name} {pack.version}, as of {pack.as_of}",
    )
