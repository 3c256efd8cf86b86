"""Whose voice it is: enrolled voices, galleries, the original's actors, on vectors whose likeness is set."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_voice import features, line, vector

from dubgate.features import VoiceSegment
from dubgate.measure.voice_matching import (
    EnrolledVoice,
    consented_voice_llr,
    impostor_llr,
    original_actor_llr,
    relation,
    surprise,
    verified_speech_ratio,
)
from dubgate.measure.voice_pooling import Pooled, against_others, pool
from dubgate.spans import Span
from dubgate.speech.calibration import Relation, false_hit_rate, packaged
from dubgate.unmeasured import Unmeasured, measured

SHA = packaged()[0].encoder_sha256


def enrolled(speaker: int, speech_s: float = 30.0, language: str | None = "en", sha256: str = SHA) -> EnrolledVoice:
    found = pool([line(k, speaker, speech_s / 10) for k in range(100, 110)])
    assert isinstance(found, Pooled)
    return EnrolledVoice(f"voice-{speaker}", found, sha256, language)


def dub(speaker: int, n: int = 6) -> list[VoiceSegment]:
    return [line(k, speaker) for k in range(n)]


def test_the_enrolled_voice_matches_and_another_does_not() -> None:
    same = consented_voice_llr(dub(1), enrolled(1), encoder_sha256=SHA, language="en-GB")
    other = consented_voice_llr(dub(5), enrolled(1), encoder_sha256=SHA, language="en-GB")
    assert measured(same) > 5
    assert measured(other) < -5


@pytest.mark.parametrize(
    ("segments", "voice", "language", "why"),
    [
        (dub(1, 1), enrolled(1), "en", "under 5 s"),
        (dub(1), enrolled(1, speech_s=3.0), "en", "under 5 s"),
        (dub(1), enrolled(1), "fr", "two languages"),
        (dub(1), enrolled(1), None, "not known"),
        (dub(1), enrolled(1, sha256="0" * 64), "en", "another speaker encoder"),
        ([], enrolled(1), "en", "no speech"),
    ],
)
def test_what_cannot_be_compared_is_unmeasured(
    segments: list[VoiceSegment], voice: EnrolledVoice, language: str | None, why: str
) -> None:
    found = consented_voice_llr(segments, voice, encoder_sha256=SHA, language=language)
    assert isinstance(found, Unmeasured)
    assert why in found.reason


def test_the_clone_in_a_gallery_is_found_with_its_chance_rate() -> None:
    gallery = [enrolled(k) for k in (2, 1, 3)]
    hit = measured(impostor_llr(dub(1), gallery, encoder_sha256=SHA, language="en"))
    assert hit.voice_id == "voice-1"
    assert hit.n_gallery == 3
    assert hit.false_hit_rate == false_hit_rate(hit.llr, 3) < 0.01
    missed = measured(impostor_llr(dub(9), gallery, encoder_sha256=SHA, language="en"))
    assert missed.llr < 0
    assert missed.false_hit_rate == 1.0


def test_a_hit_claims_no_more_than_the_fit_allows() -> None:
    hit = measured(impostor_llr(dub(1), [enrolled(1)], encoder_sha256=SHA, language="en"))
    llr = measured(consented_voice_llr(dub(1), enrolled(1), encoder_sha256=SHA, language="en"))
    assert hit.llr < llr


def test_a_search_that_chance_would_win_is_unmeasured() -> None:
    hopeless = impostor_llr(dub(1), _endless(), encoder_sha256=SHA, language="en")
    assert isinstance(hopeless, Unmeasured)
    assert "cannot carry" in hopeless.reason


class _Endless(list[EnrolledVoice]):
    """A gallery that says it is as large as mankind."""

    def __len__(self) -> int:
        return 10**10


def _endless() -> list[EnrolledVoice]:
    return _Endless([enrolled(1)])


def test_one_voice_that_cannot_be_compared_leaves_the_search_unmeasured() -> None:
    gallery = [enrolled(1), enrolled(2, language=None)]
    assert isinstance(impostor_llr(dub(1), gallery, encoder_sha256=SHA, language="en"), Unmeasured)
    assert isinstance(impostor_llr(dub(1), [], encoder_sha256=SHA, language="en"), Unmeasured)
    assert isinstance(impostor_llr(dub(1, 2), [enrolled(1)], encoder_sha256=SHA, language="en"), Unmeasured)


def cast(speakers: dict[str, int], first: int) -> list[VoiceSegment]:
    return [
        line(first + 10 * n + k, speaker, character=who)
        for n, (who, speaker) in enumerate(speakers.items())
        for k in range(4)
    ]


def test_a_clone_of_the_originals_actor_stands_out() -> None:
    original = cast({"ANNA": 1, "BEN": 2, "CLEO": 3}, 0)
    found = original_actor_llr(features(cast({"ANNA": 1, "BEN": 7, "CLEO": 8}, 200), original))
    assert measured(found["ANNA"]) > -math.log(0.001)
    assert measured(found["BEN"]) < -math.log(0.05)
    assert measured(found["CLEO"]) < -math.log(0.05)


def test_one_original_speaker_alone_gives_no_null() -> None:
    found = original_actor_llr(features(cast({"ANNA": 1}, 200), cast({"ANNA": 1}, 0)))
    assert isinstance(found["ANNA"], Unmeasured)
    assert "one original speaker alone" in found["ANNA"].reason


def test_characters_with_too_little_voice_are_unmeasured() -> None:
    original = cast({"ANNA": 1, "BEN": 2}, 0)
    short = [line(300, 1), *cast({"BEN": 7, "CLEO": 8}, 200)]
    found = original_actor_llr(features(short, original))
    assert isinstance(found["ANNA"], Unmeasured)
    assert isinstance(found["CLEO"], Unmeasured)
    assert not isinstance(found["BEN"], Unmeasured)


def test_without_calibration_few_strangers_say_nothing() -> None:
    original = cast({"ANNA": 1, "BEN": 2}, 0)
    found = original_actor_llr(features(cast({"ANNA": 1, "BEN": 7}, 200), original), calibrations=())
    assert all(isinstance(v, Unmeasured) for v in found.values())


def test_surprise_is_the_predictive_tail() -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    strangers = [0.4, 0.5, 0.6, 0.7]
    t = scipy_stats.t(df=3)
    spread = np.std(strangers, ddof=1) * math.sqrt(1 + 1 / 4)
    assert surprise(0.9, strangers, None) == pytest.approx(-math.log(t.sf((0.9 - 0.55) / spread)))
    assert surprise(0.55, strangers, 0.08) == pytest.approx(math.log(2))


@given(st.lists(st.floats(0.2, 0.8), min_size=2, max_size=20), st.floats(-0.5, 0.5), st.floats(0.01, 0.3))
def test_a_more_alike_voice_is_never_less_surprising(strangers: list[float], score: float, more: float) -> None:
    assert surprise(score + more, strangers, 0.08) >= surprise(score, strangers, 0.08) >= 0


def test_the_verified_share_counts_seconds() -> None:
    segments = [
        line(0, 1, 3.0),
        line(1, 1, 1.0, character="BEN"),
        VoiceSegment(Span(9, 10), 1.0, None, None, vector(1, 1)),
    ]
    assert verified_speech_ratio(segments, {"ANNA": True, "BEN": False}) == pytest.approx(0.6)
    assert verified_speech_ratio(segments, {}) == 0.0
    assert isinstance(verified_speech_ratio([], {"ANNA": True}), Unmeasured)


def test_the_relation_of_languages() -> None:
    assert relation("en-GB", "en") is Relation.SAME
    assert relation("en", "es-419") is Relation.ACROSS
    assert isinstance(relation(None, "en"), Unmeasured)


def test_a_pool_weighs_seconds() -> None:
    x, y = (VoiceSegment(Span(0, 1), s, "a", "A", np.array(v, np.float32)) for s, v in ((3.0, [1, 0]), (1.0, [0, 1])))
    found = pool([x, y, VoiceSegment(Span(0, 1), 9.0, "b", "A", Unmeasured("short"))])
    assert isinstance(found, Pooled)
    assert found.speech_s == 4.0
    assert found.vector == pytest.approx(np.array([3, 1]) / math.sqrt(10))


def test_a_line_is_compared_without_itself() -> None:
    rows = np.array([[1.0, 0.0], [0.8, 0.6], [0.8, 0.6]])
    first = against_others(rows, np.array([2.0, 1.0, 1.0]), 0.5)[0]
    assert first.cosine == pytest.approx(0.8)
    assert first.reference_s == 2.0
