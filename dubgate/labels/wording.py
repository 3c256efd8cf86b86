"""Is a track's name an AI label that a viewer can read? Exact tokens, no look-alikes, nothing invisible.

Tokens: EU Code of Practice 2026-06 (capitalised "AI"), GB 45438-2025 §5.3, and the usual words of other languages; see
shared reference consent-and-labels 2.1 to 2.3.
"""

from __future__ import annotations

import re
import unicodedata

# By language: "AI" counts everywhere; these count besides.
TOKENS: dict[str, tuple[str, ...]] = {
    "de": ("KI",),
    "fr": ("IA",),
    "es": ("IA",),
    "pt": ("IA",),
    "it": ("IA",),
    "zh": ("人工智能", "AI生成"),
    "ja": ("人工知能", "AI生成", "AI音声"),
    "ko": ("인공지능", "AI 음성"),
}
_WORD = re.compile(r"[A-Za-z]+")


def unreadable_reason(text: str) -> str | None:
    """Why a label text may not be trusted to look as it reads: invisible, bidirectional or look-alike characters."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Cc", "Co", "Cs", "Cn"):
            return f"it contains the invisible character U+{ord(character):04X}"
    scripts = {unicodedata.name(c, "?").split()[0] for c in text if c.isalpha()}
    if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"}:
        return "it mixes Latin letters with look-alikes of another alphabet"
    return None


def is_ai_label(text: str, language: str | None) -> bool:
    """Whether the text, as a viewer reads it, says that AI made this: "English [AI beta]" does, "Al dub" does not."""
    if unreadable_reason(text) is not None:
        return False
    folded = unicodedata.normalize("NFKC", text)
    primary = (language or "").split("-")[0].lower()
    words = set(_WORD.findall(folded))
    wanted = ("AI", *TOKENS.get(primary, ()))
    return any(token in words if token.isascii() and token.isalpha() else token in folded for token in wanted)
