"""The strict YAML loader: YAML 1.2 core values, positions, and everything that it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from consent.strict_yaml import MAX_DEPTH
from dubgate.errors import ManifestError
from dubgate.strict_yaml import MAX_BYTES, StrictYamlError, load_yaml, read_yaml, validate


def load(text: str) -> object:
    return load_yaml(text.encode(), "t.yaml").data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("on", "on"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("2026-01-01", "2026-01-01"),
        ("12:30:45", "12:30:45"),
        ("012", 12),
        ("0o17", 15),
        ("0xFF", 255),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("-7", -7),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("~", None),
        ("null", None),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("'true'", "true"),
        ('"12"', "12"),
        ("=", "="),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_core_says(text: str, value: object) -> None:
    got = load(f"k: {text}")
    assert got == {"k": value}
    assert type(got["k"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("a: 1\nb: 2\na: 3\n", "t.yaml:3:1", "repeated"),
        ("a:\n  b: 1\n  'b': 2\n", "t.yaml:3:3", "repeated"),
        ("a: &x 1\n", "t.yaml:1:4", "anchors"),
        ("a: *x\n", "t.yaml:1:4", "aliases"),
        ("a: !!str 1\n", "t.yaml:1:4", "tags"),
        ("a: !!python/object/apply:os.system [x]\n", "t.yaml:1:4", "tags"),
        ("a: ! 1\n", "t.yaml:1:4", "tags"),
        ("a: 1\n---\nb: 2\n", "t.yaml:2:1", "second document"),
        ("%YAML 1.1\n---\na: 1\n", "t.yaml:", "directives"),
        ("%TAG ! tag:example.com,2000:\n---\na: 1\n", "t.yaml:", "directives"),
        ("1: a\n", "t.yaml:1:1", "key must be text"),
        ("? [a]\n: 1\n", "t.yaml:1:3", "key must be text"),
        ("a: .nan\n", "t.yaml:1:4", "finite"),
        ("a: -.inf\n", "t.yaml:1:4", "finite"),
        ("a: 9223372036854775808\n", "t.yaml:1:4", "64 bits"),
        ("a: " + "9" * 5000 + "\n", "t.yaml:1:4", "64 bits"),
        ("a: 0x" + "f" * 17 + "\n", "t.yaml:1:4", "64 bits"),
        ("a: 1e999\n", "t.yaml:1:4", "finite"),
        ('a: "\\uD800"\n', "t.yaml:1:4", "surrogate"),
        ("a: [1, 2\n", "t.yaml:2:1", "expected"),
        ("a: b: c\n", "t.yaml:1:5", "mapping values"),
        ("a: \x00\n", "t.yaml", ""),
        ("", "t.yaml:1:1", "empty"),
        ("# only a comment\n", "t.yaml:1:1", "empty"),
    ],
)
def test_what_can_hide_something_is_refused_at_its_place(text: str, place: str, word: str) -> None:
    with pytest.raises(StrictYamlError) as caught:
        load(text)
    assert str(caught.value.where).startswith(place)
    assert word in caught.value.what


def test_a_yaml_bomb_is_refused_at_its_first_anchor() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{c}: &{c} [*{p}, *{p}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(StrictYamlError, match="anchors"):
        load(bomb)


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_depth_is_limited_whatever_it_is_made_of(opening: str) -> None:
    with pytest.raises(StrictYamlError):
        load(opening * 100_000)


def test_exactly_the_allowed_depth_is_read() -> None:
    assert load("[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH)
    with pytest.raises(StrictYamlError, match="levels deep"):
        load("[" * (MAX_DEPTH + 1) + "1" + "]" * (MAX_DEPTH + 1))


def test_a_file_above_the_size_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_bytes(b"a: " + b"x" * MAX_BYTES)
    with pytest.raises(StrictYamlError, match="more than"):
        read_yaml(path)


def test_a_missing_file_is_an_input_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(StrictYamlError, match=r"absent\.yaml"):
        read_yaml(tmp_path / "absent.yaml")


def test_bytes_that_are_not_utf_8_are_refused_at_their_line() -> None:
    with pytest.raises(StrictYamlError, match="UTF-8") as caught:
        load_yaml(b"a: 1\nb: \xff\n", "t.yaml")
    assert caught.value.where == "t.yaml:2:1"


def test_every_value_knows_its_line_and_column() -> None:
    document = load_yaml(b"title: x\ncast:\n  - {name: Ann, voice: v1}\n", "t.yaml")
    assert document.where() == "t.yaml:1:1"
    assert document.where(("title",)) == "t.yaml:1:8"
    assert document.where(("title",), key=True) == "t.yaml:1:1"
    assert document.where(("cast", 0, "voice")) == "t.yaml:3:24"
    assert document.where(("cast", 0, "missing")) == "t.yaml:3:5"
    assert document.where(("cast", 0, "SomeUnionBranch", "voice")) == "t.yaml:3:24"


class Person(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    age: int = 0
    tags: tuple[str, ...] = ()


def test_a_model_is_filled_and_lists_become_tuples() -> None:
    got = validate(Person, load_yaml(b"name: Ann\ntags: [a, b]\n", "p.yaml"))
    assert got == Person(name="Ann", tags=("a", "b"))


def test_every_problem_is_told_with_its_place_in_the_order_of_the_file() -> None:
    with pytest.raises(ManifestError) as caught:
        validate(Person, load_yaml(b"nme: Ann\nage: '3'\ntags: [1]\n", "p.yaml"), error=ManifestError)
    lines = str(caught.value).splitlines()
    assert caught.value.where == "p.yaml:1:1"
    assert any(line.strip().startswith("p.yaml:2:6: age:") for line in lines)
    assert any(line.strip().startswith("p.yaml:3:8: tags.0:") for line in lines)
    assert "unknown key 'nme'" in str(caught.value)
    assert "'name' is missing" in str(caught.value)


def test_the_strict_check_is_stricter_than_pydantic_alone() -> None:
    assert Person.model_validate({"name": "x", "age": "3"}).age == 3
    with pytest.raises(StrictYamlError):
        validate(Person, load_yaml(b"name: x\nage: '3'\n", "p.yaml"))
    with pytest.raises(ValidationError):
        Person.model_validate({"nme": "x"})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcNO ", min_size=1), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(json_values)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    got = load_yaml(json.dumps(value, ensure_ascii=False).encode(), "t.yaml").data
    assert got == value


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text("-:?[]{}#&*!|>'\"%@`a1 \n\t,~\\uxU").map(str.encode))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        value = load_yaml(data, "t.yaml").data
    except StrictYamlError:
        return
    assert not (isinstance(value, float) and not math.isfinite(value))
