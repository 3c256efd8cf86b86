"""The packs that come with dubgate: each rule's own cases, and each rule's say in a programme where only it fails."""

from __future__ import annotations

import ast
import contextlib
import importlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from law_packs import RULES

from dubgate.delivery.script import Style
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.metrics import METRICS
from dubgate.policy.facts import facts_from
from dubgate.policy.findings import Outcome, Severity
from dubgate.policy.judge import judge, judge_conditions
from dubgate.policy.pack_cases import run_cases
from dubgate.policy.pack_schema import BandRule
from dubgate.policy.packs import CORE, Pack, available, load_packs
from dubgate.policy.record_fact_rows import TOOL
from dubgate.policy.verdict import Decision, decide
from dubgate.policy.when import When
from dubgate.unmeasured import Unmeasured

N_LINES = 40
ROOT = Path(__file__).resolve().parents[2]

# What a good dub measures.
GOOD = {
    "global_offset_s": 0.0,
    "drift_ms_per_min": 0.0,
    "speech_iou": 0.95,
    "onset_error_s": 0.03,
    "slot_overrun_s": 0.0,
    "cross_overlap_s": 0.0,
    "uncovered_original_s": 0.1,
    "uncovered_original_share": 0.02,
    "unexpected_speech_s": 0.1,
    "rate_ratio": 1.0,
    "pause_score": 0.6,
    "register_shift_st": 1.0,
    "range_ratio": 1.0,
    "line_range_ratio": 1.0,
    "f0_dtw_lift": 0.2,
    "energy_range_ratio": 1.0,
    "rate_spearman": 0.6,
    "flatness_share": 0.0,
    "one_voice_score": 9.0,
    "script_words_heard": 1.0,
    "divergent_run_words": 0.0,
    "script_wer": 0.05,
    "invented_words": 0.0,
    "language_prob": 0.97,
    "clipping_ratio": 0.0,
    "dropout_s": 0.0,
    "click_count": 0.0,
    "snr_db": 45.0,
    "duration_difference_s": 0.02,
    "speech_gated_lkfs": -27.0,
    "integrated_lufs": -23.0,
    "true_peak_dbtp": -6.0,
    "loudness_range_lu": 8.0,
}

# One fault each: the metric and its value, for one subject or for all, and what the rule must say of it.
HOLD, WARN, BLOCK, UNKNOWN = Outcome.HOLD, Outcome.WARN, Outcome.BLOCK, Outcome.UNKNOWN
ONE, ALL = "one", "all"
LIPSYNC = (
    ("TIM-OFFSET", "global_offset_s", 0.4, ONE, BLOCK),
    ("TIM-OFFSET", "global_offset_s", -0.15, ONE, BLOCK),
    ("TIM-OFFSET", "global_offset_s", 0.15, ONE, WARN),
    ("TIM-DRIFT", "drift_ms_per_min", 2502.0, ONE, BLOCK),
    ("TIM-DRIFT", "drift_ms_per_min", -60.1, ONE, BLOCK),
    ("TIM-DRIFT", "drift_ms_per_min", 25.0, ONE, WARN),
    ("TIM-IOU", "speech_iou", 0.58, ONE, BLOCK),
    ("TIM-IOU", "speech_iou", 0.7, ONE, WARN),
    ("TIM-ONSET", "onset_error_s", 0.9, ONE, HOLD),
    ("TIM-ONSET", "onset_error_s", -0.9, ONE, HOLD),
    ("TIM-ONSET", "onset_error_s", 0.5, ONE, WARN),
    ("TIM-ONSET", "onset_error_s", 0.7, ALL, BLOCK),
    ("TIM-ONSETS", "onset_error_s", 1.2, ALL, BLOCK),
    ("TIM-ONSETS", "onset_error_s", -0.55, ALL, WARN),
    ("TIM-PAUSES", "pause_score", 0.1, ONE, WARN),
    ("TIM-UNCOVERED", "uncovered_original_s", 3.0, ONE, HOLD),
    ("TIM-UNCOVERED", "uncovered_original_s", 1.5, ONE, WARN),
)
BOTH = (
    ("TIM-OVERRUN", "slot_overrun_s", 0.9, ONE, HOLD),
    ("TIM-OVERRUN", "slot_overrun_s", 0.4, ONE, WARN),
    ("TIM-OVERRUN", "slot_overrun_s", 0.9, ALL, BLOCK),
    ("TIM-OVERLAP", "cross_overlap_s", 2.0, ONE, HOLD),
    ("TIM-OVERLAP", "cross_overlap_s", 0.5, ONE, WARN),
    ("TIM-UNCOVERED-SHARE", "uncovered_original_share", 0.5, ONE, BLOCK),
    ("TIM-UNCOVERED-SHARE", "uncovered_original_share", 0.3, ONE, WARN),
    ("TIM-UNEXPECTED", "unexpected_speech_s", 3.0, ONE, HOLD),
    ("TIM-UNEXPECTED", "unexpected_speech_s", 1.0, ONE, WARN),
    ("TIM-RATE", "rate_ratio", 1.9, ONE, WARN),
    ("TIM-RATE", "rate_ratio", 0.4, ONE, WARN),
    ("PRO-FLAT", "flatness_share", 1.0, ONE, HOLD),
    ("PRO-REGISTER", "register_shift_st", 12.0, ONE, WARN),
    ("PRO-REGISTER", "register_shift_st", -12.0, ONE, WARN),
    ("PRO-RANGE", "range_ratio", 0.4, ONE, WARN),
    ("PRO-RANGE", "range_ratio", 2.6, ONE, WARN),
    ("PRO-LINE-RANGE", "line_range_ratio", 0.1, ONE, WARN),
    ("PRO-LINE-RANGE", "line_range_ratio", 6.0, ONE, WARN),
    ("PRO-MELODY", "f0_dtw_lift", -0.2, ONE, WARN),
    ("PRO-ENERGY", "energy_range_ratio", 0.2, ONE, WARN),
    ("PRO-ENERGY", "energy_range_ratio", 3.5, ONE, WARN),
    ("PRO-TEMPO", "rate_spearman", -0.4, ONE, WARN),
    ("VOI-ONE", "one_voice_score", -1.0, ONE, HOLD),
    ("VOI-ONE", "one_voice_score", -1.0, ALL, BLOCK),
    ("TXT-MISSING", "script_words_heard", 0.2, ONE, HOLD),
    ("TXT-MISSING", "script_words_heard", 0.2, ALL, BLOCK),
    ("TXT-MISSING", "script_words_heard", Unmeasured("not heard"), ONE, UNKNOWN),
    ("TXT-RUN", "divergent_run_words", 8.0, ONE, HOLD),
    ("TXT-RUN", "divergent_run_words", 8.0, ALL, BLOCK),
    ("TXT-RUN", "divergent_run_words", Unmeasured("not heard"), ONE, UNKNOWN),
    ("TXT-WORDS", "script_wer", 0.9, ONE, HOLD),
    ("TXT-WORDS", "script_wer", 0.4, ONE, WARN),
    ("TXT-WORDS", "script_wer", 0.9, ALL, BLOCK),
    ("TXT-INVENTED", "invented_words", 9.0, ONE, HOLD),
    ("TXT-INVENTED", "invented_words", 3.0, ONE, WARN),
    ("TXT-LANGUAGE", "language_prob", 0.1, ONE, HOLD),
    ("TXT-LANGUAGE", "language_prob", 0.5, ONE, WARN),
    ("TXT-LANGUAGE", "language_prob", 0.1, ALL, BLOCK),
    ("LVL-CLIP", "clipping_ratio", 0.02, ONE, HOLD),
    ("LVL-CLIP", "clipping_ratio", 0.0005, ONE, WARN),
    ("LVL-DROPOUT", "dropout_s", 0.5, ONE, HOLD),
    ("LVL-DROPOUT", "dropout_s", 0.2, ONE, WARN),
    ("LVL-DROPOUT", "dropout_s", 0.5, ALL, BLOCK),
    ("LVL-CLICKS", "click_count", 40.0, ONE, WARN),
    ("LVL-NOISE", "snr_db", 8.0, ONE, WARN),
    ("LVL-DURATION", "duration_difference_s", 8.0, ONE, HOLD),
    ("LVL-DURATION", "duration_difference_s", -8.0, ONE, HOLD),
    ("LVL-DURATION", "duration_difference_s", -1.0, ONE, WARN),
)
NETFLIX = (
    ("LOU-DIALOGUE", "speech_gated_lkfs", -20.0, ONE, HOLD),
    ("LOU-DIALOGUE", "speech_gated_lkfs", -32.0, ONE, HOLD),
    ("LOU-DIALOGUE", "speech_gated_lkfs", -24.5, ONE, WARN),
    ("LOU-DIALOGUE", "speech_gated_lkfs", -29.5, ONE, WARN),
    ("LOU-PEAK", "true_peak_dbtp", -0.5, ONE, HOLD),
    ("LOU-PEAK", "true_peak_dbtp", -1.5, ONE, WARN),
    ("LOU-RANGE", "loudness_range_lu", 20.0, ONE, WARN),
    ("LOU-RANGE", "loudness_range_lu", 2.0, ONE, WARN),
)
R128 = (
    ("LOU-PROGRAMME", "integrated_lufs", -20.0, ONE, HOLD),
    ("LOU-PROGRAMME", "integrated_lufs", -26.0, ONE, HOLD),
    ("LOU-PROGRAMME", "integrated_lufs", -22.3, ONE, WARN),
    ("LOU-PROGRAMME", "integrated_lufs", -23.8, ONE, WARN),
    ("LOU-PEAK", "true_peak_dbtp", -0.5, ONE, HOLD),
)
FAULTS = {
    "quality-lipsync": (*LIPSYNC, *BOTH),
    "quality-voiceover": BOTH,
    "loudness-netflix": NETFLIX,
    "loudness-ebu-r128": R128,
}
CASES = [(name, *fault) for name, faults in FAULTS.items() for fault in faults]


@cache
def shipped(name: str) -> Pack:
    return load_packs([name])[0 if name == CORE else -1]


def programme(metric: str = "", value: float | Unmeasured = 0.0, which: str = ONE) -> list[Measurement]:
    """A good dub's measurements, one of them (or all of one metric) replaced."""
    out = []
    for name, good in GOOD.items():
        subjects = {
            Scope.LINE: [Subject(Scope.LINE, f"L{k:02}", f"C{k % 2}") for k in range(N_LINES)],
            Scope.CHARACTER: [Subject(Scope.CHARACTER, f"C{k}") for k in range(2)],
            Scope.PROGRAMME: [Subject(Scope.PROGRAMME)],
        }[METRICS[name].scope]
        for k, subject in enumerate(subjects):
            hit = name == metric and (which == ALL or k == 0)
            out.append(Measurement(name, subject, value if hit else good, 2.0))
    return out


@pytest.mark.parametrize("name", sorted(available()))
def test_every_rule_passes_its_own_tests(name: str) -> None:
    assert [result for result in run_cases(shipped(name)) if not result.passed] == []


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_good_dub_passes_every_rule(name: str) -> None:
    findings = judge(programme(), [shipped(name)], style=Style.LIPSYNC)
    assert {f.outcome for f in findings} == {Outcome.PASS}
    assert decide(findings) is Decision.RELEASE


@pytest.mark.parametrize(("name", "rule", "metric", "value", "which", "outcome"), CASES)
def test_a_fault_is_found_by_its_rule(
    name: str, rule: str, metric: str, value: float | Unmeasured, which: str, outcome: Outcome
) -> None:
    findings = judge(programme(metric, value, which), [shipped(name)], style=Style.LIPSYNC)
    assert max(f.outcome for f in findings if f.rule == rule) is outcome
    others = {r for r, m, *_ in FAULTS[name] if m == metric} | {rule}
    assert {f.rule for f in findings if f.outcome is not Outcome.PASS} <= others


def test_every_rule_that_ships_has_a_fault_that_only_it_and_its_kin_find() -> None:
    for name, faults in FAULTS.items():
        assert {rule.id for rule in shipped(name).rules} == {rule for rule, *_ in faults}


def test_the_packs_that_ship_are_the_ones_tested() -> None:
    assert set(available()) == {*FAULTS, CORE, "production-record", *RULES}


@pytest.mark.parametrize("metric", sorted(GOOD))
def test_a_metric_that_is_unmeasured_throughout_never_passes(metric: str) -> None:
    for name in FAULTS:
        findings = judge(programme(metric, Unmeasured("no model"), ALL), [shipped(name)], style=Style.LIPSYNC)
        of_metric = [f for f in findings if metric in _metrics_of(name, f.rule)]
        assert all(f.outcome in (UNKNOWN, WARN) or f.text.en.count("by the words heard") for f in of_metric)


def _metrics_of(name: str, rule_id: str) -> tuple[str, ...]:
    return next(r.metrics for r in shipped(name).bands if r.id == rule_id)


def test_a_line_whose_language_no_model_can_tell_passes_by_its_words_or_waits() -> None:
    unheard = programme("language_prob", Unmeasured("no model for languages"), ALL)
    assert decide(judge(unheard, [shipped("quality-lipsync")], style=Style.LIPSYNC)) is Decision.RELEASE
    silent = [m for m in unheard if m.metric != "script_words_heard"]
    findings = judge(silent, [shipped("quality-lipsync")], style=Style.LIPSYNC)
    assert {f.outcome for f in findings if f.rule == "TXT-LANGUAGE"} == {UNKNOWN}


def test_errors_in_words_are_only_reported_with_the_embedded_transcriber() -> None:
    bad = programme("script_wer", 0.4, ALL)
    pack = [shipped("quality-lipsync")]
    assert max(f.outcome for f in judge(bad, pack, style=Style.LIPSYNC)) is WARN
    quiet = judge(bad, pack, style=Style.LIPSYNC, embedded=["transcriber"])
    assert {f.outcome for f in quiet if f.rule == "TXT-WORDS"} == {Outcome.NOT_APPLICABLE}
    assert decide(judge(programme("script_words_heard", 0.2), pack, style=Style.LIPSYNC, embedded=["transcriber"])) is (
        Decision.HOLD
    )


def test_no_single_line_blocks() -> None:
    for name in FAULTS:
        for rule in shipped(name).bands:
            if rule.measures.scope is Scope.LINE and rule.of == "each":
                assert rule.severity is not Severity.BLOCK


def test_voice_over_asks_nothing_of_lips_and_all_else_as_lipsync_does() -> None:
    lipsync = {rule.id: rule for rule in shipped("quality-lipsync").rules}
    voiceover = {rule.id: rule for rule in shipped("quality-voiceover").rules}
    lips = {"TIM-OFFSET", "TIM-DRIFT", "TIM-IOU", "TIM-ONSET", "TIM-ONSETS", "TIM-PAUSES", "TIM-UNCOVERED"}
    assert set(lipsync) - set(voiceover) == lips
    assert all(lipsync[rule_id] == rule for rule_id, rule in voiceover.items())


def _texts_of(path: Path) -> list[str]:
    """Every text in a module, formatted ones with the module's own constants where they suffice."""
    names = vars(importlib.import_module(f"dubgate.measure.{path.stem}"))
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
        elif isinstance(node, ast.JoinedStr):
            with contextlib.suppress(NameError, TypeError):
                texts.append(eval(compile(ast.Expression(node), str(path), "eval"), names))
    return texts


def test_the_reasons_for_not_asking_are_reasons_that_measuring_gives() -> None:
    said = [text for path in sorted((ROOT / "dubgate/measure").glob("*.py")) for text in _texts_of(path)]
    for name in FAULTS:
        for rule in shipped(name).bands:
            assert all(any(reason in text for text in said) for reason in rule.not_asked_where), rule.id


def test_sentences_for_people_name_no_metric() -> None:
    for name in available():
        for rule in shipped(name).rules:
            said = [s for s in (rule.asks, rule.text, rule.passes, getattr(rule, "below", None)) if s is not None]
            words = " ".join(s.en + s.ja for s in said)
            assert not [m for m in METRICS if m in words], rule.id
            assert not [w for w in ("IoU", "WER", "F0", "DTW", "LLR", "VAD") if w in words], rule.id


def test_every_sentence_can_be_filled_in() -> None:
    for name, faults in FAULTS.items():
        for _, metric, value, which, _ in faults:
            for finding in judge(programme(metric, value, which), [shipped(name)], style=Style.LIPSYNC):
                assert not set("{}") & set(finding.text.en + finding.text.ja)
                assert finding.text.en
                assert finding.text.ja


TRACK = {"name": "x", "language": "en", "machine_readable": True, "plays_what_was_heard": True}


def _label(*readable: bool) -> tuple[dict[str, object], ...]:
    return tuple({**TRACK, "human_readable": r} for r in readable)


UNREGISTERED = dict.fromkeys((name for name, _ in TOOL.fields), Unmeasured("no register in this test"))
RECORD = {
    "record.present": True,
    "record.tools": ({**UNREGISTERED, "name": "t", "version": "1", "vendor": "v", "training_data": ""},),
}


@pytest.mark.parametrize(
    ("countries", "tracks", "outcome"),
    [
        (("DE",), _label(True), Outcome.PASS),
        (("DE",), _label(False), BLOCK),
        (("DE",), _label(True, False), BLOCK),
        (("US", "IE"), _label(False), BLOCK),
        (("DE",), (), BLOCK),
        (("NO", "US"), _label(False), Outcome.NOT_APPLICABLE),
        (("DE",), Unmeasured("damaged"), UNKNOWN),
        (Unmeasured("not told"), _label(True), UNKNOWN),
    ],
)
def test_a_release_that_reaches_the_european_union_is_labelled_for_people(
    countries: object, tracks: object, outcome: Outcome
) -> None:
    facts = facts_from(
        {"delivery.synthetic": True, "distribution.territories": countries, "label.tracks": tracks, **RECORD}  # type: ignore[dict-item]
    )
    found = judge_conditions([shipped(CORE)], facts, style=Style.LIPSYNC)
    assert next(f.outcome for f in found if f.rule == "LAB-EU") is outcome


@pytest.mark.parametrize(
    ("end", "outcome"),
    [(datetime(2026, 8, 1, tzinfo=UTC), Outcome.NOT_APPLICABLE), (datetime(2026, 8, 3, tzinfo=UTC), BLOCK)],
)
def test_the_european_rule_is_in_force_from_2_august_2026(end: datetime, outcome: Outcome) -> None:
    facts = facts_from(
        {"delivery.synthetic": True, "distribution.territories": ("DE",), "label.tracks": _label(False), **RECORD}
    )
    start = datetime(2026, 7, 1, tzinfo=UTC)
    found = judge_conditions([shipped(CORE)], facts, style=Style.LIPSYNC, when=When(start, (start, end)))
    assert next(f.outcome for f in found if f.rule == "LAB-EU") is outcome


def test_a_worldwide_release_meets_the_european_rules() -> None:
    from dubgate.regions import expand

    facts = facts_from(
        {
            "delivery.synthetic": True,
            "distribution.territories": expand(["001"]),
            "label.tracks": _label(False),
            **RECORD,
        }
    )
    assert decide(judge_conditions([shipped(CORE)], facts, style=Style.LIPSYNC)) is Decision.BLOCK


@pytest.mark.parametrize(
    ("synthetic", "present", "tools", "outcome"),
    [
        (True, True, RECORD["record.tools"], Outcome.PASS),
        (True, False, (), WARN),
        (True, True, (), WARN),
        (False, False, (), Outcome.NOT_APPLICABLE),
    ],
)
def test_a_synthetic_dub_should_say_how_it_was_made(
    synthetic: bool, present: bool, tools: object, outcome: Outcome
) -> None:
    facts = facts_from({"delivery.synthetic": synthetic, "record.present": present, "record.tools": tools})  # type: ignore[dict-item]
    found = judge_conditions([shipped(CORE)], facts, style=Style.LIPSYNC)
    assert next(f.outcome for f in found if f.rule == "REC-PRODUCTION") is outcome


def test_core_has_exactly_the_rules_that_are_tested_here() -> None:
    assert {rule.id for rule in shipped(CORE).rules} == {"LAB-EU", "LAB-C2PA", "REC-PRODUCTION"}
    assert not any(isinstance(rule, BandRule) for rule in shipped(CORE).rules)
