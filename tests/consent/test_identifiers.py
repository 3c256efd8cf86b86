"""Check digits, language containment and territories, against published numbers, a second computation and CLDR."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from consent.ids import eidr, identifier, ipi, isan, isni, mod_11_2, mod_37_36
from consent.languages import canonical, covers
from consent.regions import _MEMBERS, countries, expand


@pytest.mark.parametrize(
    ("check", "given_as", "canonical_form"),
    [
        (eidr, "10.5240/7791-8534-2C23-9030-8610-5", "10.5240/7791-8534-2C23-9030-8610-5"),
        (eidr, "urn:eidr:10.5240:7791-8534-2c23-9030-8610-5", "10.5240/7791-8534-2C23-9030-8610-5"),
        (eidr, "10.5237/C9F6-F41F", "10.5237/C9F6-F41F"),
        (isan, "0000-0000-D07A-0090-Q-0000-0000-X", "0000-0000-D07A-0090-Q-0000-0000-X"),
        (isan, "ISAN 0000-0000-D07A-0090-Q", "0000-0000-D07A-0090-Q"),
        (isni, "0000 0001 2103 2683", "0000000121032683"),
        (isni, "0000-0002-1825-0097", "0000000218250097"),
        (isni, "0000-0002-1694-233X", "000000021694233X"),
        (ipi, "00014107338", "00014107338"),
    ],
)
def test_published_identifiers_are_accepted_in_one_form(check: object, given_as: str, canonical_form: str) -> None:
    assert callable(check)
    assert check(given_as) == canonical_form
    assert check(canonical_form) == canonical_form


def test_a_version_of_a_work_is_hexadecimal_even_where_its_check_is_right() -> None:
    root, version = "00000000D07A0090", "ZZZZZZZZ"
    with pytest.raises(ValueError, match="8 hexadecimal digits"):
        isan(f"{root}{mod_37_36(root)}{version}{mod_37_36(root + version)}")


def test_an_ipi_number_is_written_in_plain_digits() -> None:
    arabic = "".join(chr(0x660 + int(digit)) for digit in "000141073")
    with pytest.raises(ValueError, match="not an IPI"):
        ipi(f"{arabic}38")


@pytest.mark.parametrize(
    ("check", "text"),
    [
        (eidr, "10.5240/7791-8534-2C23-9030-8610-6"),
        (eidr, "10.5240/7791-8534-2C23-9030-8610"),
        (eidr, "10.5241/7791-8534-2C23-9030-8610-5"),
        (eidr, "10.5237/C9F6-F41F-1"),
        (eidr, "10.5240/7791-8534-2C23-9030-8610-5\n1"),
        (isan, "0000-0000-D07A-0090-R"),
        (isan, "0000-0000-D07A-0090-Q-0000-0001-X"),
        (isan, "0000-0000-D07A-0090-Q-0000-0000-Y"),
        (isan, "0000-0000-D07A-009G-Q"),
        (isan, "0000-0000-D07A-0090-Q-00"),
        (isni, "0000 0001 2103 2684"),
        (isni, "0000 0001 2103 268"),
        (ipi, "00014107339"),
        (ipi, "14107338"),
        (identifier, "isbn:9783161484100"),
        (identifier, "10.5240/7791-8534-2C23-9030-8610-5"),
        (identifier, "internal:two words"),
        (identifier, "eidr:"),
    ],
)
def test_a_wrong_identifier_is_refused(check: object, text: str) -> None:
    assert callable(check)
    with pytest.raises(ValueError):
        check(text)


@given(st.text("0123456789ABCDEF", min_size=20, max_size=20), st.integers(0, 19), st.sampled_from("0123456789ABCDEF"))
def test_one_wrong_digit_of_an_eidr_never_passes(digits: str, place: int, digit: str) -> None:
    def written(text: str, check: str) -> str:
        return "10.5240/" + "-".join(text[i : i + 4] for i in range(0, 20, 4)) + "-" + check

    check = mod_37_36(digits)
    assert eidr(written(digits, check)) == written(digits, check)
    changed = digits[:place] + digit + digits[place + 1 :]
    if changed != digits:
        with pytest.raises(ValueError, match="check digit"):
            eidr(written(changed, check))


@given(st.text("0123456789", min_size=15, max_size=15))
def test_the_isni_check_makes_the_weighted_sum_one_modulo_eleven(digits: str) -> None:
    """The definition of ISO 7064 pure systems: the sum of digit times 2**position is 1 modulo 11."""
    check = mod_11_2(digits)
    values = [int(d) for d in digits] + [10 if check == "X" else int(check)]
    assert sum(v * 2**p for p, v in enumerate(reversed(values))) % 11 == 1


@given(st.text("0123456789", min_size=9, max_size=9))
def test_an_ipi_number_has_exactly_one_check(digits: str) -> None:
    accepted = []
    for check in range(100):
        try:
            accepted.append(ipi(f"{digits}{check:02d}"))
        except ValueError:
            continue
    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("granted", "used", "covered"),
    [
        ("es-419", "es-MX", True),
        ("es-419", "es-419", True),
        ("es-419", "es-ES", False),
        ("es-419", "es", False),
        ("es-MX", "es-419", False),
        ("fr", "fr-CA", True),
        ("fr", "fr", True),
        ("fr-FR", "fr-CA", False),
        ("fr-FR", "fr", False),
        ("fr-FR", "fr-FR", True),
        ("fr", "de", False),
        ("en-150", "en-IE", True),
        ("en-150", "en-US", False),
        ("zh", "zh-Hant-TW", True),
        ("zh-Hant", "zh-Hant-TW", True),
        ("zh-Hant", "zh-Hans-CN", False),
        ("zh-Hant", "zh-TW", False),
        ("zh", "yue", False),
        ("ca", "ca-valencia", True),
        ("ca-valencia", "ca", False),
        ("pt-BR", "pt-PT", False),
    ],
)
def test_a_granted_language_covers_exactly_what_it_contains(granted: str, used: str, covered: bool) -> None:
    assert covers(canonical(granted), canonical(used)) is covered
    assert covers(granted, used, subtags=False) is (granted == used)


@pytest.mark.parametrize(
    "text",
    ["", "english", "xx", "xx-QQ", "und", "mul", "qaa", "x-secret", "en-u-co-phonebk", "en US", "fr-ZZ", "a" * 40],
)
def test_what_names_no_language_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        canonical(text)


def test_tags_are_kept_in_one_form() -> None:
    assert [canonical(t) for t in ("FR-ca", "iw", "en-Latn-US", "zh-hant-tw")] == ["fr-CA", "he", "en-US", "zh-Hant-TW"]


def test_every_group_holds_the_countries_that_cldr_gives_it() -> None:
    spec = importlib.util.find_spec("language_data")
    if spec is None or spec.origin is None:
        pytest.skip("language_data (CLDR containment) is not installed")
    tree = ElementTree.parse(Path(spec.origin).parent / "data" / "supplementalData.xml")
    contains: dict[str, set[str]] = {}
    for group in tree.iterfind("territoryContainment/group"):
        if group.get("status") is None:
            contains.setdefault(group.get("type"), set()).update(group.get("contains").split())

    def leaves(code: str) -> set[str]:
        return set().union(*(leaves(m) for m in contains[code])) if code in contains else {code}

    reserved = {"EA", "IC", "AC", "CP", "CQ", "DG", "TA"}  # parts of countries that ISO 3166-1 only reserves
    for group in _MEMBERS:
        assert countries(group) == leaves(group) - reserved, group


def test_the_world_is_250_countries_and_the_union_27() -> None:
    assert len(countries("001")) == 250
    assert len(countries("EU")) == 27
    assert "DE" in countries("150")
    assert "NO" in countries("150") - countries("EU")


@pytest.mark.parametrize("code", ["UK", "no", "XX", "", "US-CA", "1", "eu"])
def test_an_unknown_territory_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="is not a country"):
        countries(code)


def test_exclusions_win() -> None:
    assert "DE" not in expand(["150", "DE"], ["DE"])
    assert expand(["FR"], ["150"]) == frozenset()
