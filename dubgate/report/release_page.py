"""The sections of a check as rows for the page."""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.japanese.telling import in_japanese
from dubgate.judgement import Judgement
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.report.phrases import OUTCOMES
from dubgate.report.release_sections import READERS, SECTIONS, Step, Voice, release_sections
from dubgate.report.release_text import DECLARED, NEXT, READY, VOICES, is_told, named_in
from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class VoiceRow:
    """A speaker heard; `checks` are (rule, outcome, label) of each CON-* rule, worst first."""

    character: Text
    heard_s: float | None
    why_not: str
    declared: Text
    outcome: str
    label: Text
    checks: tuple[tuple[str, str, Text], ...]


@dataclass(frozen=True, slots=True)
class SaidRow:
    """A sentence with its outcome; `more` is the rule and what it rests on, or who has to decide."""

    outcome: str
    label: Text
    text: Text
    more: Text


@dataclass(frozen=True, slots=True)
class ReleasePage:
    """What the page shows of a check; `ready` is empty where more than other people's decisions are missing."""

    ready: Text | None
    voices_title: Text
    voices: tuple[VoiceRow, ...]
    sections: tuple[tuple[Text, tuple[SaidRow, ...]], ...]
    next_title: Text
    next: tuple[tuple[Text, tuple[SaidRow, ...]], ...]


def release_page(judgement: Judgement) -> ReleasePage | None:
    """The rows, or None for a verdict on quality only."""
    release = release_sections(judgement)
    if release is None:
        return None
    said = [(title, _said(judgement, group)) for group, title in SECTIONS]
    return ReleasePage(
        ready=READY if release.ready_for_approval else None,
        voices_title=VOICES,
        voices=tuple(map(_voice, release.voices)),
        sections=tuple((title, rows) for title, rows in said if rows),
        next_title=NEXT,
        next=tuple((READERS[reader], tuple(map(_step, steps))) for reader, steps in release.next if steps),
    )


def _voice(voice: Voice) -> VoiceRow:
    worst = max((o for _, o in voice.checks), default=Outcome.NOT_APPLICABLE)
    missing = voice.heard_s if isinstance(voice.heard_s, Unmeasured) else None
    ordered = sorted(voice.checks, key=lambda check: (-check[1], check[0]))
    return VoiceRow(
        character=Text(voice.character, named_in("ja", voice)),
        heard_s=None if isinstance(voice.heard_s, Unmeasured) else voice.heard_s,
        why_not=missing.reason if missing is not None else "",
        declared=DECLARED[voice.declared],
        outcome=worst.name.lower(),
        label=OUTCOMES[worst],
        checks=tuple((rule, o.name.lower(), OUTCOMES[o]) for rule, o in ordered),
    )


def _said(judgement: Judgement, group: object) -> tuple[SaidRow, ...]:
    found = sorted((f for f in judgement.verdict.findings if f.group is group and is_told(f)), key=lambda f: -f.outcome)
    return tuple(dict.fromkeys(_row(f) for f in found))


def _row(f: Finding) -> SaidRow:
    en = (f.rule, f.value, f.bound, *f.decided_by)
    ja = (f.rule, f.measured.ja, f.wanted.ja, *map(in_japanese, f.decided_by))
    more = Text(*(" · ".join(part for part in parts if part) for parts in (en, ja)))
    return SaidRow(f.outcome.name.lower(), OUTCOMES[f.outcome], f.text, more)


def _step(step: Step) -> SaidRow:
    en, ja = step.who or "", ", ".join(map(in_japanese, (step.who or "").split(", ")))
    more = Text(*(" · ".join(part for part in (who, ", ".join(step.rules)) if part) for who in (en, ja)))
    return SaidRow(step.outcome.name.lower(), OUTCOMES[step.outcome], step.do, more)
