"""Clearance, check by check: each has a case in which it passes and one in which it takes its outcome."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.clearance import Clearance
from consent.denials import Denial, Sentence
from consent.terms import Evidence, Grant
from consent.titles import Refusal
from consent.vocabulary import Channel, EvidenceKind, Performance, Technique
from dubgate.policy.approval_checks import _denied
from dubgate.policy.checks import CHECKS
from dubgate.policy.clearance import clear_all
from dubgate.policy.findings import Finding, Group, Outcome
from dubgate.policy.rule_findings import PROGRAMME
from dubgate.policy.speakers import Declared, Heard, Hit
from dubgate.policy.verdict import Decision, decide
from dubgate.policy.voice_checks import protected
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

NOT_TOLD = Unmeasured("too short")
GRANT = Grant.model_validate(
    {
        "grant_id": "g-ada",
        "voice_id": "v-ada",
        "granted_by": "p-ada",
        "title_ids": ("show",),
        "intended_use": "An AI dub of the series Show into French.",
        "techniques": (Technique.VOICE_CLONE_TTS,),
        "performances": (Performance.NEW,),
        "languages": ("fr",),
        "territories": ("150",),
        "channels": (Channel.SVOD,),
        "not_before": "2026-01-01T00:00:00Z",
        "not_after": "2028-01-01T00:00:00Z",
        "evidence": (Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64),),
        "compensation": {"ref": "contract 7", "basis": "session"},
    },
    strict=False,
)
CLEARED = Clearance("v-ada", (GRANT,), ())
HEARD = Heard("ADA", 12.0, (Span(0, 12),), 9.0, 5.0, -2.0, (), 0.3, 4.0)
ADA = Declared("ADA", "voice_clone_tts", ("v-ada",), (CLEARED,))
REFUSAL = Refusal.model_validate(
    {
        "refusal_id": "r-1",
        "by": "studio",
        "title_ids": ("show",),
        "not_before": "2026-01-01T00:00:00Z",
        "words": {"en": "No AI dub of Show."},
    },
    strict=False,
)


def denied(code: str) -> Declared:
    return replace(ADA, clearances=(Clearance("v-ada", (), (Denial(code, "x", Sentence("no", "不可"), "g-1"),)),))


def outcomes(heard: Heard, declared: Declared | None = ADA) -> dict[str, Outcome]:
    """The outcome by rule, the worst where there are several."""
    found = clear_all([heard], [] if declared is None else [declared])
    return {rule: max(f.outcome for f in found if f.rule == rule) for rule in {f.rule for f in found}}


def test_a_granted_voice_that_is_itself_and_nobody_else_is_cleared() -> None:
    found = clear_all([HEARD], [ADA])
    assert {f.rule for f in found} == {"CON-000", "CON-001", "CON-030", "CON-031", "CON-032", "CON-033", "CON-035"}
    assert decide(found) is Decision.RELEASE


HUMAN = Declared("ADA", "human", (), ())
FAILING = [
    ("CON-000", HEARD, None, Outcome.BLOCK),
    ("CON-000", replace(HEARD, name=None), ADA, Outcome.BLOCK),
    ("CON-000", replace(HEARD, name="BO"), ADA, Outcome.BLOCK),
    ("CON-000", replace(HEARD, name="BO", speech_s=0.2), ADA, Outcome.BLOCK),
    ("CON-000", replace(HEARD, name=None, speech_s=1.5), ADA, Outcome.BLOCK),
    ("CON-000", replace(HEARD, name=None, speech_s=1.4), ADA, Outcome.UNKNOWN),
    ("CON-001", HEARD, replace(ADA, clearances=()), Outcome.BLOCK),
    ("CON-001", HEARD, replace(ADA, clearances=(Clearance("v-ada", (), ()),)), Outcome.BLOCK),
    ("CON-005", HEARD, replace(ADA, refusals=(REFUSAL,)), Outcome.BLOCK),
    ("CON-030", HEARD, replace(ADA, may_compare=False), Outcome.UNKNOWN),
    ("CON-031", replace(HEARD, match_llr=-2.1), ADA, Outcome.BLOCK),
    ("CON-031", replace(HEARD, match_llr=-2.0), ADA, Outcome.UNKNOWN),
    ("CON-031", replace(HEARD, match_llr=4.9), ADA, Outcome.UNKNOWN),
    ("CON-031", replace(HEARD, match_llr=float("nan")), ADA, Outcome.UNKNOWN),
    ("CON-031", replace(HEARD, match_llr=NOT_TOLD), ADA, Outcome.UNKNOWN),
    ("CON-032", replace(HEARD, hits=(Hit("v-x", 9.0, True),)), ADA, Outcome.BLOCK),
    ("CON-032", replace(HEARD, hits=(Hit("v-x", 5.0, False),)), ADA, Outcome.HOLD),
    ("CON-032", replace(HEARD, hits=NOT_TOLD), ADA, Outcome.UNKNOWN),
    ("CON-032", replace(HEARD, hits=(Hit("v-x", 9.0, True),)), None, Outcome.BLOCK),
    ("CON-033", replace(HEARD, original_llr=4.0), ADA, Outcome.BLOCK),
    ("CON-033", replace(HEARD, original_llr=float("nan")), ADA, Outcome.BLOCK),
    ("CON-033", replace(HEARD, original_llr=NOT_TOLD), ADA, Outcome.UNKNOWN),
    ("CON-033", replace(HEARD, original_llr=9.0), HUMAN, Outcome.BLOCK),
    ("CON-034", HEARD, replace(ADA, unconfirmed=("v-ada",)), Outcome.UNKNOWN),
    ("CON-035", replace(HEARD, match_llr=NOT_TOLD), ADA, Outcome.UNKNOWN),
    ("CON-035", HEARD, replace(ADA, may_compare=False), Outcome.UNKNOWN),
    ("CON-040", HEARD, HUMAN, Outcome.HOLD),
]


@pytest.mark.parametrize(("rule", "heard", "declared", "outcome"), FAILING)
def test_each_check_fails_with_its_outcome(
    rule: str, heard: Heard, declared: Declared | None, outcome: Outcome
) -> None:
    assert outcomes(heard, declared)[rule] is outcome
    assert decide(clear_all([heard], [] if declared is None else [declared])) is not Decision.RELEASE


@pytest.mark.parametrize("code", sorted(c for c in CHECKS if c.startswith("CON-0") and "002" <= c[4:] <= "023"))
def test_each_reason_of_the_registry_blocks_under_its_own_number(code: str) -> None:
    found = outcomes(HEARD, denied(code))
    assert found[code] is Outcome.BLOCK
    assert "CON-001" not in found


def test_a_denial_beside_a_covering_grant_still_blocks() -> None:
    both = replace(ADA, clearances=(CLEARED, denied("CON-012").clearances[0]))
    assert outcomes(HEARD, both)["CON-012"] is Outcome.BLOCK


def test_a_stated_human_needs_neither_grant_nor_match() -> None:
    found = outcomes(replace(HEARD, match_llr=NOT_TOLD, original_llr=NOT_TOLD), replace(HUMAN, human_statement=None))
    assert found["CON-040"] is Outcome.PASS
    assert found["CON-031"] is found["CON-033"] is Outcome.NOT_APPLICABLE
    assert found["CON-035"] is Outcome.PASS


def test_a_stated_human_is_still_searched_for_protected_voices() -> None:
    stated = replace(HUMAN, human_statement=None)
    assert outcomes(replace(HEARD, hits=(Hit("v-x", 9.0, True),)), stated)["CON-032"] is Outcome.BLOCK


def test_a_protected_voice_that_is_named_as_the_performers_own_is_a_hit_until_its_owner_signs() -> None:
    named = replace(HUMAN, voice_ids=("v-x",), human_statement=None)
    heard = replace(HEARD, hits=(Hit("v-x", 9.0, True), Hit("v-y", 3.0, False)))
    found = [f for f in clear_all([heard], [named]) if f.rule == "CON-032"]
    assert [f.outcome for f in found] == [Outcome.BLOCK, Outcome.HOLD]
    assert ["--human" in f.text.en for f in found] == [True, False]
    signed = replace(named, performed_by=frozenset({"v-x"}))
    [other] = [f for f in clear_all([heard], [signed]) if f.rule == "CON-032"]
    assert (other.voice_id, other.outcome) == ("v-y", Outcome.HOLD)
    assert outcomes(replace(HEARD, hits=heard.hits[:1]), signed)["CON-032"] is Outcome.PASS


def test_the_originals_own_performer_may_grant_the_translation() -> None:
    assert outcomes(replace(HEARD, original_llr=9.0, original_granted=True))["CON-033"] is Outcome.PASS


def test_nothing_heard_holds_and_no_ear_can_answer_it() -> None:
    [only] = clear_all([], [ADA])
    assert (only.rule, only.outcome) == ("CON-035", Outcome.HOLD)
    assert decide([only]) is Decision.HOLD


def test_a_declaration_for_a_voice_that_nobody_heard_clears_nothing() -> None:
    found = clear_all([replace(HEARD, name="BO")], [ADA])
    assert not [f for f in found if f.subject.name == "ADA"]
    assert decide(found) is Decision.BLOCK


@pytest.mark.parametrize(("unsure_s", "outcome"), [(1.3, Outcome.PASS), (1.4, Outcome.UNKNOWN)])
def test_nine_tenths_of_the_speech_must_be_verified(unsure_s: float, outcome: Outcome) -> None:
    other = replace(HEARD, name="BO", speech_s=unsure_s, match_llr=NOT_TOLD)
    found = clear_all([HEARD, other], [ADA, replace(ADA, name="BO")])
    assert [f.outcome for f in found if f.rule == "CON-035"] == [outcome]


def test_every_finding_says_what_to_do_where_something_is_wrong() -> None:
    for _, heard, declared, _ in FAILING:
        for f in clear_all([heard], [] if declared is None else [declared]):
            assert f.group is Group.CONSENT
            assert f.text.en
            assert f.text.ja
            assert bool(f.remedy.ja) == (f.outcome > Outcome.PASS)


CASES = st.sampled_from([(HEARD, ADA), *((h, d) for _, h, d, _ in FAILING)])


@given(st.lists(CASES, min_size=1, max_size=6), st.randoms())
def test_one_more_speaker_never_improves_and_order_does_not_matter(
    cases: list[tuple[Heard, Declared | None]], rng: object
) -> None:
    heard = [replace(h, name=f"N{k}") for k, (h, _) in enumerate(cases)]
    cast = [replace(d, name=f"N{k}") for k, (_, d) in enumerate(cases) if d is not None]
    own: list[Finding] = [f for f in clear_all(heard, cast) if f.rule != "CON-035"]
    part = [f for f in clear_all(heard[:-1], cast) if f.rule != "CON-035"]
    assert not part or decide(own) >= decide(part)
    backwards = [f for f in clear_all(heard[::-1], cast[::-1]) if f.rule != "CON-035"]
    assert decide(backwards) is decide(own)


def test_what_is_said_of_a_hit_at_worst_is_what_the_table_of_checks_says() -> None:
    """CON-032 chooses between hold and block by the gallery's false-hit rate; its row tells the worse."""
    assert CHECKS["CON-032"].failed is Outcome.BLOCK
    assert CHECKS["LAB-002"].failed is Outcome.WARN  # said by the label's reader for each entry


def test_a_search_that_nobody_counted_claims_no_number() -> None:
    [counted] = protected(replace(HEARD, n_searched=3), PROGRAMME, "ADA")
    [uncounted] = protected(replace(HEARD, n_searched=None), PROGRAMME, "ADA")
    assert "(3 looked for)" in counted.text.en
    assert "looked for" not in uncounted.text.en


@pytest.mark.parametrize(
    ("code", "outcome"),
    [("RH-010", Outcome.BLOCK), ("RH-011", Outcome.BLOCK), ("RH-012", Outcome.HOLD), ("RH-013", Outcome.BLOCK)],
)
def test_a_contested_claim_holds_and_none_two_or_an_unconfirmed_one_block(code: str, outcome: Outcome) -> None:
    assert _denied(Denial(code, "claim", Sentence("a claim", "権利主張"), "c-1"), "").outcome is outcome
