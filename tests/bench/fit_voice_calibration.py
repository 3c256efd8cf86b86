"""Fits calibrations/ge2e-read-same.json: on LJ Speech and synthetic voices, reported on LibriSpeech's readers.

.venv/bin/python tests/bench/fit_voice_calibration.py ../shared/speech
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from dubgate.speech.calibration import Calibration, Relation, Voices, write
from dubgate.speech.calibration_fit import Trials, cluster_cosine, draw_trials, fit_band, strangers_deviation

sys.path.insert(0, str(Path(__file__).parent))
from voice_material import (  # beside this script, not in a package
    ROOT,
    Utterances,
    cuts,
    encoder,
    librispeech,
    ljspeech,
    roughened,
    synthetic,
)

OUT = ROOT / "dubgate/speech/calibrations/ge2e-read-same.json"
BANDS = ((1.5, 1.75, 1.5), (1.75, 2.5, 2.0), (2.5, 3.5, 3.0), (3.5, 8.0, 4.0), (8.0, 86_400.0, 10.0))  # from, to, drawn
POOLED_S = 12.0
NAMED_SHARE = 0.98
Mixture = tuple[np.ndarray, np.ndarray, list[str]]


def vectors(voices: Utterances, seconds: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Lines of `seconds`, every other one roughened [shape=(n_lines, 256)], one array a speaker."""
    found = []
    for utterances in voices.values():
        pieces = list(cuts(np.concatenate(utterances), seconds))
        pieces[1::2] = roughened(pieces[1::2], rng)
        heard = [v for v in ENCODER.embed(pieces) if isinstance(v, np.ndarray)]
        found.append(np.array(heard, dtype=np.float64))
    return found


def trials(voices: Utterances, seconds: float, rng: np.random.Generator) -> Trials:
    lines = vectors(voices, seconds, rng)
    return draw_trials(lines, lines, n_pooled=max(2, round(POOLED_S / seconds)), rng=rng, rounds=2)


def mixtures(voices: Utterances, seconds: float, rng: np.random.Generator) -> list[Mixture]:
    """Three draws of a dozen lines a speaker, all speakers in one, as a diarizer meets them."""
    lines = vectors(voices, seconds, rng)
    found = []
    for _ in range(3):
        own = [v[rng.permutation(len(v))[:12]] for v in lines]
        who = [name for name, rows in zip(voices, own, strict=True) for _ in rows]
        found.append((np.concatenate(own), np.full(len(who), seconds), who))
    return found


def described(name: str, voices: Utterances) -> Voices:
    return Voices(name, len(voices), round(sum(len(u) for us in voices.values() for u in us) / 16_000, 1))


def main(speech: Path) -> None:
    rng = np.random.default_rng(20261120)
    real, made, report = ljspeech(speech), synthetic(), librispeech(speech)
    fit = {**real, **made}
    bands = tuple(
        fit_band((a, b), trials(fit, s, rng), trials(report, s, rng), named_share=NAMED_SHARE, rng=rng)
        for a, b, s in BANDS
    )
    draws = [d for seconds in (1.5, 2.0, 3.0) for d in mixtures(fit, seconds, rng)]
    calibration = Calibration(
        name="ge2e-read-same", encoder="ge2e", encoder_sha256=ENCODER.info.weights_sha256, relation=Relation.SAME,
        domain="read", languages=("en",),
        conditions="read and synthetic English; lines clean and at +-6 dB over white noise 15 to 40 dB below",
        fitted_on=(described("LJ Speech", real), described("flite, festival, espeak-ng", made)),
        reported_on=(described("LibriSpeech test-other", report),),
        cluster_cosine=round(cluster_cosine(draws), 3),
        strangers_sd_cosine=round(strangers_deviation(trials(fit, 10.0, rng)), 4), min_reference_s=4.0, bands=bands,
    )  # fmt: skip
    OUT.write_text(write(calibration), encoding="utf-8")
    for b in bands:
        cosine = (b.named_below_llr - b.offset) / b.slope
        print(f"{b.from_s:g}-{b.to_s:g} s: slope {b.slope:.0f} {b.slope_interval} offset {b.offset:.0f}")
        print(f"  named below {b.named_below_llr:.1f} (cosine {cosine:.3f}), on other voices: EER {b.report_eer:.2%}")
        print(f"  {b.report_eer_interval}, named {b.report_named:.2%}, own lines {b.report_false_alarm:.3%}")
    print("cluster cosine", calibration.cluster_cosine, "strangers", calibration.strangers_sd_cosine)


if __name__ == "__main__":
    ENCODER = encoder()
    main(Path(sys.argv[1]))
