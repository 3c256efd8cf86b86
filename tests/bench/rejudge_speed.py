"""Judging 2,000 lines again from kept hearing: measuring and every quality rule, no models. Prints the median of five.

The sample scene is heard once and tiled to the length asked for: `python tests/bench/rejudge_speed.py [lines]`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dubgate.delivery.cues import read_cues
from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import ProgrammeFeatures, Series, TrackFeatures
from dubgate.gate import QualityRequest, Track, judge_quality
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.judgement import Clock
from dubgate.samples import find_samples
from dubgate.unmeasured import Unmeasured


def tiled(track: TrackFeatures, n: int, length_s: float) -> TrackFeatures:
    """The track `n` times over."""

    def long(series: Series) -> Series:
        size = round(length_s / series.hop_s)
        return Series(series.hop_s, np.tile(np.resize(series.values, size), n))

    def shifts(items, move):  # type: ignore[no-untyped-def]
        return items if isinstance(items, Unmeasured) else tuple(move(x, k) for k in range(n) for x in items)

    pitch = track.pitch
    assert not isinstance(pitch, Unmeasured)
    return replace(
        track,
        duration_s=length_s * n,
        speech_prob=long(track.speech_prob),
        speech=tuple(s.shifted(k * length_s) for k in range(n) for s in track.speech),
        pitch=replace(pitch, f0_hz=long(pitch.f0_hz), confidence=long(pitch.confidence)),
        energy_db=long(track.energy_db),
        words=shifts(track.words, lambda w, k: replace(w, span=w.span.shifted(k * length_s))),
        voices=shifts(
            track.voices,
            lambda v, k: replace(v, span=v.span.shifted(k * length_s), cue_id=v.cue_id and f"{v.cue_id}.{k}"),
        ),
        alignments=shifts(
            track.alignments,
            lambda a, k: replace(
                a, cue_id=f"{a.cue_id}.{k}", words=tuple(replace(w, span=w.span.shifted(k * length_s)) for w in a.words)
            ),
        ),
    )


def main(n_lines: int) -> None:
    folder = find_samples() / "clean"
    sheet = read_cues(folder / "script.vtt", language="en")
    plan = HearingPlan(
        Source(str(folder / "original.flac"), 0, "original.flac", "de"),
        Source(str(folder / "dub.flac"), 0, "dub.flac", "en"),
        sheet,
        "embedded",
        "cpu",
    )
    with tempfile.TemporaryDirectory() as scratch:
        heard = hear_here(plan, Path(scratch), lambda *_: None)
    n = max(1, round(n_lines / len(sheet.cues)))
    length_s = heard.dub.duration_s
    features = ProgrammeFeatures(
        tiled(heard.original, n, length_s), tiled(heard.dub, n, length_s), heard.mix, heard.models, heard.published
    )
    cues = tuple(
        Cue(f"{c.id}.{k}", c.span.shifted(k * length_s), c.text, c.character) for k in range(n) for c in sheet.cues
    )
    long_sheet = CueSheet(sheet.name, cues, sheet.language)
    request = QualityRequest(Track(folder / "original.flac"), Track(folder / "dub.flac"))
    took = []
    for _ in range(5):
        started = time.perf_counter()
        judged = judge_quality(
            request, features, long_sheet, at=datetime(2026, 11, 20, tzinfo=UTC), clock=Clock(), streams=(0, 0)
        )
        took.append(time.perf_counter() - started)
    print(
        f"{len(cues)} lines, {length_s * n / 3600:.1f} h: {statistics.median(took):.2f} s ({min(took):.2f} to {max(took):.2f}), {len(judged.verdict.findings)} findings"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
