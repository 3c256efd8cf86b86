"""Every page answers for every role, in both languages, with security headers, and shows only what concerns its visitor."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from world import ORIGIN, World, make_world

from consent.errors import StoreError
from consent.web import accounts
from consent.web.settings import DeskSettings
from consent.web.watching import watch

PAGES = {
    "hana": ["/", "/requests", "/requests?all=1", "/requests/rq-1", "/titles", "/titles/moon", "/refusals", "/reports",
             "/security", "/checkpoint"],
    "ada": ["/", "/requests", "/voices", "/voices/v-ada", "/grants/g-ada", "/grants/g-ada/suspend",
            "/grants/g-ada/withdraw", "/refusals", "/reports", "/record.json"],
    "rev-a": ["/", "/deliveries", "/deliveries?all=1", "/deliveries/d-1", "/deliveries/d-1/lines",
              "/deliveries/d-1/timeline.json", "/deliveries/d-1/picture.svg?start=0&end=2", "/deliveries/d-1/sound/dub"],
    "polyglot": ["/", "/deliveries", "/deliveries/d-1", "/returned/d-1", "/returned/d-1/notes.csv",
                 "/returned/d-1/markers.txt", "/requests"],
    "op-1": ["/", "/accounts", "/security"],
}  # fmt: skip


@pytest.mark.parametrize("party", PAGES)
def test_every_page_answers_in_both_languages(world: World, party: str) -> None:
    visit = world.visit(party)
    for language in ("en", "ja"):
        assert visit.client.post("/language", data={"language": language, "next": "/"}).status_code == 303
        world.visit(party)
        for path in PAGES[party]:
            answer = visit.client.get(path)
            assert answer.status_code == 200, (path, answer.text[-1500:])
            if answer.headers["content-type"].startswith("text/html") and "/lines" not in path:
                assert f'<html lang="{language}">' in answer.text


def test_findings_are_told_in_the_readers_language_and_english_is_marked_where_there_is_no_other(world: World) -> None:
    """A pack from outside may say what to do in English alone."""
    visit = world.visit("rev-a")
    english = visit.get("/deliveries/d-1")
    assert "<strong>Why:</strong> One character, one voice.</p>" in english
    assert "3 lines (at most 0)" in english
    assert 'lang="en"' not in english.split("<main", 1)[1].split("<footer")[0]
    visit.client.post("/language", data={"language": "ja", "next": "/"})
    world.visit("rev-a")
    japanese = visit.get("/deliveries/d-1")
    assert "<strong>理由:</strong> 一人の登場人物に一つの声。</p>" in japanese
    assert "3行 (0以下)" in japanese
    assert "One character, one voice." not in japanese
    assert '<span lang="en">Record the lines again.</span>' in japanese


def test_a_form_that_was_not_taken_leads_back_to_its_own_page_and_to_no_other_site(world: World) -> None:
    visit = world.visit("ada")
    form = visit.hidden(visit.get("/refusals")) | {"words": "Never."}
    for referer, back in (
        (f"{ORIGIN}/refusals", 'href="/refusals">Back to the page before'),
        ("https://evil.example/refusals", ""),
        (f"{ORIGIN}//evil.example/x", ""),
        (f"{ORIGIN}.evil.example/x", ""),
    ):
        answer = visit.client.post("/refusals", data=form, headers={"referer": referer})
        assert answer.status_code == 409
        assert ("Back to the page before" in answer.text) is bool(back)
        assert back in answer.text
        assert "evil" not in answer.text


def test_a_mounted_desk_keeps_its_links_cookies_and_ways_below_its_path(tmp_path: Path) -> None:
    from fastapi import FastAPI

    world = make_world(tmp_path, path="/desk")
    outer = FastAPI()
    outer.mount("/desk", world.app)
    world.app = outer.routes[-1].app  # type: ignore[attr-defined]
    account = accounts.add_account(world.desk, "hana", "hana@example.org")
    link = accounts.send_link(world.desk, account, "sign_in").removeprefix(ORIGIN)
    assert link.startswith("/desk/sign-in/link/")
    client = TestClient(outer, base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False)
    answer = client.post(link)
    assert answer.headers["location"] == "/desk/security"
    assert "Path=/desk" in answer.headers["set-cookie"]
    page = client.get("/desk/requests").text
    assert 'href="/desk/static/desk.css"' in page
    assert 'href="/desk/requests" aria-current="page"' in page
    assert client.get("/desk/static/desk.js").status_code == 200
    assert client.get("/desk/titles/none").status_code == 404
    assert "content-security-policy" not in client.get("/elsewhere").headers
    world.desk.tables.close()
    world.registry.close()


def test_the_desk_refuses_to_be_reached_over_plain_http(tmp_path: Path) -> None:
    for origin in ("http://desk.example.org", "ftp://x", "https://desk.example.org/path", "desk.example.org"):
        with pytest.raises(StoreError):
            DeskSettings(origin=origin, tables="x", outbox=tmp_path)
    assert not DeskSettings(origin="http://localhost:8137", tables="x", outbox=tmp_path).secure


@pytest.mark.parametrize("form", ["pdf", "csv", "json"])
def test_a_report_comes_as_a_file_with_its_proofs(world: World, form: str) -> None:
    hana = world.visit("hana")
    hana.sign(hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve"))
    world.later(seconds=1)
    answer = hana.client.get(f"/reports/report.{form}")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    if form == "pdf":
        from pypdf import PdfReader

        said = "\n".join(p.extract_text() for p in PdfReader(io.BytesIO(answer.content)).pages)
        assert "Consent report" in said
        assert "Moon over Harbour" in said
    elif form == "json":
        data = answer.json()
        assert data["approvals"][0]["proof"]["inclusion"]
        assert data["checkpoint"] == world.registry.head().body()
    else:
        assert answer.text.startswith("release_id,")
    assert hana.client.get("/reports/report.exe").status_code == 404


def test_a_report_in_japanese_prints_its_own_letters(world: World) -> None:
    hana = world.visit("hana")
    accounts.set_language(world.desk, hana.account.account_id, "ja")
    from pypdf import PdfReader

    pages = PdfReader(io.BytesIO(hana.client.get("/reports/report.pdf").content)).pages
    assert "同意の報告書" in pages[0].extract_text()


def test_a_desk_without_a_gate_has_approvals_voices_and_reports_only(tmp_path: Path) -> None:
    world = make_world(tmp_path, gate=False)
    hana, review = world.visit("hana"), world.visit("rev-a")
    assert "named by digest only" in hana.get("/requests/rq-1")
    assert hana.sign(hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")).status_code == 303
    assert "runs without a gate" in review.get("/deliveries")
    review.get("/deliveries/d-1", 404)
    assert watch(world.desk) >= 0
    world.desk.tables.close()
    world.registry.close()


def test_the_desk_and_the_gate_behind_it_load_no_model_library() -> None:
    code = "import sys, consent.web.app, dubgate.service.desk_judge, dubgate.service.demo; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {m.split(".")[0] for m in out} & {"torch", "torchaudio", "numba", "librosa", "av", "onnxruntime"}
    web = subprocess.run(
        [sys.executable, "-c", "import sys, consent.web.app; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert not {m.split(".")[0] for m in web} & {"dubgate", "numpy", "torch"}
