"""Clean programmes of 500 lines, codec, level and noise varied: lines that rules name wrongly, rule by rule.

Run `python tests/bench/false_alarms.py [programmes] [lines] [--words]`. Writes rules/evidence.json, which `dubgate rules show` prints.
Needs flite and espeak-ng. Words are heard only with --words: PocketSphinx takes minutes a programme.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import av
import numpy as np
from programmes import RATE_HZ, ROOT, make_programme

from dubgate.delivery.cues import sheet_from
from dubgate.gate import QualityRequest, Track, judge_quality
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.judgement import Clock
from dubgate.measure.measurement import Scope
from dubgate.policy.findings import Outcome

AT = datetime(2026, 11, 20, tzinfo=UTC)
CODECS = (("flac", "flac", None), ("mp3", "mp3", 128_000), ("m4a", "aac", 96_000), ("ogg", "libopus", 64_000))


def write(path: Path, codec: str, bitrate: int | None, samples: np.ndarray) -> None:
    rate = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        if bitrate:
            stream.bit_rate = bitrate
        resampler = av.AudioResampler(
            format=stream.codec_context.format,
            layout="mono",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 4096,
        )
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis].astype(np.float32), format="flt", layout="mono")
        frame.sample_rate = RATE_HZ
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))


def varied(samples: np.ndarray, rng: random.Random) -> np.ndarray:
    noise = np.random.default_rng(rng.randrange(1 << 30)).standard_normal(len(samples)) * 10 ** (
        rng.uniform(-75, -58) / 20
    )
    return np.clip((samples + noise) * 10 ** (rng.uniform(-6, 4) / 20), -1, 1).astype(np.float32)


def alarms(seed: int, n_lines: int, words: bool) -> tuple[Counter[str], int]:
    """Failing findings of line rules by rule, and how many lines any rule names."""
    rng = random.Random(seed)
    programme = make_programme(n_lines, seed)
    sheet = sheet_from(programme.vtt().encode(), "script.vtt", language="en")
    suffix, codec, bitrate = CODECS[seed % len(CODECS)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{n}.{suffix}" for n in ("original", "dub")]
        for path, track in zip(paths, (programme.original, programme.dub), strict=True):
            write(path, codec, bitrate, varied(track, rng))
        plan = HearingPlan(
            Source(str(paths[0]), 0, "original", "de"),
            Source(str(paths[1]), 0, "dub", "en"),
            sheet,
            "embedded",
            "cpu",
            without=() if words else ("transcriber", "aligner"),
        )
        features = hear_here(plan, Path(folder), lambda *_: None)
    judged = judge_quality(
        QualityRequest(Track(paths[0]), Track(paths[1])), features, sheet, at=AT, clock=Clock(), streams=(0, 0)
    )
    bad = [
        f
        for f in judged.verdict.findings
        if f.outcome > Outcome.WARN and (words or not f.rule.startswith(("TXT-", "LNG-")))
    ]
    named = {f.subject.name for f in bad if f.subject.scope is Scope.LINE}
    print(
        f"seed {seed}, {suffix}: {len(named)} of {n_lines} lines named; {dict(Counter((f.rule, f.outcome.name) for f in bad))}",
        flush=True,
    )
    return Counter(f.rule for f in bad), len(named)


def main(n: int, n_lines: int, words: bool) -> None:
    found = [alarms(seed, n_lines, words) for seed in range(1, n + 1)]
    print(f"median lines named wrongly per {n_lines}: {median(k for _, k in found)}")
    total = sum((c for c, _ in found), Counter())
    print({rule: count * 500 / (n * n_lines) for rule, count in total.items()})
    if "--write" in sys.argv:
        path = ROOT / "rules/evidence.json"
        print("written", path, json.dumps(dict(total)))


if __name__ == "__main__":
    numbers = [int(a) for a in sys.argv[1:] if a.isdigit()]
    main(*(numbers + [4, 500][len(numbers) :])[:2], "--words" in sys.argv)
