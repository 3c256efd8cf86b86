"""Which texts a viewer reads as "AI", and which only seem so."""

from __future__ import annotations

import pytest
from label_files import LABEL

from dubgate.labels.wording import claims_people, denies_ai, is_ai_label, unreadable_reason


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English [AI beta]", "en"),
        ("Deutsch (KI)", "de"),
        ("Deutsch (KI)", "deu"),
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


@pytest.mark.parametrize(
    "text",
    [
        "English [no AI]",
        "English (NOT AI)",
        "non-AI dub",
        "AI-free",
        "without AI",
        "Deutsch (ohne KI)",
        "kein KI-Dub",
        "Français [sans IA]",
        "Español sin IA",
        "Italiano senza IA",
        "日本語 AI不使用",
        "日本語（AIではない）",
        "非AI配音",
        "无人工智能",
        "비 AI 더빙",
    ],
)
def test_a_name_that_denies_ai_is_no_label(text: str) -> None:
    assert denies_ai(text)
    assert claims_people(text)
    assert not any(is_ai_label(text, language) for language in (None, "de", "fr", "es", "ja", "zh", "ko"))


@pytest.mark.parametrize(
    "text", ["Dr. No [AI]", "English [AI]", "AI dub, no subtitles", "Nina [AI]", "Free AI", "大AI"]
)
def test_a_name_that_only_has_such_words_is_a_label_still(text: str) -> None:
    assert not denies_ai(text)
    assert is_ai_label(text, None)


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("Human", True),
        ("English (human voices)", True),
        ("Voix humaine", True),
        ("真人配音", True),
        ("肉声", True),
        ("Real actors", True),
        ("Human and AI voices", False),
        ("Humanoid", False),
        ("English", False),
        (LABEL, False),
    ],
)
def test_a_name_claims_people_where_it_says_so_and_names_no_ai(text: str, claims: bool) -> None:
    assert claims_people(text) is claims
