"""The page as text: self-contained, escaped, and true to the numbers; how it behaves is in test_html_browser.py."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgement import LATE, PROGRAMME, finding, judgement, with_findings

from dubgate.delivery.script import CueSheet
from dubgate.features import Series
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.report.html import render_html, script_json
from dubgate.report.page_data import LOWEST_DB, LOWEST_HZ, STEPS_A_DB, STEPS_A_SEMITONE, energy_series, f0_series
from dubgate.report.sounds import Clip, Sounds
from dubgate.report.text import text_lines
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e\u2028\x1b[31m"


class Elements(HTMLParser):
    """Every start tag with its attributes, and what stands in script and style elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self._open: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in self.inside:
            self._open = tag
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = None if tag == self._open else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside[self._open][-1] += data


def data_of(page: str) -> dict[str, Any]:
    text = Elements(page).inside["script"][0]
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def hostile() -> Judgement:
    made = judgement(12)
    cues = tuple(replace(c, id=f"{k}{HOSTILE}", text=HOSTILE, character=HOSTILE) for k, c in enumerate(made.sheet.cues))
    bad = finding(HOSTILE, PROGRAMME, Outcome.HOLD, HOSTILE, HOSTILE, value=HOSTILE, bound=HOSTILE, why=HOSTILE, remedy=HOSTILE, spans=(Span(1, 2),))  # fmt: skip
    made = replace(made, title=HOSTILE, sheet=CueSheet(HOSTILE, cues, "en"), notes=(HOSTILE,))
    return with_findings(made, bad)


def test_the_page_asks_nothing_of_a_network() -> None:
    page = render_html(judgement())
    for tag, attributes in Elements(page).tags:
        for name in ("src", "href", "action", "data"):
            told = attributes.get(name) or ""
            assert told.startswith(("#", "data:")) or not told, (tag, name, told)
    assert "http:" not in page.replace("http://www.w3.org", "")
    assert "https:" not in page


def test_only_the_script_and_style_in_the_page_may_run() -> None:
    page = render_html(judgement())
    elements = Elements(page)
    [policy] = [a["content"] or "" for t, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy"]
    sources = dict(re.findall(r"(\w+-src) '(sha256-[^']+)'", policy))
    for kind, text in (("script-src", elements.inside["script"][-1]), ("style-src", elements.inside["style"][0])):
        assert sources[kind] == "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert not [a for _, a in elements.tags if any(n == "style" or n.startswith("on") for n in a)]


def test_nothing_that_strangers_wrote_becomes_markup() -> None:
    page = render_html(hostile())
    plain = render_html(judgement(12))
    elements = Elements(page)
    assert len(elements.inside["script"]) == len(Elements(plain).inside["script"])
    assert not [t for t, _ in elements.tags if t == "img"]
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert elements.inside["script"][-1] == Elements(plain).inside["script"][-1]


@given(st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_json_in_a_script_element_reads_back_and_cannot_end_it(value: Any) -> None:
    text = str(script_json(value))
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == value


def test_the_decision_and_every_reason_stand_in_the_page_without_script() -> None:
    page = render_html(judgement())
    assert page.index("Block") < page.index("quality only, not a release") < page.index("is not in the dub")
    assert (
        page.index("is not in the dub") < page.index("starts 0.92 s too late") < page.index("sounds like somebody else")
    )
    assert "品質検査のみ" in page
    assert "台詞9（The Keeper）が吹替にありません。" in page


def test_a_check_that_could_release_does_not_say_quality_only() -> None:
    page = render_html(judgement(quality_only=False))
    assert "quality only" not in page
    assert "this may not be released" in page


def test_what_has_several_lines_is_said_once_with_a_link_to_each() -> None:
    page = render_html(judgement(36))
    late = [k + 1 for k in range(36) if k % 12 == LATE]
    links = [a for t, a in Elements(page).tags if t == "button" and "data-line" in a]
    assert {str(k) for k in late} <= {a["data-line"] for a in links}
    assert page.count("and 2 more like it") == 4  # late, unheard, another voice, too long


def test_a_finding_of_the_whole_marks_the_lines_that_it_points_at() -> None:
    made = judgement(6)
    where = made.sheet.cues[3].span
    told = finding(
        "INV", PROGRAMME, Outcome.HOLD, "Something nobody wrote is said.", "台本にない発話です。", spans=(where,)
    )
    lines = data_of(render_html(with_findings(made, told)))["lines"]
    assert [len(line["touching"]) for line in lines] == [0, 0, 0, 1, 0, 0]
    assert lines[3]["outcome"] == "hold"


def test_lines_that_lie_elsewhere_in_the_dub_are_shown_where_they_are() -> None:
    line = data_of(render_html(judgement()))["lines"][LATE]
    assert line["dub"][0] - line["at"][0] == pytest.approx(0.92)
    assert line["window"][0] < line["at"][0]
    assert line["window"][1] > line["dub"][1]


@given(st.lists(st.floats(-100, 0, width=32), max_size=50))
def test_levels_survive_packing_to_a_fifth_of_a_decibel(levels: list[float]) -> None:
    packed = energy_series(Series(0.01, np.array(levels, dtype=np.float32)))
    back = np.frombuffer(base64.b64decode(packed["bytes"]), dtype=np.uint8) / STEPS_A_DB + LOWEST_DB
    assert packed["hop_s"] == 0.01
    assert np.allclose(back, levels, atol=0.5 / STEPS_A_DB + 1e-4)


@given(st.lists(st.floats(51, 560) | st.just(math.nan), max_size=50))
def test_pitch_survives_packing_to_a_tenth_of_a_semitone_and_silence_stays_silent(f0: list[float]) -> None:
    packed = f0_series(Series(0.016, np.array(f0, dtype=np.float32)))
    steps = np.frombuffer(base64.b64decode(packed["bytes"]), dtype=np.uint8)
    for hz, step in zip(f0, steps, strict=True):
        if math.isnan(hz):
            assert step == 0
        else:
            told = LOWEST_HZ * 2 ** ((step - 1) / STEPS_A_SEMITONE / 12)
            assert abs(12 * math.log2(told / hz)) < 0.1


def test_long_programmes_are_pooled_and_keep_their_peaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dubgate.report.page_data.MOST_POINTS", 10)
    levels = np.full(100, -90.0, dtype=np.float32)
    levels[37] = -3.0
    packed = energy_series(Series(0.01, levels))
    back = np.frombuffer(base64.b64decode(packed["bytes"]), dtype=np.uint8) / STEPS_A_DB + LOWEST_DB
    assert packed["hop_s"] == pytest.approx(0.1)
    assert back.argmax() == 3
    assert back.max() == pytest.approx(-3.0, abs=0.25)


def test_pitch_that_was_not_measured_is_told_and_not_drawn() -> None:
    told = data_of(render_html(judgement(pitch=False)))["tracks"]["dub"]
    assert told["f0"] is None
    assert told["why_no_f0"] == "no pitch tracker was loaded"


def test_unmeasured_numbers_show_their_reason_and_no_value() -> None:
    page = render_html(judgement())
    assert "the programme is too short to tell a drift" in page
    assert "0 ms/min" not in page


def test_sound_is_in_the_page_only_where_it_was_given() -> None:
    given_ = Sounds({"3": Clip("data:audio/flac;base64,AAAA", "report-sounds/3-dub.flac")}, "half of it was lost")
    page = render_html(judgement(), sounds=given_)
    assert json.loads(Elements(page).inside["script"][1]) == {
        "3": ["data:audio/flac;base64,AAAA", "report-sounds/3-dub.flac"]
    }
    assert data_of(page)["why_no_sound"] == "half of it was lost"
    assert json.loads(Elements(render_html(judgement())).inside["script"][1]) == {}


def test_the_page_opens_in_the_language_asked_for() -> None:
    assert '<html lang="ja" data-lang="ja">' in render_html(judgement(), lang="ja")


def test_the_same_judgement_gives_the_same_page() -> None:
    assert render_html(judgement()) == render_html(judgement())


def test_what_could_not_be_measured_for_the_same_reason_is_said_once_and_other_reasons_apart() -> None:
    made = judgement(6)
    noisy, silent = "there is too much music", "nobody speaks"

    def unknown(k: int, why: str) -> Finding:
        cue = made.sheet.cues[k]
        who = Subject(Scope.LINE, cue.id, cue.character)
        en = f"Line {cue.id} ({cue.character}): the voice could not be judged ({why})."
        return finding(
            "VOI", who, Outcome.UNKNOWN, en, "声を判定できませんでした", value="not measured", spans=(cue.span,)
        )

    two = with_findings(made, *(unknown(k, noisy if k % 2 else silent) for k in range(6)), alone=True)
    page = render_html(two)
    said = page[: page.index('id="data"')].partition("Could not be judged")[2].partition("</section>")[0]
    assert said.count('class="reason unknown"') == 2
    assert said.count(noisy) == said.count(silent) == 2  # in English, and where the Japanese gives no reason of its own
    assert said.count("lines ") == 2
    assert said.count("data-line=") == 6
    every = render_html(with_findings(made, *(unknown(k, noisy) for k in range(6)), alone=True))
    assert "6 lines" in every
    assert 'data-line="3"' not in every


def test_why_and_what_to_do_stand_in_both_languages_and_english_is_marked_where_there_is_no_other() -> None:
    told = finding(
        "HOU-ONE", PROGRAMME, Outcome.HOLD, "It is late.", "遅れています。", value="0.9 s", bound="at most 0.5 s"
    )
    own = replace(
        told, why=Text("viewers notice", "視聴者は気づきます"), remedy=Text("move it", ""), bound_ja="0.5秒以下"
    )
    required = replace(own, rule="RH-001", why=Text("the holder approved it", "権利者が承認していること"))
    page = render_html(with_findings(judgement(12), own, required), lang="ja")
    assert '<span class="t" lang="ja">視聴者は気づきます</span>' in page
    assert '<span class="t" lang="ja"><span lang="en">move it</span></span>' in page
    assert '<span class="t" lang="ja">0.5秒以下</span>' in page
    assert page.count('<span class="t" lang="en">required</span>') == 1
    shown = {f["rule"]: f for f in data_of(page)["findings"]}
    assert (shown["HOU-ONE"]["why_ja"], shown["HOU-ONE"]["remedy_ja"]) == ("視聴者は気づきます", "")
    assert (shown["HOU-ONE"]["required"], shown["RH-001"]["required"]) == (False, True)


def test_the_terminal_says_why_and_what_to_do_in_the_readers_language() -> None:
    told = finding("HOU-ONE", PROGRAMME, Outcome.HOLD, "It is late.", "遅れています。")
    own = replace(told, why=Text("viewers notice", "視聴者は気づきます"), remedy=Text("move it", ""))
    required = replace(own, rule="RH-001", why=Text("the holder approved it", "権利者が承認していること"))
    lines = "\n".join(line.plain for line in text_lines(with_findings(judgement(12), own, required), "ja"))
    assert "理由: 視聴者は気づきます" in lines
    assert "対処: move it" in lines
    assert "必要なこと: 権利者が承認していること" in lines


def test_the_head_says_the_worst_reason_and_what_to_do() -> None:
    head = render_html(judgement(12)).partition("<main>")[0]
    assert 'class="lead"' in head
    assert "is not in the dub" in head
    assert "too late" not in head.partition('class="lead"')[2].partition("</p>")[0]


def test_reasons_and_notes_that_are_kept_in_english_are_told_in_japanese_too() -> None:
    made = judgement()
    silent = Measurement("snr_db", Subject(Scope.PROGRAMME), Unmeasured("no speech was heard in the dub"))
    line = Measurement("rate_ratio", Subject(Scope.LINE, made.sheet.cues[0].id), Unmeasured("the line has no text"))
    strange = Measurement("loudness_range_lu", Subject(Scope.PROGRAMME), Unmeasured("somebody's own reason"))
    note = "words were not heard: the embedded transcriber hears English only, not ja"
    page = render_html(
        replace(made, measurements=(*made.measurements, silent, line, strange), notes=(note,)), lang="ja"
    )
    assert '<span class="t" lang="ja">吹替に発話が聞こえません</span>' in page
    assert '<span class="t" lang="ja"><span lang="en">somebody&#39;s own reason</span></span>' in page
    assert "語は聴取されていません: 同梱の文字起こしは英語だけに対応し、jaには対応しません" in page
    measured = data_of(page)["lines"][0]["measured"]
    assert ["rate_ratio", "", "the line has no text", "", "台詞の文がありません"] in measured


def test_who_can_resolve_a_finding_is_named_in_japanese_too() -> None:
    asked = replace(
        finding("VOI-ASK", PROGRAMME, Outcome.UNKNOWN, "It is open.", "未回答です。"), who_can_resolve="reviewer"
    )
    [told] = [f for f in data_of(render_html(with_findings(judgement(), asked)))["findings"] if f["rule"] == "VOI-ASK"]
    assert (told["who"], told["who_ja"]) == ("reviewer", "確認者")
