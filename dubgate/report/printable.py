"""Text from strangers made safe to show: it cannot move a cursor, colour a terminal or reverse its reading direction."""

from __future__ import annotations

import unicodedata

_JOINERS = "\u200c\u200d"  # words of Persian and Indic scripts need them, and they move nothing
_SPACES = "\t\n\r\u2028\u2029"
_UNSHOWN = ("Cc", "Cf", "Cs", "Co", "Cn")
REPLACEMENT = "\ufffd"


def printable(text: str) -> str:
    """One line of text: line breaks and tabs become spaces, every other control or bidi character U+FFFD."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char in _SPACES:
        return " "
    hidden = char not in _JOINERS and unicodedata.category(char) in _UNSHOWN
    return REPLACEMENT if hidden else char
