"""What a likeness of two voices is worth: a versioned file per encoder turns a cosine into a log-likelihood ratio.

A calibration is fitted on some voices and reported on others (see calibration_fit.py). It says which encoder, data,
domain and language relation it holds for; where none fits, a likeness stays a likeness and nothing is judged by it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from dubgate.errors import ModelError
from dubgate.unmeasured import Unmeasured

SCHEMA = "dubgate.calibration/1.0"


class Relation(StrEnum):
    """Whether the two sides of a comparison speak the same language."""

    SAME = "same"
    ACROSS = "across"


Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Voices:
    """Data of a calibration by name: speakers and seconds. No sound and no vector of it is kept."""

    data: str
    n_speakers: int
    speech_s: float


@dataclass(frozen=True, slots=True)
class Band:
    """Lines of one range of net seconds against a reference that is pooled: `llr = slope * cosine + offset`, in nats.

    Intervals are 95 %, by bootstrap over speakers. `named_below_llr` is the one-voice threshold, fixed on the fitted
    voices so that `named_share` of another speaker's lines lie below it. `report_*` are of other voices.
    """

    from_s: float
    to_s: float
    slope: float
    slope_interval: Interval
    offset: float
    offset_interval: Interval
    named_below_llr: float
    named_share: float
    n_same: int
    n_diff: int
    report_n_same: int
    report_n_diff: int
    report_eer: float
    report_eer_interval: Interval
    report_named: float  # share of other speakers' lines named
    report_false_alarm: float  # share of own lines named

    def llr(self, cosine: float) -> float:
        return self.slope * cosine + self.offset

    @property
    def named_below_cosine(self) -> float:
        return (self.named_below_llr - self.offset) / self.slope

    def llr_at_least(self, cosine: float) -> float:
        """The lowest that the fit's uncertainty allows: what may be claimed against somebody."""
        corners = (s * cosine + o for s, o in zip(self.slope_interval, self.offset_interval, strict=True))
        return min(self.llr(cosine), *corners)


@dataclass(frozen=True, slots=True)
class Calibration:
    """One file of calibrations/."""

    name: str
    encoder: str
    encoder_sha256: str
    relation: Relation
    domain: str  # read, synthetic, film
    languages: tuple[str, ...]
    conditions: str
    fitted_on: tuple[Voices, ...]
    reported_on: tuple[Voices, ...]
    cluster_cosine: float  # clusters at least this alike are one voice
    strangers_sd_cosine: float  # how pooled voices of two people spread about their mean likeness
    min_reference_s: float
    bands: tuple[Band, ...]

    def band(self, speech_s: float) -> Band | Unmeasured:
        """The band for a line of `speech_s` net seconds; longer lines than any take the last."""
        if speech_s < self.bands[0].from_s:
            return Unmeasured(f"{speech_s:.1f} s of speech are too short to tell a voice ({self.bands[0].from_s:g} s)")
        return next((b for b in self.bands if speech_s < b.to_s), self.bands[-1])

    def llr(self, cosine: float, speech_s: float) -> float | Unmeasured:
        """How much more likely two sides are one voice than two, natural logarithm."""
        band = self.band(speech_s)
        return band if isinstance(band, Unmeasured) else band.llr(cosine)


def bayes_threshold(prior_same: float, *, cost_false_accept: float = 1.0, cost_false_reject: float = 1.0) -> float:
    """The LLR above which accepting is the cheaper mistake: log of (C_fa (1 - p)) / (C_fr p)."""
    if not 0 < prior_same < 1 or cost_false_accept <= 0 or cost_false_reject <= 0:
        raise ValueError("a prior lies between 0 and 1 and costs are positive")
    return math.log(cost_false_accept * (1 - prior_same) / (cost_false_reject * prior_same))


def false_hit_rate(llr: float, n_gallery: int) -> float:
    """At most how often the best of `n_gallery` strangers reaches `llr`, if the ratio is calibrated.

    For a likelihood ratio, P(LLR >= t | stranger) <= exp(-t) (Markov); strangers are taken as independent.
    """
    if n_gallery < 0:
        raise ValueError("a gallery has no negative size")
    one = min(1.0, math.exp(-llr))
    return 1.0 - (1.0 - one) ** n_gallery


def gallery_threshold(rate: float, n_gallery: int) -> float:
    """The LLR at which `false_hit_rate` is `rate`."""
    if not 0 < rate < 1 or n_gallery < 1:
        raise ValueError("a rate lies between 0 and 1, and a gallery holds somebody")
    return -math.log(-math.expm1(math.log1p(-rate) / n_gallery))


def as_norm(score: float, enrol_cohort: Sequence[float], test_cohort: Sequence[float], *, top: int = 300) -> float:
    """The score against how both sides score with a cohort's best: mean of the two standard scores.

    Source: adaptive symmetric normalisation as in wespeaker `score_norm.py`; population deviation of the top n.
    """
    return (_standard(score, enrol_cohort, top) + _standard(score, test_cohort, top)) / 2


def _standard(score: float, cohort: Sequence[float], top: int) -> float:
    best = sorted(cohort, reverse=True)[:top]
    if len(best) < 2:
        raise ValueError("a cohort of fewer than two scores")
    mean = sum(best) / len(best)
    deviation = math.sqrt(sum((s - mean) ** 2 for s in best) / len(best))
    if deviation == 0:
        raise ValueError("a cohort whose scores are all equal")
    return (score - mean) / deviation


@lru_cache(maxsize=1)
def packaged() -> tuple[Calibration, ...]:
    """The calibrations that come with dubgate, by name."""
    found = sorted((f for f in files("dubgate.speech").joinpath("calibrations").iterdir()), key=lambda f: f.name)
    return tuple(read(f.read_text(encoding="utf-8"), f.name) for f in found if f.name.endswith(".json"))


def find(
    encoder_sha256: str, relation: Relation, *, among: Sequence[Calibration] | None = None
) -> Calibration | Unmeasured:
    """The calibration for an encoder and a language relation."""
    for calibration in packaged() if among is None else among:
        if calibration.encoder_sha256 == encoder_sha256 and calibration.relation is relation:
            return calibration
    languages = {Relation.SAME: "one language", Relation.ACROSS: "two languages"}[relation]
    return Unmeasured(f"no calibration for this speaker encoder and voices in {languages}")


def read(text: str, where: str = "calibration") -> Calibration:
    """A calibration from JSON.

    Raises:
        ModelError: an unknown schema, an unknown or missing field, or numbers that make no sense.
    """
    try:
        data = dict(json.loads(text))
        schema = str(data.pop("schema", ""))
        if schema.rpartition(".")[0] != SCHEMA.rpartition(".")[0]:
            raise ValueError(f"schema is {schema!r}, not {SCHEMA}")
        calibration = _read(data)
        _check(calibration)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"not a calibration: {error}", where=where) from error
    return calibration


def write(calibration: Calibration) -> str:
    """The calibration as JSON."""
    from dataclasses import asdict

    return json.dumps({"schema": SCHEMA, **asdict(calibration)}, indent=1, ensure_ascii=False) + "\n"


def _read(data: dict[str, Any]) -> Calibration:
    data["fitted_on"] = tuple(Voices(**v) for v in data["fitted_on"])
    data["reported_on"] = tuple(Voices(**v) for v in data["reported_on"])
    bands: list[dict[str, Any]] = [
        {k: tuple(v) if isinstance(v, list) else v for k, v in b.items()} for b in data["bands"]
    ]
    data["bands"] = tuple(Band(**band) for band in bands)
    data["relation"], data["languages"] = Relation(data["relation"]), tuple(data["languages"])
    return Calibration(**data)


def _check(calibration: Calibration) -> None:
    if not calibration.bands:
        raise ValueError("it has no bands")
    edges = [(b.from_s, b.to_s) for b in calibration.bands]
    if any(a >= b for a, b in edges) or any(x[1] != y[0] for x, y in pairwise(edges)):
        raise ValueError("its bands are not consecutive")
    numbers = [x for b in calibration.bands for x in (b.slope, b.offset, b.named_below_llr, b.report_eer)]
    if not all(math.isfinite(x) for x in numbers) or any(b.slope <= 0 for b in calibration.bands):
        raise ValueError("its numbers are not finite, or a slope is not positive")
    if not (-1 <= calibration.cluster_cosine <= 1 and 0 < calibration.strangers_sd_cosine <= 1):
        raise ValueError("its cluster cosine or its strangers' deviation is out of range")
