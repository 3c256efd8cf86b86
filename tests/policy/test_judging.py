"""Judging: every rule says something of every subject; what was not measured never passes; order changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from growth import LINEAR, growth
from hypothesis import given
from hypothesis import strategies as st
from pack_texts import HEAD, band, condition, pack

from dubgate.delivery.script import Style
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.metrics import METRICS
from dubgate.policy.bands import told
from dubgate.policy.facts import Facts, facts_from
from dubgate.policy.findings import SILENT, Finding, Group, Outcome, Text
from dubgate.policy.judge import judge, judge_conditions
from dubgate.policy.packs import Pack, load_packs
from dubgate.policy.verdict import Decision, Verdict, decide
from dubgate.spans import Span
from dubgate.units import Unit
from dubgate.unmeasured import Unmeasured

NOT_HEARD = Unmeasured("the line is too short")
HOLD_ONLY = "    require: {at_most: 0.5 s}\n    severity: hold\n"


def line(name: str, value: float | Unmeasured, weight_s: float = 2.0, metric: str = "onset_error_s") -> Measurement:
    start = float(len(name))
    return Measurement(metric, Subject(Scope.LINE, name, "MARA"), value, weight_s, (Span(start, start + 1),))


def lines(*values: float | Unmeasured, weight_s: float = 2.0) -> list[Measurement]:
    return [line(f"L{k:02}", value, weight_s) for k, value in enumerate(values, start=1)]


def judged(rule_pack: Pack, measurements: list[Measurement], **under: object) -> tuple[Finding, ...]:
    return judge(measurements, [rule_pack], **{"style": Style.LIPSYNC, **under})  # type: ignore[arg-type]


def outcomes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(f.subject.name, f.outcome.name) for f in findings]


def test_every_line_gets_a_finding_passes_too() -> None:
    found = judged(pack(band()), lines(0.1, 0.4, 0.9))
    assert outcomes(found) == [("L01", "PASS"), ("L02", "WARN"), ("L03", "HOLD")]


def test_a_finding_says_what_people_need() -> None:
    [found] = judged(pack(band()), [line("L7", 0.913)])
    assert found.text.en == "Line L7 (MARA) is 0.913 s off."
    assert found.text.ja == "台詞L7（MARA）は0.913秒ずれています。"
    assert (found.value, found.bound) == ("0.913 s", "at most 0.5 s")
    assert (found.rule, found.pack, found.group) == ("HOU-ONE", "house", Group.QUALITY)
    assert (found.why, found.remedy, found.source) == (Text("because", ""), Text("mend it", ""), "a test")
    assert found.spans == (Span(2.0, 3.0),)


def test_a_warning_shows_the_bound_that_it_breaks_and_a_pass_asks_for_nothing() -> None:
    warned, passed = judged(pack(band()), lines(0.4, 0.1))
    assert warned.bound == "at most 0.3 s"
    assert passed.remedy == SILENT
    assert passed.text.en == "Line L02 (MARA): The start is as it should be."


def test_bounds_themselves_lie_inside() -> None:
    rule = pack(band("    require: {at_least: -0.5 s, at_most: 0.5 s}\n    severity: hold\n"))
    found = judged(rule, lines(0.5, -0.5, 0.5000001, -0.5000001))
    assert [f.outcome.name for f in found] == ["PASS", "PASS", "HOLD", "HOLD"]


def test_a_magnitude_rule_takes_the_sign_away_and_says_on_which_side() -> None:
    keys = (
        "    magnitude: true\n" + HOLD_ONLY + '    below: {en: "{line} is {size} early.", ja: "{line}は{size}早い。"}\n'
    )
    late, early = judged(pack(band(keys)), lines(0.9, -0.9))
    assert (late.outcome, early.outcome) == (Outcome.HOLD, Outcome.HOLD)
    assert late.text.en.endswith("0.9 s off.")
    assert early.text.en == "Line L02 (MARA) is 0.9 s early."
    assert early.bound == "at most 0.5 s either way"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_finite_number_is_unknown(value: float) -> None:
    [found] = judged(pack(band()), lines(value))
    assert found.outcome is Outcome.UNKNOWN


def test_an_unmeasured_value_is_unknown_with_its_reason() -> None:
    [found] = judged(pack(band()), lines(NOT_HEARD))
    assert found.outcome is Outcome.UNKNOWN
    assert NOT_HEARD.reason in found.text.en
    assert found.value == "not measured"
    assert found.bound == "at most 0.5 s"


def test_an_unmeasured_value_only_warns_where_the_rule_only_warns() -> None:
    [found] = judged(pack(band("    prefer: {at_most: 0.3 s}\n    severity: warn\n")), lines(NOT_HEARD))
    assert found.outcome is Outcome.WARN


def test_a_rule_whose_metric_was_not_measured_at_all_is_unknown() -> None:
    [found] = judged(pack(band()), [])
    assert (found.outcome, found.subject) == (Outcome.UNKNOWN, Subject(Scope.PROGRAMME))


def test_an_unknown_that_people_may_answer_names_them() -> None:
    keys = HOLD_ONLY + "    attestable_by: [reviewer]\n"
    [unknown] = judged(pack(band(keys)), lines(NOT_HEARD))
    [failed] = judged(pack(band(keys)), lines(0.9))
    assert (unknown.who_can_resolve, failed.who_can_resolve) == ("reviewer", None)


def test_short_lines_are_left_out_by_name_where_the_rest_suffices() -> None:
    found = judged(pack(band(HOLD_ONLY)), [*lines(*[0.1] * 9), line("L10", NOT_HEARD)])
    assert found[-1].outcome is Outcome.NOT_APPLICABLE
    assert "left out" in found[-1].text.en
    assert NOT_HEARD.reason in found[-1].text.en
    assert "90%" in found[-1].text.en


def test_too_little_measured_speech_leaves_the_lines_unknown() -> None:
    found = judged(pack(band(HOLD_ONLY)), [*lines(*[0.1] * 8), line("L10", NOT_HEARD)])
    assert found[-1].outcome is Outcome.UNKNOWN


def test_coverage_counts_seconds_not_lines() -> None:
    long_one = judged(pack(band(HOLD_ONLY)), [*lines(*[0.1] * 20), line("L99", NOT_HEARD, weight_s=30.0)])
    assert long_one[-1].outcome is Outcome.UNKNOWN
    short_ones = judged(
        pack(band(HOLD_ONLY)), [line("A", 0.1, 60.0), *[line(f"B{k}", NOT_HEARD, 0.5) for k in range(9)]]
    )
    assert {f.outcome for f in short_ones[1:]} == {Outcome.NOT_APPLICABLE}


def test_lines_without_a_weight_do_not_vanish_from_the_coverage() -> None:
    found = judged(pack(band(HOLD_ONLY)), [*lines(0.1, 0.1), *[line(f"X{k}", NOT_HEARD, 0.0) for k in range(9)]])
    assert {f.outcome for f in found[2:]} == {Outcome.UNKNOWN}


def test_a_programme_value_is_never_left_out() -> None:
    keys = "    metric: snr_db\n    coverage: {at_least: 0.01}\n    require: {at_least: 1 dB}\n    severity: hold\n"
    subject = Subject(Scope.PROGRAMME)
    [found] = judged(pack(band(keys)), [Measurement("snr_db", subject, NOT_HEARD, 5.0)])
    assert found.outcome is Outcome.UNKNOWN


def test_a_named_reason_means_that_the_question_is_not_asked_and_any_other_does_not() -> None:
    rule = pack(band(HOLD_ONLY + '    not_asked_where: ["no pause in it"]\n'))
    found = judged(rule, lines(Unmeasured("the line has no pause in it"), 0.1, NOT_HEARD))
    assert [f.outcome.name for f in found] == ["NOT_APPLICABLE", "PASS", "UNKNOWN"]


def test_lines_that_are_not_asked_do_not_count_for_coverage() -> None:
    rule = pack(band(HOLD_ONLY + '    not_asked_where: ["no pause"]\n'))
    found = judged(rule, [*lines(0.1), *[line(f"X{k}", Unmeasured("no pause")) for k in range(9)]])
    assert sorted(f.outcome.name for f in found) == ["NOT_APPLICABLE"] * 9 + ["PASS"]


@pytest.mark.parametrize(
    ("of", "value"),
    [("mean", 0.38), ("median", 0.3), ("p90", 0.7), ("p10", 0.14), ("min", 0.1), ("max", 0.9)],
)
def test_aggregates_over_the_programme(of: str, value: float) -> None:
    metric = "    metric: dropout_s\n"
    for bound, outcome in ((value + 0.01, Outcome.PASS), (value - 0.01, Outcome.HOLD)):
        rule = pack(band(f"{metric}    of: {of}\n    require: {{at_most: {bound:.3f} s}}\n    severity: hold\n"))
        values = [line(f"L{k}", v, metric="dropout_s") for k, v in enumerate((0.1, 0.2, 0.3, 0.4, 0.9))]
        [found] = judged(rule, values)
        assert found.outcome is outcome
        assert found.subject.scope is Scope.PROGRAMME
        assert float(found.value.split()[0]) == pytest.approx(value, abs=1e-3)
        assert "Left out" not in found.text.en


def test_an_aggregate_of_magnitudes() -> None:
    rule = pack(band("    of: median\n    magnitude: true\n    require: {at_most: 0.5 s}\n    severity: block\n"))
    assert judged(rule, lines(-0.9, -0.9, 0.9))[0].outcome is Outcome.BLOCK
    assert judged(rule, lines(-0.4, 0.4, 0.4))[0].outcome is Outcome.PASS


def test_a_share_bounds_how_many_lie_inside() -> None:
    keys = (
        "    of: share\n    within: {at_most: 0.5 s}\n    require: {at_least: 0.75 share}\n"
        "    prefer: {at_least: 1 share}\n    severity: block\n"
    )
    for values, outcome in (
        ((0.1, 0.1, 0.1, 0.1), Outcome.PASS),
        ((0.1, 0.1, 0.1, 0.9), Outcome.WARN),
        ((0.1, 0.1, 0.9, 0.9), Outcome.BLOCK),
    ):
        [found] = judged(pack(band(keys)), lines(*values))
        assert found.outcome is outcome
    assert [s.start_s for s in found.spans] == [3.0, 3.0]


def test_an_aggregate_lists_what_it_left_out() -> None:
    rule = pack(band("    of: median\n    coverage: {at_least: 0.5}\n" + HOLD_ONLY))
    [found] = judged(rule, lines(0.1, 0.1, NOT_HEARD))
    assert found.outcome is Outcome.PASS
    assert found.text.en.endswith("Left out: L03.")
    assert found.text.ja.endswith("対象外: L03。")


def test_an_aggregate_on_too_little_speech_is_unknown() -> None:
    rule = pack(band("    of: median\n" + HOLD_ONLY))
    [found] = judged(rule, lines(0.1, 0.1, NOT_HEARD))
    assert found.outcome is Outcome.UNKNOWN
    assert "only 67%" in found.text.en
    assert "L03" in found.text.en


def test_single_lines_hold_and_a_share_of_them_blocks() -> None:
    rule = pack(band(HOLD_ONLY + "    block_when: {share: 0.5}\n"))
    assert decide(judged(rule, lines(0.9, 0.9, *[0.1] * 4))) is Decision.HOLD
    found = judged(rule, lines(0.9, 0.1, 0.9, 0.1, 0.9, 0.1))
    assert found[-1].outcome is Outcome.BLOCK
    assert found[-1].value == "3 of 6, run of 1"
    assert found[-1].bound == "under 50% fail"
    assert len(found[-1].spans) == 3
    assert "L01, L03, L05" in found[-1].text.en


def test_a_run_of_lines_blocks_in_the_script_s_order() -> None:
    rule = pack(band(HOLD_ONLY + "    block_when: {run: 3}\n"))
    values = [*lines(0.9, 0.9, 0.9), *[line(f"Z{k}", 0.1) for k in range(20)]]
    order = [m.subject.name for m in values]
    assert decide(judged(rule, values, lines=order)) is Decision.BLOCK
    apart = ["L01", "Z0", "L02", "Z1", "L03", *[f"Z{k}" for k in range(2, 20)]]
    assert decide(judged(rule, values, lines=apart)) is Decision.HOLD


def test_a_few_lines_of_a_short_scene_do_not_block() -> None:
    rule = pack(band(HOLD_ONLY + "    block_when: {share: 0.1, at_least: 3}\n"))
    assert decide(judged(rule, lines(0.9, 0.9))) is Decision.HOLD
    assert decide(judged(rule, lines(0.9, 0.9, 0.9))) is Decision.BLOCK


def test_a_rule_for_another_style_is_not_asked() -> None:
    rule = pack(band(HOLD_ONLY + "    styles: [lipsync]\n"))
    assert decide(judged(rule, lines(0.9))) is Decision.HOLD
    [found] = judged(rule, lines(0.9), style=Style.VOICEOVER)
    assert found.outcome is Outcome.NOT_APPLICABLE


def test_what_an_embedded_model_hears_can_be_for_the_report_only() -> None:
    rule = pack(band(HOLD_ONLY + "    report_only_with_embedded: [transcriber]\n"))
    assert decide(judged(rule, lines(0.9), embedded=["pitch"])) is Decision.HOLD
    [found] = judged(rule, lines(0.9), embedded=["pitch", "transcriber"])
    assert found.outcome is Outcome.NOT_APPLICABLE


INSTEAD = (
    "    metric: language_prob\n    require: {at_least: 0.3 prob}\n    severity: hold\n    coverage: {at_least: 1.0}\n"
)
INSTEAD += "    instead: {metric: script_words_heard, require: {at_least: 0.5 share}}\n"


@pytest.mark.parametrize(
    ("prob", "heard", "outcome"),
    [
        (0.9, 0.0, Outcome.PASS),
        (0.1, 1.0, Outcome.HOLD),
        (NOT_HEARD, 0.8, Outcome.PASS),
        (NOT_HEARD, 0.4, Outcome.UNKNOWN),
        (NOT_HEARD, NOT_HEARD, Outcome.UNKNOWN),
        (NOT_HEARD, None, Outcome.UNKNOWN),
    ],
)
def test_the_words_heard_answer_for_the_language_only_where_no_model_can_say(
    prob: float | Unmeasured, heard: float | Unmeasured | None, outcome: Outcome
) -> None:
    rows = [line("L1", prob, metric="language_prob")]
    rows += [] if heard is None else [line("L1", heard, metric="script_words_heard")]
    [found] = judged(pack(band(INSTEAD)), rows)
    assert found.outcome is outcome


def test_another_line_s_words_do_not_answer() -> None:
    rows = [line("L1", NOT_HEARD, metric="language_prob"), line("L2", 1.0, metric="script_words_heard")]
    assert judged(pack(band(INSTEAD)), rows)[0].outcome is Outcome.UNKNOWN


def test_either_of_two_metrics_answers_one_question() -> None:
    rule = pack(band("    metric: [script_wer, script_cer]\n    require: {at_most: 0.5 ratio}\n    severity: hold\n"))
    assert judged(rule, [line("L1", 0.9, metric="script_cer")])[0].outcome is Outcome.HOLD
    assert judged(rule, [line("L1", 0.9, metric="script_wer")])[0].outcome is Outcome.HOLD


def test_the_order_of_measurements_changes_nothing() -> None:
    packs = load_packs(["quality-lipsync"])
    measurements = _programme(12, spread=0.9)
    names = [f"L{k:04}" for k in range(12)]
    first = judge(measurements, packs, style=Style.LIPSYNC, lines=names)
    for seed in range(5):
        shuffled = random.Random(seed).sample(measurements, len(measurements))
        assert judge(shuffled, packs, style=Style.LIPSYNC, lines=names) == first


def _programme(n_lines: int, spread: float = 0.0) -> list[Measurement]:
    """A value for every metric and every subject that it has."""
    out: list[Measurement] = []
    for metric in METRICS.values():
        subjects = {
            Scope.LINE: [Subject(Scope.LINE, f"L{k:04}", f"C{k % 3}") for k in range(n_lines)],
            Scope.CHARACTER: [Subject(Scope.CHARACTER, f"C{k}") for k in range(3)],
            Scope.PROGRAMME: [Subject(Scope.PROGRAMME)],
        }[metric.scope]
        out += [Measurement(metric.name, s, spread * k, 2.0, (Span(k, k + 1),)) for k, s in enumerate(subjects)]
    return out


def test_every_rule_says_something_of_every_subject() -> None:
    packs = load_packs(["quality-lipsync", "loudness-netflix"])
    found = judge(_programme(8), packs, style=Style.LIPSYNC)
    for pack_ in packs:
        for rule in pack_.bands:
            own = [f for f in found if f.rule == rule.id]
            n = {Scope.LINE: 8, Scope.CHARACTER: 3, Scope.PROGRAMME: 1}[rule.measures.scope] if rule.of == "each" else 1
            assert (
                len([f for f in own if f.outcome is not Outcome.BLOCK or f.subject.scope is rule.measures.scope]) >= n
            )
    assert {f.rule for f in found} == {rule.id for p in packs for rule in p.rules}


def test_judging_takes_time_in_proportion() -> None:
    packs = load_packs(["quality-lipsync"])

    def judging(n: int) -> Callable[[], object]:
        measurements, names = _programme(n, spread=0.001), [f"L{k:04}" for k in range(n)]
        assert len(judge(measurements, packs, style=Style.LIPSYNC, lines=names)) > 10 * n
        return lambda: judge(measurements, packs, style=Style.LIPSYNC, lines=names)

    assert growth(judging, 500, turns=3) < LINEAR


def test_nothing_measured_is_never_a_release() -> None:
    for names in ([], ["quality-lipsync"], ["quality-voiceover"], ["loudness-netflix"], ["loudness-ebu-r128"]):
        packs = load_packs(names)
        assert decide(judge([], packs, style=Style.LIPSYNC)) is not Decision.RELEASE
        assert decide(judge([], packs, style=Style.LIPSYNC, facts=facts_from({}))) is not Decision.RELEASE
    assert decide(judge([], [], style=Style.LIPSYNC)) is Decision.HOLD


@given(st.data())
def test_a_value_unmeasured_never_improves_a_verdict_that_it_could_pass(data: st.DataObject) -> None:
    rule = pack(band(HOLD_ONLY + "    block_when: {share: 0.3}\n"))
    values = data.draw(st.lists(st.sampled_from([0.1, 0.9]), min_size=1, max_size=12))
    k = data.draw(st.integers(0, len(values) - 1))
    hidden: list[float | Unmeasured] = [NOT_HEARD if i == k else v for i, v in enumerate(values)]
    before, after = decide(judged(rule, lines(*values))), decide(judged(rule, lines(*hidden)))
    if values[k] < 0.5:
        assert after >= before


GERMANY = {"delivery.synthetic": True, "distribution.territories": ("DE",), "label.planned": False}


def asked(rule_pack: Pack, values: dict[str, object], style: Style = Style.LIPSYNC) -> Finding:
    [found] = judge_conditions([rule_pack], facts_from(values), style=style)  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize(
    ("severity", "outcome"), [("warn", Outcome.WARN), ("hold", Outcome.HOLD), ("block", Outcome.BLOCK)]
)
def test_a_condition_that_is_false_takes_the_rule_s_severity(severity: str, outcome: Outcome) -> None:
    rule = pack(condition("label.planned", severity=severity).replace("outcome: block", f"outcome: {severity}"))
    assert asked(rule, GERMANY).outcome is outcome
    assert asked(rule, {**GERMANY, "label.planned": True}).outcome is Outcome.PASS


def test_a_condition_applies_only_where_it_says_so() -> None:
    rule = pack(condition("label.planned", applies='distribution.territories.exists(t, t == "DE")'))
    assert asked(rule, GERMANY).outcome is Outcome.BLOCK
    assert asked(rule, {**GERMANY, "distribution.territories": ("US",)}).outcome is Outcome.NOT_APPLICABLE
    assert asked(rule, {"label.planned": True}).outcome is Outcome.UNKNOWN


def test_a_condition_on_what_nobody_told_is_unknown_or_warns_where_it_only_warns() -> None:
    assert asked(pack(condition("label.planned")), {}).outcome is Outcome.UNKNOWN
    warns = condition("label.planned", severity="warn").replace("outcome: block", "outcome: warn")
    assert asked(pack(warns), {}).outcome is Outcome.WARN


def test_a_condition_for_another_style_is_not_asked() -> None:
    rule = pack(condition("label.planned").replace("    severity:", "    styles: [lector]\n    severity:"))
    assert asked(rule, GERMANY).outcome is Outcome.NOT_APPLICABLE
    assert asked(rule, GERMANY, Style.LECTOR).outcome is Outcome.BLOCK


def test_a_quality_check_answers_no_condition_and_can_be_no_release() -> None:
    found = judge([], [pack(condition("label.planned"))], style=Style.LIPSYNC)
    assert [f.outcome for f in found] == [Outcome.NOT_APPLICABLE]
    assert Verdict(found, quality_only=True).decision is Decision.HOLD


def test_a_pack_for_other_territories_is_not_asked_and_one_for_unknown_territories_is() -> None:
    nordic = pack(band(HOLD_ONLY), condition("label.planned"), head=HEAD + "territories: [NO, SE]\n")

    def decided(facts: Facts) -> set[Outcome]:
        return {f.outcome for f in judged(nordic, lines(0.9), facts=facts)}

    assert decided(facts_from({**GERMANY})) == {Outcome.NOT_APPLICABLE}
    assert decided(facts_from({**GERMANY, "distribution.territories": ("DE", "NO")})) == {Outcome.HOLD, Outcome.BLOCK}
    assert decided(facts_from({"label.planned": False})) == {Outcome.HOLD, Outcome.BLOCK}


@pytest.mark.parametrize(
    ("value", "unit", "en", "ja"),
    [
        (0.9134, Unit.SECONDS, "0.913 s", "0.913秒"),
        (2.0, Unit.SECONDS, "2 s", "2秒"),
        (12.345, Unit.SECONDS, "12.35 s", "12.35秒"),
        (0.834, Unit.SHARE, "83 %", "83%"),
        (0.0004, Unit.SHARE, "0.04 %", "0.04%"),
        (0.0, Unit.PROBABILITY, "0 %", "0%"),
        (1.0, Unit.WORDS, "1 word", "1語"),
        (9.0, Unit.WORDS, "9 words", "9語"),
        (3.0, Unit.COUNT, "3", "3件"),
        (-27.0, Unit.LKFS, "-27 LKFS", "-27 LKFS"),
        (1.5, Unit.RATIO, "1.50 times", "1.50倍"),
        (2502.4, Unit.MILLISECONDS_PER_MINUTE, "2502 ms a minute", "2502ミリ秒／分"),
    ],
)
def test_numbers_are_told_in_the_reader_s_language(value: float, unit: Unit, en: str, ja: str) -> None:
    assert (told(value, unit, "en"), told(value, unit, "ja")) == (en, ja)
