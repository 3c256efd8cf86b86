"""Which fields of a manifest name files, told by its model: nothing that could name one is passed over in silence."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from dubgate.delivery.manifest_fields import RelativePath
from dubgate.delivery.manifest_paths import EACH, path_fields, paths_named


class Inner(BaseModel):
    card: Annotated[RelativePath, Field(title="deep inside")] | None = None
    name: str = ""


class Outer(BaseModel):
    each: tuple[Inner | RelativePath, ...] = ()
    one: Inner | None = Field(None, alias="uno")
    numbers: dict[str, int] = {}


class Mapped(BaseModel):
    by_language: dict[str, RelativePath] = {}


class Odd(BaseModel):
    some: set[RelativePath] = set()


def test_a_path_is_found_in_models_lists_unions_and_behind_other_names() -> None:
    assert path_fields(Outer) == {("each", EACH), ("each", EACH, "card"), ("uno", "card")}


@pytest.mark.parametrize("model", [Mapped, Odd])
def test_a_type_that_is_not_walked_is_an_error_and_not_silence(model: type[BaseModel]) -> None:
    with pytest.raises(TypeError, match="not known"):
        path_fields(model)


def test_the_manifests_paths_are_these() -> None:
    """Written out once, so that a walk that finds nothing is no walk."""
    tracks = {(t, p, *rest) for t in ("original", "dub") for p in ("mix", "stem", "me") for rest in ((), ("path",))}
    record = {("production", k, EACH, "path") for k in ("prompts", "references", "settings", "logs", "watermarks")}
    signed = ("approvals", "waivers", "attestations", "human_performance", "sign_offs")
    single = {("extends",), ("package",), ("cues",), ("credits", "card"), ("intake", "path")}
    assert path_fields() == tracks | record | {("evidence", k, EACH) for k in signed} | single


def test_only_what_stands_where_a_path_belongs_is_one() -> None:
    document = {
        "dub": {"mix": {"path": "a"}, "language": "en"},
        "cast": [{"path": "b"}],
        "credits": {"card": "c"},
        "path": "d",
    }
    assert list(paths_named(document)) == ["a", "c"]
    assert list(paths_named("a")) == list(paths_named(None)) == []
