"""What comparing a speaker's voice says: is it the declared one, a protected one, or cloned from the original? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dubgate.measure.measurement import Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.speakers import Declared, Heard
from dubgate.unmeasured import Unmeasured


def identity(heard: Heard, declared: Declared, subject: Subject, who: str) -> Iterator[Finding]:
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


def protected(heard: Heard, subject: Subject, who: str) -> Iterator[Finding]:
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


def cloned(heard: Heard, subject: Subject, who: str, declared: Declared | None = None) -> Iterator[Finding]:
    score = heard.original_llr
    if declared is not None and declared.human and declared.human_statement is None:
        en, ja = (
            f"{who} was performed by a person, as was stated and signed",
            f"{who}は署名により人の演技とされています",
        )
        yield said("CON-033", subject, Outcome.NOT_APPLICABLE, en, ja)
    elif isinstance(score, Unmeasured):
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
