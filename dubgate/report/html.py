"""The report as one self-contained HTML page: findings first, a timeline, a table of lines, sound where it fits."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from dubgate import __version__
from dubgate.delivery.timecode import timecode_at
from dubgate.features import Floats, TrackFeatures
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.metrics import METRICS
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Decision
from dubgate.report.json import groups_of
from dubgate.unmeasured import Unmeasured

ENERGY_HOP_S = 0.04
MAX_POINTS = 200_000
MAX_SOUND_BYTES = 20_000_000

_HEADLINES = {
    (True, Decision.RELEASE): "Nothing to hold – quality only, not a release",
    (True, Decision.HOLD): "Hold – quality only, not a release",
    (True, Decision.BLOCK): "Block – quality only, not a release",
    (False, Decision.RELEASE): "Release: every check was made and passed",
    (False, Decision.HOLD): "Hold: people have to decide, or something could not be measured",
    (False, Decision.BLOCK): "Block: this may not be released",
}

Media = Mapping[str, Mapping[str, bytes]]  # line id -> track ("original", "dub") -> FLAC bytes


def render_html(judgement: Judgement, *, media: Media | None = None, lang: str = "en") -> str:
    """The page as text. What does not fit into 20 MB of sound is left out; flagged lines come first.

    Args:
        media: excerpts of the lines, encoded as FLAC.
    """
    from jinja2 import Environment
    from markupsafe import Markup

    folder = files("dubgate.report").joinpath("templates")
    template = Environment(autoescape=True).from_string(folder.joinpath("report.html.j2").read_text(encoding="utf-8"))
    verdict, features = judgement.verdict, judgement.features
    shown = [] if verdict.quality_only else [(g.value, verdict.of(g).name.lower()) for g in groups_of(judgement)]
    payload = json.dumps(_payload(judgement, media or {}, lang), ensure_ascii=False, allow_nan=False)
    return template.render(
        title=judgement.title,
        judged_at=judgement.judged_at.strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        style=judgement.style.value,
        decision=verdict.decision.name.lower(),
        headline=_HEADLINES[verdict.quality_only, verdict.decision],
        groups=shown,
        notes=judgement.notes,
        models=features.models,
        packs=judgement.packs,
        tracks=[
            {"role": "original", "name": features.original.name, "file_sha256": features.original.file_sha256},
            {"role": "dub", "name": features.dub.name, "file_sha256": features.dub.file_sha256},
        ],
        payload=Markup(payload.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")),
        script=Markup(folder.joinpath("report.js").read_text(encoding="utf-8")),
    )


def _payload(judgement: Judgement, media: Media, lang: str) -> dict[str, Any]:
    original, dub = (_track(t) for t in (judgement.features.original, judgement.features.dub))
    voiced = [v for t in (original, dub) for v in t["pitch"] if v is not None]
    low, high = (float(np.percentile(voiced, 1)) - 1, float(np.percentile(voiced, 99)) + 1) if voiced else (0.0, 1.0)
    lines = _lines(judgement)
    return {
        "lang": lang,
        "duration": max(judgement.features.original.duration_s, judgement.features.dub.duration_s, 0.1),
        "original": original,
        "dub": dub,
        "low": low,
        "high": max(high, low + 1),
        "lines": lines,
        "findings": [_finding(f, judgement) for f in judgement.verdict.findings],
        "measurements": [_measured(m) for m in judgement.measurements if m.subject.scope is not Scope.LINE],
        "media": _within_budget(media, lines),
    }


def _track(track: TrackFeatures) -> dict[str, Any]:
    pool = max(1, round(ENERGY_HOP_S / track.energy_db.hop_s))
    energy = _pooled(track.energy_db.values, pool)
    pitch: list[float | None] = []
    hop = 0.032
    if not isinstance(track.pitch, Unmeasured):
        hop = track.pitch.f0_hz.hop_s * 2
        hz = track.pitch.f0_hz.values[::2][:MAX_POINTS]
        pitch = [None if np.isnan(v) else round(12 * float(np.log2(v / 100)), 1) for v in hz]
    return {
        "energy": energy,
        "energy_hop": track.energy_db.hop_s * pool,
        "pitch": pitch,
        "pitch_hop": hop,
    }


def _pooled(values: Floats, pool: int) -> list[int]:
    n = len(values) // pool * pool
    return [round(v) for v in values[:n].reshape(-1, pool).max(axis=1).tolist()[:MAX_POINTS]]


def _lines(judgement: Judgement) -> list[dict[str, Any]]:
    worst: dict[str, Outcome] = {}
    for f in judgement.verdict.findings:
        if f.subject.scope is Scope.LINE:
            worst[f.subject.name] = max(worst.get(f.subject.name, Outcome.PASS), f.outcome)
    onset, heard = _by_line(judgement, "onset_error_s"), _by_line(judgement, "script_words_heard")
    return [
        {
            "id": cue.id,
            "start": cue.span.start_s,
            "end": cue.span.end_s,
            "timecode": str(timecode_at(cue.span.start_s, judgement.clock)),
            "character": cue.character,
            "text": cue.text,
            "onset": onset.get(cue.id),
            "heard": heard.get(cue.id),
            "outcome": worst.get(cue.id, Outcome.PASS).name.lower(),
            "rank": _RANK[worst.get(cue.id, Outcome.PASS)],
        }
        for cue in judgement.sheet.cues
    ]


_RANK = {
    Outcome.NOT_APPLICABLE: 0, Outcome.PASS: 0, Outcome.WAIVED: 1, Outcome.WARN: 2, Outcome.UNKNOWN: 3,
    Outcome.HOLD: 4, Outcome.BLOCK: 5,
}  # fmt: skip


def _by_line(judgement: Judgement, metric: str) -> dict[str, float]:
    return {
        m.subject.name: round(m.value, 3)
        for m in judgement.measurements
        if m.metric == metric and not isinstance(m.value, Unmeasured)
    }


def _finding(f: Finding, judgement: Judgement) -> dict[str, Any]:
    when = ", ".join(str(timecode_at(s.start_s, judgement.clock)) for s in f.spans[:6])
    return {
        "outcome": f.outcome.name.lower(),
        "rule": f.rule,
        "en": f.text.en,
        "ja": f.text.ja,
        "value": f.value,
        "bound": f.bound,
        "why": f.why,
        "remedy": f.remedy,
        "source": f.source,
        "who": f.who_can_resolve or "",
        "when": when,
        "line": f.subject.name if f.subject.scope is Scope.LINE else None,
    }


def _measured(m: Measurement) -> dict[str, Any]:
    metric = METRICS[m.metric]
    value = None if isinstance(m.value, Unmeasured) else m.value
    shown = m.value.reason if isinstance(m.value, Unmeasured) else f"{m.value:.3g} {metric.unit}"
    of = m.subject.name or "programme"
    return {"metric": m.metric, "of": of, "value": value, "shown": shown, "en": metric.means, "ja": metric.means_ja}


def _within_budget(media: Media, lines: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Data URLs of the excerpts, worst lines first, until 20 MB are full."""
    out: dict[str, dict[str, str]] = {}
    left = MAX_SOUND_BYTES
    for line in sorted(lines, key=lambda row: -row["rank"]):
        tracks = media.get(line["id"], {})
        size = sum(len(data) * 4 // 3 for data in tracks.values())
        if tracks and size <= left:
            left -= size
            out[line["id"]] = {
                track: "data:audio/flac;base64," + base64.b64encode(data).decode() for track, data in tracks.items()
            }
    return out
