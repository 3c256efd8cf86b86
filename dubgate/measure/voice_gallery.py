"""One pooled voice against many enrolled ones: an exact scan, and what its best likenesses are worth among so many.

Pure: vectors in, numbers out. With a calibrated ratio, a stranger reaches `t` nats in at most exp(-t) of comparisons
(Markov); the best of a gallery of n in at most 1 - (1 - exp(-t))^n of searches. Galleries that are searched one after
another share the rate equally (union bound), so a small one keeps most of its power beside a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats
from dubgate.speech.calibration import Band, Calibration, false_hit_rate, gallery_threshold
from dubgate.unmeasured import Unmeasured

BLOCKING_RATE, HOLDING_RATE = 0.001, 0.05  # false hits of a whole search (design, calibration)
_SCAN_ERROR = 1e-4  # of a cosine over a few hundred 32-bit products; what lies nearer is computed again in 64 bits


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """Enrolled voices: an id per row of unit vectors [shape=(n, d)]; `unusable` counts rows that hold no voice."""

    voice_ids: NDArray[np.str_]
    rows: Floats
    unusable: int = 0

    @classmethod
    def of(cls, voice_ids: Sequence[str], rows: Floats) -> Self:
        """A gallery of templates of any length [shape=(n, d)]; a zero or unfinite one is set aside and counted."""
        if rows.ndim != 2 or len(rows) != len(voice_ids):
            raise ValueError("a gallery has one id for each of its rows")
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
        usable = np.isfinite(lengths) & (lengths > 0)
        ids = np.array(voice_ids, dtype=np.str_).reshape(len(rows))
        if not usable.all():
            ids, rows, lengths = ids[usable], rows[usable], lengths[usable]
        off = np.abs(lengths - 1.0).max(initial=0.0) > 1e-6
        unit = np.asarray(rows / lengths[:, None], dtype=np.float32) if off else rows
        return cls(ids, unit, int(usable.size - usable.sum()))

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Match:
    """A voice of a gallery that is alike beyond chance.

    `llr` is the calibration's ratio in nats, `sure_llr` the lowest that its fit allows; `false_hit_rate` is how often a
    search like this one would hit somebody by chance with `sure_llr`, at most.
    """

    voice_id: str
    llr: float
    sure_llr: float
    false_hit_rate: float

    @property
    def beyond_doubt(self) -> bool:
        """Whether strangers would be hit so in at most 0.1 % of searches."""
        return self.false_hit_rate <= BLOCKING_RATE * (1 + 1e-9)


@dataclass(frozen=True, slots=True)
class Identified:
    """What a search found, best first; and why a part of it could not be searched, None where all could."""

    matches: tuple[Match, ...]
    gap: Unmeasured | None = None


def identify(
    vector: Floats,
    speech_s: float,
    galleries: Sequence[Gallery],
    calibration: Calibration,
    *,
    apart_from: frozenset[str] = frozenset(),
) -> Identified | Unmeasured:
    """Who of the galleries a pooled voice is, in an open set: perhaps nobody.

    Args:
        vector: the pooled voice [shape=(d,)], of any length.
        speech_s: net seconds behind it.
        galleries: the small ones first.
        apart_from: voices that are not looked for and do not count.

    Unmeasured where the voice tells nothing; a gallery so large that chance reaches its best threshold in more than 5 %
    of searches is a gap beside what the others gave.
    """
    band = calibration.band(speech_s)
    length = float(np.linalg.norm(np.asarray(vector, dtype=np.float64)))
    if isinstance(band, Unmeasured):
        return band
    if not (np.isfinite(length) and length > 0):
        return Unmeasured("what the speaker encoder gave is no voice")
    unit = np.asarray(vector, dtype=np.float64) / length
    sizes = [len(g) - int(np.isin(g.voice_ids, sorted(apart_from)).sum()) if apart_from else len(g) for g in galleries]
    parts = sum(1 for n in sizes if n)
    found: dict[str, Match] = {}
    gaps = [f"{g.unusable} templates hold no voice" for g in galleries if g.unusable]
    for gallery, n in zip(galleries, sizes, strict=True):
        if n and parts * false_hit_rate(band.llr_at_least(1.0), n) > HOLDING_RATE:
            gaps.append(f"the calibration of this speaker encoder cannot carry a search among {n} voices")
        elif n:
            _best(found, _matches(unit, gallery, band, n, parts, apart_from))
    matches = sorted(found.values(), key=lambda m: (-m.llr, m.voice_id))
    return Identified(tuple(matches), Unmeasured("; ".join(gaps)) if gaps else None)


def _matches(
    unit: NDArray[np.float64], gallery: Gallery, band: Band, n: int, parts: int, apart_from: frozenset[str]
) -> list[Match]:
    """The voices of one gallery that reach its holding threshold."""
    holds = gallery_threshold(HOLDING_RATE / parts, n)
    near = gallery.rows @ unit.astype(np.float32) >= (holds - band.offset) / band.slope - _SCAN_ERROR
    out = []
    for k in np.flatnonzero(near):
        voice_id, cosine = str(gallery.voice_ids[k]), min(1.0, float(gallery.rows[k].astype(np.float64) @ unit))
        llr, sure = band.llr(cosine), band.llr_at_least(cosine)
        if llr >= holds and voice_id not in apart_from:
            out.append(Match(voice_id, llr, sure, min(1.0, parts * false_hit_rate(sure, n))))
    return out


def _best(found: dict[str, Match], matches: Sequence[Match]) -> None:
    """Keep the best of each voice."""
    for match in matches:
        if match.voice_id not in found or match.llr > found[match.voice_id].llr:
            found[match.voice_id] = match
