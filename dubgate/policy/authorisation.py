"""A label is not an authorisation: where the audience is told and the rights holder was not asked, the finding says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dubgate.policy.findings import Finding, Outcome, Text

WHY = Text(
    "A label tells the audience that AI made the dub; it does not say that the rights holder allowed it. In 2025 dubs were "
    "published as “English [AI beta]”, and the holders said that they had authorised no AI dub in any form",
    "表示は、AIによる吹替であることを視聴者に伝えるもので、権利者が許諾したことを示しません。2025年には"
    "「English [AI beta]」として吹替が公開され、権利者はいかなる形でもAI吹替を許諾していないと表明しました",
)
_EN = "the dub is labelled as AI, and a label is not an authorisation"
_JA = "AIの表示はありますが、表示は許諾ではありません"


def told_apart(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings; a missing approval (RH-001) of a labelled dub says what the label does not do."""
    labels = [f.outcome for f in findings if f.rule == "LAB-001"]
    labelled = bool(labels) and all(o is Outcome.PASS for o in labels)
    return tuple(_said(f) if labelled and _missing(f) else f for f in findings)


def _missing(finding: Finding) -> bool:
    return finding.rule == "RH-001" and finding.outcome is Outcome.BLOCK


def _said(finding: Finding) -> Finding:
    text = Text(f"{finding.text.en}; {_EN}", f"{finding.text.ja}。{_JA}")
    return replace(finding, text=text, why=_with(finding.why, WHY))


def _with(first: Text, second: Text) -> Text:
    return Text(f"{first.en}. {second.en}", f"{first.ja}。{second.ja}" if first.ja else "")
