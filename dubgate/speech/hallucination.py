"""Takes back what a generative transcriber makes up: loops, and more text than anybody can say in the time.

Taking words away fails closed: a line whose words are gone counts as not heard.
"""

from __future__ import annotations

from collections.abc import Sequence

from dubgate.features import Word

LONGEST_LOOP_WORDS = 8
MOST_REPEATS = 3  # "no, no, no" is speech; the fourth is a loop
MOST_CHARACTERS_PER_S = 40.0  # fast speech has about 25 in alphabetic scripts


def believable(words: Sequence[Word], duration_s: float) -> tuple[Word, ...]:
    """The words without loops; none where they outrun any speaker over the whole clip."""
    kept = without_loops(words)
    characters = sum(len(word.text) for word in kept)
    return kept if characters <= MOST_CHARACTERS_PER_S * max(duration_s, 0.1) else ()


def without_loops(words: Sequence[Word]) -> tuple[Word, ...]:
    """The words with every run that says the same 1 to 8 words more than three times cut after the third."""
    kept = list(words)
    for period in range(1, LONGEST_LOOP_WORDS + 1):
        kept = _cut_loops(kept, period)
    return tuple(kept)


def _cut_loops(words: list[Word], period: int) -> list[Word]:
    texts = [word.text.casefold() for word in words]
    kept: list[Word] = []
    repeated = 0  # how many words in a row equal the one a period earlier
    for k, word in enumerate(words):
        repeated = repeated + 1 if k >= period and texts[k] == texts[k - period] else 0
        if repeated < MOST_REPEATS * period:
            kept.append(word)
        elif repeated == MOST_REPEATS * period:
            kept = kept[: len(kept) - (period - 1)]  # the loop's fourth round began that many words ago
    return kept
