"""JUnit files: every outcome in the element that build servers read, and nothing that breaks the XML."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st
from made_judgement import PROGRAMME, finding, judgement, with_findings

from dubgate.policy.findings import Outcome
from dubgate.report.junit import junit_xml

HOW = {
    Outcome.BLOCK: "failure", Outcome.HOLD: "failure", Outcome.UNKNOWN: "error", Outcome.NOT_APPLICABLE: "skipped",
    Outcome.WARN: "system-out", Outcome.WAIVED: "system-out", Outcome.PASS: None,
}  # fmt: skip


def _only(outcome: Outcome, text: str = "Something is so.") -> Element:
    judged = with_findings(judgement(2), finding("R-1", PROGRAMME, outcome, text, "そうです。"), alone=True)
    return fromstring(junit_xml(judged))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_each_outcome_has_its_element(outcome: Outcome) -> None:
    root = _only(outcome)
    case = root.find("testsuite/testcase")
    assert case is not None
    assert [child.tag for child in case] == ([HOW[outcome]] if HOW[outcome] else [])
    assert root.get("tests") == "1"
    assert root.get("failures") == str(int(HOW[outcome] == "failure"))
    assert root.get("errors") == str(int(HOW[outcome] == "error"))
    assert root.get("skipped") == str(int(HOW[outcome] == "skipped"))


def test_there_is_one_case_for_each_rule_and_subject() -> None:
    judged = judgement(24)
    cases = fromstring(junit_xml(judged)).findall(".//testcase")
    names = [(c.get("classname"), c.get("name")) for c in cases]
    assert len(set(names)) == len(names) == len({(f.rule, f.subject) for f in judged.verdict.findings})
    assert ("quality-lipsync.TIM-ONSET", "TIM-ONSET line 3 (The Keeper)") in names


def test_two_findings_of_one_rule_and_subject_are_one_case_with_the_worse_outcome() -> None:
    pair = [finding("R-1", PROGRAMME, o, f"It is {o.name}.", "。") for o in (Outcome.PASS, Outcome.HOLD)]
    root = fromstring(junit_xml(with_findings(judgement(2), *pair, alone=True)))
    failure = root.find(".//testcase/failure")
    assert root.get("tests") == "1"
    assert failure is not None
    assert failure.get("type") == "hold"
    assert "It is PASS." in (failure.text or "")


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_text_can_break_the_xml(text: str) -> None:
    failure = _only(Outcome.BLOCK, f"<]]>&\"'\x00\x1b[31m\ud800\ufffe{text}").find(".//failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("<]]>&\"'")
