"""What a check shows beyond quality: who was heard, what stands in each group, and what each reader can do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dubgate.delivery.manifest_fields import OUTSIDE
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.verdict import Decision
from dubgate.report.open_questions import OpenQuestions, open_questions
from dubgate.unmeasured import Unmeasured

SECTIONS = (
    (Group.CONSENT, Text("Consents", "同意")),
    (Group.APPROVAL, Text("Approvals", "承認")),
    (Group.LABEL, Text("Labels as read", "読み取ったAI表示")),
    (Group.INTEGRITY, Text("Integrity", "整合性")),
    (Group.RECORD, Text("Record", "記録")),
)
READERS = {
    "vendor": Text("Vendor", "制作会社"),
    "rights_holder": Text("Rights holder", "権利者"),
    "public": Text("Public", "一般"),
}
_PEOPLE_DECIDE = (Group.APPROVAL, Group.CONSENT)
_HOLDER = "rights holder"


@dataclass(frozen=True, slots=True)
class Voice:
    """A speaker heard. `declared` is None where no check asked; `checks` holds the worst outcome of each CON-* rule."""

    character: str
    declared: bool | None
    heard_s: float | Unmeasured
    checks: tuple[tuple[str, Outcome], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, because of how many findings of which rules; `who` has to decide, where it is not the reader."""

    outcome: Outcome
    do: Text
    rules: tuple[str, ...]
    n_findings: int
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """The sections of a check; `ready_for_approval` where only decisions of other people are missing."""

    ready_for_approval: bool
    voices: tuple[Voice, ...]
    next: tuple[tuple[str, tuple[Step, ...]], ...]


def release_sections(judgement: Judgement) -> Release | None:
    """The sections, or None for a verdict on quality only."""
    if judgement.verdict.quality_only:
        return None
    steps = (("vendor", _vendor(judgement)), ("rights_holder", _holder(judgement)), ("public", _public(judgement)))
    return Release(ready_for_approval(judgement), _voices(judgement), steps)


def ready_for_approval(judgement: Judgement) -> bool:
    """Whether something is missing, and all of it is a decision that other people take (consent or approval)."""
    open_ = _open(judgement)
    return bool(open_) and all(f.who_can_resolve is not None and f.group in _PEOPLE_DECIDE for f in open_)


def _open(judgement: Judgement) -> list[Finding]:
    return sorted((f for f in judgement.verdict.findings if f.outcome > Outcome.WARN), key=lambda f: -f.outcome)


def _voices(judgement: Judgement) -> tuple[Voice, ...]:
    checks: dict[str, dict[str, Outcome]] = {}
    for f in judgement.verdict.findings:
        if f.group is Group.CONSENT and f.subject.scope is Scope.CHARACTER:
            of = checks.setdefault(f.subject.name, {})
            of[f.rule] = max(of.get(f.rule, Outcome.NOT_APPLICABLE), f.outcome)
    heard = _heard_s(judgement)
    names = dict.fromkeys([*checks, *({} if isinstance(heard, Unmeasured) else heard)])
    return tuple(_voice(n, checks.get(n, {}), heard) for n in names)


def _voice(name: str, checks: dict[str, Outcome], heard: dict[str, float] | Unmeasured) -> Voice:
    cast = checks.get("CON-000")
    seconds = heard if isinstance(heard, Unmeasured) else round(heard.get(name, 0.0), 1)
    return Voice(name, None if cast is None else cast is Outcome.PASS, seconds, tuple(sorted(checks.items())))


def _heard_s(judgement: Judgement) -> dict[str, float] | Unmeasured:
    voices = judgement.features.dub.voices
    if isinstance(voices, Unmeasured):
        return voices
    out: dict[str, float] = {}
    for v in voices:
        name = v.character or OUTSIDE
        out[name] = out.get(name, 0.0) + v.speech_s
    return out


def _vendor(judgement: Judgement) -> tuple[Step, ...]:
    """Every remedy of an open finding, worst first."""
    return _grouped(_open(judgement))


def _holder(judgement: Judgement) -> tuple[Step, ...]:
    """What only the holder decides, put as the question that the rule asks."""
    own = [f for f in _open(judgement) if f.who_can_resolve == _HOLDER]
    steps = tuple(
        Step(f.outcome, Text(f"decide: {f.text.en}", f"ご判断ください: {f.text.ja}"), (f.rule,), 1) for f in own
    )
    others = len(_open(judgement)) - len(own)
    if not own and not others:
        return (Step(Outcome.PASS, Text("nothing is left to decide", "判断の必要はありません"), (), 0),)
    if not others:
        return steps
    do = Text(
        f"know that {others} other finding{'s are' if others > 1 else ' is'} open, which no approval lifts",
        f"ほかに{others}件の指摘が残っています（承認しても解消しません）",
    )
    return (*steps, Step(max(f.outcome for f in _open(judgement) if f not in own), do, (), others))


_PUBLIC = {
    Decision.RELEASE: Text("this dub may be shown; its label says how it was made", "公開できます。制作方法はAI表示をご覧ください"),
    Decision.HOLD: Text("this dub may not be shown yet", "まだ公開できません"),
    Decision.BLOCK: Text("this dub may not be shown", "公開できません"),
}  # fmt: skip
_OUTCOME = {Decision.RELEASE: Outcome.PASS, Decision.HOLD: Outcome.HOLD, Decision.BLOCK: Outcome.BLOCK}


def _public(judgement: Judgement) -> tuple[Step, ...]:
    decision = judgement.verdict.decision
    labels = [f for f in judgement.verdict.findings if f.rule == "LAB-001" and f.outcome is not Outcome.NOT_APPLICABLE]
    told = tuple(Step(f.outcome, f.text, (f.rule,), 1) for f in labels)
    return (Step(_OUTCOME[decision], _PUBLIC[decision], (), 0), *told)


def _grouped(findings: Iterable[Finding]) -> tuple[Step, ...]:
    """One step per remedy and person."""
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    given = list(findings)
    questions = [q for q in open_questions(given) if q.outcome > Outcome.WARN]
    told = {id(f) for q in questions for f in q.findings}
    for f in given:
        if id(f) not in told:
            groups.setdefault((f.remedy.en or f.text.en, f.who_can_resolve), []).append(f)
    return *_mended(groups), *map(_answered, questions)


def _answered(asked: OpenQuestions) -> Step:
    """What one reason left open, as one step."""
    do = Text(f"hand in what is missing: {asked.why.en}", f"不足しているもの: {asked.why.ja}")
    rules = tuple(q.rule for q in asked.questions)
    return Step(asked.outcome, do, rules, len(asked.findings), ", ".join(asked.who) or None)


def _mended(groups: dict[tuple[str, str | None], list[Finding]]) -> tuple[Step, ...]:
    return tuple(
        Step(max(f.outcome for f in g), _remedy(g), tuple(sorted({f.rule for f in g})), len(g), who)
        for (_, who), g in groups.items()
    )


def _remedy(group: list[Finding]) -> Text:
    """What mends them; where nothing is known to, what is wrong."""
    first = group[0]
    return first.remedy if first.remedy.en else first.text
