"""The pack production-record holds what it holds today: a rule that goes or softens turns a test red."""

from __future__ import annotations

from functools import cache

from dubgate.delivery.script import Style
from dubgate.policy.facts import facts_from
from dubgate.policy.findings import Outcome
from dubgate.policy.judge import judge_conditions
from dubgate.policy.pack_cases import run_cases
from dubgate.policy.packs import Pack, load_packs

HOLDING = (
    *("REC-PURPOSE", "REC-SAVING", "REC-CONFIRMED", "REC-ANSWERED", "REC-FILES", "REC-REVISIONS", "REC-TRAINING"),
    *("REC-TRAINED-ON", "REC-REGISTER", "REC-REVIEW-DUE", "REC-TERMS", "REC-INPUTS", "REC-OWNED", "REC-CREDITS"),
    *("REC-POLICY", "REC-FAVOURABLE"),
)
WARNING = ("REC-STORED", "REC-DISPUTES", "REC-NAMED", "REC-INTAKE")


@cache
def pack() -> Pack:
    return load_packs(["production-record"])[-1]


def test_the_pack_has_exactly_these_rules_and_asks_these_roles() -> None:
    found = {rule.id: str(rule.severity) for rule in pack().rules}
    assert found == dict.fromkeys(HOLDING, "hold") | dict.fromkeys(WARNING, "warn")
    assert [str(r) for r in pack().sign_offs] == ["localization_supervisor", "creative_lead", "legal", "production"]
    assert not pack().small_team
    assert pack().chosen_by is None  # a company asks for it; it is nobody's law


def test_every_rule_passes_its_own_cases() -> None:
    results = run_cases(pack())
    assert len(results) > 70
    assert [result for result in results if not result.passed] == []


def test_no_rule_concerns_a_dub_that_people_performed() -> None:
    facts = facts_from({"delivery.synthetic": False, "record.tools": (), "intake.given": True})
    found = judge_conditions([pack()], facts, style=Style.LIPSYNC)
    assert {f.outcome for f in found} == {Outcome.NOT_APPLICABLE}
    assert len(found) == len(pack().rules)


def test_every_remedy_says_what_to_do_and_some_whom_to_escalate_to() -> None:
    remedies = [rule.remedy.en for rule in pack().rules]
    assert all(remedies)
    assert sum("escalate to" in remedy for remedy in remedies) >= 8
