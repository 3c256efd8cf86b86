"""The clean sample with music under its dub, as a mix without stem: what is judged still, and what becomes Unmeasured.

Run `python tests/bench/music.py [below_speech_db…]`; prints a Markdown table.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dubgate.delivery.cues import read_cues
from dubgate.gate import QualityRequest, Track, judge_quality
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.judgement import Clock, Judgement
from dubgate.policy.findings import Outcome
from dubgate.sample_containers import write_flac
from dubgate.samples import Scene, _read, derive, find_samples
from dubgate.unmeasured import Unmeasured


def heard_under(scene: Scene, below_db: float | None) -> Judgement:
    """The scene judged with music this far below its speech; None without any."""
    if below_db is not None:
        scene = replace(derive(scene, [{"music": {"below_speech_db": below_db}}]), extras=())
    with tempfile.TemporaryDirectory() as name:
        paths = [Path(name) / f"{track}.flac" for track in ("original", "dub")]
        for path, sound in zip(paths, (scene.original, scene.dub), strict=True):
            write_flac(path, sound)
        sources = [Source(str(p), 0, p.name, lang) for p, lang in zip(paths, ("de", "en"), strict=True)]
        features = hear_here(HearingPlan(*sources, scene.sheet, "embedded", "cpu"), Path(name), lambda *_: None)
        request = QualityRequest(Track(paths[0]), Track(paths[1]))
        return judge_quality(request, features, scene.sheet, at=datetime.now(UTC), clock=Clock(), streams=(0, 0))


def told(judgement: Judgement) -> tuple[dict[str, set[str]], dict[str, tuple[int, int, str]]]:
    """The rules by outcome, and per metric how many of its values are Unmeasured, of how many, and a reason."""
    rules = {
        o.name.lower(): {f.rule for f in judgement.verdict.findings if f.outcome is o}
        for o in (Outcome.WARN, Outcome.HOLD, Outcome.UNKNOWN, Outcome.BLOCK)
    }
    metrics: dict[str, tuple[int, int, str]] = {}
    for m in judgement.measurements:
        k, n, why = metrics.get(m.metric, (0, 0, ""))
        unmeasured = isinstance(m.value, Unmeasured)
        metrics[m.metric] = (k + unmeasured, n + 1, m.value.reason if isinstance(m.value, Unmeasured) else why)
    return rules, metrics


def main(levels: list[float]) -> None:
    folder = find_samples() / "clean"
    sheet = read_cues(folder / "script.vtt", language="en")
    scene = Scene(_read(folder / "original.flac"), _read(folder / "dub.flac"), sheet, folder)
    _, without = told(heard_under(scene, None))
    print("| music below speech | blocks | holds | unknown | warns | metrics that became Unmeasured |")
    print("| --- | --- | --- | --- | --- | --- |")
    for level in levels:
        rules, metrics = told(heard_under(scene, level))
        lost = [
            f"{name} {k} of {n} ({why})"
            for name, (k, n, why) in sorted(metrics.items())
            if k > without.get(name, (0, 0, ""))[0]
        ]
        cells = [", ".join(sorted(rules[o])) or "none" for o in ("block", "hold", "unknown", "warn")]
        print(f"| {level:g} dB | {' | '.join(cells)} | {'; '.join(lost) or 'none'} |", flush=True)


if __name__ == "__main__":
    main([float(a) for a in sys.argv[1:]] or [20.0, 10.0, 0.0])
