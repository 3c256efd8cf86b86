"""The report as JSON: `schema: report/1.0`, times in UTC, Unmeasured as {"unmeasured": reason}; no vectors."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from dubgate import __version__
from dubgate.delivery.timecode import label_of, timecode_at
from dubgate.features import TrackFeatures
from dubgate.judgement import Clock, Judgement
from dubgate.measure.measurement import Measurement, Subject
from dubgate.measure.metrics import METRICS
from dubgate.policy.findings import Finding, Group
from dubgate.report.line_sound import line_sounds
from dubgate.report.occurrences import LineFindings, lines_with_findings
from dubgate.report.release_sections import Release, Step, Voice, release_sections
from dubgate.report.schema import SCHEMA, from_json, schema
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured


def to_json(judgement: Judgement) -> dict[str, Any]:
    """A report as JSON-able data, in one fixed order; `schema()` describes it."""
    verdict, features = judgement.verdict, judgement.features
    return {
        "schema": SCHEMA,
        "tool": {"name": "dubgate", "version": __version__},
        "title": judgement.title,
        "judged_at": judgement.judged_at.isoformat().replace("+00:00", "Z"),
        "decision": verdict.decision.name.lower(),
        "quality_only": verdict.quality_only,
        "groups": {} if verdict.quality_only else {g.value: verdict.of(g).name.lower() for g in groups_of(judgement)},
        "notes": list(judgement.notes),
        "style": judgement.style.value,
        "scripted": judgement.scripted,
        "clock": _clock(judgement.clock),
        "original": _track(features.original),
        "dub": _track(features.dub),
        "models": [
            {
                "kind": m.kind,
                "name": m.name,
                "weights_sha256": m.weights_sha256,
                "embedded": m.embedded,
                "pinned": m.pinned,
                "device": m.device,
            }
            for m in features.models
        ],
        "packs": [{"name": p.name, "version": p.version, "sha256": p.sha256} for p in judgement.packs],
        "release": release_json(release_sections(judgement)),
        "counts": {o.name.lower(): n for o, n in sorted(Counter(f.outcome for f in verdict.findings).items())},
        "findings": [_finding(f, judgement.clock) for f in verdict.findings],
        "measurements": [_measurement(m) for m in judgement.measurements],
        "lines": _lines(judgement),
    }


def groups_of(judgement: Judgement) -> list[Group]:
    """The groups in which something was asked, in their fixed order."""
    present = {f.group for f in judgement.verdict.findings}
    return [g for g in Group if g in present]


def release_json(release: Release | None) -> dict[str, Any] | None:
    """The sections of a check, or None for quality only."""
    if release is None:
        return None
    return {
        "ready_for_approval": release.ready_for_approval,
        "voices": [_voice(v) for v in release.voices],
        "next": {reader: [_step(s) for s in steps] for reader, steps in release.next},
    }


def _voice(voice: Voice) -> dict[str, Any]:
    checks = {rule: outcome.name.lower() for rule, outcome in voice.checks}
    heard_s = value_json(voice.heard_s)
    return {"character": voice.character, "declared": voice.declared, "heard_s": heard_s, "checks": checks}


def _step(step: Step) -> dict[str, Any]:
    return {
        "outcome": step.outcome.name.lower(),
        "do": {"en": step.do.en, "ja": step.do.ja},
        "rules": list(step.rules),
        "findings": step.n_findings,
        "who": step.who,
    }


def _clock(clock: Clock) -> dict[str, Any]:
    return {
        "frame_rate": str(clock.frame_rate),
        "drop_frame": clock.drop_frame,
        "start_timecode": str(label_of(clock.start_frames, clock)),
    }


def _track(track: TrackFeatures) -> dict[str, Any]:
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


def _finding(finding: Finding, clock: Clock) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "pack": finding.pack,
        "group": finding.group.value,
        "subject": _subject(finding.subject),
        "outcome": finding.outcome.name.lower(),
        "text": {"en": finding.text.en, "ja": finding.text.ja},
        "value": finding.value,
        "bound": finding.bound,
        "why": finding.why.en,
        "remedy": finding.remedy.en,
        "source": finding.source,
        "spans": [_span(s, clock) for s in finding.spans],
        "who_can_resolve": finding.who_can_resolve,
        "was": finding.was.name.lower() if finding.was is not None else None,
        "decided_by": list(finding.decided_by),
    }


def _span(span: Span, clock: Clock) -> dict[str, Any]:
    return {
        "start_s": round(span.start_s, 3),
        "end_s": round(span.end_s, 3),
        "start_timecode": str(timecode_at(span.start_s, clock)),
        "end_timecode": str(timecode_at(span.end_s, clock)),
    }


def _measurement(m: Measurement) -> dict[str, Any]:
    value = m.value if isinstance(m.value, Unmeasured) else round(m.value, 6)
    return {
        "metric": m.metric,
        "unit": METRICS[m.metric].unit.value if m.metric in METRICS else "",
        "subject": _subject(m.subject),
        "value": value_json(value),
        "weight_s": round(float(m.weight_s), 3),  # the sum of nothing is an integer, until it was kept
        "detail": {k: v if isinstance(v, str) or math.isfinite(v) else str(v) for k, v in m.detail},
    }


def _lines(judgement: Judgement) -> list[dict[str, Any]]:
    sounds = line_sounds(judgement)
    return [_line(line, sounds[line.cue.id], judgement.clock) for line in lines_with_findings(judgement)]


def _line(line: LineFindings, sound: dict[str, Any], clock: Clock) -> dict[str, Any]:
    cue = line.cue
    return {
        "id": cue.id,
        **_span(cue.span, clock),
        "character": cue.character,
        "kind": cue.kind.value,
        "text": cue.text,
        "outcome": line.outcome.name.lower(),
        **sound,
    }


__all__ = ["SCHEMA", "from_json", "groups_of", "schema", "to_json", "value_json"]
