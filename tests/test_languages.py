"""Language tags: which are known, and their canonical form."""

from __future__ import annotations

import pytest

from dubgate.languages import canonical, primary, same_language


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("EN-us", "en-US"), ("ger", "de"), ("eng", "en"), ("iw", "he"), ("en_GB", "en-GB"), ("es-419", "es-419"),
     ("sr-latn", "sr-Latn"), ("zh-Hant-tw", "zh-Hant-TW"), ("yue", "yue")],
)  # fmt: skip
def test_known_tags_take_their_canonical_form(tag: str, expected: str) -> None:
    assert canonical(tag) == expected


@pytest.mark.parametrize(
    "tag", ["", "xx", "und", "mul", "zxx", "qaa", "x-foo", "english", "de-XX", "d", "en--US", "e n"]
)
def test_what_names_no_known_language_is_refused(tag: str) -> None:
    with pytest.raises(ValueError):
        canonical(tag)


def test_a_region_does_not_make_another_language() -> None:
    assert primary("pt-BR") == "pt"
    assert same_language("pt-BR", "por")
    assert not same_language("pt", "es")
