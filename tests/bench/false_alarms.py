"""Clean programmes of 500 lines, codec, level and noise varied: lines that rules name wrongly, rule by rule.

Run `python tests/bench/false_alarms.py [programmes] [lines] [--words] [--write]`; prints a Markdown table. With --write
what was counted goes into rules/evidence.json, which `dubgate rules show` prints. Needs flite and espeak-ng. Words are
heard only with --words: PocketSphinx takes minutes a programme.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Counted:
    """One programme: its rules that judged a line, how often each failed, and the lines that any of them named."""

    name: str
    judged: frozenset[str]
    failed: Counter[str]
    lines_named: frozenset[str]


def counted(seed: int, n_lines: int, words: bool) -> Counted:
    """What the line rules say of one clean programme; the rules of words only where words were heard."""
    rng = random.Random(seed)
    programme = make_programme(n_lines, seed)
    sheet = sheet_from(programme.vtt().encode(), "script.vtt", language="en")
    suffix, codec, bitrate = CODECS[seed % len(CODECS)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{n}.{suffix}" for n in ("original", "dub")]
        for path, track in zip(paths, (programme.original, programme.dub), strict=True):
            write(path, codec, bitrate, varied(track, rng))
        without = () if words else ("transcriber", "aligner")
        sources = [Source(str(p), 0, p.stem, lang) for p, lang in zip(paths, ("de", "en"), strict=True)]
        features = hear_here(
            HearingPlan(*sources, sheet, "embedded", "cpu", without=without), Path(folder), lambda *_: None
        )
    request = QualityRequest(Track(paths[0]), Track(paths[1]))
    findings = judge_quality(
        request, features, sheet, at=datetime.now(UTC), clock=Clock(), streams=(0, 0)
    ).verdict.findings
    asked = [f for f in findings if words or not f.rule.startswith(("TXT-", "LNG-"))]
    answered = [f for f in asked if f.outcome not in (Outcome.UNKNOWN, Outcome.NOT_APPLICABLE)]
    bad = [f for f in asked if f.outcome > Outcome.WARN]
    named = frozenset(f.subject.name for f in bad if f.subject.scope is Scope.LINE)
    return Counted(f"seed {seed}, {suffix}", frozenset(f.rule for f in answered), Counter(f.rule for f in bad), named)


def main(n: int, n_lines: int, words: bool, write_down: bool) -> None:
    print("| programme | lines named wrongly | by which rules |\n| --- | --- | --- |", flush=True)
    found = []
    for seed in range(1, n + 1):
        one = counted(seed, n_lines, words)
        found.append(one)
        what = ", ".join(f"{rule} {k}" for rule, k in sorted(one.failed.items())) or "–"
        print(f"| {one.name}, {n_lines} lines | {len(one.lines_named)} | {what} |", flush=True)
        if write_down:  # after each: a run that is stopped keeps what it counted
            print("written:", _written(found, n_lines), file=sys.stderr)
    print(f"\nmedian lines named wrongly: {median(len(c.lines_named) for c in found)}")


def _written(found: list[Counted], n_lines: int) -> str:
    """Adds to rules/evidence.json what these programmes say of each rule; other rules keep their figures."""
    path = ROOT / "rules/evidence.json"
    table = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for rule in sorted({r for c in found for r in c.judged | set(c.failed)}):
        of = [c for c in found if rule in c.judged or rule in c.failed]
        lines = n_lines * len(of)
        alarms = sum(c.failed[rule] for c in of)
        table[rule] = {
            "false_alarms_per_500_lines": round(alarms * 500 / lines, 2),
            "lines": lines,
            "as_of": f"{datetime.now(UTC):%Y-%m-%d}",
        }
    path.write_text(json.dumps(dict(sorted(table.items())), indent=1) + "\n", "utf-8")
    return f"{path.name}, {len(table)} rules"


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("programmes", type=int, nargs="?", default=4, help="seeds 1 to this")
    options.add_argument("lines", type=int, nargs="?", default=500, help="of each programme")
    options.add_argument("--words", action="store_true", help="hear words too: ten minutes a programme")
    options.add_argument("--write", action="store_true", help="write rules/evidence.json")
    told = options.parse_args()
    main(told.programmes, told.lines, told.words, told.write)
