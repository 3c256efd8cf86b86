"""Comparing two reports: fixed is only what was judged again and passed; a line that changed unasked is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from made_judgement import LATE, PROGRAMME, UNHEARD, finding, judgement, with_findings

from dubgate.cli.compare import compare as command
from dubgate.cli.main import run
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.report.compare import compare, comparison_json
from dubgate.report.compare_lines import LEVEL_DB, PITCH_ST, START_S
from dubgate.report.compare_views import comparison_html, comparison_text
from dubgate.report.json import to_json
from dubgate.report.schema import StoredReport, from_json

CALM = 5  # a line (its place) that nothing was found about


def _data(judged: Judgement) -> dict[str, Any]:
    return json.loads(json.dumps(to_json(judged)))


def _changed(change: Callable[[dict[str, Any]], None]) -> StoredReport:
    data = _data(judgement(12))
    change(data)
    return from_json(data)


def _voice(change: Callable[[dict[str, Any]], None], place: int = CALM) -> StoredReport:
    return _changed(lambda data: change(data["lines"][place]["dub"]))


OLD = from_json(_data(judgement(12)))


def test_a_report_compared_with_itself_has_no_change() -> None:
    same = compare(OLD, OLD)
    assert [*same.fixed, *same.fresh, *same.unasked, *same.asked, *same.unjudged, *same.rewritten] == []
    assert {(m.was, m.now) for m in same.still_open} == {(o, o) for o in ("block", "hold", "unknown", "warn")}


def test_a_late_line_that_now_passes_is_fixed_and_one_that_now_fails_is_new() -> None:
    def swap(data: dict[str, Any]) -> None:
        onsets = [f for f in data["findings"] if f["rule"] == "TIM-ONSET"]
        onsets[LATE]["outcome"], onsets[0]["outcome"] = "pass", "hold"

    made = compare(OLD, _changed(swap))
    assert [(m.finding.subject.name, m.was, m.now) for m in made.fixed] == [("3", "hold", "pass")]
    assert [(m.finding.subject.name, m.was, m.now) for m in made.fresh] == [("1", "pass", "hold")]


@pytest.mark.parametrize("now", ["not_applicable", "waived", None])
def test_what_is_no_longer_judged_is_not_fixed(now: str | None) -> None:
    def drop(data: dict[str, Any]) -> None:
        late = next(f for f in data["findings"] if f["rule"] == "TIM-ONSET" and f["subject"]["name"] == "3")
        if now is None:
            data["findings"].remove(late)
        else:
            late["outcome"] = now

    made = compare(OLD, _changed(drop))
    assert not made.fixed
    assert [(m.finding.rule, m.now) for m in made.unjudged] == [("TIM-ONSET", now)]


def test_a_hold_that_became_a_block_is_still_open_and_tells_both() -> None:
    def worse(data: dict[str, Any]) -> None:
        next(f for f in data["findings"] if f["rule"] == "VOI-ONE")["outcome"] = "block"

    assert ("hold", "block") in {(m.was, m.now) for m in compare(OLD, _changed(worse)).still_open}


def test_of_two_findings_of_one_rule_and_subject_the_worse_one_counts() -> None:
    def pair(last: Outcome) -> StoredReport:
        found = [finding("R-1", PROGRAMME, o, o.name, o.name) for o in (Outcome.HOLD, last)]
        return from_json(_data(with_findings(judgement(2), *found, alone=True)))

    made = compare(pair(Outcome.PASS), pair(Outcome.BLOCK))
    assert [(m.was, m.now) for m in made.still_open] == [("hold", "block")]


@pytest.mark.parametrize(
    ("field", "by", "word"),
    [("energy_db", LEVEL_DB, "level"), ("f0_mad_st", 0.5, "spread"), ("start_s", START_S, "starts")],
)
def test_a_change_beyond_the_tolerance_is_named_and_one_at_it_is_not(field: str, by: float, word: str) -> None:
    def moved(delta: float) -> Callable[[dict[str, Any]], None]:
        return lambda voice: voice.update({field: round(voice[field] + delta, 3)})

    assert not compare(OLD, _voice(moved(by))).unasked
    (line,) = compare(OLD, _voice(moved(by + 0.05))).unasked
    assert line.line.id == str(CALM + 1)
    assert word in line.how[0]


def test_another_pitch_is_told_in_semitones() -> None:
    up = compare(OLD, _voice(lambda v: v.update(f0_hz=round(v["f0_hz"] * 2 ** (2 / 12), 1))))
    assert up.unasked[0].how == ("pitch +2.0 semitones",)
    assert not compare(OLD, _voice(lambda v: v.update(f0_hz=v["f0_hz"] * 2 ** (0.9 * PITCH_ST / 12)))).unasked


def test_a_gain_is_a_change_of_level_and_not_another_delivery() -> None:
    def louder(voice: dict[str, Any]) -> None:
        voice["energy_db"] += 6
        voice["contour_db"] = [v + 6 for v in voice["contour_db"]]

    (line,) = compare(OLD, _voice(louder)).unasked
    assert line.how == ("level +6.0 dB",)


def test_the_same_line_played_backwards_is_another_delivery() -> None:
    def backwards(voice: dict[str, Any]) -> None:
        voice["contour_db"] = [-20 if k % 4 < 2 else -45 for k in range(len(voice["contour_db"]))]

    (line,) = compare(OLD, _voice(backwards)).unasked
    assert line.how == ("another delivery: the level runs differently",)


def test_other_words_in_a_line_are_a_change() -> None:
    made = compare(OLD, _changed(lambda d: d["lines"][CALM].update(words_heard="something quite different")))
    assert "something quite different" in made.unasked[0].how[0]


def test_with_a_chosen_transcriber_a_single_word_counts_and_with_the_embedded_one_it_does_not() -> None:
    said = OLD.lines[CALM].words_heard
    other = compare(OLD, _changed(lambda d: d["lines"][CALM].update(words_heard=f"{said} a")))
    assert not other.unasked

    def chosen(data: dict[str, Any]) -> None:
        next(m for m in data["models"] if m["kind"] == "transcriber")["embedded"] = False

    def both(data: dict[str, Any]) -> None:
        chosen(data)
        data["lines"][CALM]["words_heard"] = f"{said} a"

    assert compare(_changed(chosen), _changed(both)).unasked


def test_words_of_another_transcriber_are_not_compared_and_that_is_told() -> None:
    def other(data: dict[str, Any]) -> None:
        next(m for m in data["models"] if m["kind"] == "transcriber")["name"] = "whisper"
        data["lines"][CALM]["words_heard"] = "something quite different"

    made = compare(OLD, _changed(other))
    assert not made.unasked
    assert "another transcriber heard: words are not compared" in made.notes


def test_a_value_that_only_one_report_has_is_a_change() -> None:
    made = compare(OLD, _voice(lambda v: v.update(energy_db={"unmeasured": "no sound in this line"})))
    assert made.unasked[0].how == ("level could not be measured now (no sound in this line)",)


def test_a_line_with_a_finding_was_asked_to_change() -> None:
    made = compare(OLD, _voice(lambda v: v.update(energy_db=-10.0), UNHEARD))
    assert not made.unasked
    assert [x.line.id for x in made.asked] == [str(UNHEARD + 1)]


def test_a_finding_about_a_character_asks_for_all_lines_of_that_character() -> None:
    jonas = next(k for k, line in enumerate(OLD.lines) if line.character == "Jonas" and line.outcome == "pass")
    made = compare(OLD, _voice(lambda v: v.update(energy_db=-10.0), jonas))
    assert [x.line.character for x in made.asked] == ["Jonas"]
    assert not made.unasked


def test_a_line_that_was_rewritten_was_asked_to_change() -> None:
    def rewrite(data: dict[str, Any]) -> None:
        data["lines"][CALM].update(text="Another text.", words_heard="another text")

    made = compare(OLD, _changed(rewrite))
    assert made.rewritten == (str(CALM + 1),)
    assert not made.unasked


def test_lines_that_came_and_went_are_named() -> None:
    made = compare(OLD, _changed(lambda d: d["lines"][0].update(id="new")))
    assert (made.added, made.removed) == (("new",), ("1",))


@given(st.permutations(range(12)))
def test_the_order_of_lines_and_findings_does_not_matter(order: list[int]) -> None:
    def mix(data: dict[str, Any]) -> None:
        data["lines"] = [data["lines"][k] for k in order]
        data["findings"].reverse()

    made = compare(OLD, _changed(mix))
    assert [*made.fixed, *made.fresh, *made.unasked, *made.asked] == []


def _evil() -> StoredReport:
    judged = replace(judgement(6), title="<script>alert(1)</script>\x1b[31m\u202e")
    hurt = finding("R<b>", PROGRAMME, Outcome.BLOCK, "</p><img src=x onerror=alert(1)>\x1b[2J", "<x>")
    return from_json(_data(with_findings(judged, hurt)))


def test_text_and_page_show_strange_texts_and_run_none() -> None:
    made = compare(OLD, _evil())
    text, page = comparison_text(made), comparison_html(made)
    assert not set(text) & set("\x1b\u202e")
    assert not set(page) & set("\x1b\u202e")
    assert page.count("<script") == 1  # its own
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_the_text_says_what_is_new_before_what_was_fixed() -> None:
    text = comparison_text(compare(OLD, OLD))
    assert text.index("New: none") < text.index("Changed though nobody asked: none") < text.index("Fixed: none")
    assert "新しい指摘: なし" in comparison_text(compare(OLD, OLD), lang="ja")


def _write(folder: Path, name: str, data: Any) -> str:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


def test_the_command_compares_whatever_comes_out_and_ends_with_0(tmp_path: Path) -> None:
    old, new = _write(tmp_path, "old.json", _data(judgement(12))), _write(tmp_path, "new.json", _data(judgement(24)))
    page = tmp_path / "page.html"
    result = CliRunner().invoke(command, [old, new, "--format", "json", "--out", str(page)], standalone_mode=False)
    assert result.return_value == 0
    assert json.loads(result.output) == json.loads(
        json.dumps(comparison_json(compare(OLD, from_json(_data(judgement(24))))))
    )
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run(["compare", old, new]) == 0


def test_a_folder_stands_for_the_report_in_it(tmp_path: Path) -> None:
    _write(tmp_path, "report.json", _data(judgement(2)))
    assert run(["compare", str(tmp_path), str(tmp_path)]) == 0


@pytest.mark.parametrize(
    "damage",
    [
        "", "[]", "{", "null", '{"schema": "report/2.0"}', '{"schema": "report/1.0"}', '{"schema": "policy/1.0"}',
        '{"schema": "report/1.0", "schema": "report/1.0"}', '{"schema": NaN}', "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_report_ends_with_2(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = _write(tmp_path, "good.json", _data(judgement(2))), _write(tmp_path, "bad.json", damage)
    assert run(["compare", good, bad]) == 2
    told = capsys.readouterr().err
    assert "bad.json" in told
    assert "internal error" not in told


def test_a_missing_report_and_an_unwritable_page_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = _write(tmp_path, "good.json", _data(judgement(2)))
    assert run(["compare", good, str(tmp_path / "none.json")]) == 2
    assert run(["compare", good, good, "--out", str(tmp_path / "good.json/page.html")]) == 2
    assert "internal error" not in capsys.readouterr().err


def test_two_looks_at_quality_come_to_nothing_to_hold_and_never_to_a_release() -> None:
    def good(data: dict[str, Any]) -> None:
        data.update(quality_only=True, decision="release", title="dub_v2")

    before = _changed(lambda data: data.update(quality_only=True, decision="hold"))
    made = compare(before, _changed(good))
    assert comparison_text(made).splitlines()[0].endswith(": hold → nothing to hold")
    assert "保留 → 保留事項なし" in comparison_text(made, lang="ja")
    assert "Nothing to hold" in comparison_html(made)
    assert not any("titles differ" in note for note in made.notes)  # qc calls a dub by its file


def test_two_checks_come_to_a_release_and_say_that_their_titles_differ() -> None:
    def good(data: dict[str, Any]) -> None:
        data.update(quality_only=False, decision="release", title="Another")

    made = compare(_changed(lambda data: data.update(quality_only=False, decision="hold")), _changed(good))
    assert comparison_text(made).splitlines()[0].endswith(": hold → release")
    assert any("titles differ" in note for note in made.notes)
