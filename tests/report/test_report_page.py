"""The page in a real browser: nothing of a stranger runs, and people can work through 2,000 lines with keys alone."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checked_judgement import LATE_LINE, UNAPPROVED, checked
from growth import LINEAR, growth
from made_judgement import finding, judgement, with_findings
from page_work import worked

from dubgate.delivery.script import CueSheet
from dubgate.judgement import Judgement, PackRef
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Outcome
from dubgate.report.html import render_html
from dubgate.report.sounds import Clip, Sounds

CHROMIUM = Path("/usr/bin/chromium")
EVIL = "</script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>'\"--><!--\u2028\u202e\x1b[2J"


def _evil() -> Judgement:
    """A judgement in which every text that a stranger chooses is an attack."""
    made = judgement(3, quality_only=False)
    cues = tuple(replace(c, id=f"{c.id}{EVIL}", text=EVIL, character=EVIL) for c in made.sheet.cues)
    dub = replace(made.features.dub, name=EVIL, language=EVIL)
    said = [
        finding(EVIL, subject, Outcome.HOLD, EVIL, EVIL, value=EVIL, bound=EVIL, why=EVIL, remedy=EVIL)
        for subject in (Subject(Scope.LINE, cues[0].id, EVIL), Subject(Scope.CHARACTER, EVIL))
    ]
    return with_findings(
        replace(
            made,
            title=EVIL,
            sheet=CueSheet(EVIL, cues),
            notes=(EVIL,),
            packs=(PackRef(EVIL, EVIL, EVIL),),
            features=replace(made.features, dub=dub),
        ),
        *(replace(f, who_can_resolve=EVIL, decided_by=(EVIL,), source=EVIL, pack=EVIL) for f in said),
    )


def _payload(page: str) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def test_no_text_can_leave_its_place_in_the_page() -> None:
    page = render_html(_evil())
    assert page.count("<script") == page.count("</script>") == 3
    assert "<img" not in page
    shown = re.sub(r"data-line=\"[^\"]*\"", "", page)  # a key of the script, never shown
    assert not set(shown) & set("\u2028\u202e\x1b")


def test_the_payload_parses_back_to_the_lines_that_were_judged() -> None:
    data = _payload(render_html(_evil()))
    assert [line["key"] for line in data["lines"]] == [f"{k}{EVIL}" for k in (1, 2, 3)]
    assert data["lines"][0]["text"].startswith("</script><script>")


def test_the_page_is_the_same_every_time() -> None:
    assert render_html(judgement(12)) == render_html(judgement(12))


def test_a_quality_page_has_no_sections_of_a_check() -> None:
    assert 'id="next"' not in render_html(judgement(3))
    assert 'id="next"' in render_html(checked(UNAPPROVED))


def test_ready_for_approval_is_shown_only_where_decisions_alone_are_missing() -> None:
    assert 'id="ready"' in render_html(checked(UNAPPROVED))
    assert 'id="ready"' not in render_html(checked(UNAPPROVED, LATE_LINE))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page, with what it asked for and what it complained of."""

    def __init__(self, browser: Any, html: str, folder: Path, width: int = 1280) -> None:
        file = folder / "report.html"
        file.write_text(html, encoding="utf-8", errors="strict")
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda e: self.complaints.append(str(e)))
        self.page.on("request", lambda r: self.asked.append(r.url))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("#detail h3")

    def rows(self) -> list[str]:
        return self.page.eval_on_selector_all(
            "#lines tbody tr:not(.hidden)", "rows => rows.map(r => r.querySelector('.words .soft').textContent)"
        )

    def chosen(self) -> str:
        return self.page.inner_text("#lines tr[aria-selected=true] .words .soft")

    def overflow_px(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    pages: list[Opened] = []

    def open_(html: str, width: int = 1280) -> Opened:
        pages.append(Opened(browser, html, tmp_path, width))
        return pages[-1]

    yield open_
    for made in pages:
        made.page.close()


@pytest.mark.parametrize("judged", [judgement(24), judgement(12, pitch=False), checked(UNAPPROVED), judgement(1)])
def test_it_opens_without_a_complaint_and_asks_nothing_of_the_network(opened: Any, judged: Judgement) -> None:
    made = opened(render_html(judged))
    made.page.wait_for_timeout(200)
    assert made.complaints == []
    assert [url for url in made.asked if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in made.asked if url.startswith("file:")]) == 1


def test_nothing_of_a_stranger_runs_in_the_browser(opened: Any) -> None:
    made = opened(render_html(_evil()))
    for row in made.page.query_selector_all("#lines tbody tr"):
        row.click() if row.is_visible() else None
    made.page.click("button[data-set-lang=ja]")
    assert made.page.evaluate("window.hurt") is None
    assert made.page.query_selector("main img") is None
    assert made.complaints == []


def test_columns_sort_both_ways(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    made.page.click("#all")
    by_time = [str(k + 1) for k in range(24)]
    assert made.rows() == by_time
    made.page.click("th button[data-sort=start]")
    assert made.rows() == by_time[::-1]
    made.page.click("th button[data-sort=rank]")
    assert set(made.rows()[:2]) == {"9", "21"}
    made.page.click("th button[data-sort=late]")
    assert set(made.rows()[:2]) == {"3", "15"}


def test_filters_narrow_the_lines_and_say_when_none_is_left(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    made.page.click("#flagged")
    made.page.click("#flagged")
    assert made.rows() == ["3", "5", "9", "10", "15", "17", "21", "22"]
    made.page.select_option("#outcome", "block")
    assert made.rows() == ["9", "21"]
    made.page.select_option("#outcome", "")
    made.page.select_option("#who", "Jonas")
    assert made.rows() == ["5", "17"]
    made.page.fill("#search", "no such words")
    assert made.rows() == []
    assert made.page.is_visible("#none")
    made.page.fill("#search", "STORM")
    assert made.rows() == ["5", "17"]


def test_j_and_k_walk_through_what_was_flagged_and_letters_typed_do_not(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    walked = [made.chosen()]
    for key in ("j", "j", "k", "k", "k"):
        made.page.keyboard.press(key)
        walked.append(made.chosen())
    assert walked == ["3", "5", "9", "5", "3", "22"]
    made.page.focus("#search")
    made.page.keyboard.type("jk")
    assert made.chosen() == "22"
    assert made.page.input_value("#search") == "jk"


def test_the_chosen_line_says_what_is_wrong_with_it(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    text = made.page.inner_text("#detail")
    assert "Line 3 (The Keeper) starts 0.92 s too late." in text
    assert "at most 0.6 s either way" in text


def test_the_language_switches_for_findings_and_labels(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    assert "開始が0.92秒遅れています" not in made.page.inner_text("main")
    made.page.click("button[data-set-lang=ja]")
    text = made.page.inner_text("main")
    assert "開始が0.92秒遅れています" in text
    assert "starts 0.92 s too late" not in text
    assert made.page.get_attribute("html", "lang") == "ja"
    made.page.click("button[data-set-lang=en]")
    assert "starts 0.92 s too late" in made.page.inner_text("main")


def test_warnings_wait_below_what_decides(opened: Any) -> None:
    made = opened(render_html(judgement(24)))
    notes = made.page.locator("details", has_text="smaller notes").first
    assert notes.get_attribute("open") is None
    assert not made.page.locator("li.reason.warn").first.is_visible()
    notes.locator("summary").first.click()
    assert made.page.locator("li.reason.warn").first.is_visible()


@pytest.mark.parametrize("judged", [judgement(24), checked(UNAPPROVED, LATE_LINE), _evil()])
def test_a_telephone_shows_it_without_sideways_scrolling(opened: Any, judged: Judgement) -> None:
    made = opened(render_html(judged), width=360)
    assert made.overflow_px() <= 0


def test_what_has_the_keyboard_is_outlined(opened: Any) -> None:
    made = opened(render_html(judgement(12)))
    outlined = "() => { const s = getComputedStyle(document.activeElement); return [s.outlineStyle, parseFloat(s.outlineWidth)]; }"
    for _ in range(12):
        made.page.keyboard.press("Tab")
        style, width = made.page.evaluate(outlined)
        assert style == "solid"
        assert width >= 2


WORKING_THROUGH = """async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const search = document.getElementById("search");
  document.getElementById("all").click();
  await frame();
  document.querySelector("[data-sort=rank]").click();
  await frame();
  press("j");
  await frame();
  search.value = "lantern";
  search.dispatchEvent(new Event("input"));
  await frame();
}"""


def test_two_thousand_lines_stay_usable(opened: Any) -> None:
    def using(n: int) -> Callable[[], float]:
        html = render_html(judgement(n))

        def used() -> float:
            made = opened(html)
            work_s = worked(made.page)
            before_s = work_s()
            made.page.evaluate(WORKING_THROUGH)
            took = work_s() - before_s
            assert len(made.rows()) == n // 6
            assert made.complaints == []
            return took

        return used

    assert growth(using, 498, turns=3, seconds=lambda used: used()) < LINEAR


def test_sound_of_a_line_is_in_the_page_and_switches_between_tracks(opened: Any) -> None:
    wav = base64.b64encode(_wav()).decode()
    sounds = Sounds({"3": Clip(*[f"data:audio/wav;base64,{wav}"] * 2)})
    made = opened(render_html(judgement(12), sounds=sounds))
    assert made.page.is_visible("#play")
    made.page.keyboard.press("o")
    assert made.page.get_attribute("[data-track=original]", "aria-pressed") == "true"
    made.page.keyboard.press("j")
    assert not made.page.is_visible("#play")
    assert "No sound of this line is in the report" in made.page.inner_text("#detail")
    assert made.complaints == []


def _wav() -> bytes:
    import io
    import wave

    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(8000))
    return out.getvalue()
