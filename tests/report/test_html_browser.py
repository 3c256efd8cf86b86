"""The page in a real browser: times as Python tells them, sound that plays, thousands of lines, colours that can be read."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from growth import LINEAR, growth
from made_judgement import LATE, judgement
from page_work import worked

from dubgate.delivery.timecode import Clock, timecode_at
from dubgate.excerpts import BEFORE_S
from dubgate.judgement import Judgement
from dubgate.report.html import read_template, render_html
from dubgate.report.sounds import Clip, Sounds, embedded

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as p:
        opened = p.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        )
        yield opened
        opened.close()


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page of a judgement, and fails the test if the browser complained of anything."""
    complaints: list[str] = []
    pages: list[Any] = []

    def open_(page: str, *, width: int = 1280, **options: Any) -> Any:
        file = tmp_path / "report.html"
        file.write_text(page, encoding="utf-8")
        pages.append(browser.new_page(viewport={"width": width, "height": 900}, **options))
        pages[-1].on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
        pages[-1].on("pageerror", lambda e: complaints.append(str(e)))
        pages[-1].goto(file.as_uri())
        pages[-1].wait_for_selector("#detail h3")
        return pages[-1]

    yield open_
    for page in pages:
        page.close()
    assert complaints == []


def tone(hz: float, seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(
            (8000 * np.sin(np.arange(int(16_000 * seconds)) * hz * 2 * np.pi / 16_000)).astype("<i2").tobytes()
        )
    return out.getvalue()


def heard(made: Judgement) -> Sounds:
    clip = Clip(embedded(tone(220, 4.0)), embedded(tone(330, 4.0)))
    return Sounds({cue.id: clip for cue in made.sheet.cues})


@pytest.mark.parametrize(
    "clock",
    [
        Clock(Fraction(25)),
        Clock(Fraction(24000, 1001), start_frames=24 * 3600),
        Clock(Fraction(30000, 1001), drop_frame=True, start_frames=107_892),
        Clock(Fraction(60000, 1001), drop_frame=True),
        Clock(Fraction(25), start_frames=25 * 86_400 - 10),
    ],
    ids=["25", "23.976", "29.97df", "59.94df", "past midnight"],
)
def test_timecodes_in_the_page_are_those_of_the_other_reports(show: Any, clock: Clock) -> None:
    made = replace(judgement(600), clock=clock)
    page = show(render_html(made))
    page.click("#all")
    for k in (0, 15, 44, 149, 299, 599):
        page.locator("#lines tbody tr").nth(k).click()
        span = made.sheet.cues[k].span
        told = page.inner_text("#detail .top .num").strip()
        assert told == f"{timecode_at(span.start_s, clock)} – {timecode_at(span.end_s, clock)}"


def test_sound_plays_and_the_other_track_goes_on_from_the_same_moment(show: Any) -> None:
    made = judgement()
    page = show(render_html(made, sounds=heard(made)))
    page.keyboard.press("Space")
    page.wait_for_selector("#play:has-text('Pause')")
    began = str(timecode_at(made.sheet.cues[LATE].span.start_s - BEFORE_S, made.clock))
    page.wait_for_selector(f"#sound-time:not(:text-is('')):not(:text-is('{began}'))")
    before = page.inner_text("#sound-time")
    page.keyboard.press("o")
    assert page.get_attribute("[data-track=original]", "aria-pressed") == "true"
    assert "Pause" in page.inner_text("#play")
    assert page.inner_text("#sound-time") >= before
    page.keyboard.press("Space")
    page.wait_for_selector("#play:has-text('Play')")


WATCHED = """const play = HTMLMediaElement.prototype.play;
window.known = [];
window.begun = [];
HTMLMediaElement.prototype.play = function () {
  begun.push(this);
  if (!known.includes(this)) known.push(this);
  return play.call(this);
};
window.heard = () => known.filter((sound) => !sound.paused).map((sound) => sound.currentTime);"""


def until(page: Any, said: str) -> None:
    """Wait until an expression holds; the page's policy forbids to have it watched from within."""
    for _ in range(400):
        if page.evaluate(said):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"it never came to {said}")


def test_both_tracks_play_at_once_and_a_line_again_and_again(show: Any, tmp_path: Path) -> None:
    (tmp_path / "report-sounds").mkdir()
    for name in ("o", "d"):
        (tmp_path / "report-sounds" / f"{name}.wav").write_bytes(tone(220, 0.8))
    page = show(render_html(judgement(), sounds=Sounds({"3": Clip("report-sounds/o.wav", "report-sounds/d.wav")})))
    page.evaluate(WATCHED)
    for key in ("b", "l", "Space"):
        page.keyboard.press(key)
    assert page.get_attribute("[data-track=both]", "aria-pressed") == "true"
    assert page.get_attribute("#loop", "aria-pressed") == "true"
    until(page, "heard().length === 2 && Math.abs(heard()[0] - heard()[1]) < 0.2")
    until(page, "heard().length === 2 && heard()[1] > 0.5")
    until(page, "heard().length === 2 && heard()[1] < 0.4")  # it began again
    assert "Pause" in page.inner_text("#play")
    page.keyboard.press("l")
    page.wait_for_selector("#play:has-text('Play')")  # and ends with the line
    assert page.evaluate("heard().length") == 0
    page.evaluate("begun.length = 0")
    page.keyboard.press("d")
    page.keyboard.press("Space")
    until(page, "begun.length === 1 && begun[0].currentTime > 0.1")  # one track, from the line's beginning
    page.wait_for_selector("#play:has-text('Play')")
    assert page.evaluate("[begun.length, known.every((sound) => sound.paused)]") == [1, True]


AT_ONCE = """(keys) => {
  for (const key of keys) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}"""


def test_keys_faster_than_the_sound_leave_what_the_last_one_said(show: Any, tmp_path: Path) -> None:
    (tmp_path / "report-sounds").mkdir()
    for name in ("o", "d"):
        (tmp_path / "report-sounds" / f"{name}.wav").write_bytes(tone(220, 30.0))
    page = show(render_html(judgement(), sounds=Sounds({"3": Clip("report-sounds/o.wav", "report-sounds/d.wav")})))
    page.evaluate(WATCHED)
    page.evaluate(AT_ONCE, [" ", "o", "d", "o"])
    until(page, "heard().length === 1 && heard()[0] > 0.1")
    assert "Pause" in page.inner_text("#play")
    page.evaluate(AT_ONCE, [" ", " ", " "])
    page.wait_for_timeout(200)
    assert page.evaluate("heard().length") == 0
    assert "Play" in page.inner_text("#play")
    assert ":" in page.inner_text("#sound-time")  # the moment, not the complaint of a play cut short


def test_another_line_stops_what_plays(show: Any) -> None:
    made = judgement()
    page = show(render_html(made, sounds=heard(made)))
    page.keyboard.press("Space")
    page.wait_for_selector("#play:has-text('Pause')")
    page.keyboard.press("j")
    assert "Play" in page.inner_text("#play")


def test_sound_beside_the_page_plays_too(show: Any, tmp_path: Path) -> None:
    (tmp_path / "report-sounds").mkdir()
    (tmp_path / "report-sounds" / "3.wav").write_bytes(tone(220, 2.0))
    page = show(render_html(judgement(), sounds=Sounds({"3": Clip(*["report-sounds/3.wav"] * 2)})))
    page.keyboard.press("Space")
    page.wait_for_selector("#sound-time:not(:text-is(''))")


def test_a_place_in_a_reason_leads_to_its_line(show: Any) -> None:
    page = show(render_html(judgement(60)))
    page.click("[data-line='51'][data-at]")
    assert "Line 51" in page.inner_text("#detail h3")
    assert page.get_attribute("#lines tr[data-k='50']", "aria-selected") == "true"


def test_a_click_on_the_timeline_opens_the_line_there(show: Any) -> None:
    made = judgement(24)
    page = show(render_html(made))
    page.click("[data-zoom=all]")
    box = page.locator("#main").bounding_box()
    at_s = made.sheet.cues[15].span.start_s + 1.0
    page.mouse.click(box["x"] + box["width"] * at_s / made.features.dub.duration_s, box["y"] + 100)
    assert "Line 16" in page.inner_text("#detail h3")


def test_zoom_and_drag_move_the_timeline(show: Any) -> None:
    page = show(render_html(judgement(24)))
    picture = "document.getElementById('main').toDataURL()"
    seen = [page.evaluate(picture)]
    page.click("[data-zoom=in]")
    page.wait_for_timeout(120)
    seen.append(page.evaluate(picture))
    box = page.locator("#main").bounding_box()
    page.mouse.move(box["x"] + 600, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 250)
    page.mouse.up()
    page.wait_for_timeout(120)
    seen.append(page.evaluate(picture))
    assert len(set(seen)) == 3


def test_paper_is_light_and_shows_what_was_folded_away(show: Any) -> None:
    page = show(render_html(judgement(24)), color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate(ground) != dark
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(ground) == dark
    assert page.locator("li.reason details[open]").count() == 0


def test_the_keyboard_stays_where_it_was_when_stepping_by_button(show: Any) -> None:
    page = show(render_html(judgement(24)))
    page.focus("[data-step='1']")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert "Line 9" in page.inner_text("#detail h3")


def test_single_keys_can_be_switched_off(show: Any) -> None:
    page = show(render_html(judgement(24)))
    page.click("#keys")
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    before = page.inner_text("#detail h3")
    page.keyboard.press("j")
    assert page.inner_text("#detail h3") == before


def test_opening_takes_time_in_proportion(browser: Any, tmp_path: Path) -> None:
    def opening(n: int) -> Callable[[], float]:
        (tmp_path / f"{n}.html").write_text(render_html(judgement(n)), encoding="utf-8")

        def opened() -> float:
            page = browser.new_page()
            work_s = worked(page)
            page.goto((tmp_path / f"{n}.html").as_uri())
            page.wait_for_selector("#detail h3")
            assert page.locator("#lines tbody tr").count() == n
            took = work_s()
            page.close()
            return took

        return opened

    assert growth(opening, 500, turns=3, seconds=lambda opened: opened()) < LINEAR


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_no_width_scrolls_sideways(show: Any, width: int) -> None:
    page = show(render_html(judgement(24)), width=width)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_page_of_no_lines_opens_too(show: Any, browser: Any, tmp_path: Path) -> None:
    made = judgement(3)
    empty = replace(made, sheet=replace(made.sheet, cues=()), measurements=())
    (tmp_path / "empty.html").write_text(render_html(empty), encoding="utf-8")
    complaints: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.goto((tmp_path / "empty.html").as_uri())
    assert page.is_visible("#none")
    assert complaints == []
    page.close()


def test_it_can_be_read_without_javascript(show: Any, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "plain.html").write_text(render_html(judgement()), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "plain.html").as_uri())
    assert page.get_by_text("Line 3 (The Keeper) starts 0.92 s too late.").first.is_visible()
    assert not page.locator("#main").is_visible()
    context.close()


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    channels = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def palettes() -> list[dict[str, str]]:
    """The light palette, and both copies of the dark one."""
    return [
        dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", block))
        for block in re.findall(r"\{([^{}]*--ground[^{}]*--block[^{}]*)\}", read_template("report.css"))
    ]


def test_all_text_has_the_contrast_that_wcag_asks_for() -> None:
    light, dark, chosen_dark = palettes()
    assert dark == chosen_dark
    for colours in (light, dark):
        for name in ("block", "hold", "unknown", "warn", "pass", "waived", "none", "soft", "ink", "original", "dub"):
            for ground in ("ground", "card"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for name in ("block", "hold", "unknown", "warn", "pass", "none"):
            assert contrast(colours[name], colours[f"{name}-t"]) >= 4.5, name
