"""What a rule says of a subject, as a Finding: sentences for people in English and Japanese, the value, the bound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.bands import Band, told, with_unit
from dubgate.policy.findings import NOT_MEASURED, SILENT, Finding, Outcome, Severity, Text, same
from dubgate.policy.pack_parts import Said
from dubgate.policy.pack_schema import BandRule, Rule
from dubgate.policy.pack_sources import Status
from dubgate.policy.packs import Pack
from dubgate.policy.to_be_known import to_be_known
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
FAILED = {Severity.WARN: Outcome.WARN, Severity.HOLD: Outcome.HOLD, Severity.BLOCK: Outcome.BLOCK}
_MOST_LISTED = 20


def finding(
    rule: Rule,
    pack: Pack,
    subject: Subject,
    outcome: Outcome,
    text: Text,
    *,
    value: Text = SILENT,
    bound: Text = SILENT,
    spans: tuple[Span, ...] = (),
) -> Finding:
    """A finding with all that the rule itself brings."""
    attested = outcome is Outcome.UNKNOWN and rule.attestable_by
    return Finding(
        rule=rule.id,
        pack=pack.name,
        group=rule.group or pack.group,
        subject=subject,
        outcome=outcome,
        text=text,
        value=value.en,
        bound=bound.en,
        value_ja=value.ja,
        bound_ja=bound.ja,
        why=rule.why.told,
        remedy=rule.remedy.told if outcome > Outcome.WAIVED else SILENT,
        source=source_of(rule, pack),
        spans=spans,
        who_can_resolve=str(rule.attestable_by[0]) if attested else None,
    )


def source_of(rule: Rule, pack: Pack) -> str:
    """The clause that a rule names; with its date where nobody read the primary text."""
    if pack.status_of(rule) is Status.VERIFIED:
        return rule.source
    return f"{rule.source} (as of {pack.as_of_of(rule)}, not verified in the primary text)"


def unknown_outcome(rule: Rule) -> Outcome:
    """What comes of a question that stays open: a warning where the rule only warns."""
    return Outcome.WARN if rule.severity is Severity.WARN else Outcome.UNKNOWN


def not_applicable(rule: Rule, pack: Pack, subject: Subject, en: str, ja: str, value: Text = SILENT) -> Finding:
    """The rule does not concern this subject, with the reason."""
    text = Text(f"{rule.asks.en}: {en}", f"{rule.asks.ja}: {ja}")
    return finding(rule, pack, subject, Outcome.NOT_APPLICABLE, text, value=value)


def unknown(
    rule: Rule, pack: Pack, subject: Subject, why: Unmeasured, *, bound: Text = SILENT, spans: tuple[Span, ...] = ()
) -> Finding:
    """The question stays open, with the reason."""
    who = named(subject)
    text = Text(
        f"{who.en}: {rule.asks.en} could not be judged ({why.reason}).",
        f"{who.ja}: {rule.asks.ja}を判定できませんでした（{in_japanese(why.reason)}）。",
    )
    made = finding(rule, pack, subject, unknown_outcome(rule), text, value=NOT_MEASURED, bound=bound, spans=spans)
    return replace(made, remedy=_to_be_known(rule, why.reason))


def _to_be_known(rule: Rule, reason: str) -> Text:
    """The rule's own remedy mends what fails; here nothing was judged. A note asks nothing of anybody."""
    return SILENT if rule.severity is Severity.WARN else to_be_known(reason, by_ear=bool(rule.attestable_by))


def judged(
    rule: BandRule, pack: Pack, subject: Subject, outcome: Outcome, value: float, spans: tuple[Span, ...]
) -> Finding:
    """A value was measured and compared."""
    band = broken_band(rule, outcome)
    said = _sentence(rule, outcome, value, band)
    return finding(
        rule,
        pack,
        subject,
        outcome,
        _said_of(rule, said, subject, value, band),
        value=Text(with_unit(value, rule.unit), told(value, rule.unit, "ja")),
        bound=bound_of(rule, band),
        spans=spans,
    )


def broken_band(rule: BandRule, outcome: Outcome) -> Band:
    """The band that decided: `prefer` for a warning, else `require`."""
    first, second = (rule.prefer, rule.require) if outcome is Outcome.WARN else (rule.require, rule.prefer)
    band = first or second
    assert band is not None  # the schema demands one
    return band


def bound_of(rule: BandRule, band: Band | None = None) -> Text:
    """The bound as it is printed: `at most 0.5 s`, `at most 0.5 s either way`."""
    band = band or broken_band(rule, Outcome.PASS)
    en, ja = (" either way", "（前後とも）") if rule.magnitude else ("", "")
    return Text(f"{band}{en}", f"{band.in_japanese}{ja}")


def _sentence(rule: BandRule, outcome: Outcome, value: float, band: Band) -> Said | None:
    if outcome is Outcome.PASS:
        return rule.passes
    is_below = value < 0 if rule.magnitude else band.is_under(value)
    return rule.below if is_below and rule.below is not None else rule.text


def _said_of(rule: BandRule, said: Said | None, subject: Subject, value: float, band: Band) -> Text:
    if said is None:
        who = named(subject)
        return Text(f"{who.en}: {rule.asks.en} is as it should be.", f"{who.ja}: {rule.asks.ja}は適正です。")
    return Text(*(_filled(getattr(said, lang), lang, rule, subject, value, band) for lang in ("en", "ja")))


def _filled(template: str, lang: str, rule: BandRule, subject: Subject, value: float, band: Band) -> str:
    out = ""
    for k, part in enumerate(_parts(template)):
        filled = part if k % 2 == 0 else _fill(part, lang, rule, subject, value, band)
        inside = out and filled.startswith("Line ") and subject.scope is Scope.LINE
        out += f"l{filled[1:]}" if inside else filled
    return out


@lru_cache(maxsize=1024)
def _parts(template: str) -> tuple[str, ...]:
    """Text and hole names by turns."""
    return tuple(re.split(r"\{([^{}]*)\}", template))


def _fill(hole: str, lang: str, rule: BandRule, subject: Subject, value: float, band: Band) -> str:
    if hole == "value":
        return told(value, rule.unit, lang)
    if hole == "size":
        return told(abs(value), rule.unit, lang)
    if hole == "bound":
        return bound_of(rule, band).within(lang)
    who = named(subject)
    return who.ja if lang == "ja" else who.en


@lru_cache(maxsize=65_536)
def named(subject: Subject) -> Text:
    """Who or what a subject is, in words."""
    if subject.scope is Scope.PROGRAMME:
        return Text("The programme", "番組全体")
    if subject.scope is Scope.CHARACTER:
        return Text(subject.name, in_japanese(subject.name) if subject.name.startswith("(") else subject.name)
    by = Text(f" ({subject.character})", f"（{subject.character}）") if subject.character else Text("", "")
    return Text(f"Line {subject.name}{by.en}", f"台詞{subject.name}{by.ja}")


def listed(names: Sequence[str]) -> Text:
    """Some names, and how many more."""
    shown, more = ", ".join(names[:_MOST_LISTED]), len(names) - _MOST_LISTED
    return same(shown) if more <= 0 else Text(f"{shown} and {more} more", f"{shown}ほか{more}件")
