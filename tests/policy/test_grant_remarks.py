"""CON-024 and CON-025: a grant that covers the use is warned about for its length and its missing pay, a union's blocked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.clearance import Clearance, clear
from consent.denials import GrantHistory
from consent.events import Event, RecordedEvent
from consent.remarks import later, remarks
from consent.strict import Window
from consent.terms import Compensation, Evidence, Grant, Minor, Use
from consent.vocabulary import (
    Capacity,
    Channel,
    EventKind,
    EvidenceKind,
    PayBasis,
    Performance,
    Representation,
    Subject,
    Technique,
)
from consent.voices import Voice
from dubgate.policy.clearance import clear_all
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.speakers import Declared, Heard
from dubgate.policy.verdict import Decision, decide
from dubgate.spans import Span

JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAID = Compensation(ref="contract 7", basis=PayBasis.SESSION)
HEARD = Heard("ADA", 12.0, (Span(0, 12),), 9.0, 5.0, -2.0, (), 0.3, 4.0)
VOICE = Voice(voice_id="v-ada", subject=Subject.LIVING, owner_id="p-ada")
USE = Use(
    title_ids=("show",),
    language="fr",
    territories=("FR",),
    channels=(Channel.SVOD,),
    window=Window(start=NOW, end=NOW + timedelta(days=30)),
    technique=Technique.VOICE_CLONE_TTS,
)


def grant(**changes: Any) -> Grant:
    said: dict[str, Any] = {
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
        "not_before": JANUARY,
        "not_after": later(JANUARY, 10),
        "evidence": (Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64),),
        "compensation": PAID,
    }
    return Grant(**(said | changes))


def of_minor(**changes: Any) -> Grant:
    minor = Minor(guardian_id="p-mum", expires_at_majority=later(JANUARY, 9))
    more = {"minor": minor, "capacity": Capacity.GUARDIAN, "authority_sha256": "a" * 64, "granted_by": "p-mum"}
    return grant(**(more | changes))


def codes(terms: Grant) -> list[str]:
    return [r[0] for r in remarks(terms)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (grant(), []),
        (grant(not_after=later(JANUARY, 10) + timedelta(seconds=1)), ["CON-024"]),
        (grant(not_after=None, perpetual_ack=True), ["CON-024"]),
        (of_minor(not_after=later(JANUARY, 5)), []),
        (of_minor(not_after=later(JANUARY, 5) + timedelta(seconds=1)), ["CON-024"]),
        (grant(compensation=None), ["CON-025"]),
        (grant(compensation=None, not_after=None, perpetual_ack=True), ["CON-024", "CON-025"]),
    ],
)
def test_a_long_term_and_a_missing_payment_are_remarked(terms: Grant, expected: list[str]) -> None:
    assert codes(terms) == expected


def findings(*grants: Grant) -> tuple[Finding, ...]:
    declared = Declared("ADA", "voice_clone_tts", ("v-ada",), (Clearance("v-ada", grants, ()),))
    return clear_all([HEARD], [declared])


def warned(*grants: Grant) -> dict[str, Outcome]:
    return {f.rule: f.outcome for f in findings(*grants) if f.rule in ("CON-024", "CON-025")}


def test_a_remark_warns_and_still_releases() -> None:
    long = grant(not_after=None, perpetual_ack=True, compensation=None)
    assert warned(long) == {"CON-024": Outcome.WARN, "CON-025": Outcome.WARN}
    assert decide(findings(long)) is Decision.RELEASE
    assert warned(grant()) == {}


def test_one_covering_grant_that_is_free_of_it_suffices() -> None:
    long, unpaid = grant(not_after=None, perpetual_ack=True), grant(grant_id="g-2", compensation=None)
    assert warned(long, unpaid) == {}
    assert warned(long, long) == {"CON-024": Outcome.WARN}


def test_a_human_voice_is_exempt() -> None:
    human = Declared("ADA", "human", (), (), human_statement=None)
    assert not {"CON-024", "CON-025"} & {f.rule for f in clear_all([HEARD], [human])}


def cleared(terms: Grant) -> Clearance:
    given_ = Event(
        event_id="e-1", target="grant", target_id="g-ada", kind=EventKind.GIVEN, effective_at=JANUARY, by="p-ada"
    )
    history = GrantHistory(terms, JANUARY, (RecordedEvent(given_, JANUARY, 0),))
    return clear(VOICE, [history], USE, NOW)


def test_a_grant_under_a_unions_agreement_without_a_payment_blocks() -> None:
    union = {"representation": Representation.UNION_CBA, "cba_ref": "TV 2026"}
    assert cleared(grant(**union)).cleared
    assert cleared(grant(compensation=None)).cleared
    clearance = cleared(grant(compensation=None, **union))
    assert [d.code for d in clearance.denials] == ["CON-025"]
    found = clear_all([HEARD], [Declared("ADA", "voice_clone_tts", ("v-ada",), (clearance,))])
    assert {f.outcome for f in found if f.rule == "CON-025"} == {Outcome.BLOCK}
    assert decide(found) is Decision.BLOCK


def test_a_grant_whose_evidence_fell_blocks_under_its_own_check() -> None:
    given_ = Event(
        event_id="e-1", target="grant", target_id="g-ada", kind=EventKind.GIVEN, effective_at=JANUARY, by="p-ada"
    )
    history = GrantHistory(grant(), JANUARY, (RecordedEvent(given_, JANUARY, 0),), discredited_at=NOW)
    clearance = clear(VOICE, [history], USE, NOW)
    assert [d.code for d in clearance.denials] == ["CON-003"]
    found = clear_all([HEARD], [Declared("ADA", "voice_clone_tts", ("v-ada",), (clearance,))])
    assert {f.outcome for f in found if f.rule == "CON-003"} == {Outcome.BLOCK}
    assert clear(VOICE, [replace(history, discredited_at=NOW + timedelta(seconds=1))], USE, NOW).cleared


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2400, 1, 1)), st.integers(1, 50))
def test_so_many_years_later_is_the_same_day_or_the_day_after_a_leap_day(moment: datetime, years: int) -> None:
    after = later(moment, years)
    assert after.year == moment.year + years
    assert (after.month, after.day) in ((moment.month, moment.day), (3, 1))
    assert after.time() == moment.time()
