"""Whose voice a character's is: against the enrolled voice, against voices that did not consent, against the original's.

Pure: vectors in, numbers out. Callers decide who may be compared; nothing is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dubgate.features import ProgrammeFeatures, VoiceSegment
from dubgate.languages import primary
from dubgate.measure.voice_pooling import Pooled, pool
from dubgate.speech.calibration import Calibration, Relation, false_hit_rate, find
from dubgate.unmeasured import Unmeasured

MIN_MATCH_S = 5.0  # net speech a side for one question about one voice
MIN_SEARCH_S = 10.0  # for a search among many
HOPELESS_RATE = 0.05  # a search whose best threshold is hit by chance more often than this says nothing
_PRIOR_SCORES = 10.0  # how many observed likenesses of strangers the calibration's spread is worth
_FEWEST_STRANGERS = 3


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledVoice:
    """A voice somebody enrolled, in memory: unit vector [shape=(d,)], net speech behind it, its language (BCP-47)."""

    voice_id: str
    pooled: Pooled
    encoder_sha256: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class GalleryHit:
    """The most alike voice of a gallery: a ratio that holds at the low end of the calibration's interval, and how often
    the best of as many strangers would reach it, at most."""

    voice_id: str
    llr: float
    false_hit_rate: float
    n_gallery: int


def consented_voice_llr(
    dub: Sequence[VoiceSegment],
    enrolled: EnrolledVoice,
    *,
    encoder_sha256: str,
    language: str | None,
    calibrations: Sequence[Calibration] | None = None,
) -> float | Unmeasured:
    """How much more likely a character's pooled voice is the enrolled one than another, natural logarithm.

    Unmeasured for under 5 s on a side, another encoder, or a language relation that no calibration covers.
    """
    ready = _ready(dub, MIN_MATCH_S, encoder_sha256, enrolled, language, calibrations)
    if isinstance(ready, Unmeasured):
        return ready
    pooled, calibration = ready
    return calibration.llr(pooled.cosine(enrolled.pooled), min(pooled.speech_s, enrolled.pooled.speech_s))


def impostor_llr(
    dub: Sequence[VoiceSegment],
    gallery: Sequence[EnrolledVoice],
    *,
    encoder_sha256: str,
    language: str | None,
    calibrations: Sequence[Calibration] | None = None,
) -> GalleryHit | Unmeasured:
    """The gallery's most alike voice and what such a hit is worth at this size.

    Unmeasured for under 10 s, for voices that cannot be compared (all must be), and where even identical voices would be
    reached by chance in more than 5 % of searches.
    """
    if not gallery:
        return Unmeasured("there is no voice to search for")
    hits: list[tuple[float, str]] = []
    for voice in gallery:
        ready = _ready(dub, MIN_SEARCH_S, encoder_sha256, voice, language, calibrations)
        if isinstance(ready, Unmeasured):
            return ready
        pooled, calibration = ready
        band = calibration.band(min(pooled.speech_s, voice.pooled.speech_s))
        if isinstance(band, Unmeasured):
            return band
        if false_hit_rate(band.llr_at_least(1.0), len(gallery)) > HOPELESS_RATE:
            return Unmeasured(f"this calibration cannot carry a search among {len(gallery)} voices")
        hits.append((band.llr_at_least(pooled.cosine(voice.pooled)), voice.voice_id))
    llr, best = max(hits)
    return GalleryHit(best, llr, false_hit_rate(llr, len(gallery)), len(gallery))


def original_actor_llr(
    features: ProgrammeFeatures, *, calibrations: Sequence[Calibration] | None = None
) -> dict[str, float | Unmeasured]:
    """For each character of the dub: how far its likeness to the original's own actor stands out, in nats.

    The delivery is its own null: the likenesses of all dub characters to the original's *other* speakers. The value is
    `-ln P(a stranger is as alike)`, by a Student predictive distribution whose spread starts from the calibration's; so a
    rate of 0.1 % is 6.9 nats. No calibration across languages is needed. One original speaker alone gives no null.
    """
    dub, original = _characters(features.dub.voices), _characters(features.original.voices)
    if isinstance(dub, Unmeasured) or isinstance(original, Unmeasured):
        why = dub if isinstance(dub, Unmeasured) else original
        assert isinstance(why, Unmeasured)
        return dict.fromkeys({} if isinstance(dub, Unmeasured) else dub, why)
    enough = {n: v for n, v in original.items() if v.speech_s >= MIN_MATCH_S}
    strangers = [d.cosine(o) for a, d in dub.items() for b, o in enough.items() if a != b and d.speech_s >= MIN_MATCH_S]
    spread = _strangers_sd(features, calibrations)
    return {name: _stands_out(name, voice, enough, strangers, spread) for name, voice in dub.items()}


def verified_speech_ratio(segments: Iterable[VoiceSegment], verified: Mapping[str, bool]) -> float | Unmeasured:
    """Share of the seconds of speech heard that belong to characters whose voice was verified; 0..1.

    Speech that no cue claims, and characters that are not in `verified`, count as not verified.
    """
    total = sure = 0.0
    for segment in segments:
        total += segment.speech_s
        if segment.character is not None and verified.get(segment.character, False):
            sure += segment.speech_s
    return sure / total if total > 0 else Unmeasured("no speech was heard")


def relation(a: str | None, b: str | None) -> Relation | Unmeasured:
    """Whether two languages (BCP-47) are one."""
    if a is None or b is None:
        return Unmeasured("the language of one side is not known")
    return Relation.SAME if primary(a) == primary(b) else Relation.ACROSS


def _ready(
    dub: Sequence[VoiceSegment],
    min_s: float,
    encoder_sha256: str,
    voice: EnrolledVoice,
    language: str | None,
    calibrations: Sequence[Calibration] | None,
) -> tuple[Pooled, Calibration] | Unmeasured:
    """The pooled dub voice and the calibration to compare it by; why not, otherwise."""
    if voice.encoder_sha256 != encoder_sha256:
        return Unmeasured("the voice was enrolled with another speaker encoder")
    pooled = pool(dub)
    if isinstance(pooled, Unmeasured):
        return pooled
    if min(pooled.speech_s, voice.pooled.speech_s) < min_s:
        return Unmeasured(
            f"{min(pooled.speech_s, voice.pooled.speech_s):.1f} s of speech on one side, under {min_s:g} s"
        )
    how = relation(language, voice.language)
    if isinstance(how, Unmeasured):
        return how
    calibration = find(encoder_sha256, how, among=calibrations)
    return calibration if isinstance(calibration, Unmeasured) else (pooled, calibration)


def _characters(voices: Sequence[VoiceSegment] | Unmeasured) -> dict[str, Pooled] | Unmeasured:
    if isinstance(voices, Unmeasured):
        return voices
    names = dict.fromkeys(v.character for v in voices if v.character is not None)
    pooled = {name: pool([v for v in voices if v.character == name]) for name in names}
    return {name: p for name, p in pooled.items() if not isinstance(p, Unmeasured)}


def _strangers_sd(features: ProgrammeFeatures, calibrations: Sequence[Calibration] | None) -> float | None:
    encoder = next((m for m in features.models if m.kind == "speaker_encoder"), None)
    found = None if encoder is None else find(encoder.weights_sha256, Relation.SAME, among=calibrations)
    return found.strangers_sd_cosine if isinstance(found, Calibration) else None


def _stands_out(
    name: str, voice: Pooled, original: Mapping[str, Pooled], strangers: Sequence[float], prior_sd: float | None
) -> float | Unmeasured:
    if voice.speech_s < MIN_MATCH_S:
        return Unmeasured(f"{voice.speech_s:.1f} s of the dub's voice, under {MIN_MATCH_S:g} s")
    if name not in original:
        return Unmeasured(f"under {MIN_MATCH_S:g} s of the original's voice of this character")
    if len(original) < 2:
        return Unmeasured("one original speaker alone gives nothing to compare with")
    if (len(strangers) < _FEWEST_STRANGERS and prior_sd is None) or not strangers:
        return Unmeasured("too few other voices to compare with")
    return surprise(voice.cosine(original[name]), strangers, prior_sd)


def surprise(score: float, strangers: Sequence[float], prior_sd: float | None) -> float:
    """`-ln P(stranger >= score)` by Student's predictive distribution after the strangers' scores, in nats.

    Source: normal model with a scaled inverse-chi-squared prior on the variance (Gelman et al., Bayesian Data Analysis,
    section 3.3); the mean is the observed one.
    """
    from scipy.special import stdtr

    scores = np.array(strangers, dtype=np.float64)
    n, nu = len(scores), (_PRIOR_SCORES if prior_sd is not None else 0.0)
    degrees = nu + n - 1
    variance = (nu * (prior_sd or 0.0) ** 2 + float(((scores - scores.mean()) ** 2).sum())) / degrees
    t = (score - float(scores.mean())) / math.sqrt(max(variance, 1e-9) * (1 + 1 / n))
    return float(-math.log(max(float(stdtr(degrees, -t)), 1e-300)))
