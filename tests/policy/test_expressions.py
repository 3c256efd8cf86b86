"""The language of conditions: what loads is total, reads only known facts, and is true of no empty list."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.policy.expression_types import check_condition
from dubgate.policy.expressions import MAX_CHARACTERS, ExpressionError, parse

EU = "delivery.synthetic && distribution.territories.exists(t, t in regions.eu)"
LABEL = "label.tracks.size() > 0 && label.tracks.all(t, t.human_readable)"


def test_every_fact_that_a_condition_reads_is_known_by_its_path() -> None:
    assert check_condition(EU).reads == {"delivery.synthetic", "distribution.territories", "regions.eu"}
    assert check_condition(LABEL).reads == {"label.tracks", "label.tracks[].human_readable"}


def test_a_fact_behind_an_absorbing_or_is_read_too() -> None:
    reads = check_condition("delivery.synthetic || label.planned || record.tools.exists(t, t.name == 'x')").reads
    assert reads == {"delivery.synthetic", "label.planned", "record.tools", "record.tools[].name"}


@pytest.mark.parametrize("word", ["null", "if", "while", "package"])
def test_a_word_that_cel_keeps_for_itself_is_no_name(word: str) -> None:
    for source in (word, f"{word} == {word}", f"delivery.{word}", f"cast.exists({word}, true)"):
        with pytest.raises(ExpressionError):
            parse(source)


def test_a_condition_may_have_2_000_characters_and_not_one_more() -> None:
    longest = "delivery.synthetic".ljust(MAX_CHARACTERS)
    assert check_condition(longest).reads == {"delivery.synthetic"}
    with pytest.raises(ExpressionError, match="longer than 2,000"):
        parse(longest + " ")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("label.tracks.all(t, t.human_readable)", "size() > 0"),
        ("label.tracks.size() >= 0 && label.tracks.all(t, t.human_readable)", "size() > 0"),
        ("label.tracks.size() < 9 && label.tracks.all(t, t.human_readable)", "size() > 0"),
        ("label.tracks.size() > 0 || label.tracks.all(t, t.human_readable)", "size() > 0"),
        ("cast.size() > 0 && label.tracks.all(t, t.human_readable)", "size() > 0"),
        ("!label.tracks.exists(t, !t.human_readable)", "size() > 0"),
        ("!label.tracks.exists_one(t, !t.human_readable)", "size() > 0"),
        ("!(label.tracks.size() > 0 && label.tracks.exists(t, !t.human_readable))", "size() > 0"),
        ("label.tracks.exists(t, !t.human_readable) == false", "size() > 0"),
        ("label.tracks.exists(t, !t.human_readable) ? delivery.synthetic : true", "size() > 0"),
        ("cast.size() > 0 && cast.all(c, label.tracks.all(t, t.human_readable))", "size() > 0"),
        ("has(delivery.synthetic)", "has()"),
        ("delivery.nothing || true", "delivery.nothing"),
        ("true || delivery.nothing", "delivery.nothing"),
        ("nothing", "nothing"),
        ("delivery", "delivery"),
        ("label.tracks.exists(t, t.nothing)", "nothing"),
        ("label.tracks.exists(t, x)", "x"),
        ("label.tracks.exists(delivery, delivery.human_readable)", "taken"),
        ("cast.exists(c, label.tracks.exists(c, c.human_readable))", "taken"),
        ("delivery.synthetic.exists(t, true)", "runs over a list"),
        ("label.tracks.exists(1, 1 == 1)", "names its variable first"),
        ("label.tracks.exists(true, 1 == 1)", "names its variable first"),
        ("delivery.synthetic || 1 / 0 > 0", "'/'"),
        ("delivery.synthetic || 1 + 1 > 0", "'+'"),
        ("label.tracks[0].human_readable", "'['"),
        ("delivery.style.matches('.*')", "matches()"),
        ("label.tracks.map(t, t.human_readable)", "map()"),
        ("label.tracks.filter(t, t.human_readable).size() > 0", "filter()"),
        ("int(delivery.style) > 0", "int()"),
        ("{'a': delivery.synthetic}", "'{'"),
        ("delivery.style", "true or false"),
        ("delivery.style == 1", "compare"),
        ("delivery.style < 'x'", "compare"),
        ("delivery.synthetic && delivery.style", "&&"),
        ("!delivery.style", "!"),
        ("delivery.style in label.tracks", "'in'"),
        ("delivery.synthetic in ['a']", "'in'"),
        ("label.tracks == label.tracks", "compare"),
        ("delivery.style == 'a' == true", "chain"),
        ("delivery.style in ['a', 1]", "one type"),
        ("delivery.style in []", "']'"),
        ("delivery.synthetic ? 'a' : true", "one type"),
        ("true", "reads no fact"),
        ("regions.eu.exists(t, t == 'DE')", "reads no fact"),
        ("'a\\n' == delivery.style", "'"),
        ("delivery.style == null", "null"),
        ("delivery.if", "'.'"),
        ("delivery.synthetic delivery.synthetic", "delivery"),
        ("", "the end"),
        ("distribution.territories.size() > 99999999999999999", "too large"),
    ],
)
def test_what_is_not_in_the_language_does_not_load(source: str, why: str) -> None:
    with pytest.raises(ExpressionError) as refusal:
        check_condition(source)
    assert why in str(refusal.value).replace("must read a fact", "reads no fact")


@pytest.mark.parametrize(
    "source",
    [
        EU,
        LABEL,
        "size(label.tracks) >= 1 && !label.tracks.exists(t, !t.human_readable)",
        "!(label.tracks.size() == 0 || label.tracks.exists(t, !t.human_readable))",
        "0 < label.tracks.size() && label.tracks.all(t, t.name.contains('AI') || t.machine_readable)",
        "label.tracks.size() > 0 ? label.tracks.all(t, t.human_readable) : false",
        "label.tracks.exists(t, t.human_readable) && label.tracks.all(t, t.human_readable)",
        "['svod', 'avod'].all(c, c in distribution.channels)",
        "delivery.style.startsWith('lip') && delivery.language.endsWith(\"x\") || delivery.style == 'it\\'s'",
        "record.tools.exists_one(t, t.vendor != '') && (delivery.synthetic ? label.planned : true)",
        "!!delivery.synthetic && -1 < record.tools.size()",
    ],
)
def test_what_conditions_are_made_for_loads(source: str) -> None:
    assert check_condition(source).reads


@pytest.mark.parametrize(
    "source",
    [
        "cast.exists(a, label.tracks.exists(b, record.tools.exists(c, c.name == b.name)))",
        "(" * 100_000 + "delivery.synthetic" + ")" * 100_000,
        "(" * 900 + "delivery.synthetic" + ")" * 900,
        "[" * 1900,
        "!" * 1990 + "x",
        "||".join(["delivery.synthetic"] * 20_000),
        "||".join(["cast"] * 330),
        " " * (MAX_CHARACTERS + 1),
        "a." * 999 + "b",
        "true?" * 390 + "true" + ":true" * 8,
    ],
)
@pytest.mark.timeout(60)
def test_a_hostile_expression_is_refused(source: str) -> None:
    with pytest.raises(ExpressionError):
        check_condition(source)


@given(st.text(max_size=60) | st.text("abct.()[]!&|<>=?:, '\"1xsize" + "\\", max_size=60))
def test_any_text_parses_or_is_refused(source: str) -> None:
    with contextlib.suppress(ExpressionError):
        parse(source)


def test_loops_beside_one_another_are_not_inside_one_another() -> None:
    one = "cast.exists(c, c.synthetic)"
    assert check_condition(" && ".join([one] * 5)).reads == {"cast", "cast[].synthetic"}
