"""Clearance: for each speaker heard, is it declared, granted, itself, and nobody who did not consent? Pure.

It walks over the voices that were heard and looks up what was declared, never the other way round: a declaration for a
voice that nobody heard clears nothing, and a voice that nobody declared blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from consent.remarks import remarks
from consent.terms import Grant
from dubgate.delivery.manifest_fields import OUTSIDE
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import CHECKS, failed, passed, said
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.speakers import Declared, Heard
from dubgate.policy.voice_checks import cloned, identity, protected

_OUTSIDE = "a voice outside every line"
TELLING_S = 1.5  # net speech under which no voice can be told (quality-metrics 3.2)


def clear_all(
    heard: Sequence[Heard], declared: Sequence[Declared], *, verified_at_least: float = 0.9
) -> tuple[Finding, ...]:
    """Every check of every speaker heard, and the share of speech that could be verified."""
    cast = {d.name: d for d in declared}
    findings = [f for h in heard for f in _of_speaker(h, cast.get(h.name) if h.name is not None else None)]
    if not heard:
        # held, not unknown: nobody can attest by ear to a dub in which nothing was heard
        findings.append(said("CON-035", _programme(), Outcome.HOLD, "no voice was heard", "声が聞こえませんでした"))
        return tuple(findings)
    return (*findings, _verified_share(heard, cast, findings, verified_at_least))


def _programme() -> Subject:
    return Subject(Scope.PROGRAMME)


def _subject(heard: Heard) -> Subject:
    return Subject(Scope.CHARACTER, heard.name or OUTSIDE)


def _of_speaker(heard: Heard, declared: Declared | None) -> Iterator[Finding]:
    if declared is None:
        yield from map(_told, _of_stranger(heard))
        return
    subject, who = _subject(heard), declared.name
    yield passed("CON-000", subject, f"{who} is in the cast", f"{who}は配役表にあります")
    yield from _refusals(declared, subject)
    yield from _grants(declared, subject, who)
    yield from identity(heard, declared, subject, who)
    yield from protected(heard, subject, who, declared)
    yield from cloned(heard, subject, who, declared)


def _of_stranger(heard: Heard) -> Iterator[Finding]:
    subject, who = _subject(heard), heard.name or _OUTSIDE
    yield _not_in_cast(heard, subject, who)
    yield from protected(heard, subject, who)
    yield from cloned(heard, subject, who)


def _told(finding: Finding) -> Finding:
    """A voice without a name is called so in each language."""
    ja = finding.text.ja.replace(_OUTSIDE, in_japanese(_OUTSIDE))
    return replace(finding, text=Text(finding.text.en, ja))


def _not_in_cast(heard: Heard, subject: Subject, who: str) -> Finding:
    """A block; where a sound outside every line is too short to tell a voice, or even that it is one, a question."""
    en, ja = (
        f"{who} is heard for {heard.speech_s:.1f} s and is not in the cast",
        f"{who}が{heard.speech_s:.1f}秒聞こえますが、配役表にありません",
    )
    if heard.name is None and heard.speech_s < TELLING_S:
        en, ja = f"{en}; it is too short to tell a voice", f"{ja}。短いため声を判別できません"
        return said("CON-000", subject, Outcome.UNKNOWN, en, ja, spans=heard.spans)
    return failed("CON-000", subject, en, ja, spans=heard.spans)


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
            ja = f"{who}は人の演技と申告されていますが、証明がありません（{in_japanese(declared.human_statement)}）"
            yield failed("CON-040", subject, en, ja)
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
            yield from _remarks(clearance.grants, subject, who)
        elif not clearance.denials:
            en, ja = f"no grant covers {clearance.voice_id}", f"{clearance.voice_id}の利用に同意がありません"
            yield failed("CON-001", subject, en, ja)
        for denial in clearance.denials:
            usual = CHECKS[denial.code].failed
            yield said(
                denial.code,
                subject,
                Outcome.BLOCK if usual is Outcome.WARN else usual,  # what stands against a grant is no warning
                f"{who}: {denial.text.en}",
                f"{who}: {denial.text.ja}",
                value=denial.record_id or "",
            )


def _remarks(grants: Sequence[Grant], subject: Subject, who: str) -> Iterator[Finding]:
    """What every one of the covering grants is warned about; one grant that is free of it suffices."""
    of_each = [{remark[0]: remark for remark in remarks(grant)} for grant in grants]
    for code, (_, _, en, ja) in of_each[0].items():
        if all(code in found for found in of_each):
            ids = ", ".join(g.grant_id for g in grants)
            yield failed(code, subject, f"{who}: {en}", f"{who}: {ja}", value=ids)


def _verified_share(
    heard: Sequence[Heard], cast: dict[str, Declared], findings: Sequence[Finding], at_least: float
) -> Finding:
    """Speech of voices that were matched, or that a signed statement says are human, against all speech heard."""
    sure = {f.subject for f in findings if f.rule in ("CON-031", "CON-040") and f.outcome is Outcome.PASS}
    total = sum(h.speech_s for h in heard)
    share = sum(h.speech_s for h in heard if _subject(h) in sure) / total if total else 0.0
    shown = {
        "value": Text(f"{share:.2f} share", f"{share:.0%}"),
        "bound": Text(f"at least {at_least:g} share", f"{at_least:.0%}以上"),
    }
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
