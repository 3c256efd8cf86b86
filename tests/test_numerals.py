"""Numbers in English, spelled out: known readings, and a law that ties cardinals to their digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.numerals import cardinal, ordinal, spell_numbers


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("42", "forty two"),
        ("0", "zero"),
        ("1,234,567", "one million two hundred thirty four thousand five hundred sixty seven"),
        ("3.05", "three point zero five"),
        ("1945", "nineteen forty five"),
        ("1905", "nineteen oh five"),
        ("1900", "nineteen hundred"),
        ("2005", "two thousand five"),
        ("2016", "twenty sixteen"),
        ("3000", "three thousand"),
        ("007", "zero zero seven"),
        ("2nd", "second"),
        ("21st", "twenty first"),
        ("112th", "one hundred twelfth"),
        ("30th", "thirtieth"),
        ("10:30", "ten thirty"),
        ("10:05", "ten oh five"),
        ("7:00", "seven"),
        ("$5.50", "five point five zero dollars"),
        ("50%", "fifty percent"),
        ("Smith & Co", "Smith and Co"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
    ],
)
def test_numbers_are_read_as_people_read_them(written: str, spoken: str) -> None:
    assert spell_numbers(written).split() == spoken.split()


VALUES = {
    **{cardinal(n): n for n in range(20)},
    **{cardinal(n): n for n in range(20, 100, 10)},
    "hundred": 100,
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}


def _read_back(words: str) -> int:
    total = group = 0
    for word in words.split():
        value = VALUES[word]
        if value == 100:
            group *= 100
        elif value > 100:
            total, group = total + group * value, 0
        else:
            group += value
    return total + group


@given(st.integers(0, 10**15 - 1))
def test_a_cardinal_read_back_is_the_number(number: int) -> None:
    assert _read_back(cardinal(number)) == number


@given(st.integers(0, 10**6))
def test_an_ordinal_differs_from_its_cardinal_in_the_last_word_alone(number: int) -> None:
    assert ordinal(number).split()[:-1] == cardinal(number).split()[:-1]
    assert ordinal(number) != cardinal(number)


@given(st.text())
def test_no_digit_is_left(text: str) -> None:
    assert not any(c.isdecimal() for c in spell_numbers(text))
