"""The report as JSON: `schema: report/1.0`, times in UTC, Unmeasured as {"unmeasured": reason}; no vectors."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dubgate import __version__
from dubgate.delivery.timecode import timecode_at
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Measurement, Subject
from dubgate.policy.findings import Finding, Group, Outcome
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

SCHEMA = "report/1.0"


def to_json(judgement: Judgement) -> dict[str, Any]:
    """A report as JSON-able data, in one fixed order."""
    verdict, features = judgement.verdict, judgement.features
    return {
        "schema": SCHEMA,
        "tool": {"name": "dubgate", "version": __version__},
        "title": judgement.title,
        "judged_at": judgement.judged_at.isoformat().replace("+00:00", "Z"),
        "decision": verdict.decision.name.lower(),
        "quality_only": verdict.quality_only,
        "groups": {} if verdict.quality_only else {g.value: verdict.of(g).name.lower() for g in _groups(judgement)},
        "notes": list(judgement.notes),
        "style": judgement.style.value,
        "scripted": judgement.scripted,
        "original": _track(features.original),
        "dub": _track(features.dub),
        "models": [
            {
                "kind": m.kind,
                "name": m.name,
                "weights_sha256": m.weights_sha256,
                "embedded": m.embedded,
                "device": m.device,
            }
            for m in features.models
        ],
        "packs": [{"name": p.name, "version": p.version, "sha256": p.sha256} for p in judgement.packs],
        "counts": {o.name.lower(): n for o, n in sorted(Counter(f.outcome for f in verdict.findings).items())},
        "findings": [_finding(f, judgement) for f in verdict.findings],
        "measurements": [_measurement(m) for m in judgement.measurements],
        "lines": [
            {"id": c.id, "start_s": c.span.start_s, "end_s": c.span.end_s, "character": c.character, "text": c.text}
            for c in judgement.sheet.cues
        ],
    }


def _groups(judgement: Judgement) -> list[Group]:
    present = {f.group for f in judgement.verdict.findings}
    return [g for g in Group if g in present]


def _track(track: Any) -> dict[str, Any]:
    return {
        "file": track.name,
        "language": track.language,
        "duration_s": round(track.duration_s, 6),
        "file_sha256": track.file_sha256,
        "packet_sha256": track.packet_sha256,
        "pcm_sha256": value_json(track.pcm_sha256),
    }


def value_json(value: Any) -> Any:
    """A value, or Unmeasured with its reason."""
    return {"unmeasured": value.reason} if isinstance(value, Unmeasured) else value


def _subject(subject: Subject) -> dict[str, Any]:
    return {"scope": subject.scope.value, "name": subject.name, "character": subject.character}


def _finding(finding: Finding, judgement: Judgement) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "pack": finding.pack,
        "group": finding.group.value,
        "subject": _subject(finding.subject),
        "outcome": finding.outcome.name.lower(),
        "text": {"en": finding.text.en, "ja": finding.text.ja},
        "value": finding.value,
        "bound": finding.bound,
        "why": finding.why,
        "remedy": finding.remedy,
        "source": finding.source,
        "spans": [_span(s, judgement) for s in finding.spans],
        "who_can_resolve": finding.who_can_resolve,
    }


def _span(span: Span, judgement: Judgement) -> dict[str, Any]:
    return {
        "start_s": round(span.start_s, 3),
        "end_s": round(span.end_s, 3),
        "start_timecode": str(timecode_at(span.start_s, judgement.clock)),
    }


def _measurement(m: Measurement) -> dict[str, Any]:
    value = m.value if isinstance(m.value, Unmeasured) else round(m.value, 6)
    return {
        "metric": m.metric,
        "subject": _subject(m.subject),
        "value": value_json(value),
        "weight_s": round(m.weight_s, 3),
        "detail": {k: v for k, v in m.detail},
    }


FAILED = (Outcome.BLOCK, Outcome.HOLD, Outcome.UNKNOWN, Outcome.WARN)
