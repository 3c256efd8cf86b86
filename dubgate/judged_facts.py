"""What of a judgement goes into its certificate: rules by their worst outcome, packs, models, scope; and into its annex."""

from __future__ import annotations

from typing import Any

from dubgate.certificate.claim import ModelUsed, PackUsed, Scope
from dubgate.certificate.measured import RESULTS, Measured, measured_of
from dubgate.clearing import Release
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome

RESULT_OF = {
    Outcome.PASS: "PASSED",
    Outcome.WAIVED: "WARNED",
    Outcome.WARN: "WARNED",
    Outcome.UNKNOWN: "FAILED",
    Outcome.HOLD: "FAILED",
    Outcome.BLOCK: "FAILED",
}
_KEEPS_BACK = (Outcome.UNKNOWN, Outcome.HOLD, Outcome.BLOCK)


def measured_in(judgement: Judgement) -> Measured:
    """Each rule, as `pack/RULE`, with the worst that came of it; a waived failure counts as a warning."""
    worst: dict[str, str] = {}
    for finding in judgement.verdict.findings:
        if finding.outcome is not Outcome.NOT_APPLICABLE:
            rule, result = f"{finding.pack}/{finding.rule}", RESULT_OF[finding.outcome]
            worst[rule] = max(worst.get(rule, RESULTS[0]), result, key=RESULTS.index)
    return measured_of(worst)


def reasons_in(judgement: Judgement) -> tuple[str, ...]:
    """The rules that keep it from being released; where nothing failed and it still is not, that nothing was judged."""
    return tuple(sorted({f.rule for f in judgement.verdict.findings if f.outcome in _KEEPS_BACK}))


def packs_in(judgement: Judgement) -> tuple[PackUsed, ...]:
    """The rule packs that judged."""
    return tuple(PackUsed(p.name, p.version, p.sha256) for p in judgement.packs)


def models_in(judgement: Judgement) -> tuple[ModelUsed, ...]:
    """The models that heard."""
    return tuple(ModelUsed(m.kind, m.name, m.weights_sha256, m.embedded) for m in judgement.features.models)


def scope_of(release: Release) -> Scope:
    """The use that was judged."""
    channels = tuple(str(c) for c in release.channels)
    start, end = release.window.start, release.window.end
    return Scope(release.territories, channels, release.language, start, end, release.partners)


def annex_findings(judgement: Judgement) -> list[dict[str, Any]]:
    """Every finding with its subject and value: for the annex only."""
    return [
        {
            "rule": f.rule,
            "pack": f.pack,
            "subject": {"scope": f.subject.scope.value, "name": f.subject.name},
            "outcome": f.outcome.name.lower(),
            "was": None if f.was is None else f.was.name.lower(),
            "value": f.value,
            "bound": f.bound,
            "text": f.text.en,
            "decided_by": list(f.decided_by),
        }
        for f in judgement.verdict.findings
    ]
