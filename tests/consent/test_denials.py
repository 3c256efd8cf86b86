"""What a grant covers: each term by a use that breaks it alone, all reasons at once, and the laws of time and scope."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from consent_examples import DAY, JANUARY, NEXT_YEAR, NOW, event, given, grant, recorded, use, voice
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from consent.clearance import clear
from consent.denials import Denial, GrantHistory, denials
from consent.events import TERMINAL, Event, fold
from consent.regions import expand
from consent.strict import Window
from consent.terms import Grant, ModelLifecycle, Training, Use, VoiceAsset
from consent.vocabulary import Capacity, Channel, EventKind, Performance, Subject, Technique, TrainingKind, TrainingUse

ASSET = VoiceAsset(vendor_id="vendor", voice="ada-7", model_version="3.2")


def codes(history: GrantHistory, asked: Use, at: datetime = NOW, **whose: Any) -> list[str]:
    return [d.code for d in denials(history, asked, at, voice=voice(**whose))]


def test_a_use_inside_every_term_has_no_denial() -> None:
    assert codes(given(), use()) == []


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("CON-010", use(title_ids=("other",))),
        ("CON-011", use(language="de")),
        ("CON-012", use(territories=("FR", "US"))),
        ("CON-012", use(territories=("001",))),
        ("CON-012", use(territories=("FR",), territories_excluded=("FR",))),
        ("CON-013", use(channels=(Channel.SVOD, Channel.SOCIAL))),
        ("CON-014", use(window=Window(start=JANUARY - DAY, end=NOW + DAY))),
        ("CON-014", use(window=Window(start=NOW, end=NEXT_YEAR + timedelta(microseconds=1)))),
        ("CON-014", use(window=Window(start=NOW))),
        ("CON-014", use(window=Window(start=JANUARY, end=NOW))),
        ("CON-015", use(technique=Technique.VOICE_CONVERSION)),
        ("CON-015", use(performance=Performance.TRANSLATION)),
        ("CON-018", use(training=(TrainingKind.VENDOR_MODEL,))),
    ],
)
def test_each_term_that_is_broken_alone_is_named_alone(code: str, asked: Use) -> None:
    assert codes(given(), asked) == [code]


@pytest.mark.parametrize(
    ("code", "terms", "asked"),
    [
        ("CON-004", {"applicable_law": ("US-CA",)}, {}),
        ("CON-010", {"characters": ("PIA",)}, {}),
        ("CON-010", {"characters": ("PIA",)}, {"character": None}),
        ("CON-011", {"covers_subtags": False}, {}),
        ("CON-012", {"territories_excluded": ("BE",)}, {}),
        ("CON-012", {"territories_excluded": ("155",)}, {}),
        ("CON-016", {"max_uses": 2}, {"uses": 3}),
        ("CON-016", {"max_minutes": 12.0}, {}),
        ("CON-016", {"max_minutes": 100.0}, {"minutes": None}),
        ("CON-017", {"voice_assets": (ASSET,)}, {}),
        ("CON-017", {"voice_assets": (ASSET,)}, {"voice_asset": ASSET.model_copy(update={"model_version": "4"})}),
        ("CON-017", {}, {"voice_asset": ASSET.model_copy(update={"trained_for": ("other",)})}),
        ("CON-017", {"model_lifecycle": ModelLifecycle(deletion_due=NOW)}, {}),
        (
            "CON-018",
            {"training": (Training(kind=TrainingKind.DATA_MINING, use=TrainingUse.CONSTRAINED),)},
            {"training": (TrainingKind.DATA_MINING,)},
        ),
        ("CON-019", {"licensee_id": "studio"}, {}),
        ("CON-019", {"licensee_id": "studio"}, {"licensee_id": "vendor"}),
        ("CON-001", {"voice_id": "v-bo"}, {}),
    ],
)
def test_each_narrower_term_denies_a_use_that_does_not_meet_it(
    code: str, terms: dict[str, Any], asked: dict[str, Any]
) -> None:
    assert codes(given(grant(**terms)), use(**asked)) == [code]


@pytest.mark.parametrize(
    ("terms", "asked"),
    [
        ({"applicable_law": ("US-CA",), "representation": "legal_counsel"}, {}),
        ({"characters": ("MARTA", "PIA")}, {}),
        ({"territories": ("001",), "territories_excluded": ("US",)}, {}),
        ({"max_uses": 2}, {"uses": 2}),
        ({"max_minutes": 12.5}, {}),
        ({"voice_assets": (ASSET,)}, {"voice_asset": ASSET}),
        ({"not_after": None, "perpetual_ack": True}, {"window": Window(start=NOW)}),
        ({"licensee_id": "studio", "sublicensee_ids": ("vendor",)}, {"licensee_id": "vendor"}),
        ({"model_lifecycle": ModelLifecycle(deletion_due=NOW + DAY)}, {}),
    ],
)
def test_each_narrower_term_covers_a_use_that_meets_it(terms: dict[str, Any], asked: dict[str, Any]) -> None:
    fields = {k: type(getattr(grant(), k))(v) if k == "representation" else v for k, v in terms.items()}
    assert codes(given(grant(**fields)), use(**asked)) == []


def test_every_reason_is_told_at_once() -> None:
    wrong = use(
        title_ids=("other",),
        language="de",
        territories=("US",),
        channels=(Channel.GAME,),
        window=Window(start=NOW),
        technique=Technique.STOCK_TTS,
    )
    assert codes(given(), wrong) == ["CON-010", "CON-011", "CON-012", "CON-013", "CON-015", "CON-014"]


def test_each_reason_is_a_sentence_in_english_and_in_japanese() -> None:
    for denial in denials(given(), use(language="de", territories=("US",)), NOW, voice=voice()):
        assert denial.record_id == "g-ada"
        assert denial.text.en.islower() or denial.text.en[0].islower()
        assert any(ord(c) > 0x3000 for c in denial.text.ja)


def test_a_grant_signed_by_a_stolen_key_falls_with_the_key_and_stood_before() -> None:
    history = replace(given(), discredited_at=NOW)
    assert codes(history, use()) == ["CON-003"]
    assert codes(history, use(), NOW - timedelta(seconds=1)) == []


def test_a_deleted_model_settles_the_deletion_that_was_due() -> None:
    terms = grant(model_lifecycle=ModelLifecycle(deletion_due=NOW - DAY))
    assert codes(given(terms), use()) == ["CON-017"]
    assert codes(given(terms, (event(EventKind.MODEL_DELETED, NOW - DAY), NOW - DAY)), use()) == []


# Whose voice it is


def test_a_minor_needs_a_guardian_and_a_window_that_ends_before_majority() -> None:
    eighteen = NOW + 50 * DAY
    by_guardian = {"capacity": Capacity.GUARDIAN, "authority_sha256": "f" * 64}
    guarded = grant(**by_guardian, minor={"guardian_id": "p-parent", "expires_at_majority": eighteen})
    early = use(window=Window(start=NOW, end=eighteen))
    assert codes(given(), use(), subject=Subject.MINOR) == ["CON-020"]
    assert codes(given(guarded), use(), subject=Subject.MINOR) == ["CON-020"]
    assert codes(given(guarded), early, subject=Subject.MINOR) == []
    assert codes(given(guarded), use(window=Window(start=NOW)), subject=Subject.MINOR) == ["CON-014", "CON-020"]


def test_the_dead_need_an_estate_or_a_grant_that_survives_them() -> None:
    by_heir = grant(capacity=Capacity.HEIR, authority_sha256="f" * 64, estate={"party_id": "p-heir"})
    assert codes(given(), use(), subject=Subject.DECEASED) == ["CON-021"]
    assert codes(given(by_heir), use(), subject=Subject.DECEASED) == []
    assert codes(given(grant(survives_death=True)), use(), subject=Subject.DECEASED) == []


def test_nobody_grants_as_the_guardian_of_an_adult_or_as_the_estate_of_the_living() -> None:
    shown = {"authority_sha256": "f" * 64}
    guardian = grant(capacity=Capacity.GUARDIAN, **shown, minor={"guardian_id": "g", "expires_at_majority": NEXT_YEAR})
    assert codes(given(guardian), use()) == ["CON-020"]
    assert codes(given(guardian), use(), subject=Subject.SYNTHETIC) == ["CON-020"]
    for capacity in (Capacity.EXECUTOR, Capacity.HEIR):
        estate = grant(capacity=capacity, **shown, estate={"party_id": "p-heir"})
        assert codes(given(estate), use()) == ["CON-021"]
    for capacity in (Capacity.AGENT, Capacity.COURT, Capacity.UNION):
        assert codes(given(grant(capacity=capacity, **shown)), use()) == []


# Time


def test_a_grant_that_nobody_gave_or_that_is_not_recorded_yet_covers_nothing() -> None:
    assert codes(GrantHistory(grant(), JANUARY, ()), use()) == ["CON-002"]
    assert codes(GrantHistory(grant(), NOW + DAY, given().events), use()) == ["CON-002"]
    requested = recorded([(event(EventKind.REQUESTED), JANUARY), (event(EventKind.DEFERRED), JANUARY)])
    assert codes(GrantHistory(grant(), JANUARY, requested), use()) == ["CON-002"]


@pytest.mark.parametrize("kind", sorted(TERMINAL | {EventKind.SUSPENDED}))
def test_whatever_ends_a_grant_ends_it(kind: EventKind) -> None:
    assert codes(given(None, (event(kind, NOW - DAY), NOW - DAY)), use()) == ["CON-002"]


def test_a_strike_is_named_as_what_suspended_the_grant() -> None:
    assert codes(given(None, (event(EventKind.SUSPENDED, NOW - DAY, strike=True), NOW - DAY)), use()) == ["CON-023"]


def test_a_back_dated_withdrawal_ends_from_its_recording_and_not_before() -> None:
    history = given(None, (event(EventKind.WITHDRAWN, JANUARY + DAY), NOW))
    assert codes(history, use(), NOW - DAY) == []
    assert codes(history, use(), NOW) == ["CON-002"]
    assert history.state(NOW).alive(NOW - DAY)


def test_a_withdrawal_in_the_future_stops_a_window_that_reaches_it() -> None:
    history = given(None, (event(EventKind.WITHDRAWN, NOW + 30 * DAY), NOW - DAY))
    assert codes(history, use(window=Window(start=NOW, end=NOW + 30 * DAY))) == []
    assert codes(history, use(window=Window(start=NOW, end=NOW + 31 * DAY))) == ["CON-002"]
    assert codes(history, use(window=Window(start=NOW + 40 * DAY, end=NOW + 41 * DAY))) == ["CON-002"]


def test_only_a_giving_recorded_after_the_end_reopens_and_not_before_its_recording() -> None:
    ended = (event(EventKind.WITHDRAWN, NOW - 9 * DAY), NOW - 9 * DAY)
    back_dated = (event(EventKind.RENEWED, NOW - 20 * DAY), NOW - 5 * DAY)
    history = given(None, ended, back_dated)
    assert codes(history, use()) == []
    state = history.state(NOW)
    assert not state.alive(NOW - 8 * DAY)
    assert state.alive(NOW - 5 * DAY)


def test_a_resumption_lifts_a_suspension_and_nothing_else() -> None:
    withdrawn = (event(EventKind.WITHDRAWN, NOW - 9 * DAY), NOW - 9 * DAY)
    suspended = (event(EventKind.SUSPENDED, NOW - 8 * DAY), NOW - 8 * DAY)
    resumed = (event(EventKind.RESUMED, NOW - 7 * DAY), NOW - 7 * DAY)
    assert codes(given(None, suspended, resumed), use()) == []
    assert codes(given(None, withdrawn, suspended, resumed), use()) == ["CON-002"]
    assert codes(given(None, withdrawn, resumed), use()) == ["CON-002"]


def test_a_suspension_does_not_overtake_a_withdrawal_that_is_planned() -> None:
    planned = (event(EventKind.WITHDRAWN, NOW + 10 * DAY), NOW - 9 * DAY)
    suspended = (event(EventKind.SUSPENDED, NOW - 8 * DAY), NOW - 8 * DAY)
    resumed = (event(EventKind.RESUMED, NOW - 7 * DAY), NOW - 7 * DAY)
    history = given(None, planned, suspended, resumed)
    assert codes(history, use(window=Window(start=NOW, end=NOW + 5 * DAY))) == []
    assert codes(history, use(window=Window(start=NOW, end=NOW + 15 * DAY))) == ["CON-002"]


def test_what_was_suspended_before_it_was_given_needs_a_new_giving() -> None:
    later = recorded(
        [
            (event(EventKind.GIVEN, NOW + 5 * DAY), JANUARY),
            (event(EventKind.SUSPENDED, NOW - 9 * DAY), NOW - 9 * DAY),
            (event(EventKind.RESUMED, NOW - 8 * DAY), NOW - 8 * DAY),
        ]
    )
    assert codes(GrantHistory(grant(), JANUARY, later), use(), NOW + 6 * DAY) == ["CON-002"]


def test_the_term_is_half_open_and_its_last_moment_is_covered() -> None:
    assert codes(given(), use(window=Window(start=NOW, end=NEXT_YEAR))) == []


def test_uses_that_were_reserved_or_spent_count_and_released_ones_do_not() -> None:
    terms = grant(max_uses=3)

    def metered(kind: EventKind, ref: str, n: int = 0) -> tuple[Event, datetime]:
        return event(kind, NOW - DAY, event_id=f"e-{kind.value.replace('_', '-')}-{ref}", ref=ref, uses=n), NOW - DAY

    reserved, spent = metered(EventKind.USE_RESERVED, "a", 2), metered(EventKind.USE_SPENT, "a", 2)
    released = metered(EventKind.USE_RELEASED, "a")
    two = use(uses=2)
    assert codes(given(terms, reserved), two) == ["CON-016"]
    assert codes(given(terms, reserved, released), two) == []
    assert codes(given(terms, reserved, spent, released), two) == ["CON-016"]
    assert codes(given(terms, spent), two) == ["CON-016"]
    assert codes(given(terms, reserved, spent), use(uses=1)) == []


# All grants of a voice


def test_one_grant_that_covers_is_enough_and_two_halves_are_not() -> None:
    french, german = given(grant(territories=("FR",))), given(grant(territories=("BE",)))
    assert not clear(voice(), [french, german], use(), NOW).cleared
    assert [d.code for d in clear(voice(), [french, german], use(), NOW).denials] == ["CON-012", "CON-012"]
    assert clear(voice(), [french, german, given()], use(), NOW).cleared


def test_a_voice_without_a_grant_is_refused_and_a_superseded_version_says_nothing() -> None:
    assert [d.code for d in clear(voice(), [], use(), NOW).denials] == ["CON-001"]
    old = given(grant(languages=("de",)), (event(EventKind.SUPERSEDED, NOW - DAY), NOW - DAY))
    new = given(grant(grant_id="g-2", version=2, supersedes="g-ada", languages=("it",)))
    assert [(d.code, d.record_id) for d in clear(voice(), [old, new], use(), NOW).denials] == [("CON-011", "g-2")]


# The form of terms


@pytest.mark.parametrize(
    "terms",
    [
        {"not_after": JANUARY},
        {"not_after": None},
        {"not_before": datetime(2026, 1, 1)},
        {"intended_use": "dubbing"},
        {"evidence": ()},
        {"languages": ()},
        {"languages": ("fr", "fr")},
        {"languages": ("french",)},
        {"territories": ("UK",)},
        {"channels": ("svod",)},
        {"max_uses": 0},
        {"max_minutes": float("inf")},
        {"max_uses": "3"},
        {"version": 2},
        {"supersedes": "g-0"},
        {"version": 2, "supersedes": "g-ada"},
        {"capacity": Capacity.GUARDIAN},
        {"grant_id": "G Ada"},
        {"grant_id": "g-ada\n"},
        {"titles": ("show",)},
        {"training": (Training(kind=TrainingKind.INFERENCE, use=TrainingUse.ALLOWED),) * 2},
        {"credit_text": "Voice of\u202e Ada"},
        {"credit_text": "two\nlines"},
    ],
)
def test_a_grant_of_the_wrong_form_does_not_exist(terms: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        grant(**terms)


# Laws

MOMENTS = st.integers(min_value=-400, max_value=400).map(lambda d: NOW + d * DAY)
EVENTS = st.builds(
    lambda kind, effective, lag: (event(kind, effective), effective + lag * DAY),
    st.sampled_from(
        [
            EventKind.GIVEN,
            EventKind.RENEWED,
            EventKind.SUSPENDED,
            EventKind.RESUMED,
            EventKind.WITHDRAWN,
            EventKind.REVOKED,
        ]
    ),
    MOMENTS,
    st.integers(min_value=-100, max_value=100),
)
HISTORIES = st.lists(EVENTS, max_size=8).map(lambda items: recorded(sorted(items, key=lambda item: item[1])))
REGIONS = st.lists(
    st.sampled_from(["001", "150", "EU", "419", "FR", "DE", "US", "MX", "BR", "NO"]), max_size=3, unique=True
).map(tuple)
SOME_REGIONS = REGIONS.filter(len)


@settings(max_examples=2000, deadline=None)
@for_all(SOME_REGIONS, REGIONS, SOME_REGIONS, REGIONS)
def test_a_grant_covers_a_place_exactly_where_sets_of_countries_say_so(
    granted: tuple[str, ...], excluded: tuple[str, ...], used: tuple[str, ...], spared: tuple[str, ...]
) -> None:
    terms = grant(territories=granted, territories_excluded=excluded)
    asked = use(territories=used, territories_excluded=spared)
    wanted = expand(used) - expand(spared)
    covered = bool(wanted) and wanted <= expand(granted) - expand(excluded)
    assert (codes(given(terms), asked) == []) == covered


@settings(max_examples=2000, deadline=None)
@for_all(MOMENTS, st.none() | MOMENTS, MOMENTS, st.none() | MOMENTS)
def test_the_whole_window_lies_inside_the_term_or_the_use_is_denied(
    start: datetime, end: datetime | None, opens: datetime, closes: datetime | None
) -> None:
    if (end is not None and end <= start) or (closes is not None and closes <= opens):
        return
    terms = grant(not_before=start, not_after=end, perpetual_ack=end is None)
    inside = start <= opens and (end is None or (closes is not None and closes <= end))
    over = closes is not None and closes <= NOW
    reasons = codes(given(terms), use(window=Window(start=opens, end=closes)))
    assert (reasons == []) == (inside and not over)


@settings(max_examples=3000, deadline=None)
@for_all(HISTORIES, MOMENTS)
def test_after_the_last_recorded_end_nothing_stands_unless_it_was_given_later(
    events: tuple[Any, ...], at: datetime
) -> None:
    """The fold against its own words: walk the ledger backwards to what decides."""
    known = [e for e in events if e.recorded_at <= at]
    state = fold(events, known_at=at)
    terminal = (EventKind.WITHDRAWN, EventKind.REVOKED)
    ends = [k for k, e in enumerate(known) if e.event.kind in terminal and e.event.effective_at <= at]
    reopened = (
        any(e.event.kind in (EventKind.GIVEN, EventKind.RENEWED) for e in known[ends[-1] + 1 :]) if ends else True
    )
    if not reopened:
        assert not state.alive(at)
    if not any(e.event.kind in (EventKind.GIVEN, EventKind.RENEWED) for e in known):
        assert not state.alive(at)


@settings(max_examples=1000, deadline=None)
@for_all(HISTORIES, EVENTS, MOMENTS)
def test_another_ending_never_makes_a_grant_stand(
    events: tuple[Any, ...], last: tuple[Event, datetime], at: datetime
) -> None:
    when = max([e.recorded_at for e in events], default=JANUARY - 500 * DAY)
    ending = event(EventKind.WITHDRAWN, last[0].effective_at, event_id="e-last")
    longer = (*events, *recorded([(ending, when)]))
    longer = tuple(type(e)(e.event, e.recorded_at, k) for k, e in enumerate(longer))
    assert fold(events, known_at=at).alive(at) or not fold(longer, known_at=at).alive(at)
    after = max(at, when, ending.effective_at)
    assert not fold(longer, known_at=after).alive(after)


@settings(max_examples=1000, deadline=None)
@for_all(HISTORIES, MOMENTS, MOMENTS)
def test_what_was_known_at_a_moment_does_not_change_later(
    events: tuple[Any, ...], at: datetime, later: datetime
) -> None:
    early = tuple(e for e in events if e.recorded_at <= at)
    assert fold(early, known_at=at) == fold(events, known_at=at)
    assert later >= at or fold(events, known_at=later) == fold(early, known_at=later)


@settings(max_examples=1000, deadline=None)
@for_all(HISTORIES, st.randoms(use_true_random=False))
def test_the_ledger_decides_and_not_the_order_of_reading(events: tuple[Any, ...], random: Any) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold(shuffled, known_at=NOW) == fold(events, known_at=NOW)


@settings(max_examples=1000, deadline=None)
@for_all(
    st.sampled_from([*Channel]),
    st.sampled_from([*Technique]),
    st.sampled_from(["fr", "fr-CA", "de", "es-MX"]),
    SOME_REGIONS,
)
def test_a_wider_grant_never_denies_what_a_narrower_one_covers(
    channel: Channel, technique: Technique, language: str, places: tuple[str, ...]
) -> None:
    asked = use(channels=(channel,), technique=technique, language=language, territories=places)
    wide = grant(
        channels=tuple(Channel),
        techniques=tuple(Technique),
        languages=("fr", "de", "es-419"),
        territories=("001",),
        characters=(),
    )
    narrow: tuple[Denial, ...] = denials(given(), asked, NOW, voice=voice())
    assert narrow or codes(given(wide), asked) == []
    assert isinstance(wide, Grant)
