"""`dubgate rules explain DELIVERY` as text and as data: which packs judge it and why, and what is not known yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dubgate.explaining import Asked, Explained
from dubgate.policy.pack_schema import ConditionRule
from dubgate.policy.pack_terms import dates_of, terms_data
from dubgate.policy.packs import Pack
from dubgate.report.printable import printable

_WORDS = {
    "en": ("These packs judge the delivery:", "These do not:", "not in force", "not known yet", "taken as matching"),
    "ja": ("適用される規則パック:", "適用されない規則パック:", "施行前または失効", "未確認の事実", "該当とみなします"),
}


def explained_text(found: Explained, lang: str = "en") -> str:
    """For people."""
    return "\n".join(printable(line) for line in _lines(found, lang))


def _lines(found: Explained, lang: str) -> Iterator[str]:
    applying, others, _, unknown, assumed = _WORDS[lang]
    yield applying
    for choice in found.choices:
        if choice.applies:
            rules = [asked for asked in found.asked if asked.pack.name == choice.pack.name]
            yield f"  {choice.pack.name} {choice.pack.version}: {getattr(choice.why, lang)}"
            yield from (f"    ? {missing} ({assumed})" for missing in choice.missing)
            yield from _demanded(choice.pack)
            yield from (_rule_line(asked, lang) for asked in rules if isinstance(asked.rule, ConditionRule))
            yield from (f"    ? {unknown}: {', '.join(paths)}: {reason}" for reason, paths in _grouped(rules))
    yield others
    for choice in found.choices:
        if not choice.applies:
            yield f"  {choice.pack.name}: {getattr(choice.why, lang)}"


def _demanded(pack: Pack) -> Iterator[str]:
    """Sign-offs, and how many measurements are bounded: those are listed elsewhere."""
    if pack.sign_offs:
        yield f"    sign-off by: {', '.join(pack.sign_offs)}"
    if pack.bands:
        yield f"    {len(pack.bands)} rules bound measurements: dubgate rules list {pack.name}"


def _grouped(rules: Sequence[Asked]) -> Iterator[tuple[str, list[str]]]:
    """What is not known, by reason."""
    by_reason: dict[str, list[str]] = {}
    for path, reason in dict.fromkeys(missing for asked in rules for missing in asked.missing):
        by_reason.setdefault(reason, []).append(path)
    yield from by_reason.items()


def _rule_line(asked: Asked, lang: str) -> str:
    status = asked.pack.status_of(asked.rule)
    over = _WORDS[lang][2]
    dates = f"{over} ({asked.out_of_force})" if asked.out_of_force else dates_of(asked.rule, asked.pack)
    says = asked.rule.asks.ja if lang == "ja" else asked.rule.asks.en
    return f"    {asked.rule.id:<18} {asked.rule.severity:<5} {says} ({status}, {dates})"


def explained_data(found: Explained) -> dict[str, Any]:
    """For programs."""
    return {
        "packs": [
            {
                "pack": choice.pack.name,
                "version": choice.pack.version,
                "sha256": choice.pack.sha256,
                "applies": choice.applies,
                "why": {"en": choice.why.en, "ja": choice.why.ja},
                "not_known": list(choice.missing),
                "rules": [_rule_data(a) for a in found.asked if a.pack.name == choice.pack.name],
            }
            for choice in found.choices
        ]
    }


def _rule_data(asked: Asked) -> dict[str, Any]:
    return {
        "id": asked.rule.id,
        "severity": str(asked.rule.severity),
        "in_force": asked.out_of_force is None,
        "not_known": [{"fact": path, "why": reason} for path, reason in asked.missing],
        **terms_data(asked.rule, asked.pack),
    }
