"""Spoken words: every script, numbers, apostrophes, filled pauses, stage directions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.wording import counts_characters, primary_language, spoken_words


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("It’s HIS, isn't it?", "en", "it's his isn't it"),
        ("forty-two of the “Bibles”", "en", "forty two of the bibles"),
        ("42 Bibles", "en-GB", "forty two bibles"),
        ("Um, er… I mean— yes", "en", "i mean yes"),
        ("Äh, die Straße", "de", "die strasse"),
        ("10.000 Euro und 1999", "de", "10000 euro und 1999"),
        ("l’été à Paris", "fr", "l'été à paris"),
        ("¿Qué? ¡No!", "es-419", "qué no"),
        ("हिन्दी में", "hi", "हिन्दी में"),
        ("Привет, мир", "ru", "привет мир"),
        ("مرحبا بالعالم", "ar", "مرحبا بالعالم"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "en", "full width"),
        ("[door slams] Who’s there? (whispers) ♪ la ♪ <i>Me.</i>", "en", "who's there la me"),
        ("naïve (cafe\u0301)" + " café", "en", "naïve café"),
        ("…", "en", ""),
    ],
)
def test_words_are_those_that_are_spoken(text: str, language: str, words: str) -> None:
    assert list(spoken_words(text, language)) == words.split()


@pytest.mark.parametrize(
    ("text", "language", "characters"),
    [
        ("今日は、１０時です。", "ja", "今日は10時です"),
        ("你好，世界！", "zh-Hans", "你好世界"),
        ("안녕 하세요", "ko", "안녕하세요"),
        ("สวัสดี", "th", "สวัสดี"),
    ],
)
def test_languages_without_word_spaces_are_split_into_characters(text: str, language: str, characters: str) -> None:
    assert counts_characters(language)
    assert spoken_words(text, language) == tuple(characters)


@given(st.text(), st.sampled_from(["en", "de", "ja", "th", None]))
def test_words_hold_letters_marks_digits_and_inner_apostrophes_only(text: str, language: str | None) -> None:
    for word in spoken_words(text, language):
        assert word
        assert word == word.strip("'")
        assert not any(c.isspace() or c in ".,!?-[]" for c in word)


@given(st.lists(st.text("abcdefgхцяéα", min_size=1, max_size=6), max_size=8))
def test_normalising_twice_changes_nothing(words: list[str]) -> None:
    once = spoken_words(" ".join(words), "de")
    assert spoken_words(" ".join(once), "de") == once


def test_a_language_is_its_primary_subtag() -> None:
    assert [primary_language(t) for t in ("pt-BR", "ger", "EN", "xx-unknown", None)] == ["pt", "de", "en", "xx", None]
