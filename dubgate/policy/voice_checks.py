"""What comparing a speaker's voice says: is it the declared one, a protected one, or cloned from the original? Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import SILENT, Finding, Outcome, Text
from dubgate.policy.speakers import Declared, Heard, Hit
from dubgate.unmeasured import Unmeasured


def identity(heard: Heard, declared: Declared, subject: Subject, who: str) -> Iterator[Finding]:
    if declared.human and not declared.voice_ids:
        why = "a human voice needs no match"
        yield said("CON-031", subject, Outcome.NOT_APPLICABLE, f"{who}: {why}", "人の声は照合しません")
        return
    if not declared.may_compare:
        en = f"{who}: nobody allowed a comparison of this voice ({declared.why_not_compare})"
        yield failed(
            "CON-030",
            subject,
            en,
            f"{who}の声の照合は許可されていません（{in_japanese(declared.why_not_compare)}）",
            spans=heard.spans,
        )
        return
    yield passed("CON-030", subject, f"{who}: the voice may be compared", f"{who}の声は照合できます")
    if declared.unconfirmed:
        some = ", ".join(declared.unconfirmed)
        yield failed(
            "CON-034",
            subject,
            f"{who}: nobody confirmed that the recording of {some} is that voice",
            f"{who}: {some}の登録音声が本人により確認されていません",
            spans=heard.spans,
        )
    yield _match(heard, subject, who)


def _match(heard: Heard, subject: Subject, who: str) -> Finding:
    score = heard.match_llr
    bound = Text(f"at least {heard.accept:.1f} nat", f"{heard.accept:.1f} nat以上")
    if isinstance(score, Unmeasured):
        open_ = said(
            "CON-031",
            subject,
            Outcome.UNKNOWN,
            f"{who}: the voice could not be compared ({score.reason})",
            f"{who}の声を照合できませんでした（{in_japanese(score.reason)}）",
            bound=bound,
            spans=heard.spans,
        )
        return replace(open_, remedy=_NAMED_OR_BY_EAR)
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
    unsure = said(
        "CON-031",
        subject,
        Outcome.UNKNOWN,
        f"it cannot be told whether {who} is the voice that was declared",
        f"{who}が申告された声か判定できません",
        value=f"{score:.1f} nat",
        bound=bound,
        spans=heard.spans,
    )
    return replace(unsure, remedy=_BY_EAR)


_BY_EAR = Text(
    "have somebody who knows the voice answer by ear: dubgate approve --attest CON-031",
    "声を知る人に、耳で確認して回答してもらってください（dubgate approve --attest CON-031）",
)
_NAMED_OR_BY_EAR = Text(
    f"hand in what the reason names, or {_BY_EAR.en}", f"理由に挙げたものを提出するか、{_BY_EAR.ja}"
)


def protected(heard: Heard, subject: Subject, who: str, declared: Declared | None = None) -> Iterator[Finding]:
    """CON-032: whoever was hit holds or blocks; what could not be searched stays open; nobody hit passes, with how many
    were looked for and how many were not. Who signed that they performed it themselves is no hit."""
    if isinstance(heard.hits, Unmeasured):
        yield _not_searched(heard.hits, heard, subject, who)
        return
    hits = [h for h in heard.hits if declared is None or h.voice_id not in declared.performed_by]
    yield from (_hit(hit, heard, subject, who, declared) for hit in hits)
    if heard.search_gap is not None:
        yield _not_searched(heard.search_gap, heard, subject, who)
    elif not hits:
        en, ja = f"{who} is none of the voices that asked for protection", f"{who}は保護された声ではありません"
        counted = _looked_for(heard)
        yield passed("CON-032", subject, f"{en}{counted.en}", f"{ja}{counted.ja}")


def _looked_for(heard: Heard) -> Text:
    """How many voices were looked for, and how many not; nothing where nobody counted."""
    if heard.n_searched is None:
        return SILENT
    n, others = heard.n_searched, heard.n_unpermitted
    rest = Text(f"; {others} enrolled without `protect` were not", f"、`protect`のない登録{others}件は対象外")
    rest = rest if others else SILENT
    return Text(f" ({n} looked for{rest.en})", f"（{n}件を照合{rest.ja}）")


def _not_searched(why: Unmeasured, heard: Heard, subject: Subject, who: str) -> Finding:
    en, ja = (
        f"{who} could not be searched for protected voices ({why.reason})",
        f"{who}を保護された声と照合できませんでした（{in_japanese(why.reason)}）",
    )
    return said("CON-032", subject, Outcome.UNKNOWN, en, ja, spans=heard.spans)


def _hit(hit: Hit, heard: Heard, subject: Subject, who: str, declared: Declared | None) -> Finding:
    """Lifted only by an answer that names this voice: its owner's signed "not me", or two reviewers'."""
    outcome = Outcome.BLOCK if hit.blocks else Outcome.HOLD
    en, ja = (
        f"{who} sounds like {hit.voice_id}, who did not consent to this",
        f"{who}は同意のない声（{hit.voice_id}）に似ています",
    )
    if not hit.confirmed:
        outcome = Outcome.UNKNOWN
        en, ja = f"{en}; nobody confirmed that enrolment", f"{ja}。登録音声は本人により確認されていません"
    if declared is not None and declared.human and hit.voice_id in declared.voice_ids:
        en = f"{en}; who performed with a voice of their own signs that themselves: dubgate approve --human"
        ja = f"{ja}。本人が演じた場合は、本人が署名してください（dubgate approve --human）"
    rate = hit.false_hit_rate
    bound: str | Text = ""
    if rate is not None:
        bound = Text(f"hit by chance in at most {rate:.2g} of searches", f"偶然の一致は検索の{rate:.2g}以下")
    found = said("CON-032", subject, outcome, en, ja, value=f"{hit.llr:.1f} nat", bound=bound, spans=heard.spans)
    return replace(found, voice_id=hit.voice_id, who_can_resolve=f"the owner of {hit.voice_id}")


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
            f"{who}が原音の俳優の声の複製か判定できません（{in_japanese(score.reason)}）",
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
            bound=Text(f"under {heard.original_from:.1f}", f"{heard.original_from:.1f}未満"),
            spans=heard.spans,
        )
