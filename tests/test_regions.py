"""Territories against the CLDR data that language_data carries, and the laws of containment."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from defusedxml import ElementTree
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.regions import COUNTRIES, EU, countries, covers, expand

# Parts of countries that CLDR lists beside ISO 3166-1, its own group for what lies in no region, and its unions.
NOT_ISO = {"EA", "IC", "AC", "CP", "CQ", "DG", "TA"}
codes = st.sampled_from([*COUNTRIES, "001", "150", "419", "202", "EU"])


def cldr() -> dict[str, set[str]]:
    spec = importlib.util.find_spec("language_data")
    if spec is None or spec.origin is None:
        pytest.skip("language_data (CLDR containment) is not installed")
    path = Path(spec.origin).parent / "data" / "supplementalData.xml"
    contains: dict[str, set[str]] = {}
    for group in ElementTree.parse(path).iterfind("territoryContainment/group"):
        if group.get("status") is None:
            contains.setdefault(group.get("type"), set()).update(group.get("contains").split())
    return contains


def test_every_group_holds_the_countries_that_cldr_gives_it() -> None:
    contains = cldr()

    def leaves(code: str) -> set[str]:
        return set().union(*(leaves(m) for m in contains[code])) if code in contains else {code}

    groups = [group for group in contains if group.isdigit() or group == "EU"]
    assert len(groups) > 25
    for group in groups:
        assert countries(group) == leaves(group) - NOT_ISO, group


def test_the_world_is_the_249_countries_of_iso_3166_1_and_kosovo() -> None:
    assert len(COUNTRIES) == 250
    assert set(expand(["001"])) == set(COUNTRIES)
    assert "XK" in COUNTRIES


def test_the_union_has_27_members_and_norway_is_not_one() -> None:
    assert len(EU) == 27
    assert "NO" in countries("150")
    assert "NO" not in EU
    assert "GB" not in EU


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("UK", "'GB'"),
        ("no", "'NO'"),
        ("LATAM", "'419'"),
        ("US-CA", "name the country"),
        ("XX", ""),
        ("", ""),
        ("01", ""),
    ],
)
def test_an_unknown_code_is_refused_with_the_one_that_may_be_meant(code: str, meant: str) -> None:
    with pytest.raises(ValueError, match="is not a country") as caught:
        countries(code)
    assert meant in str(caught.value)


@settings(deadline=None)
@given(st.lists(codes, min_size=1, max_size=4), st.lists(codes, min_size=1, max_size=4))
def test_covering_is_containment_of_the_expanded_countries(outer: list[str], inner: list[str]) -> None:
    assert covers(outer, inner) == (set(expand(inner)) <= set(expand(outer)))
    assert covers([*outer, *inner], inner)


def test_an_empty_list_covers_nothing_and_is_covered_by_nothing() -> None:
    assert not covers([], ["FR"])
    assert not covers(["001"], [])
