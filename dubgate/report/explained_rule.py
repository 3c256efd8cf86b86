"""`dubgate rules explain RULE`: what one rule asks, when it fails, and who can do what about it, for people who made a dub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dubgate.japanese.telling import in_japanese
from dubgate.policy.bands import told
from dubgate.policy.checks import Check
from dubgate.policy.findings import Group, Text
from dubgate.policy.pack_report import fails, must, should
from dubgate.policy.pack_schema import BandRule, Rule
from dubgate.policy.packs import Pack
from dubgate.report.plain_values import plain
from dubgate.units import Unit

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "in": "in", "says": "says", "measured": "measured as", "must": "must be", "should": "should be", "else": "else",
        "required": "required", "why": "why", "do": "what to do", "source": "source", "ear": "if it could not be measured",
        "waive": "if it failed", "more": "all of it",
    },
    "ja": {
        "in": "規則パック", "says": "文", "measured": "測定値", "must": "必須", "should": "推奨", "else": "不合格のとき",
        "required": "必要なこと", "why": "理由", "do": "対処", "source": "出典", "ear": "測れないとき", "waive": "不合格でも",
        "more": "すべての項目",
    },
}  # fmt: skip
_EAR = Text("somebody who listened answers ({who}): {command}", "聴いた人が回答できます（{who}）: {command}")
_WAIVE = Text("it can be forgiven by name, with a reason: {command}", "理由を挙げて名前で容認できます: {command}")
_NEVER = Text("no pack can switch it off, and no waiver touches it", "規則パックでは外せず、容認もできません")


def rule_explained(rule: Rule, packs: list[Pack], lang: str) -> str:
    """A pack's rule; `packs` are those that have it."""
    return "\n".join(_laid_out(rule.id, getattr(rule.asks, lang), _of_rule(rule, packs, lang), lang))


def check_explained(check: Check, lang: str) -> str:
    """A check that is in every check of a delivery."""
    rows = [("required", check.why.within(lang)), ("else", str(check.failed.name.lower()))]
    rows += [("do", check.to_do.within(lang)), *_by_ear(check.id, check.attestable_by, lang)]
    return "\n".join(_laid_out(check.id, "", [*rows, ("waive", _NEVER.within(lang)), ("source", check.source)], lang))


def _laid_out(rule_id: str, asks: str, rows: list[tuple[str, str]], lang: str) -> Iterator[str]:
    yield f"{rule_id}  {asks}".rstrip()
    yield from (f"  {_WORDS[lang][name]}: {text}" for name, text in rows if text)
    yield f"  {_WORDS[lang]['more']}: dubgate rules show {rule_id}"


def _of_rule(rule: Rule, packs: list[Pack], lang: str) -> list[tuple[str, str]]:
    rows = [("in", ", ".join(f"{p.name} {p.version}" for p in packs)), ("says", _said(rule, lang))]
    if isinstance(rule, BandRule):
        means = rule.measures.means_ja if lang == "ja" else rule.measures.means
        rows += [("measured", f"{means} ({', '.join(rule.metrics)})")]
        rows += [("must", plain(must(rule))), ("should", plain(should(rule)))]
    rows += [("else", fails(rule)), ("why", rule.why.told.within(lang)), ("do", rule.remedy.told.within(lang))]
    rows += _by_ear(rule.id, rule.attestable_by, lang)
    if any((rule.group or pack.group) is Group.QUALITY for pack in packs):
        rows.append(("waive", _WAIVE.within(lang).format(command=f"dubgate approve delivery.yaml --waive {rule.id}")))
    return [*rows, ("source", rule.source)]


def _by_ear(rule_id: str, roles: tuple[str, ...], lang: str) -> list[tuple[str, str]]:
    if not roles:
        return []
    who = ", ".join(in_japanese(str(role)) if lang == "ja" else str(role) for role in roles)
    command = f"dubgate approve delivery.yaml --attest {rule_id}"
    return [("ear", _EAR.within(lang).format(who=who, command=command))]


def _said(rule: Rule, lang: str) -> str:
    """The sentence of a finding, with stand-ins for what only a finding has."""
    number = told(0.07 if _unit(rule) in (Unit.SHARE, Unit.PROBABILITY) else 7.0, _unit(rule), lang).replace("7", "N")
    who = ("台詞", "登場人物") if lang == "ja" else ("Line 12", "a character")
    stands = {"line": who[0], "character": who[1], "value": number, "size": number, "bound": "…"}
    return str(getattr(rule.text, lang)).format_map(stands)


def _unit(rule: Rule) -> Unit:
    return rule.unit if isinstance(rule, BandRule) else Unit.COUNT
