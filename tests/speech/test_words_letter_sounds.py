"""Pronunciations by rule: what English spelling says, and nothing for other alphabets."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dubgate.speech.letter_sounds import pronounce

DICTIONARY = {"snow": "S N OW", "man": "M AE N", "church": "CH ER CH", "cat": "K AE T", "don't": "D OW N T"}
ARPABET = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = set(ARPABET.split())


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("snow", "S N OW"),
        ("don't", "D OW N T"),
        ("snowman", "S N OW M AE N"),
        ("cat's", "K AE T S"),
        ("man's", "M AE N Z"),
        ("church's", "CH ER CH IH Z"),
        ("churches", "CH ER CH EH S"),
        ("cats", "K AE T S"),
        ("xqz", "EH K S K Y UW Z IY"),
        ("dash", "D AE SH"),
        ("blick", "B L IH K"),
        ("throng", "TH R AA NG"),
        ("zibble", "Z IH B L"),
        ("café", "K AE F EH"),
        ("Ørsted".casefold(), "AO R S T EH D"),
    ],
)
def test_a_word_sounds_as_its_spelling_says(word: str, phones: str) -> None:
    assert pronounce(word, DICTIONARY.get) == phones


@pytest.mark.parametrize("word", ["привет", "東京", "abc1", "", "'"])
def test_what_is_not_latin_letters_has_no_pronunciation(word: str) -> None:
    assert pronounce(word, DICTIONARY.get) is None


@example("'s")
@given(st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=15).filter(lambda w: w.strip("'")))
def test_every_latin_word_gets_phones_of_the_model(word: str) -> None:
    phones = pronounce(word, {}.get)
    assert phones is not None
    assert phones
    assert set(phones.split()) <= PHONES
