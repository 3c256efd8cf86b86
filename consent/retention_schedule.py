"""The published retention schedule: what is kept of a person, until when, and on what grounds it then goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """One line of the schedule; `after` is how long something is kept once its ground has fallen away."""

    rule_id: str
    what: str
    until: str
    after: timedelta
    why: str
    sources: tuple[str, ...]


UNCONFIRMED = timedelta(days=30)
IDLE = timedelta(days=3 * 365)

SCHEDULE = (
    RetentionRule(
        "template-not-permitted",
        "voice templates, with what is sealed under the same key",
        "`keep`, and `match` or `protect`, no longer stand: the term is over or the permission was withdrawn",
        timedelta(0),
        "A template serves the comparison that was permitted and nothing else; withdrawing is as easy as giving.",
        ("GDPR Art. 5(1)(e), 7(3), 9(2)(a), 17(1)(b)", "740 ILCS 14/15(a): the purpose is satisfied"),
    ),
    RetentionRule(
        "template-superseded",
        "a template that a newer enrolment replaced, or whose enrolment was ended",
        "the newer enrolment, or the end, is recorded",
        timedelta(0),
        "Nothing compares with it any more.",
        ("GDPR Art. 5(1)(c) and (e)",),
    ),
    RetentionRule(
        "enrolment-unconfirmed",
        "a template that neither the voice's owner nor an agent confirmed",
        "30 days have passed since it was recorded",
        UNCONFIRMED,
        "A match with it counts as unknown, and whoever's voice it is may know nothing of it.",
        ("GDPR Art. 5(1)(c) and (d)", "740 ILCS 14/15(b): a written release comes first"),
    ),
    RetentionRule(
        "template-idle",
        "voice templates that are kept on a BIPA release",
        "three years have passed since the last interaction with the person",
        IDLE,
        "The statute names this limit, whatever the permission's term.",
        ("740 ILCS 14/15(a): within 3 years of the individual's last interaction",),
    ),
    RetentionRule(
        "contact-idle",
        "names and contacts of natural persons, and of their voices",
        "three years have passed since the last interaction and since the last grant ended; no grant, claim, key, "
        "permission or live release of theirs is left",
        IDLE,
        "Whoever may have to be told of a use or a takedown must be reachable; nobody else need be.",
        ("GDPR Art. 5(1)(e), 17(1)(a)",),
    ),
)


def schedule_data() -> dict[str, Any]:
    """The schedule as plain data, to be published."""
    rules = [
        {
            "rule": rule.rule_id,
            "what": rule.what,
            "kept_until": rule.until,
            "days_after": rule.after.days,
            "why": rule.why,
            "sources": list(rule.sources),
        }
        for rule in SCHEDULE
    ]
    return {
        "schema": "retention-schedule/1.0",
        "how": "The person's key and the ciphertext are destroyed; the ledger keeps a salted commitment and an event.",
        "rules": rules,
    }


def schedule_text() -> str:
    """The schedule for people."""
    parts = ["What is kept of a person, until when, and why it then goes.", str(schedule_data()["how"])]
    for rule in SCHEDULE:
        sources = "; ".join(rule.sources)
        parts.append(
            f"{rule.rule_id}\n  what   {rule.what}\n  until  {rule.until}\n  why    {rule.why}\n  law    {sources}"
        )
    return "\n\n".join(parts)
