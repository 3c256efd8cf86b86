"""Whether the sound that was measured is the sound that is published (INT-002). Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dubgate.features import ProgrammeFeatures
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed, said
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
RESIDUAL_AT_MOST_DB = -30.0  # what lossy coding and dither leave over; another take leaves -10 and more


def mix_findings(features: ProgrammeFeatures, *, has_stem: bool) -> tuple[Finding, ...]:
    """With a stem: it and the M&E must make up the published mix. Without one, the mix itself was heard."""
    return tuple(_findings(features, has_stem))


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
        yield said("INT-002", PROGRAMME, Outcome.UNKNOWN, en, "ステムがミックスに含まれるか確認できません", bound=bound)
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
