"""Whether the models that heard are ones that the catalogue knows byte by byte (INT-003). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dubgate.features import BackendInfo
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.findings import Finding

PROGRAMME = Subject(Scope.PROGRAMME)


def model_findings(models: Sequence[BackendInfo]) -> tuple[Finding, ...]:
    """One finding: every model is pinned, or which are not. No model at all fails."""
    loose = sorted({m.name for m in models if not m.pinned})
    if models and not loose:
        return (
            passed(
                "INT-003", PROGRAMME, "every model that heard is pinned by digest", "使用したモデルはすべて検証済みです"
            ),
        )
    en = f"models that nobody pinned heard this: {', '.join(loose)}" if loose else "no model heard this"
    return (failed("INT-003", PROGRAMME, en, "検証されていないモデルが使われました"),)
