"""report.json: it fits its published schema, and a reader refuses what does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from made_judgement import judgement

from dubgate.errors import InputError
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.report.json import to_json
from dubgate.report.schema import from_json, read_report, schema

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install jsonschema")


def _data(**options: Any) -> dict[str, Any]:
    return json.loads(json.dumps(to_json(judgement(12, **options)), allow_nan=False))


def _refused(data: Any) -> bool:
    return not jsonschema.Draft202012Validator(schema()).is_valid(data)


@pytest.mark.parametrize("options", [{}, {"quality_only": False}, {"pitch": False}])
def test_what_is_written_fits_the_schema_and_reads_back_as_it_was(options: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    data = _data(**options)
    jsonschema.Draft202012Validator(schema()).validate(data)
    read = from_json(data)
    assert json.loads(read.model_dump_json(by_alias=True))["lines"] == data["lines"]
    assert read.model_dump(by_alias=True)["counts"] == data["counts"]


@pytest.mark.parametrize(
    "path",
    [(), ("findings", 0), ("findings", 0, "text"), ("lines", 0, "dub"), ("models", 0), ("measurements", 0), ("clock",)],
)
def test_an_unknown_field_is_refused_wherever_it_is(path: tuple[Any, ...]) -> None:
    data = _data()
    place = data
    for part in path:
        place = place[part]
    place["surprise"] = 1
    assert _refused(data)
    with pytest.raises(InputError, match="surprise"):
        from_json(data, where="r.json")


@pytest.mark.parametrize("field", ["schema", "decision", "findings", "lines", "judged_at", "release", "counts"])
def test_a_missing_field_is_refused(field: str) -> None:
    data = _data()
    del data[field]
    assert _refused(data)
    with pytest.raises(InputError):
        from_json(data)


@pytest.mark.parametrize(
    ("field", "value"), [("decision", "maybe"), ("schema", "report/1.1"), ("judged_at", "yesterday")]
)
def test_a_wrong_value_is_refused(field: str, value: str) -> None:
    with pytest.raises(InputError):
        from_json({**_data(), field: value})


def test_a_key_twice_and_a_number_that_is_none_are_refused() -> None:
    text = json.dumps(_data())
    with pytest.raises(InputError, match="twice"):
        read_report(text.replace('"title"', '"style": "lipsync", "title"', 1).encode(), where="r.json")
    with pytest.raises(InputError, match="NaN"):
        read_report(text.replace('"duration_s": ', '"duration_s": NaN, "x": ', 1).encode(), where="r.json")


def test_a_detail_that_is_not_finite_becomes_a_word() -> None:
    odd = Measurement("global_offset_s", Subject(Scope.PROGRAMME), 0.1, detail=(("ratio", float("inf")),))
    data = to_json(replace(judgement(1), measurements=(odd,)))
    assert data["measurements"][0]["detail"] == {"ratio": "inf"}


def test_no_vector_and_no_path_of_this_machine_is_written() -> None:
    text = json.dumps(_data())
    assert "vector" not in text
    assert "media/" not in text
