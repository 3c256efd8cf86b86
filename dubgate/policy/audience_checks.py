"""Is what is judged meant for an audience at all? An internal test, such as a pilot, is never a release."""

from __future__ import annotations

from collections.abc import Sequence

from consent.vocabulary import Channel
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.findings import Finding

_PROGRAMME = Subject(Scope.PROGRAMME)


def audience_findings(channels: Sequence[Channel]) -> tuple[Finding, ...]:
    """INT-006: held wherever the channels name an internal test; no pack, waiver or signature lifts it."""
    if Channel.INTERNAL_TEST in channels:
        en = "an internal test is no release, whatever else is right"
        return (failed("INT-006", _PROGRAMME, en, "内部試験は公開ではありません"),)
    return (passed("INT-006", _PROGRAMME, "it is meant for an audience", "視聴者に向けた公開です"),)
