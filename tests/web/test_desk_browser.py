"""The whole way of each role in real Chromium, with passkeys; without a mouse; for screen readers; narrow and wide."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from chromium import Person, chromium, person, served
from test_desk_decisions import approvals, status
from world import World, request

from consent.asking import request_histories
from consent.errors import SignatureError
from consent.requests import RequestKind, Wanted
from consent.signatures import check_envelope
from consent.statement_check import Answer, check_statement
from consent.taken_home import TakenHome, read_taken_home
from consent.vocabulary import PermissionKind
from consent.web import inviting

EVERY_PAGE = {
    "hana": ["/", "/requests", "/titles", "/titles/moon", "/refusals", "/reports", "/security"],
    "ada": ["/", "/voices", "/voices/v-ada", "/grants/g-ada", "/grants/g-ada/withdraw"],
    "rev-a": ["/deliveries", "/deliveries/d-2/changes"],
    "polyglot": ["/returned/d-1"],
    "op-1": ["/accounts"],
}


GO_ON = "button:has-text('Go on to sign')"


def _waive(page: Any) -> None:
    page.fill("article:has-text('VOI-ONE') textarea", "The director wants it so.")
    page.click(f"article:has-text('VOI-ONE') {GO_ON}")
    page.wait_for_url("**/sign/**")


def _attest(page: Any) -> None:
    page.check("article:has-text('TXT-LANGUAGE') input[value=yes]")
    page.fill("article:has-text('TXT-LANGUAGE') textarea", "It is English.")
    page.click(f"article:has-text('TXT-LANGUAGE') {GO_ON}")
    page.wait_for_url("**/sign/**")


def _go_on(page: Any) -> None:
    page.click(f"main {GO_ON}")
    page.wait_for_url("**/sign/**")


def _sign(page: Any) -> None:
    page.click("form[data-passkey] button")
    page.wait_for_url("**said=**")


# Pages that only a way leads to: from where, and what is done there.
WAYS: dict[str, tuple[tuple[str, tuple[Callable[[Any], None], ...]], ...]] = {
    "hana": (
        ("/requests/rq-2", (lambda page: page.click("details summary"),)),
        ("/requests/rq-1", (_go_on,)),
        ("/requests/rq-1", (_go_on, _sign)),
        ("/nothing-here", ()),
    ),
    "ada": (("/voices/v-ada", (lambda page: page.locator("form[action$='/permit'] button").click(),)),),
    "rev-a": (
        ("/deliveries/d-1?finding=k-one", ()),
        ("/deliveries/d-1?finding=k-one", (_waive,)),
        ("/deliveries/d-1?finding=k-lang", (_attest,)),
        ("/deliveries/d-1?finding=k-one", (_waive, _sign)),
    ),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[World]:
    with served(tmp_path) as world:
        yield world


def sign(page: Any) -> None:
    page.wait_for_url("**/sign/**")
    page.click("form[data-passkey] button")
    page.wait_for_url("**said=**")


def test_a_rights_holder_approves_and_the_approval_verifies_offline(browser: Any, desk: World) -> None:
    with person(browser, desk, "hana") as hana:
        hana.go("/")
        hana.page.click("text=Moon over Harbour >> nth=0")
        hana.page.wait_for_url("**/requests/rq-*")
        request_id = hana.path.rsplit("/", 1)[-1]
        hana.page.click("text=Go on to sign")
        sign(hana.page)
        [approval] = approvals(desk)
        assert status(desk, request_id) == "answered"
        with hana.page.expect_download() as coming:
            hana.page.click("text=Download the signed statement")
        envelope = Path(coming.value.path()).read_text()
        assert hana.complaints == []
    payload = base64.b64decode(json.loads(envelope)["payload"])
    with desk.registry.view() as view:
        assert check_envelope(view, approval, envelope).key.passkey is not None
        shown = (approval.shown or ())[0]
        altered = shown.model_copy(update={"said": shown.said.replace("o", "0", 1)})
        changed = approval.model_copy(update={"shown": (altered, *(approval.shown or ())[1:])})
        bent = json.dumps(
            {**json.loads(envelope), "payload": base64.b64encode(payload.replace(b"Moon", b"M0on")).decode()}
        )
        for record, said in ((changed, envelope), (changed, bent), (approval, bent)):
            with pytest.raises(SignatureError):
                check_envelope(view, record, said)


def test_beside_a_deadline_stands_what_the_visitor_s_own_clock_shows(browser: Any, desk: World) -> None:
    with person(browser, desk, "hana", passkey=False, timezone_id="Pacific/Kiritimati") as hana:
        hana.go("/requests")
        told = hana.page.locator("time[data-own]").first
        at = datetime.fromisoformat(told.get_attribute("datetime")).astimezone(UTC)
        there = at + timedelta(hours=14)
        assert f"your clock: {there.day} {there:%b} {there.year}, {there:%H:%M})" in told.inner_text()
        assert f"{at:%H:%M} UTC" in told.inner_text()
        assert hana.complaints == []


def test_a_page_that_shows_something_else_than_is_signed_is_not_signed(browser: Any, desk: World) -> None:
    with person(browser, desk, "hana") as hana:
        hana.go("/requests/rq-1")
        hana.page.click("text=Go on to sign")
        hana.page.wait_for_url("**/sign/**")
        hana.page.evaluate("document.getElementById('statement').textContent += ' '")
        hana.page.click("form[data-passkey] button")
        hana.page.wait_for_selector("[role=alert]:not([hidden])")
        assert "is not what would be signed" in hana.page.inner_text("[role=alert]")
    assert approvals(desk) == []


def focus(page: Any, selector: str) -> None:
    """Move on with Tab alone until this has the focus."""
    for _ in range(120):
        if page.evaluate("(s) => document.activeElement.matches(s)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {selector}")


def test_the_whole_approval_works_by_keyboard_alone(browser: Any, desk: World) -> None:
    with person(browser, desk, "hana") as hana:
        page = hana.page
        hana.context.clear_cookies()
        hana.go("/requests")
        page.wait_for_url("**/sign-in?next=/requests")
        focus(page, "form[data-passkey] button")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{desk.desk.settings.origin}/requests")
        focus(page, "a[href='/requests/rq-1']")
        page.keyboard.press("Enter")
        page.wait_for_url("**/requests/rq-1")
        focus(page, "input[name=decision][value=approve]")
        page.keyboard.press("ArrowDown")
        focus(page, "details summary")
        page.keyboard.press("Enter")
        focus(page, "#territories")
        page.keyboard.type("DE, AT")
        focus(page, "form[action$='/approve'] button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/sign/**")
        focus(page, "form[data-passkey] button")
        page.keyboard.press("Enter")
        page.wait_for_url("**said=approved")
    [approval] = approvals(desk)
    assert approval.territories == ("DE", "AT")


def test_a_performer_sees_every_use_suspends_permits_and_withdraws(browser: Any, desk: World) -> None:
    with person(browser, desk, "ada") as ada:
        page = ada.page
        ada.go("/")
        page.click("text=Is this a recording of your voice")
        page.click("text=Yes, this is my voice")
        page.wait_for_url("**said=recording_confirm")
        page.locator("form[action$='/permit'] button").click()
        sign(page)
        page.click("text=g-ada")
        page.click("a:text-is('Suspend')")
        page.click("main button:text-is('Suspend')")
        page.wait_for_url("**said=grant_suspend")
        desk.later(seconds=1)
        page.click("button:text-is('Let it stand again')")
        page.wait_for_url("**said=grant_resume")
        desk.later(seconds=1)
        page.click("a:text-is('Withdraw')")
        page.check("input[name=sure]")
        page.click("main button:text-is('Withdraw')")
        page.wait_for_url("**said=grant_withdraw")
        with page.expect_download() as coming:
            ada.go("/voices")
            page.click("text=Download everything about me")
        record = json.loads(Path(coming.value.path()).read_text())
        assert ada.complaints == []
    assert record["grants"][0]["status"] == "withdrawn"
    assert record["ledger"]["checkpoint"].startswith("dubgate-registry/")
    with desk.registry.view() as view:
        assert PermissionKind.PROTECT in view.permissions("v-ada", view.now)


def test_two_reviewers_listen_answer_and_send_back(browser: Any, desk: World) -> None:
    with person(browser, desk, "rev-a") as first:
        page = first.page
        first.go("/deliveries/d-1")
        page.wait_for_selector(".line")
        assert page.locator(".line").first.get_attribute("data-line") == "c3"
        page.keyboard.press("j")
        page.wait_for_selector(".line[aria-current=true] img[src]")
        page.keyboard.press("d")
        page.wait_for_function(
            "!document.getElementById('play-dub').paused || document.getElementById('play-dub').currentTime >= 0"
        )
        page.keyboard.press("s")
        assert page.locator("#timeline rect").count() == 7
        page.click("article:has-text('VOI-ONE') summary")
        page.fill("article:has-text('VOI-ONE') textarea", "She laughs here; the director wants it so.")
        page.click("article:has-text('VOI-ONE') button:has-text('Go on to sign')")
        sign(page)
        page.click("article:has-text('TXT-LANGUAGE') summary")
        page.check("article:has-text('TXT-LANGUAGE') input[value=yes]")
        page.fill("article:has-text('TXT-LANGUAGE') textarea", "It is English.")
        page.click("article:has-text('TXT-LANGUAGE') button:has-text('Go on to sign')")
        sign(page)
        page.fill("#note-words", "Line 3 comes late.")
        page.click("text=Keep the note")
        page.wait_for_url("**said=noted")
        page.click("text=Send back with these notes")
        page.wait_for_url("**said=returned")
        assert first.complaints == []
    desk.registry.add(_asked("rev-b"))
    with person(browser, desk, "rev-b") as second:
        page = second.page
        second.go("/deliveries/d-1?finding=k-one")
        page.fill("article:has-text('VOI-ONE') textarea", "Agreed.")
        page.click("article:has-text('VOI-ONE') button:has-text('Go on to sign')")
        sign(page)
        assert "blocked" in page.inner_text(".change")
        assert "held" in page.inner_text(".change")
    with person(browser, desk, "polyglot") as vendor:
        vendor.go("/returned/d-1")
        assert "Line 3 comes late." in vendor.page.inner_text("main")


def _asked(party: str) -> Any:
    listen = Wanted(what=RequestKind.ATTESTATION, rule="VOI-ONE", about="character:MARA", question="One voice?")
    return request(f"rq-{party}", party, wanted=(listen,))


def test_an_operator_invites_and_a_passkey_signs_in_again(browser: Any, desk: World) -> None:
    with person(browser, desk, "op-1") as operator:
        page = operator.page
        operator.go("/accounts")
        page.fill("#party", "berta")
        page.fill("#email", "berta@example.org")
        page.click("text=Send the invitation")
        page.wait_for_url("**said=invited")
        page.click("text=Sign out")
        page.wait_for_url("**/sign-in**")
        page.click("text=Sign in with your passkey")
        page.wait_for_url(f"{desk.desk.settings.origin}/")
        assert operator.complaints == []
    assert any(m.startswith("berta@example.org You are invited") for m in desk.mails())


def test_no_page_has_a_serious_problem_for_assistive_technology_and_every_layout_holds(
    browser: Any, desk: World
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe").Axe()
    problems: list[str] = []
    _resubmitted(desk)
    for party, paths in EVERY_PAGE.items():
        with person(browser, desk, party) as visitor:
            for path in paths:
                visitor.go(path)
                problems += looked_at(axe, visitor)
            for path, steps in WAYS.get(party, ()):
                visitor.go(path)
                for step in steps:
                    step(visitor.page)
                problems += looked_at(axe, visitor)
            problems += [f"{party}: {c}" for c in visitor.complaints if "404" not in c and "409" not in c]
    for path in ("/sign-in", "/recover", "/recover/begun", "/checkpoint", "/sign-in/sent", "/sign-in/link/none"):
        page = browser.new_page(color_scheme="dark", viewport={"width": 360, "height": 780})
        page.goto(f"{desk.desk.settings.origin}{path}")
        problems += [f"{path} dark: {v}" for v in serious(axe, page)]
        page.close()
    assert problems == []


def looked_at(axe: Any, visitor: Any) -> list[str]:
    """What is wrong with the page that is open, for screen readers and at two widths."""
    page, problems = visitor.page, []
    page.wait_for_function("!document.querySelector('[data-next] a')")  # the lines of a delivery come by themselves
    for width in (360, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        problems += [f"{visitor.path} is {wide} wide at {width}"] if wide > width else []
    return [*problems, *(f"{visitor.path}: {v}" for v in serious(axe, page))]


def serious(axe: Any, page: Any) -> list[str]:
    found = axe.run(page).response["violations"]
    return [f"{v['id']} {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]


def _resubmitted(desk: World) -> None:
    """A second delivery that replaces the first one, and an account that waits for a second operator."""
    first = desk.gate.known["d-1"]
    desk.gate.known["d-2"] = replace(first, delivery_id="d-2", packets_sha256="3" * 64, predecessor_id="d-1")
    desk.gate.findings["d-2"] = list(desk.gate.findings["d-1"])
    inviting.invite(desk.desk, "op-2", "second@example.org", "en", by="hana")


@pytest.mark.parametrize("passkey", [True, False])
def test_where_signatures_are_wanted_every_page_on_the_way_is_read_and_worked_by_anybody(
    browser: Any, tmp_path: Path, passkey: bool
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe").Axe()
    with served(tmp_path, signatures=True) as desk, person(browser, desk, "ada", passkey=passkey) as ada:
        page = ada.page
        ada.go("/grants/g-ada/withdraw")
        problems = looked_at(axe, ada)
        focus(page, "#reason")
        page.keyboard.type("No more.")
        focus(page, "input[name=sure]")
        page.keyboard.press("Space")
        focus(page, "main form button")
        page.keyboard.press("Enter")
        page.wait_for_selector("#statement" if passkey else "text=First add a passkey", state="attached")
        problems += looked_at(axe, ada)
        if passkey:
            assert "may use the voice in Moon over Harbour" in page.inner_text("main")
            focus(page, "form[data-passkey] button")
            page.keyboard.press("Enter")
            page.wait_for_url("**said=grant_withdraw")
            problems += _taken_home(axe, ada)
        assert problems == []
        with desk.registry.view() as view:
            assert view.grants("v-ada")[0].state(view.now).alive(view.now) is not passkey


def _taken_home(axe: Any, ada: Person) -> list[str]:
    """From the list of what was signed to the file, by keyboard; the file holds against the ledger's head of now."""
    ada.go("/signed")
    problems = looked_at(axe, ada)
    focus(ada.page, "main li a")
    ada.page.keyboard.press("Enter")
    ada.page.wait_for_url("**/signed/*")
    problems += looked_at(axe, ada)
    focus(ada.page, "aside a.button")
    with ada.page.expect_download() as coming:
        ada.page.keyboard.press("Enter")
    found = read_taken_home(Path(coming.value.path()).read_bytes(), "statement.json")
    assert isinstance(found, TakenHome)
    checked = check_statement(found, kept=ada.world.registry.head())
    assert (checked.answer, checked.holder and checked.holder.party.party_id) == (Answer.HOLDS, "ada")
    return problems


def test_a_performer_hears_where_their_voice_was_hit_and_says_not_me_by_keyboard(browser: Any, desk: World) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe").Axe()
    wanted = Wanted(what=RequestKind.ATTESTATION, rule="CON-032", about="character:MARA", question="Is it you?")
    desk.registry.add(request("rq-own", "berta", wanted=(wanted,)))
    with person(browser, desk, "berta") as berta:
        page = berta.page
        berta.go("/requests/rq-own")
        assert looked_at(axe, berta) == []
        with page.expect_response("**/excerpt/dub*") as heard:
            page.locator("#decide [data-excerpt*='/excerpt/dub']").first.press("Enter")
        assert heard.value.status == 200
        focus(page, "input[name=agreed][value=yes]")
        page.keyboard.press("Space")
        focus(page, "textarea[name=words]")
        page.keyboard.type("This is not my voice.")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        sign(page)
        assert berta.complaints == []
    assert next(f.outcome for f in desk.gate.findings["d-1"] if f.key == "k-hit") == "pass"


def test_the_first_view_is_under_200_kb(browser: Any, desk: World) -> None:
    page = browser.new_page()
    sizes: list[int] = []
    page.on("response", lambda r: sizes.append(len(r.body())))
    page.goto(f"{desk.desk.settings.origin}/sign-in")
    page.wait_for_load_state("networkidle")
    page.close()
    assert 5_000 < sum(sizes) < 200_000
    with desk.registry.view() as view:
        assert request_histories(view, "request:rq-1")
