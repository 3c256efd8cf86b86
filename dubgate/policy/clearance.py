"""Clearance: for each speaker heard, is it declared, granted, itself, and nobody who did not consent? Pure.

It walks over the voices that were heard and looks up what was declared, never the other way round: a declaration for a
voice that nobody heard clears nothing, and a voice that nobody declared blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consent.clearance import Clearance
from consent.titles import Refusal
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

Score = float | Unmeasured


@dataclass(frozen=True, slots=True)
class Declared:
    """A cast entry with what the registry says of its voices.

    `clearances` has one entry per voice that the entry names; `may_compare` is false where a voice's owner gave no
    `match`; `unconfirmed` lists voices whose enrolment nobody confirmed; `human_statement` says why a human
    performance is not stated, or None where it is.
    """

    name: str
    technique: str
    voice_ids: tuple[str, ...]
    clearances: tuple[Clearance, ...]
    refusals: tuple[Refusal, ...] = ()
    may_compare: bool = True
    why_not_compare: str = ""
    unconfirmed: tuple[str, ...] = ()
    human_statement: str | None = "no human-performance statement was delivered"

    @property
    def human(self) -> bool:
        return self.technique == "human"


@dataclass(frozen=True, slots=True)
class Hit:
    """A voice that did not consent and was heard: its id, the score, and whether the gallery's false-hit rate lets it
    block."""

    voice_id: str
    llr: float
    blocks: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """One speaker heard: what the script calls it (None outside every line), and what its voice was compared with.

    `match_llr` is against the declared voice; `accept` and `reject` are the calibration's thresholds on it.
    `original_llr` is how far the voice stands out towards one of the original's speakers; from `original_from` on it is
    a clone.
    """

    name: str | None
    speech_s: float
    spans: tuple[Span, ...]
    match_llr: Score
    accept: float
    reject: float
    hits: tuple[Hit, ...] | Unmeasured
    original_llr: Score
    original_from: float
    original_granted: bool = False


def clear_all(
    heard: Sequence[Heard], declared: Sequence[Declared], *, verified_at_least: float = 0.9
) -> tuple[Finding, ...]:
    """Every check of every speaker heard, and the share of speech that could be verified."""
    cast = {d.name: d for d in declared}
    findings = [f for h in heard for f in _of_speaker(h, cast.get(h.name) if h.name is not None else None)]
    if not heard:
        findings.append(failed("CON-035", _programme(), "no voice was heard", "声が聞こえませんでした"))
        return tuple(findings)
    return (*findings, _verified_share(heard, cast, findings, verified_at_least))


def _programme() -> Subject:
    return Subject(Scope.PROGRAMME)


def _subject(heard: Heard) -> Subject:
    return Subject(Scope.CHARACTER, heard.name or "(outside every line)")


def _of_speaker(heard: Heard, declared: Declared | None) -> Iterator[Finding]:
    subject, who = _subject(heard), heard.name or "a voice outside every line"
    if declared is None:
        en, ja = f"{who} is heard for {heard.speech_s:.0f} s and is not in the cast", "配役表にない声が聞こえます"
        yield failed("CON-000", subject, en, ja, spans=heard.spans)
        yield from _hits(heard, subject, who)
        yield from _clone(heard, subject, who)
        return
    yield passed("CON-000", subject, f"{who} is in the cast", f"{who}は配役表にあります")
    yield from _refusals(declared, subject)
    yield from _grants(declared, subject, who)
    yield from _identity(heard, declared, subject, who)
    yield from _hits(heard, subject, who)
    yield from _clone(heard, subject, who)


def _refusals(declared: Declared, subject: Subject) -> Iterator[Finding]:
    for refusal in declared.refusals:
        words = refusal.words.get("en") or next(iter(refusal.words.values()))
        yield failed(
            "CON-005",
            subject,
            f"{refusal.by} has refused this: “{words}”",
            f"{refusal.by}が拒否しています: 「{words}」",
        )


def _grants(declared: Declared, subject: Subject, who: str) -> Iterator[Finding]:
    if declared.human:
        if declared.human_statement is None:
            yield passed(
                "CON-040",
                subject,
                f"a signed statement says that a person performed {who}",
                f"{who}は人が演じたと署名されています",
            )
        else:
            en = f"{who} is declared as human, and that is not proved: {declared.human_statement}"
            yield failed("CON-040", subject, en, f"{who}は人の演技と申告されていますが、証明がありません")
        return
    if not declared.clearances:
        yield failed("CON-001", subject, f"no registered voice stands behind {who}", f"{who}の声は登録されていません")
    for clearance in declared.clearances:
        if clearance.cleared:
            ids = ", ".join(g.grant_id for g in clearance.grants)
            yield passed(
                "CON-001",
                subject,
                f"the use of {clearance.voice_id} for {who} is granted",
                f"{who}への{clearance.voice_id}の利用は同意されています",
                value=ids,
            )
        elif not clearance.denials:
            yield failed("CON-001", subject, f"no grant covers {clearance.voice_id}", "同意がありません")
        for denial in clearance.denials:
            yield failed(
                denial.code,
                subject,
                f"{who}: {denial.text.en}",
                f"{who}: {denial.text.ja}",
                value=denial.record_id or "",
            )


def _identity(heard: Heard, declared: Declared, subject: Subject, who: str) -> Iterator[Finding]:
    if declared.human and not declared.voice_ids:
        why = "a human voice needs no match"
        yield said("CON-031", subject, Outcome.NOT_APPLICABLE, f"{who}: {why}", "人の声は照合しません")
        return
    if not declared.may_compare:
        en = f"{who}: nobody allowed a comparison of this voice ({declared.why_not_compare})"
        yield failed("CON-030", subject, en, f"{who}の声の照合は許可されていません", spans=heard.spans)
        return
    yield passed("CON-030", subject, f"{who}: the voice may be compared", f"{who}の声は照合できます")
    if declared.unconfirmed:
        some = ", ".join(declared.unconfirmed)
        yield failed(
            "CON-034",
            subject,
            f"{who}: nobody confirmed that the recording of {some} is that voice",
            f"{who}: 登録音声が本人により確認されていません",
            spans=heard.spans,
        )
    yield _match(heard, subject, who)


def _match(heard: Heard, subject: Subject, who: str) -> Finding:
    score, bound = heard.match_llr, f"at least {heard.accept:.1f} nat"
    if isinstance(score, Unmeasured):
        return said(
            "CON-031",
            subject,
            Outcome.UNKNOWN,
            f"{who}: the voice could not be compared ({score.reason})",
            f"{who}の声を照合できませんでした",
            bound=bound,
            spans=heard.spans,
        )
    if score >= heard.accept:
        return passed(
            "CON-031",
            subject,
            f"{who} is the voice that was declared",
            f"{who}は申告された声です",
            value=f"{score:.1f} nat",
            bound=bound,
        )
    if score < heard.reject:
        return failed(
            "CON-031",
            subject,
            f"{who} is not the voice that was declared",
            f"{who}は申告された声ではありません",
            value=f"{score:.1f} nat",
            bound=bound,
            spans=heard.spans,
        )
    return said(
        "CON-031",
        subject,
        Outcome.UNKNOWN,
        f"it cannot be told whether {who} is the voice that was declared",
        f"{who}が申告された声か判定できません",
        value=f"{score:.1f} nat",
        bound=bound,
        spans=heard.spans,
    )


def _hits(heard: Heard, subject: Subject, who: str) -> Iterator[Finding]:
    if isinstance(heard.hits, Unmeasured):
        yield said(
            "CON-032",
            subject,
            Outcome.UNKNOWN,
            f"{who} could not be searched for protected voices ({heard.hits.reason})",
            "保護された声との照合ができませんでした",
            spans=heard.spans,
        )
        return
    if not heard.hits:
        yield passed(
            "CON-032",
            subject,
            f"{who} is none of the voices that asked for protection",
            f"{who}は保護された声ではありません",
        )
    for hit in heard.hits:
        outcome = Outcome.BLOCK if hit.blocks else Outcome.HOLD
        en = f"{who} sounds like {hit.voice_id}, who did not consent to this"
        yield said(
            "CON-032",
            subject,
            outcome,
            en,
            f"{who}は同意のない声（{hit.voice_id}）に似ています",
            value=f"{hit.llr:.1f} nat",
            spans=heard.spans,
        )


def _clone(heard: Heard, subject: Subject, who: str) -> Iterator[Finding]:
    score = heard.original_llr
    if isinstance(score, Unmeasured):
        yield said(
            "CON-033",
            subject,
            Outcome.UNKNOWN,
            f"it cannot be told whether {who} is cloned from the original ({score.reason})",
            "原音の俳優の声との関係を判定できません",
            spans=heard.spans,
        )
    elif score < heard.original_from:
        yield passed(
            "CON-033",
            subject,
            f"{who} is not cloned from the original's cast",
            f"{who}は原音の俳優の複製ではありません",
            value=f"{score:.1f}",
        )
    elif heard.original_granted:
        yield passed(
            "CON-033",
            subject,
            f"{who} sounds like the original's performer, who granted it",
            f"{who}は原音の俳優の声で、同意があります",
            value=f"{score:.1f}",
        )
    else:
        yield failed(
            "CON-033",
            subject,
            f"{who} sounds like the original's own performer, who granted nothing",
            f"{who}は同意のない原音の俳優の声に似ています",
            value=f"{score:.1f}",
            bound=f"under {heard.original_from:.1f}",
            spans=heard.spans,
        )


def _verified_share(
    heard: Sequence[Heard], cast: dict[str, Declared], findings: Sequence[Finding], at_least: float
) -> Finding:
    """Speech of voices that were matched, or that a signed statement says are human, against all speech heard."""
    sure = {f.subject for f in findings if f.rule in ("CON-031", "CON-040") and f.outcome is Outcome.PASS}
    total = sum(h.speech_s for h in heard)
    share = sum(h.speech_s for h in heard if _subject(h) in sure) / total if total else 0.0
    shown = {"value": f"{share:.2f} share", "bound": f"at least {at_least:g} share"}
    if share >= at_least:
        return passed(
            "CON-035",
            _programme(),
            f"{share:.0%} of the speech could be verified",
            f"発話の{share:.0%}を確認しました",
            **shown,
        )
    return failed(
        "CON-035",
        _programme(),
        f"only {share:.0%} of the speech could be verified",
        f"確認できた発話は{share:.0%}です",
        **shown,
    )
