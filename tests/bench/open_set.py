"""Open-set identification: who is enrolled is found, who is not is nobody; and the time of a search among 100,000.

    .venv/bin/python tests/bench/open_set.py ../shared/speech

Speakers are LibriSpeech's five readers, which no threshold was made from: it was fixed beforehand on LJ Speech and six
synthetic voices (fit_voice_calibration.py), and stands in the calibration. Every three of the five are enrolled in turn,
from about 15 s of five utterances; the probes are pools of other utterances of all five, 10 s of speech each.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from consent.sealing import Keyring, seal, unseal
from dubgate.measure.voice_gallery import Gallery, identify
from dubgate.speech.calibration import Calibration, Relation, find
from dubgate.unmeasured import Unmeasured

sys.path.insert(0, str(Path(__file__).parent))
from voice_material import Utterances, cuts, encoder, librispeech, roughened  # beside this script, not in a package

N_ENROLLED, CLIP_S, PROBE_S = 3, 2.0, 10.0
N_PROBES = 6  # pools of each reader's own lines that were not enrolled
CROWD = 100_000
Vectors = np.ndarray


@dataclass(frozen=True)
class Voices:
    """A reader's template [shape=(d,)] and the pooled probes [shape=(n, d)], from different utterances."""

    template: Vectors
    probes: Vectors


@dataclass(frozen=True)
class Tally:
    """Of probes by enrolled readers: held, blocked, taken for another; of the others': held and blocked falsely."""

    n_in: int
    held: int
    blocked: int
    mistaken: int
    n_out: int
    false_held: int
    false_blocked: int


def voices_of(
    embed: Callable[[Sequence[Vectors]], Sequence[object]],
    readers: Utterances,
    treat: Callable[[list[Vectors]], list[Vectors]],
    rng: np.random.Generator,
) -> dict[str, Voices]:
    """Templates from each reader's first five utterances, untreated; probes from the other five, treated."""
    found = {}
    for reader, utterances in readers.items():
        own = [v for u in utterances[:5] for v in embed(list(cuts(u, CLIP_S))) if isinstance(v, np.ndarray)][:8]
        rest = [v for u in utterances[5:] for v in embed(treat(list(cuts(u, CLIP_S)))) if isinstance(v, np.ndarray)]
        n = round(PROBE_S / CLIP_S)
        draws = [rng.permutation(len(rest))[:n] for _ in range(N_PROBES)]
        found[reader] = Voices(_pooled(own), np.array([_pooled([rest[k] for k in d]) for d in draws]))
    return found


def _pooled(vectors: Sequence[Vectors]) -> Vectors:
    total = np.sum(np.asarray(vectors, np.float64), axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


def open_set(voices: dict[str, Voices], calibration: Calibration, crowd: Gallery | None = None) -> Tally:
    """Every three readers enrolled, all five presented; with `crowd`, as the rest beside the three."""
    counts = np.zeros(7, dtype=int)
    for enrolled in combinations(sorted(voices), N_ENROLLED):
        small = Gallery.of(enrolled, np.array([voices[r].template for r in enrolled]))
        galleries = (small,) if crowd is None else (crowd_with(crowd, small),)
        for reader, voice in voices.items():
            for probe in voice.probes:
                counts += _judged(probe, reader if reader in enrolled else None, galleries, calibration)
    return Tally(*(int(n) for n in counts))


def crowd_with(crowd: Gallery, small: Gallery) -> Gallery:
    """One gallery of both."""
    return Gallery.of([*small.voice_ids, *crowd.voice_ids], np.vstack([small.rows, crowd.rows]))


def _judged(probe: Vectors, who: str | None, galleries: Sequence[Gallery], calibration: Calibration) -> Vectors:
    found = identify(probe, PROBE_S, galleries, calibration)
    assert not isinstance(found, Unmeasured)
    assert found.gap is None
    named = {m.voice_id: m.beyond_doubt for m in found.matches}
    others = [sure for voice, sure in named.items() if voice != who]
    if who is None:
        return np.array([0, 0, 0, 0, 1, bool(others), any(others)])
    return np.array([1, who in named, named.get(who, False), bool(others), 0, 0, 0])


def crowd_of(voices: dict[str, Voices], n: int, rng: np.random.Generator) -> Gallery:
    """Made-up strangers with the readers' own mean and spread in each number of a template, at unit length."""
    real = np.array([v.template for v in voices.values()])
    rows = np.abs(real.mean(axis=0) + real.std(axis=0, ddof=1) * rng.standard_normal((n, real.shape[1])))
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return Gallery.of([f"s{k}" for k in range(n)], rows.astype(np.float32))


def sealed_rows(rows: Vectors, keyring: Keyring) -> Iterator[tuple[str, bytes, bytes, str]]:
    """Each template under a key of its own, as the registry keeps it: holder, wrapped key, ciphertext, commitment."""
    for k, row in enumerate(rows):
        holder = f"voice:v-{k}"
        key, wrapped = keyring.new_key(holder)
        content, committed = seal(key, f"entry {k}", row.astype("<f4").tobytes())
        yield holder, wrapped, content, committed


def opened_rows(kept: Sequence[tuple[str, bytes, bytes, str]], keyring: Keyring) -> Vectors:
    """The templates [shape=(n, d)] in memory."""
    plain = b"".join(
        unseal(keyring.unwrap(holder, wrapped), f"entry {k}", content, committed)
        for k, (holder, wrapped, content, committed) in enumerate(kept)
    )
    return np.frombuffer(plain, dtype="<f4").reshape(len(kept), -1)


def timed(run: Callable[[], object], times: int) -> tuple[float, float, float]:
    """Median, least and most milliseconds."""
    took = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took), min(took), max(took)


def _row(name: str, t: Tally) -> str:
    return (
        f"| {name} | {t.held}/{t.n_in} | {t.blocked}/{t.n_in} | {t.n_in - t.held} ({1 - t.held / t.n_in:.1%}) | "
        f"{t.mistaken} | {t.false_held}/{t.n_out} | {t.false_blocked}/{t.n_out} |"
    )


def main(speech: Path) -> None:
    """Both experiments, as Markdown tables."""
    heard_by = encoder()
    calibration = find(heard_by.info.weights_sha256, Relation.SAME)
    assert isinstance(calibration, Calibration)
    readers, rng = librispeech(speech), np.random.default_rng(20261121)
    clean = voices_of(heard_by.embed, readers, list, rng)
    rough = voices_of(heard_by.embed, readers, lambda clips: roughened(clips, rng), rng)
    crowd = crowd_of(clean, CROWD, rng)
    head = (
        "| probes | hits (hold or block) | of them block | misses | taken for another | false alarms | of them block |"
    )
    print(head, "| --- | --- | --- | --- | --- | --- | --- |", sep="\n")
    for name, probes in (("clean", clean), ("rough", rough)):
        print(_row(f"{name}, 3 enrolled", open_set(probes, calibration)))
        print(_row(f"{name}, 3 among {CROWD + 3:,}", open_set(probes, calibration, crowd)))
    _timing(clean, crowd, calibration)


def _timing(voices: dict[str, Voices], crowd: Gallery, calibration: Calibration) -> None:
    keyring = Keyring(hashlib.sha256(b"a key for the benchmark").digest())
    kept = list(sealed_rows(crowd.rows, keyring))
    probe = next(iter(voices.values())).probes[0]
    rows = (
        ("decrypt, once", *timed(lambda: opened_rows(kept, keyring), 3)),
        ("make the gallery, once", *timed(lambda: Gallery.of(crowd.voice_ids.tolist(), crowd.rows), 3)),
        ("identify one pooled voice", *timed(lambda: identify(probe, PROBE_S, (crowd,), calibration), 21)),
    )
    print(
        f"\n| {len(crowd):,} x {crowd.rows.shape[1]} | median ms | least | most |",
        "| --- | --- | --- | --- |",
        sep="\n",
    )
    for name, median, least, most in rows:
        print(f"| {name} | {median:.1f} | {least:.1f} | {most:.1f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
