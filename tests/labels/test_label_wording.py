"""Which texts a viewer reads as "AI", and which only seem so."""

from __future__ import annotations

import pytest

from dubgate.labels.wording import is_ai_label, unreadable_reason


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English [AI beta]", "en"),
        ("Deutsch (KI)", "de"),
        ("Français – voix IA", "fr-CA"),
        ("日本語（AI音声）", "ja"),
        ("中文 人工智能配音", "zh"),
        ("ＡＩ dub", "en"),
    ],
)
def test_these_are_labels(text: str, language: str) -> None:
    assert is_ai_label(text, language)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English", "en"),
        ("English [Al beta]", "en"),  # lower-case L
        ("English [A\u200bI]", "en"),  # a zero-width space inside
        ("English [\u202eIA]", "en"),  # right-to-left override
        ("English [\u0410I]", "en"),  # Cyrillic A
        ("Said the MAID", "en"),
        ("Deutsch (IA)", "de"),
        ("KI", "en"),
        ("", "en"),
    ],
)
def test_these_are_not(text: str, language: str) -> None:
    assert not is_ai_label(text, language)


def test_a_text_with_hidden_characters_says_why_it_cannot_be_read() -> None:
    assert "U+200B" in str(unreadable_reason("A\u200bI"))
    assert unreadable_reason("English [AI beta]") is None
