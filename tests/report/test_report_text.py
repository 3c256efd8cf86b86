"""The verdict on a terminal: readable without colour, and no text of a stranger moves the cursor."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from checked_judgement import UNAPPROVED, checked
from hypothesis import given
from hypothesis import strategies as st
from made_judgement import PROGRAMME, finding, judgement, with_findings
from rich.console import Console

from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Outcome, Text
from dubgate.policy.rule_findings import named, unknown
from dubgate.report.printable import printable
from dubgate.report.text import print_text
from dubgate.unmeasured import Unmeasured

ANSI, BIDI, MARKUP = "\x1b[2J\x1b]0;x\x07", "\u202eabc\u2066", "[bold red]not bold[/] [link=http://x]y[/link]"


def _printed(judged: Judgement, lang: str = "en", *, colour: bool = False) -> str:
    out = io.StringIO()
    console = Console(
        file=out, highlight=False, force_terminal=colour, width=100, color_system="truecolor" if colour else None
    )
    print_text(judged, console, lang=lang)
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("evil", [ANSI, BIDI, MARKUP])
def test_no_text_of_a_stranger_does_anything(evil: str, lang: str) -> None:
    said = finding("R-1", PROGRAMME, Outcome.HOLD, f"It says {evil}.", f"「{evil}」", value=evil, remedy=evil, why=evil)
    judged = with_findings(replace(judgement(2), title=evil, notes=(evil,)), said)
    text = _printed(judged, lang)
    assert not set(text) & set("\x1b\x07\u202e\u2066")
    assert (MARKUP in text) is (evil == MARKUP)


def test_findings_are_told_as_sentences_worst_first_with_the_bound() -> None:
    text = _printed(judgement(12))
    assert text.index("is not in the dub") < text.index("starts 0.92 s too late") < text.index("past its slot")
    assert "0.92 s (22 frames), wanted at most 0.6 s either way" in text
    assert "starts on time" not in text


def test_without_colour_it_says_the_same_as_with_it() -> None:
    import re

    coloured = _printed(judgement(12), colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == _printed(judgement(12))


def test_a_quality_check_says_that_it_is_no_release_and_a_check_does_not() -> None:
    assert "quality only, not a release" in _printed(judgement(2))
    assert "quality only" not in _printed(checked(UNAPPROVED))
    assert "What to do next:" in _printed(checked(UNAPPROVED))


def test_one_missing_thing_is_one_reason_however_many_rules_and_lines_it_leaves_open() -> None:
    made, why = judgement(6), "no script was given"
    lines = [Subject(Scope.LINE, c.id, c.character) for c in made.sheet.cues]
    asked = {"TXT-RUN": "Runs of other words", "TXT-WORDS": "Errors in the words"}
    open_ = [
        finding(rule, who, Outcome.UNKNOWN, f"{named(who).en}: {asks} could not be judged ({why}).", f"{named(who).ja}: 語を判定できませんでした（{why}）。",
                value="not measured", remedy="hand it in")
        for rule, asks in asked.items()
        for who in lines
    ]  # fmt: skip
    text = _printed(with_findings(made, *open_, alone=True))
    assert text.count(why) == 1
    assert "TXT-RUN Runs of other words (6 lines)" in text
    assert "TXT-WORDS Errors in the words (6 lines)" in text
    assert text.count("do: hand it in") == 1
    assert "HOLD: 12 not known" in text
    other = replace(open_[1], text=Text(*(t.replace(why, "only 2.5 s") for t in (open_[1].text.en, open_[1].text.ja))))
    same = replace(open_[0], text=Text(*(t.replace(why, "only 3 s") for t in (open_[0].text.en, open_[0].text.ja))))
    assert "because: only 3 s, and the like\n" in _printed(with_findings(made, same, other, alone=True))
    assert _printed(with_findings(made, *open_[:2], alone=True)).count(f"(lines {lines[0].name}, {lines[1].name})") == 1


def test_a_question_without_a_number_is_answered_by_what_is_missing_and_not_by_mending_the_dub() -> None:
    from dubgate.policy.packs import load_packs

    pack = load_packs(["quality-lipsync"])[-1]
    rules = {r.id: r for r in pack.rules}
    who = Subject(Scope.CHARACTER, "ANN")
    flat = unknown(rules["PRO-FLAT"], pack, who, Unmeasured("too little speech"))
    assert "dubgate approve delivery.yaml --attest" in flat.remedy.en
    assert "dubgate approve delivery.yaml --attest" in flat.remedy.ja
    assert "recorded again" not in flat.remedy.en
    assert unknown(rules["PRO-RANGE"], pack, who, Unmeasured("too little speech")).remedy.en == ""


def test_japanese_is_told_in_japanese() -> None:
    text = _printed(judgement(12), "ja")
    assert "台詞3（The Keeper）の開始が0.92秒遅れています。" in text
    assert "too late" not in text


@given(st.text())
def test_printable_leaves_one_line_that_moves_nothing_and_is_stable(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert len(shown) == len(text)
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "char", ["\x00", "\x1b", "\x7f", "\x9b", "\u200b", "\u200e", "\u202e", "\u2066", "\ufeff", "\ue000", "\ud800"]
)
def test_characters_that_are_not_seen_are_shown_as_replaced(char: str) -> None:
    assert printable(f"a{char}b") == "a\ufffdb"


def test_letters_of_every_script_stay_as_they_are() -> None:
    for word in ("日本語", "كتاب", "हिन्दी क्\u200dष", "ไทย", "Ünïcode", "👍🏽"):
        assert printable(word) == word
