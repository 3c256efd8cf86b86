"""Values and bounds in frames and per cent; the head of a check that found nothing wrong and could not hear all."""

from __future__ import annotations

from fractions import Fraction

import pytest
from made_judgement import finding

from dubgate.delivery.timecode import Clock
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Verdict
from dubgate.report.open_questions import open_questions
from dubgate.report.phrases import decided
from dubgate.report.plain_values import measured_of, plain, wanted_of


def of(rule: str, value: str, bound: str = "", outcome: Outcome = Outcome.HOLD) -> Finding:
    return finding(rule, Subject(Scope.PROGRAMME), outcome, "said.", "言う。", value=value, bound=bound)


@pytest.mark.parametrize(
    ("rule", "value", "shown", "rate"),
    [
        ("TIM-ONSET", "-0.692 s", "-0.692 s (-17 frames)", Fraction(25)),
        ("TIM-OFFSET", "0.406 s", "0.406 s (10 frames)", Fraction(24_000, 1001)),
        ("TIM-ONSET", "0.04 s", "0.04 s (1 frame)", Fraction(25)),
        ("TIM-UNCOVERED", "120 s", "120 s", Fraction(25)),
        ("LVL-DROPOUT", "0.5 s", "0.5 s", Fraction(25)),
        ("TIM-ONSET", "3 of 4, run of 3", "3 of 4, run of 3", Fraction(25)),
        ("TIM-ONSET", "not measured", "not measured", Fraction(25)),
        ("TIM-IOU", "0.411 share", "41.1 %", Fraction(25)),
        ("TXT-LANGUAGE", "0.07 prob", "7 %", Fraction(25)),
        ("TXT-WORDS", "0.24 ratio", "0.24 times", Fraction(25)),
        ("LVL-CLICKS", "3 count", "3", Fraction(25)),
        ("LVL-CLIP", "0.0001 share", "0.01 %", Fraction(25)),
    ],
)  # fmt: skip
def test_a_value_is_told_as_people_count(rule: str, value: str, shown: str, rate: Fraction) -> None:
    assert measured_of(of(rule, value), Clock(rate)).en == shown


def test_a_bound_is_told_so_too() -> None:
    assert wanted_of(of("TIM-IOU", "", "at least 0.65 share")).en == "at least 65 %"
    assert plain("at least 0.6 ratio and at most 1.6 ratio") == "at least 0.6 times and at most 1.6 times"
    assert plain("under 25% fail or no run of 6") == "under 25% fail or no run of 6"


def test_frames_are_told_in_japanese() -> None:
    assert measured_of(of("TIM-ONSET", "0.4 s"), Clock()).ja == "0.4 s（10フレーム）"


def test_a_check_that_found_nothing_wrong_says_so_though_it_holds() -> None:
    opened, wrong = of("TXT-WORDS", "not measured", outcome=Outcome.UNKNOWN), of("TIM-ONSET", "1 s")
    noted = of("PRO-RANGE", "9 ratio", outcome=Outcome.WARN)
    assert decided(Verdict((opened, noted), quality_only=True))[1].en.startswith("nothing that could be measured")
    assert decided(Verdict((opened, wrong), quality_only=True))[1].en == "listen to what follows before going on"
    assert "nothing" not in decided(Verdict((), quality_only=True))[1].en  # nothing judged is not nothing wrong
    assert decided(Verdict((opened,)))[1].en.startswith("people have to decide")


def test_lines_of_nobody_are_called_the_programme_beside_characters() -> None:
    def asked(subject: Subject, who: str) -> Finding:
        said = (f"{who}: Life could not be judged (too short).", f"{who}: 抑揚を判定できませんでした（短い）。")
        return finding("PRO-FLAT", subject, Outcome.UNKNOWN, *said, value="not measured")

    findings = (asked(Subject(Scope.PROGRAMME), "The programme"), asked(Subject(Scope.CHARACTER, "MARA"), "MARA"))
    assert open_questions(findings)[0].questions[0].of.en == "The programme, MARA"
