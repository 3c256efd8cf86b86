"""Numbers in English text, spelled out as they are usually read: 42, 1,234, 3.5, 2nd, 1945, 10:30, $5, 50 %."""

from __future__ import annotations

import re

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_ONES = _SMALL.split()
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_CURRENCIES = {"$": "dollars", "£": "pounds", "€": "euros", "¥": "yen"}

_TIME = re.compile(r"\b(\d{1,2}):([0-5]\d)\b")
_ORDINAL = re.compile(r"\b(\d[\d,]*)(?:st|nd|rd|th)\b")
_MONEY = re.compile(r"([$£€¥])\s?(\d[\d,]*(?:\.\d+)?)")
_NUMBER = re.compile(r"\d[\d,]*\d(?:\.\d+)?|\d(?:\.\d+)?")
_LARGEST = 10**15


def spell_numbers(text: str) -> str:
    """`text` with its numbers in words; numbers of more than 15 digits are read digit by digit."""
    text = _TIME.sub(lambda m: f" {_clock(m[1], m[2])} ", text)
    text = _ORDINAL.sub(lambda m: f" {ordinal(_integer(m[1]))} ", text)
    text = _MONEY.sub(lambda m: f" {m[2]} {_CURRENCIES[m[1]]} ", text)
    text = _NUMBER.sub(lambda m: f" {_read(m[0])} ", text)
    return text.replace("%", " percent ").replace("&", " and ")


def cardinal(number: int) -> str:
    """A whole number from 0 in words: 342 gives `three hundred forty two`."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return f"{_TENS[number // 10]} {_ONES[number % 10] if number % 10 else ''}".strip()
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    rest = f" {cardinal(number % size)}" if number % size else ""
    return f"{cardinal(number // size)} {name}{rest}"


def ordinal(number: int) -> str:
    """21 gives `twenty first`."""
    *head, last = cardinal(number).split()
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join((*head, _ORDINALS.get(last, regular)))


def _integer(digits: str) -> int:
    return int(digits.replace(",", "")) % _LARGEST


def _read(digits: str) -> str:
    whole, _, fraction = digits.partition(".")
    plain = whole.replace(",", "")
    if len(plain) > 15 or (len(plain) > 1 and plain.startswith("0")):
        words = _digits(plain)
    elif len(plain) == 4 and whole == plain and not fraction:
        words = _year(int(plain))
    else:
        words = cardinal(int(plain))
    return f"{words} point {_digits(fraction)}" if fraction else words


def _year(number: int) -> str:
    """Four bare digits are read as a year, in pairs, where people do: 1945, 2016, 1900, but 2005 and 3000 in full."""
    high, low = divmod(number, 100)
    if not (11 <= high <= 19 or (high == 20 and low >= 10)):
        return cardinal(number)
    if low == 0:
        return f"{cardinal(high)} hundred"
    return f"{cardinal(high)} {'oh ' if low < 10 else ''}{cardinal(low)}"


def _clock(hour: str, minute: str) -> str:
    minutes = int(minute)
    tail = "" if minutes == 0 else f" {'oh ' if minutes < 10 else ''}{cardinal(minutes)}"
    return cardinal(int(hour)) + tail


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(d)] for d in digits)
