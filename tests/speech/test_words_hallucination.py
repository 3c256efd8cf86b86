"""Loops and impossible speed are taken back, speech is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.features import Word
from dubgate.spans import Span
from dubgate.speech.hallucination import believable, without_loops


def words(text: str) -> list[Word]:
    return [Word(w, Span(k, k + 0.5), 0.9) for k, w in enumerate(text.split())]


def texts(found: tuple[Word, ...]) -> str:
    return " ".join(w.text for w in found)


@pytest.mark.parametrize(
    ("heard", "kept"),
    [
        ("no no no", "no no no"),
        ("no no no no no no", "no no no"),
        ("thank you thank you thank you thank you thank you", "thank you thank you thank you"),
        ("I said a b c a b c a b c a b c a b c then left", "I said a b c a b c a b c then left"),
        ("No no NO no no.", "No no NO no."),
        ("the cat and the dog and the bird", "the cat and the dog and the bird"),
    ],
)
def test_a_loop_is_cut_after_its_third_round(heard: str, kept: str) -> None:
    assert texts(without_loops(words(heard))) == kept


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_what_is_kept_is_a_part_of_what_was_heard_in_order(heard: list[str]) -> None:
    kept = without_loops(words(" ".join(heard)))
    starts = [w.span.start_s for w in kept]
    assert starts == sorted(set(starts))
    assert {w.text for w in kept} == set(heard)


@given(st.integers(1, 8), st.integers(4, 12))
def test_no_loop_of_up_to_eight_words_lasts_four_rounds(period: int, rounds: int) -> None:
    loop = [f"w{k}" for k in range(period)] * rounds
    assert len(without_loops(words(" ".join(loop)))) == 3 * period


def test_forty_characters_a_second_are_the_most() -> None:
    said = words("aaaaaaaaaa bbbbbbbbbb")
    assert believable(said, 0.5) == tuple(said)
    assert believable(said, 0.49) == ()
