"""The sections of a check as plain lines: who was heard, what consents, approvals and labels say, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from dubgate.delivery.manifest_fields import OUTSIDE
from dubgate.japanese.telling import in_japanese
from dubgate.judgement import Judgement
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.report.occurrences import was_not_measured
from dubgate.report.phrases import OUTCOMES
from dubgate.report.printable import printable
from dubgate.report.release_sections import READERS, SECTIONS, Step, Voice, release_sections
from dubgate.unmeasured import Unmeasured

MOST_LINES = 40  # of one section
MOST_THAT_STAND = 10  # of what passed in one section; what failed is told above, and the page has all of it
READY = Text(
    "Ready for approval: only decisions of other people are missing.",
    "承認待ち: 残っているのは関係者の判断だけです。",
)
VOICES = Text("Voices", "声")
NEXT = Text("What to do next", "次にすること")
DECLARED = {
    True: Text("declared", "申告あり"),
    False: Text("not declared", "申告なし"),
    None: Text("not asked", "対象外"),
}
_HEARD = Text("{:.0f} s heard", "発話{:.0f}秒")
_UNHEARD = Text("seconds not known", "発話時間不明")


def release_text(judgement: Judgement, lang: str) -> Iterator[str]:
    """Nothing for a verdict on quality only. `lang` is `en` or `ja`."""
    release = release_sections(judgement)
    if release is None:
        return
    if release.ready_for_approval:
        yield getattr(READY, lang)
    yield from _section(getattr(VOICES, lang), [_voice(v, lang) for v in release.voices])
    for group, title in SECTIONS:
        stands = [
            f for f in judgement.verdict.findings if f.group is group and is_told(f) and f.outcome <= Outcome.WAIVED
        ]
        yield from _section(getattr(title, lang), list(dict.fromkeys(_said(f, lang) for f in stands)), MOST_THAT_STAND)
    yield f"{getattr(NEXT, lang)}:"
    for reader, steps in release.next:
        yield from (f"  {getattr(READERS[reader], lang)}: {_step(s, lang)}" for s in islice(steps, MOST_LINES))


def is_told(finding: Finding) -> bool:
    """Of integrity and record only what passed: what failed is told above, and the rest of them was not asked."""
    if was_not_measured(finding):  # told above, by its reason
        return False
    if finding.group in (Group.INTEGRITY, Group.RECORD):
        return finding.outcome is Outcome.PASS
    return finding.outcome is not Outcome.NOT_APPLICABLE


def _section(title: str, lines: list[str], most: int = MOST_LINES) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines[:most])
    if len(lines) > most:
        yield f"  + {len(lines) - most}"


def _voice(voice: Voice, lang: str) -> str:
    heard_s = voice.heard_s
    heard = getattr(_UNHEARD, lang) if isinstance(heard_s, Unmeasured) else getattr(_HEARD, lang).format(heard_s)
    failed = [f"{rule} {getattr(OUTCOMES[o], lang)}" for rule, o in voice.checks if o > Outcome.WARN]
    passed = sum(o is Outcome.PASS for _, o in voice.checks)
    parts = [
        heard,
        getattr(DECLARED[voice.declared], lang),
        f"{passed} {getattr(OUTCOMES[Outcome.PASS], lang)}",
        *failed,
    ]
    return f"{printable(named_in(lang, voice))}: {', '.join(parts)}"


def named_in(lang: str, voice: Voice) -> str:
    """A character's own name; words only where no line claims the voice."""
    return in_japanese(voice.character) if lang == "ja" and voice.character == OUTSIDE else voice.character


def _said(finding: Finding, lang: str) -> str:
    return f"{getattr(OUTCOMES[finding.outcome], lang)}: {printable(getattr(finding.text, lang))}"


def _step(step: Step, lang: str) -> str:
    rules = f" [{', '.join(step.rules)}]" if step.rules else ""
    asked = (step.who or "").split(", ")
    who = f" ({', '.join(map(in_japanese, asked) if lang == 'ja' else asked)})" if step.who else ""
    return f"{printable(step.do.within(lang))}{printable(who + rules)}"
