"""LJ Speech against its own text and against others': is every clip with its own text clean, every other flagged?

    python tests/bench/ljspeech_script.py

Each clip is a programme of one line, heard by the embedded ears. Texts are shifted by 1 to 7 clips: 56 wrong pairs.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/measure"))

from content_features import measured_content, programme  # noqa: E402

from dubgate.delivery.script import Cue, CueSheet  # noqa: E402
from dubgate.features import Floats, LineAlignment, Word  # noqa: E402
from dubgate.spans import Span  # noqa: E402
from dubgate.speech.pocketsphinx import PocketSphinxTranscriber  # noqa: E402
from dubgate.speech.sphinx_aligner import PlacedText, PocketSphinxAligner  # noqa: E402
from dubgate.unmeasured import Unmeasured, measured  # noqa: E402

RUN_WORDS = 8
SPEECH = Path(os.environ.get("DUBGATE_SPEECH", ROOT.parent / "shared/speech"))


@dataclass(frozen=True, slots=True)
class Row:
    """One clip against one text."""

    clip: str
    shift: int
    wer: float
    words_heard: float
    fits_nats: float | None
    run_words: int
    missing: int
    invented_words: int

    @property
    def flagged(self) -> bool:
        return self.missing > 0 or self.run_words >= RUN_WORDS


def load(folder: Path) -> list[tuple[str, str, Floats]]:
    """Name, text and sound (16 kHz) of each clip."""
    import soundfile
    import soxr

    out = []
    for row in (folder / "transcripts.tsv").read_text(encoding="utf-8").splitlines():
        name, text = row.split("\t")
        sound, rate = soundfile.read(folder / f"{name}.flac", dtype="float32")
        out.append((name, text, np.asarray(soxr.resample(sound, rate, 16_000), dtype=np.float32)))
    return out


def rows(clips: list[tuple[str, str, Floats]], shifts: range) -> list[Row]:
    """Every clip against the text `shift` clips further, for each shift."""
    sounds = [sound for _, _, sound in clips]
    heard = [measured(words) for words in PocketSphinxTranscriber().transcribe(sounds, language="en")]
    aligner = PocketSphinxAligner()
    out = []
    for shift in shifts:
        texts = [clips[(k + shift) % len(clips)][1] for k in range(len(clips))]
        placed = aligner.align(sounds, texts, language="en")
        for (name, _, sound), text, words, fit in zip(clips, texts, heard, placed, strict=True):
            out.append(_row(name, shift, text, sound.size / 16_000, words, fit))
    return out


def _row(
    name: str, shift: int, text: str, duration_s: float, words: tuple[Word, ...], fit: PlacedText | Unmeasured
) -> Row:
    alignments = [] if isinstance(fit, Unmeasured) else [LineAlignment("1", fit.words, fit.score)]
    sheet = CueSheet("lj.srt", (Cue("1", Span(0.0, duration_s), text, "READER"),), "en")
    found = measured_content(programme(words, alignments), sheet)
    value = {metric: measured(m.value) for (metric, _), m in found.items() if metric != "language_prob"}
    return Row(
        name,
        shift,
        value["script_wer"],
        value["script_words_heard"],
        None if isinstance(fit, Unmeasured) else fit.score,
        int(value["divergent_run_words"]),
        int(value["missing_lines"]),
        int(value["invented_words"]),
    )


def main() -> None:
    """Print the table."""
    if not (SPEECH / "ljspeech").is_dir():
        raise SystemExit("no real speech: shared/speech/ljspeech is not beside the checkout (set DUBGATE_SPEECH)")
    clips = load(SPEECH / "ljspeech")
    print(f"{'clip':12}{'shift':>6}{'wer':>7}{'heard':>7}{'nat':>7}{'run':>5}{'missing':>9}{'invented':>10}")
    found = rows(clips, range(len(clips)))
    for row in found:
        fits = "   none" if row.fits_nats is None else f"{row.fits_nats:7.2f}"
        print(
            f"{row.clip:12}{row.shift:6}{row.wer:7.2f}{row.words_heard:7.2f}{fits}"
            f"{row.run_words:5}{row.missing:9}{row.invented_words:10}"
        )
    own = [row for row in found if row.shift == 0]
    wrong = [row for row in found if row.shift]
    print(f"own text: {sum(r.flagged for r in own)} of {len(own)} flagged", end="; ")
    print(f"another's: {sum(r.flagged for r in wrong)} of {len(wrong)} flagged")


if __name__ == "__main__":
    main()
