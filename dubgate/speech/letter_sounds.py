"""Pronunciations of English words that no dictionary lists, from their spelling: rough, for placing names in sound."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

# Longest spelling first wins. Phones as in CMUdict, without stress. A rule list, not a model: names come out close
# enough for an aligner to place them, not good enough to judge how they were said.
_SPELLINGS: dict[str, str] = {
    "tion": "SH AH N", "sion": "ZH AH N", "cian": "SH AH N", "eigh": "EY", "ough": "AO", "augh": "AO", "tsch": "CH",
    "igh": "AY", "tch": "CH", "dge": "JH", "sch": "SH", "eau": "OW", "air": "EH R", "ear": "IH R", "eer": "IH R",
    "oor": "AO R", "our": "AO R", "ure": "Y UH R", "qu": "K W", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F",
    "wh": "W", "ck": "K", "gh": "G", "kn": "N", "wr": "R", "ng": "NG", "ee": "IY", "ea": "IY", "oo": "UW", "ou": "AW",
    "ow": "OW", "oi": "OY", "oy": "OY", "ai": "EY", "ay": "EY", "ei": "EY", "ey": "IY", "ie": "IY", "oa": "OW",
    "oe": "OW", "au": "AO", "aw": "AO", "ue": "UW", "ui": "UW", "eu": "Y UW", "ew": "Y UW", "ar": "AA R", "er": "ER",
    "ir": "ER", "or": "AO R", "ur": "ER", "ae": "EY", "ce": "S", "ci": "S IH", "cy": "S IY", "ge": "JH EH",
    "gi": "JH IH", "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH",
    "j": "JH", "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LETTER_NAMES: dict[str, str] = {
    "a": "EY", "b": "B IY", "c": "S IY", "d": "D IY", "e": "IY", "f": "EH F", "g": "JH IY", "h": "EY CH", "i": "AY",
    "j": "JH EY", "k": "K EY", "l": "EH L", "m": "EH M", "n": "EH N", "o": "OW", "p": "P IY", "q": "K Y UW",
    "r": "AA R", "s": "EH S", "t": "T IY", "u": "Y UW", "v": "V IY", "w": "D AH B AH L Y UW", "x": "EH K S",
    "y": "W AY", "z": "Z IY",
}  # fmt: skip
_VOWELS = frozenset("aeiouy")
_VOICELESS = frozenset({"P", "T", "K", "F", "TH"})
_SIBILANT = frozenset({"S", "Z", "SH", "ZH", "CH", "JH"})
_LONGEST = max(map(len, _SPELLINGS))
_SHORTEST_PART = 3  # letters; shorter dictionary words match by accident

Lookup = Callable[[str], str | None]


def pronounce(word: str, lookup: Lookup) -> str | None:
    """Phones of `word` (casefolded), or None where it has letters outside the Latin alphabet.

    Tried in order: the dictionary, a possessive or plural of a dictionary word, two dictionary words joined, letter
    names (no vowel: an abbreviation), spelling rules.
    """
    plain = _latin(word)
    if plain is None:
        return None
    known = lookup(word) or lookup(plain)
    return known or _inflected(plain, lookup) or _compound(plain, lookup) or _spelled(plain, word.endswith("e"))


def _latin(word: str) -> str | None:
    """The word without accents; None if anything but a to z and apostrophes is left."""
    decomposed = unicodedata.normalize("NFD", word.replace("ø", "o").replace("æ", "ae").replace("œ", "oe"))
    plain = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M")
    letters = plain.replace("'", "")
    return plain if letters.isascii() and letters.isalpha() else None


def _inflected(word: str, lookup: Lookup) -> str | None:
    """`marlowe's`, `gnomes`: the stem's phones and the ending that English gives them."""
    possessive = word.endswith(("'s", "'"))
    stem = word.removesuffix("'s").removesuffix("'") if possessive else word.removesuffix("s")
    if stem == word or not stem.strip("'"):
        return None
    phones = lookup(stem) or (_spelled(stem, stem.endswith("e")) if possessive else None)
    if phones is None:
        return None
    last = phones.split()[-1]
    return phones + (" IH Z" if last in _SIBILANT else " S" if last in _VOICELESS else " Z")


def _compound(word: str, lookup: Lookup) -> str | None:
    for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
        left, right = lookup(word[:cut]), lookup(word[cut:])
        if left and right:
            return f"{left} {right}"
    return None


def _spelled(word: str, silent_e: bool) -> str:
    """By rule; `silent_e` says that the word ends in a plain e, which is silent after a consonant."""
    letters = word.replace("'", "")
    if not _VOWELS & set(letters):
        return " ".join(_LETTER_NAMES[c] for c in letters)
    if silent_e and len(letters) > 3 and letters[-2] not in _VOWELS:
        letters = letters[:-1]
    phones: list[str] = []
    at = 0
    while at < len(letters):
        size = next(n for n in range(_LONGEST, 0, -1) if letters[at : at + n] in _SPELLINGS)
        sound = _SPELLINGS[letters[at : at + size]].split()
        phones += sound[1:] if phones and phones[-1] == sound[0] else sound  # a double letter sounds once
        at += min(size, len(letters) - at)
    return " ".join(phones)
