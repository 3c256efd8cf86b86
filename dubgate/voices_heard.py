"""The voices of a dub, pooled per speaker heard and compared: with whom they claim to be, and with who did not consent.

Vectors stay in memory. A voice is compared only with templates that the registry handed out under a permission.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from consent.terms import Use
from consent.views import EnrolledVoice, View
from consent.vocabulary import Performance
from dubgate.clearing import Release, enrolled_of, use_of
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import CueSheet
from dubgate.features import Floats, ProgrammeFeatures, VoiceSegment
from dubgate.measure.voice import one_voice_scores
from dubgate.measure.voice_pooling import unit_mean
from dubgate.policy.speakers import Heard, Hit
from dubgate.protected_voices import POOLED_S, Protected, Searched, protected_of, search
from dubgate.spans import Span
from dubgate.speech.calibration import Calibration, Relation, find
from dubgate.unmeasured import Unmeasured

ACCEPT_LLR = 5.0  # a stranger reaches it in under 0.7 % of cases, if the ratio is calibrated (Markov: exp(-5))
REJECT_LLR = -2.0
PART_S = 5.0  # a part of a character's speech that is compared by itself, where the diarizer takes it for another voice
CLONE_Z = 4.0  # deviations by which a voice stands out towards one original speaker over its null


@dataclass(frozen=True, slots=True, eq=False)
class Speaker:
    """The segments of one speaker heard: a character of the script, or None for speech outside every line."""

    name: str | None
    segments: tuple[VoiceSegment, ...]

    @property
    def speech_s(self) -> float:
        return sum(s.speech_s for s in self.segments)

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(s.span for s in self.segments)

    def pooled(self) -> tuple[Floats, float] | Unmeasured:
        """The unit mean of the segments' vectors, weighted by seconds, and the seconds it rests on."""
        told = [(s.vector, s.speech_s) for s in self.segments if not isinstance(s.vector, Unmeasured)]
        if not told:
            return Unmeasured("no stretch of its speech is long enough to tell a voice")
        mean = unit_mean(told)
        if mean is None:
            return Unmeasured("what the speaker encoder gave is no voice")
        return mean, sum(t for _, t in told)

    def parts(self) -> tuple[Speaker, ...]:
        """The voices that the diarizer, which does not know the script, hears in it; none where it hears one.

        Pooled with several times as much of the declared voice, one that nobody declared changes nothing and is not found.
        """
        by_cluster: dict[str, list[VoiceSegment]] = {}
        for segment in self.segments:
            if segment.cluster is not None:
                by_cluster.setdefault(segment.cluster, []).append(segment)
        found = (Speaker(self.name, tuple(own)) for own in by_cluster.values())
        return tuple(p for p in found if p.speech_s >= PART_S) if len(by_cluster) > 1 else ()

    def strange(self, calibration: Calibration | Unmeasured) -> tuple[Speaker, ...]:
        """The lines of a character that are somebody else's than its others, as one part, whatever the diarizer says of them.

        They may be too few for a part of their own; whether the rule about them is in a pack, or is waived, changes nothing.
        """
        scored = one_voice_scores(self.segments, calibration) if self.name is not None else ()
        named = tuple(line.segment for line in scored if line.named)
        return (Speaker(self.name, named),) if named else ()


def compare_voices(
    features: ProgrammeFeatures, sheet: CueSheet, delivery: Delivery, release: Release, view: View, at: datetime
) -> tuple[Heard, ...]:
    """Every speaker heard in the dub, with what the comparisons that were allowed gave."""
    if isinstance(features.dub.voices, Unmeasured):
        return (_unheard(features, features.dub.voices),) if features.dub.speech else ()
    encoder = next((m.weights_sha256 for m in features.models if m.kind == "speaker_encoder"), None)
    if encoder is None:
        return (_unheard(features, Unmeasured("no speaker encoder is named among the models that heard")),)
    calibration = find(encoder, Relation.SAME)
    titles, vendors = galleries_of(release, delivery)
    protected = protected_of(view, at, encoder, title_ids=titles, vendor_ids=vendors)
    speakers = speakers_of(features.dub.voices)
    null = originals(features)
    return tuple(_heard(s, delivery, release, view, at, encoder, calibration, protected, null) for s in speakers)


def galleries_of(release: Release, delivery: Delivery) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The titles and the vendors whose voices are looked for first."""
    titles = release.title.title_ids if release.title else ()
    return titles, (delivery.submitter,) if delivery.submitter is not None else ()


def _unheard(features: ProgrammeFeatures, why: Unmeasured) -> Heard:
    seconds = sum(s.duration_s for s in features.dub.speech)
    return Heard(None, seconds, features.dub.speech, why, ACCEPT_LLR, REJECT_LLR, why, why, CLONE_Z)


def speakers_of(voices: Sequence[VoiceSegment]) -> tuple[Speaker, ...]:
    """Segments by the character that the script gives them; what no line claims is one more speaker per cluster."""
    by_name: dict[tuple[str | None, str | None], list[VoiceSegment]] = {}
    for segment in voices:
        if segment.speech_s <= 0:
            continue
        key = (segment.character, None if segment.character is not None else segment.cluster)
        by_name.setdefault(key, []).append(segment)
    return tuple(Speaker(name, tuple(found)) for (name, _), found in by_name.items())


def originals(features: ProgrammeFeatures) -> tuple[Floats, ...] | Unmeasured:
    """One pooled vector per speaker of the original, by the diarizer's clusters."""
    voices = features.original.voices
    if isinstance(voices, Unmeasured):
        return voices
    by_cluster: dict[str, list[VoiceSegment]] = {}
    for segment in voices:
        if segment.cluster is not None and segment.speech_s > 0:
            by_cluster.setdefault(segment.cluster, []).append(segment)
    pooled = [Speaker(None, tuple(found)).pooled() for found in by_cluster.values()]
    return tuple(p[0] for p in pooled if not isinstance(p, Unmeasured))


def _heard(
    speaker: Speaker,
    delivery: Delivery,
    release: Release,
    view: View,
    at: datetime,
    encoder: str,
    calibration: Calibration | Unmeasured,
    protected: Protected,
    null: tuple[Floats, ...] | Unmeasured,
) -> Heard:
    entry = delivery.cast_of(speaker.name) if speaker.name is not None else None
    enrolled = enrolled_of(entry, view, at, encoder) if entry is not None else ()
    # Whom a cast names as a person who performed is looked for all the same: naming somebody is no word of theirs.
    own = frozenset(entry.voice_ids) if entry is not None and entry.technique != "human" else frozenset()
    searched = _searched(speaker, protected, own, calibration)
    return Heard(
        name=speaker.name,
        speech_s=speaker.speech_s,
        spans=speaker.spans,
        match_llr=_match_throughout(speaker, enrolled, calibration),
        accept=ACCEPT_LLR,
        reject=REJECT_LLR,
        hits=searched.hits,
        original_llr=_clone_score_throughout(speaker, null),
        original_from=CLONE_Z,
        original_granted=own_translation(entry, release, view, at),
        search_gap=searched.gap,
        n_searched=searched.n,
        n_unpermitted=protected.unpermitted,
    )


def _searched(
    speaker: Speaker, protected: Protected, own: frozenset[str], calibration: Calibration | Unmeasured
) -> Searched:
    """The search for the whole of a speaker, and beside it whoever is hit by a part; the strongest hit of each voice."""
    whole = search(speaker.pooled(), protected, own, calibration)
    if isinstance(whole.hits, Unmeasured):
        return whole
    best: dict[str, Hit] = {}
    parts = (*speaker.parts(), *(p for p in speaker.strange(calibration) if p.speech_s >= PART_S))
    for found in (whole, *(search(p.pooled(), protected, own, calibration) for p in parts)):
        for hit in () if isinstance(found.hits, Unmeasured) else found.hits:
            best[hit.voice_id] = max(hit, best.get(hit.voice_id, hit), key=lambda h: (h.blocks, h.llr))
    return replace(whole, hits=tuple(best.values()))


def _match_throughout(
    speaker: Speaker, enrolled: Sequence[EnrolledVoice], calibration: Calibration | Unmeasured
) -> float | Unmeasured:
    """The LLR of the whole; Unmeasured where a part of it is another voice's."""
    whole = _match(speaker, enrolled, calibration)
    if isinstance(whole, Unmeasured):
        return whole
    for part in (*speaker.parts(), *speaker.strange(calibration)):
        score = _match(part, enrolled, calibration)
        if not isinstance(score, Unmeasured) and score < REJECT_LLR <= whole:
            return Unmeasured(f"{part.speech_s:.1f} s of it sound like somebody else, at {score:.1f} nat")
    return whole


def _clone_score_throughout(speaker: Speaker, null: tuple[Floats, ...] | Unmeasured) -> float | Unmeasured:
    """The score of the whole, or that of the part which stands out most."""
    whole = clone_score(speaker, null)
    if isinstance(whole, Unmeasured):
        return whole
    scores = (clone_score(p, null) for p in speaker.parts() if p.speech_s >= POOLED_S)
    return max([whole, *(s for s in scores if not isinstance(s, Unmeasured))])


def _likeness(vector: Floats, enrolled: EnrolledVoice) -> float:
    template = np.asarray(enrolled.vector, dtype=np.float64)
    return float(np.dot(np.asarray(vector, dtype=np.float64), template) / np.linalg.norm(template))


def _match(
    speaker: Speaker, enrolled: Sequence[EnrolledVoice], calibration: Calibration | Unmeasured
) -> float | Unmeasured:
    """The LLR against the best of the declared voice's templates."""
    pooled = speaker.pooled()
    if isinstance(pooled, Unmeasured):
        return pooled
    if isinstance(calibration, Unmeasured):
        return calibration
    if not enrolled:
        return Unmeasured("the declared voice has no enrolment for this speaker encoder: dubgate enrol VOICE RECORDING")
    vector, seconds = pooled
    return calibration.llr(max(_likeness(vector, e) for e in enrolled), seconds)


def clone_score(speaker: Speaker, null: tuple[Floats, ...] | Unmeasured) -> float | Unmeasured:
    """How far the voice stands out towards one of the original's speakers over all the others, in nats-like deviations.

    The delivery is its own null: likeness to the nearest original speaker less the mean of the others, over their
    spread (at least 0.04 cosine, what one voice's own takes vary by).
    """
    if isinstance(null, Unmeasured):
        return null
    if len(null) < 2:
        return Unmeasured("the original has a single speaker, so there is nobody to compare with")
    pooled = speaker.pooled()
    if isinstance(pooled, Unmeasured):
        return pooled
    cosines = np.sort([float(np.dot(pooled[0], other)) for other in null])[::-1]
    others = cosines[1:]
    return float((cosines[0] - others.mean()) / max(float(others.std()), 0.04))


def own_translation(entry: object, release: Release, view: View, at: datetime) -> bool:
    """Whether the declared voice granted the translation of its own performance for this use."""
    from dubgate.delivery.manifest_schema import CastEntry

    if not isinstance(entry, CastEntry) or not entry.voice_ids or entry.technique == "human":
        return False
    uses = {v: translated(use_of(release, entry, None, v)) for v in entry.voice_ids}
    return all(view.clear(v, use, at).cleared for v, use in uses.items())


def translated(use: Use) -> Use:
    """The same use of a voice as the translation of its owner's own performance."""
    return use.model_copy(update={"performance": Performance.TRANSLATION})
