"""The API's description for people, and what its first wrong requests are told to do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from made_service import Api, House

from dubgate.certificate.refusals import Refused
from dubgate.service.docs_example import example_of
from dubgate.service.docs_page import docs_page
from dubgate.service.problems import anchor_of


@pytest.fixture
def api(released_house: House, tmp_path: Path) -> Iterator[Api]:
    with released_house.copied(tmp_path / "released").api() as opened:
        yield opened


def every(kind: type[Refused]) -> Iterator[type[Refused]]:
    for below in kind.__subclasses__():
        yield below
        yield from every(below)


def test_the_page_has_every_operation_with_an_example_and_every_reason_and_fetches_nothing(api: Api) -> None:
    answer = api.client.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    page, described = answer.text, api.client.get("/openapi.json").json()
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)
    for path, operations in described["paths"].items():
        for verb in operations:
            assert page.count(f"<section id={anchor_of(verb, path)}>") == 1
            assert page.count(f"href=#{anchor_of(verb, path)}>") == 1
    named = {c.reason for c in every(Refused) if c.__module__ == "dubgate.certificate.refusals"}
    assert len(named) > 30
    assert all(f"<code>{reason}</code>" in page for reason in named)
    shown = "\n".join(unescape(code) for code in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL))
    assert """-d '{"path": "/srv/deliveries/polyglot/ep03/delivery.yaml"}'""" in shown
    assert """# or: -d '{"upload": "up-""" in shown
    assert "may-publish?digest=9f86d081" in shown


def test_what_a_description_says_is_text_and_no_markup() -> None:
    bad = "</pre><script>alert(1)</script>"
    operation = {"summary": bad, "description": bad, "parameters": [{"name": bad, "in": "query", "required": True, "description": bad, "schema": {"enum": [bad]}}]}  # fmt: skip
    page = docs_page({"info": {"title": bad, "version": bad, "description": bad}, "paths": {f"/{bad}": {"get": operation}}})  # fmt: skip
    assert "<script" not in page


def test_an_example_is_of_the_form_that_the_schema_wants() -> None:
    parts = {"Link": {"type": "object", "properties": {"to": {"type": "string", "examples": ["/v1"]}}}}
    schema = {
        "type": "object",
        "properties": {
            "at": {"type": "string", "format": "date-time"},
            "links": {"type": "array", "items": {"$ref": "#/components/schemas/Link"}},
            "error": {"anyOf": [{"$ref": "#/components/schemas/Link"}, {"type": "null"}]},
            "kind": {"type": "string", "enum": ["check", "renew"]},
            "named": {"anyOf": [{"type": "string", "enum": ["x"]}, {"type": "null"}]},
            "publish": {"const": False},
        },
    }
    made = example_of(schema, parts)
    assert made == {
        "at": "2026-11-28T12:00:00Z", "links": [{"to": "/v1"}], "error": None, "kind": "check", "named": "x", "publish": False,
    }  # fmt: skip
    json.dumps(made)
    looped = {"Me": {"type": "object", "properties": {"me": {"$ref": "#/components/schemas/Me"}}}}
    json.dumps(example_of({"$ref": "#/components/schemas/Me"}, looped))


def test_the_first_wrong_requests_say_what_to_do(api: Api) -> None:
    client, vendor = api.client, api.vendor
    assert "/docs" in client.get("/").json()["remedy"]
    assert "dubgate tokens new" in client.get("/v1/jobs").json()["remedy"]
    wrong = client.post("/v1/deliveries", headers=vendor, json={"manifest": "delivery.yaml"}).json()
    assert wrong["remedy"].endswith("/docs#post-v1-deliveries")
    assert wrong["detail"] == "body.ByPath.path: it is missing"
    assert {"where": "body.ByPath.manifest", "what": "there is no such field here"} in wrong["errors"]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"digest": "abc"}, "sha256sum FILE"),
        ({"channel": "svood"}, "known are theatrical, svod"),
        ({"at": "tomorrow"}, "at is `now`"),
        ({"territory": "Germany"}, "ISO 3166-1"),
        ({"language": "german"}, "BCP 47"),
        ({"more": "x"}, "and nothing else: digest, territory"),
    ],
)
def test_a_question_that_is_off_says_which_part_is(changed: dict[str, str], says: str, api: Api) -> None:
    asked = {"digest": "0" * 64, "territory": "DE", "channel": "svod", "language": "de", "at": "now"} | changed
    answer = api.client.get("/v1/may-publish", params=asked, headers=api.vendor)
    assert answer.status_code in (403, 422)
    assert answer.json()["publish"] is False
    assert says in answer.json()["detail"]
