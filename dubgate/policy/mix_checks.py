"""Whether the sound that was measured is the sound that is published, and all of it (INT-002, INT-008, INT-009). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dubgate.features import ProgrammeFeatures
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.spans import total_s
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
RESIDUAL_AT_MOST_DB = -30.0  # what lossy coding and dither leave over; another take leaves -10 and more


def mix_findings(features: ProgrammeFeatures, *, has_stem: bool) -> tuple[Finding, ...]:
    """With a stem: it and the M&E must make up the published mix. Without one, the mix itself was heard."""
    return (*_findings(features, has_stem), _unheard(features))


def _findings(features: ProgrammeFeatures, has_stem: bool) -> Iterator[Finding]:
    residual = features.mix.residual_db
    bound = Text(f"at most {RESIDUAL_AT_MOST_DB:g} dB", f"{RESIDUAL_AT_MOST_DB:g} dB以下")
    if not has_stem:
        yield said(
            "INT-002",
            PROGRAMME,
            Outcome.NOT_APPLICABLE,
            "what was heard is what is published",
            "公開される音声そのものを判定しました",
        )
    elif isinstance(residual, Unmeasured):
        en = f"a stem was heard, and nothing shows that it is the one in the mix ({residual.reason})"
        ja = f"ステムがミックスに含まれるか確認できません（{in_japanese(residual.reason)}）"
        yield said("INT-002", PROGRAMME, Outcome.UNKNOWN, en, ja, bound=bound)
    elif isinstance(features.mix.differs, Unmeasured):
        en = f"nothing shows that the mix holds stem and M&E throughout ({features.mix.differs.reason})"
        ja = f"ミックス全体がステムとM&Eの和かは未確認です（{in_japanese(features.mix.differs.reason)}）"
        yield said("INT-002", PROGRAMME, Outcome.UNKNOWN, en, ja, bound=bound)
    elif features.mix.differs:
        yield failed(
            "INT-002",
            PROGRAMME,
            f"the mix holds something else than stem and M&E for {total_s(features.mix.differs):.1f} s",
            f"ミックスに、ステムとM&E以外の音が{total_s(features.mix.differs):.1f}秒あります",
            value=f"{residual:.0f} dB",
            bound=bound,
            spans=features.mix.differs,
        )
    elif residual <= RESIDUAL_AT_MOST_DB:
        yield passed(
            "INT-002",
            PROGRAMME,
            "stem and M&E make up the mix",
            "ステムとM&Eはミックスと一致します",
            value=f"{residual:.0f} dB",
            bound=bound,
        )
    else:
        yield failed(
            "INT-002",
            PROGRAMME,
            "stem and M&E do not make up the mix",
            "ステムとM&Eの和がミックスと一致しません",
            value=f"{residual:.0f} dB",
            bound=bound,
        )


def stream_findings(features: ProgrammeFeatures) -> tuple[Finding, ...]:
    """INT-009: a certificate stands for the whole file, and a player may choose any sound of it."""
    beside = Unmeasured("nothing tells what is published") if features.published is None else features.published.beside
    if isinstance(beside, Unmeasured):
        en = f"nobody knows what else the published file plays ({beside.reason})"
        ja = f"公開ファイルのほかの音声は不明です（{in_japanese(beside.reason)}）"
        return (failed("INT-009", PROGRAMME, en, ja),)
    if beside:
        en = f"the published file also plays {', '.join(beside)}, which nobody judged"
        return (failed("INT-009", PROGRAMME, en, f"公開ファイルに判定していない音声があります: {', '.join(beside)}"),)
    return (
        passed("INT-009", PROGRAMME, "the published file plays nothing else", "公開ファイルにほかの音声はありません"),
    )


def _unheard(features: ProgrammeFeatures) -> Finding:
    """INT-008: models hear the mono sum of the stem, or of the mix where there is none; an audience hears all of it."""
    published = features.published
    if published is None:
        return _not_known("nothing tells what is published")
    cancelled, beside = published.cancelled, published.in_effects
    if isinstance(cancelled, Unmeasured):
        return _not_known(cancelled.reason)
    if isinstance(beside, Unmeasured):
        return _not_known(beside.reason)
    if not cancelled and not beside:
        return passed(
            "INT-008", PROGRAMME, "all speech that is published was heard", "公開される発話はすべて判定しました"
        )
    told = (
        (cancelled, "cancelled in the mono sum", "モノラルで打ち消される"),
        (beside, "in the music and effects", "M&Eの中の"),
    )
    where = " and ".join(f"{total_s(spans):.1f} s {what}" for spans, what, _ in told if spans)
    in_ja = "、".join(f"{what}{total_s(spans):.1f}秒" for spans, _, what in told if spans)
    seconds = total_s(cancelled) + total_s(beside)
    return failed(
        "INT-008",
        PROGRAMME,
        f"speech is published that no model heard: {where}",
        f"モデルが聴いていない発話が公開音声にあります: {in_ja}",
        value=f"{seconds:.1f} s",
        spans=(*cancelled, *beside),
    )


def _not_known(why: str) -> Finding:
    en = f"nobody knows whether speech is published that no model heard ({why})"
    ja = f"判定されていない発話の有無は不明です（{in_japanese(why)}）"
    return said("INT-008", PROGRAMME, Outcome.UNKNOWN, en, ja)
