"""What the registry and a gate say in English is told in Japanese on the desk: errors, and the questions of requests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_desk_pages import PAGES
from world import SOUND, World, request

from consent.requests import RequestKind, Wanted
from consent.vocabulary import Capacity, EventKind, Role
from consent.web.errors_ja import ERRORS, error_in_japanese

ROOT = Path(__file__).resolve().parents[2]
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_HOLE = re.compile(r"\{(\d)(:told)?\}")
# What a form of the desk can run into: its own modules, the registry's doors for records and events, and a gate's answers.
_DOORS = ("admission", "asking", "metering", "impartial", "writing")
RAISED = [
    *sorted((ROOT / "consent" / "web").rglob("*.py")),
    *(ROOT / "consent" / f"{name}.py" for name in _DOORS),
    *sorted((ROOT / "dubgate" / "service").glob("desk_*.py")),
]
# Whose sentence is not written at the place: a constant of the module, an error that is handed on, a text of the desk.
ELSEWHERE = {"_TAKEN", "LAST", "unkeying.LAST", "str(error)", "error.what", "what"}
# Of settings and tables, before there is a page: the operator reads them in a terminal.
_OF_THE_START = {
    "the desk's origin is scheme://host[:port]",
    "passkeys and cookies want https",
    "not a path or database URL",
    "the desk's tables lie in SQLite or PostgreSQL",
}


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return None
    holes = iter(range(len(node.values)))
    return "".join(str(p.value) if isinstance(p, ast.Constant) else f"{{{next(holes)}}}" for p in node.values)


def _errors(source: str) -> Iterator[tuple[str, str | None]]:
    kinds = {"RecordError", "SignatureError", "CannotAnswerError", "StoreError"}
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) in kinds and call.args:
            yield ast.unparse(call.args[0]), _template(call.args[0])


def test_every_error_that_a_form_can_run_into_has_japanese() -> None:
    found = [one for path in RAISED for one in _errors(path.read_text(encoding="utf-8"))]
    assert len(found) > 90
    written = {template for _, template in found if template is not None}
    assert sorted(written - set(ERRORS) - _OF_THE_START) == []
    assert {said for said, t in found if t is None and not said.startswith("text(")} == ELSEWHERE


def test_a_new_error_without_japanese_is_found() -> None:
    assert list(_errors('raise RecordError(f"{one} may not {what}", where=x)')) == [
        ("f'{one} may not {what}'", "{0} may not {1}")
    ]


def test_an_error_is_told_with_its_ids_and_its_words_in_japanese() -> None:
    for english, japanese in ERRORS.items():
        assert JAPANESE.search(japanese), english
        assert sorted(set(_HOLE.findall(english))) == sorted((k, "") for k, _ in set(_HOLE.findall(japanese))), english
        filled = (_HOLE.sub(r"xy\1zz", said) for said in (english, japanese))
        assert error_in_japanese(next(filled)) == next(filled)
    assert error_in_japanese("the request is refused, no longer open") == (
        "依頼の状態は「拒否」で、もう回答を待っていません"
    )
    assert error_in_japanese("'XX' is not a country (ISO 3166-1), a UN M49 region or EU").startswith("'XX'は国")
    assert error_in_japanese("an error from elsewhere") == "an error from elsewhere"


@pytest.mark.parametrize("words", [Role, Capacity, EventKind], ids=["roles", "capacities", "events"])
def test_every_word_that_an_error_prints_has_japanese(words: type[Role] | type[Capacity] | type[EventKind]) -> None:
    said = [error_in_japanese(f"a request is not {word}") for word in words]
    assert [s for s in said if not JAPANESE.match(s.removeprefix("依頼に「"))] == []


def _japanese(world: World, party: str) -> None:
    world.visit(party).client.post("/language", data={"language": "ja", "next": "/"})


def test_an_error_page_tells_the_registrys_error_in_the_readers_language(world: World) -> None:
    said = {"decision": "conditions", "territories": "XX"}
    english = world.visit("hana").send("/requests/rq-1/approve", "/requests/rq-1", 409, **said)
    assert "is not a country (ISO 3166-1)" in english.replace("&#39;", "'")
    _japanese(world, "hana")
    japanese = world.visit("hana").send("/requests/rq-1/approve", "/requests/rq-1", 409, **said)
    assert "XX&#39;は国（ISO 3166-1）、国連M49の地域、EUのいずれでもありません" in japanese
    assert "is not a country" not in japanese


class Words(HTMLParser):
    """The words of a page that are not marked as another language's, nor a value as machines have it."""

    _EMPTY = frozenset({"br", "img", "input", "meta", "link", "hr", "rect", "path", "line"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._apart: list[bool] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.said += [given[name] for name in ("aria-label", "alt", "title", "placeholder") if name in given]
        if tag not in self._EMPTY:
            foreign = given.get("lang", "ja") != "ja" or "mono" in given.get("class", "").split()
            self._apart.append(foreign or tag in ("script", "style", "pre", "code", "kbd"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._EMPTY and self._apart:
            self._apart.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._apart):
            self.said.append(data)


# Names that the tests' world gives to people, titles, characters and lines; and what a grant says in its own words.
_NAMES = (
    "moon over harbour tide test polyglot ada agnes berta hana rival studio outside mara line zeile script made with"
)
_OWN = "an ai dub into english of the named film from performer s own recordings netflix dubgate"


def test_no_page_leaves_english_in_japanese_but_names_ids_and_values(world: World) -> None:
    known = {*_NAMES.split(), *_OWN.split()}
    left: dict[str, set[str]] = {}
    for party, paths in PAGES.items():
        _japanese(world, party)
        for path in [*paths, "/signed", "/nothing-here"]:
            answer = world.visit(party).client.get(path)
            if "text/html" not in answer.headers["content-type"]:
                continue
            said = " ".join(re.sub(r"\([a-zA-Z_]+\)|\[[a-z]+\]|[0-9a-f]{64}", " ", s) for s in Words(answer.text).said)
            words = set(re.findall(r"(?<![\w.@-])[A-Za-z]{2,}(?![\w.@-])", said, re.ASCII))
            left[path] = {w for w in words if w.lower() not in known and not w.isupper()}
    assert {path: words for path, words in left.items() if words} == {}


def test_a_question_is_told_in_japanese_by_the_finding_that_asked_it(world: World) -> None:
    found = world.gate.last("d-1")
    assert found is not None
    line = next(f for f in found.findings if f.rule == "VOI-ONE")
    asked = f"{line.why}: {line.en}"
    wanted = tuple(
        Wanted(what=RequestKind.ATTESTATION, rule="VOI-ONE", about=about, question=question)
        for about, question in (("character:MARA", asked), ("character:JONAS", "One character, one voice.: Who is it?"))
    )
    world.registry.add(request("rq-ask", "rev-a", sound=SOUND, wanted=wanted))
    assert asked in world.visit("rev-a").get("/requests/rq-ask")
    _japanese(world, "rev-a")
    japanese = world.visit("rev-a").get("/requests/rq-ask")
    assert f"{line.why_ja}: {line.ja}" in japanese
    assert asked not in japanese
    assert '<span lang="en">One character, one voice.: Who is it?</span>' in japanese
