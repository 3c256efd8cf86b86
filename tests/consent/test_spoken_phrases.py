"""Phrases that are said once: fresh, short-lived, counted word by word; the registry keeps what was measured."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, Place, Ticking, open_world
from hypothesis import given
from hypothesis import strategies as st

from consent.errors import RecordError
from consent.registry import Registry
from consent.spoken import (
    N_WORDS,
    VALID_FOR,
    WORDS,
    SpokenConsent,
    SpokenPhrase,
    new_phrase,
    staleness,
    word_error_rate,
)

MINUTE = timedelta(minutes=1)


def said_of(phrase: SpokenPhrase, **changes: Any) -> SpokenConsent:
    fields: dict[str, Any] = {
        "spoken_id": "sp-1",
        "phrase_id": phrase.phrase_id,
        "voice_id": phrase.voice_id,
        "recorded_by": "op-1",
        "recording_sha256": "1" * 64,
        "words_heard": phrase.words,
        "word_error_rate": 0.0,
        "statement_score": -0.7,
        "transcriber_sha256": "2" * 64,
    }
    return SpokenConsent(**(fields | changes))


def test_a_phrase_has_its_own_words_and_an_end() -> None:
    phrases = [new_phrase("v-ada", "op-1", NOW) for _ in range(50)]
    assert len({p.words for p in phrases}) == len({p.phrase_id for p in phrases}) == 50
    for phrase in phrases:
        assert len(set(phrase.words)) == N_WORDS
        assert set(phrase.words) <= set(WORDS)
        assert phrase.expires_at == NOW + VALID_FOR
        assert all(word in phrase.text for word in phrase.words)
        assert "compare" in phrase.statement


def test_no_word_of_the_list_stands_twice() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 64


@pytest.mark.parametrize("valid_for", [timedelta(0), -MINUTE, DAY + MINUTE])
def test_a_phrase_lives_for_a_day_at_most(valid_for: timedelta) -> None:
    with pytest.raises(ValueError, match="lives for a day"):
        new_phrase("v-ada", "op-1", NOW, valid_for=valid_for)


def test_a_phrase_is_fresh_from_its_issue_until_it_expires() -> None:
    phrase = new_phrase("v-ada", "op-1", NOW)
    assert staleness(phrase, "v-ada", [], NOW) is None
    assert staleness(phrase, "v-ada", [], NOW + VALID_FOR - MINUTE) is None
    assert "expired" in str(staleness(phrase, "v-ada", [], NOW + VALID_FOR))
    assert "expired" in str(staleness(phrase, "v-ada", [], NOW - MINUTE))
    assert "issued for v-ada" in str(staleness(phrase, "v-bo", [], NOW))


@pytest.mark.parametrize(("refused_at", "stale"), [(None, True), ("voice", True), ("words", False)])
def test_a_saying_uses_a_phrase_up_unless_its_words_were_wrong(refused_at: Any, stale: bool) -> None:
    phrase = new_phrase("v-ada", "op-1", NOW)
    why = staleness(phrase, "v-ada", [said_of(phrase, refused_at=refused_at)], NOW)
    assert (why is not None) is stale


@pytest.mark.parametrize(
    ("heard", "rate"),
    [
        ("a b c d", 0.0),
        ("", 1.0),
        ("a b d", 0.25),
        ("a b x d", 0.25),
        ("a b c d e", 0.25),
        ("b a c d", 0.5),
        ("x y z", 1.0),
        ("a b c d e f g h i", 1.25),
    ],
)
def test_word_errors_are_counted_as_levenshtein_does(heard: str, rate: float) -> None:
    assert word_error_rate(["a", "b", "c", "d"], heard.split()) == rate


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_the_word_error_rate_is_a_distance(expected: list[str], heard: list[str]) -> None:
    errors = word_error_rate(expected, heard) * len(expected)
    assert abs(len(expected) - len(heard)) <= round(errors) <= max(len(expected), len(heard))
    assert (errors == 0) == (expected == heard)
    if heard:
        assert errors == pytest.approx(word_error_rate(heard, expected) * len(heard))


def issued(registry: Registry, **how: Any) -> SpokenPhrase:
    phrase = new_phrase("v-ada", "op-1", NOW, choose=random.Random(7).choice, **how)
    registry.add(phrase)
    return phrase


def test_the_registry_keeps_a_phrase_and_what_was_measured_of_it(place: Place) -> None:
    with open_world(place) as registry:
        phrase = issued(registry)
        registry.add(said_of(phrase))
        with registry.view() as view:
            assert view.record(f"phrase:{phrase.phrase_id}", SpokenPhrase) == phrase
            assert view.record("spoken:sp-1", SpokenConsent) == said_of(phrase)
        assert registry.audit().sound


@pytest.mark.parametrize(
    ("changes", "later", "why"),
    [
        ({"spoken_id": "sp-2", "recording_sha256": "3" * 64}, timedelta(0), "said before"),
        ({"spoken_id": "sp-2", "voice_id": "v-bo"}, timedelta(0), "issued for v-ada"),
        ({"spoken_id": "sp-2", "phrase_id": "ph-none"}, timedelta(0), "no phrase"),
        ({"spoken_id": "sp-2", "recorded_by": "nobody"}, timedelta(0), "no party"),
        ({"spoken_id": "sp-2"}, VALID_FOR, "expired"),
    ],
)
def test_what_was_said_before_or_too_late_is_refused_at_the_door(
    tmp_path: Path, changes: dict[str, Any], later: timedelta, why: str
) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock) as registry:
        phrase = issued(registry)
        registry.add(said_of(phrase))
        clock.now += later
        with pytest.raises(RecordError, match=why):
            registry.add(said_of(phrase, **changes))


def test_a_recording_counts_once_whatever_the_phrase(tmp_path: Path) -> None:
    with open_world(tmp_path) as registry:
        registry.add(said_of(issued(registry), refused_at="words"))
        second = new_phrase("v-ada", "op-1", NOW)
        registry.add(second)
        with pytest.raises(RecordError, match="handed in before"):
            registry.add(said_of(second, spoken_id="sp-2"))


@pytest.mark.parametrize(("voice_id", "by", "why"), [("v-none", "op-1", "no voice"), ("v-ada", "nobody", "no party")])
def test_a_phrase_is_issued_for_a_registered_voice_by_a_registered_party(
    tmp_path: Path, voice_id: str, by: str, why: str
) -> None:
    with open_world(tmp_path) as registry, pytest.raises(RecordError, match=why):
        registry.add(new_phrase(voice_id, by, NOW))
