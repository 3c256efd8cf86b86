"""Laws of scopes, times, events, meters, quorums, imports and parsers, for whatever hypothesis thinks of.

Each law runs over some dozens of cases in every run of the tests and over hundreds or thousands where slow tests run:
13,000 in all.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    DAY,
    JANUARY,
    NOW,
    Ticking,
    approval,
    candidate,
    claim,
    event,
    given,
    grant,
    party,
    use,
    voice,
)
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from consent import ids, languages, regions
from consent.approvals import Approval, ApprovalHistory
from consent.checkpoint import open_note, read_body, verifier_key
from consent.denials import GrantHistory, denials
from consent.errors import ConsentError
from consent.events import ALIVE, OPENING, TERMINAL, Event, RecordedEvent, fold
from consent.export import export_json
from consent.quorum import missing_approvals
from consent.registry import Registry
from consent.seed import import_seed
from consent.signatures import check_envelope
from consent.strict import Window
from consent.strict_yaml import Lines
from consent.terms import Grant, Use
from consent.titles import Title
from consent.vocabulary import (
    ApprovalDecision,
    ApprovalKind,
    Channel,
    EventKind,
    Level,
    Performance,
    Quorum,
    Role,
    Technique,
)
from consent.voices import Voice

FEW, MANY = 40, 500


def law(*drawn: SearchStrategy[Any], few: int = FEW, many: int = MANY) -> Callable[[Callable[..., None]], Any]:
    """A test of one law, over few cases or, where slow tests run, over many."""

    def made(check: Callable[..., None]) -> Any:
        @pytest.mark.parametrize("n_cases", [few, pytest.param(many, marks=pytest.mark.slow)])
        def test(n_cases: int) -> None:
            quiet = settings(
                max_examples=n_cases, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
            )
            quiet(for_all(*drawn)(check))()

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return made


def some(values: Sequence[Any], least: int = 1) -> SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=4, unique=True).map(tuple)


PLACES = ["001", "150", "155", "EU", "419", "019", "FR", "DE", "BE", "US", "MX", "BR", "NO"]
TAGS = ["fr", "fr-FR", "fr-CA", "es", "es-419", "es-MX", "es-ES", "zh", "zh-Hant", "zh-Hant-TW", "zh-Hans", "en-150"]
TITLES, NAMES = ["show", "show-101", "show-102", "film"], ["MARTA", "KARL", "ILSE"]
DAYS = st.integers(min_value=-300, max_value=300)
MOMENTS = DAYS.map(lambda d: NOW + d * DAY)
WINDOWS = st.builds(
    lambda start, long: Window(start=start, end=None if long is None else start + long * DAY),
    MOMENTS,
    st.none() | st.integers(min_value=1, max_value=300),
)
TERMS = st.builds(
    lambda term, **terms: grant(not_before=term.start, not_after=term.end, perpetual_ack=term.end is None, **terms),
    WINDOWS,
    title_ids=some(TITLES),
    characters=some(NAMES, 0),
    languages=some(TAGS),
    covers_subtags=st.booleans(),
    territories=some(PLACES),
    territories_excluded=some(PLACES, 0),
    channels=some([*Channel]),
    techniques=some([*Technique]),
    performances=some([*Performance]),
    max_uses=st.none() | st.integers(min_value=1, max_value=9),
    max_minutes=st.none() | st.floats(min_value=1, max_value=90),
)
USES = st.builds(
    use,
    title_ids=some(TITLES),
    character=st.none() | st.sampled_from(NAMES),
    language=st.sampled_from(TAGS),
    territories=some(PLACES),
    territories_excluded=some(PLACES, 0),
    channels=some([*Channel]),
    window=WINDOWS,
    technique=st.sampled_from([*Technique]),
    performance=st.sampled_from([*Performance]),
    minutes=st.none() | st.floats(min_value=0, max_value=120),
    uses=st.integers(min_value=1, max_value=9),
)


def reasons(terms: Grant, asked: Use) -> set[tuple[str, str]]:
    return {(d.code, d.field) for d in denials(given(terms), asked, NOW, voice=voice())}


# Scopes


def narrowed(terms: Grant, how: str, place: str, name: str, days: int) -> Grant:
    """A grant that allows nothing which `terms` does not."""
    changes: dict[str, Any] = {
        "titles": {"title_ids": terms.title_ids[:1]},
        "characters": {"characters": (name,) if name in terms.characters or not terms.characters else terms.characters},
        "languages": {"languages": terms.languages[:1]},
        "subtags": {"covers_subtags": False},
        "territories": {"territories": terms.territories[:1]},
        "excluded": {"territories_excluded": tuple({*terms.territories_excluded, place})},
        "channels": {"channels": terms.channels[:1]},
        "techniques": {"techniques": terms.techniques[:1]},
        "performances": {"performances": terms.performances[:1]},
        "later": {"not_before": terms.not_before + days * DAY},
        "earlier": {
            "not_after": (terms.not_after or terms.not_before + 900 * DAY) - days * DAY,
            "perpetual_ack": False,
        },
        "uses": {"max_uses": max(1, (terms.max_uses or 5) - 1)},
        "minutes": {"max_minutes": (terms.max_minutes or 60.0) / 2},
    }[how]
    return terms.model_copy(update=changes)


HOW = "titles characters languages subtags territories excluded channels techniques performances later earlier uses minutes"


@law(
    TERMS,
    USES,
    st.sampled_from(HOW.split()),
    st.sampled_from(PLACES),
    st.sampled_from(NAMES),
    st.integers(0, 200),
    few=120,
)
def test_a_narrower_grant_never_drops_a_denial(
    terms: Grant, asked: Use, how: str, place: str, name: str, days: int
) -> None:
    wide, narrow = reasons(terms, asked), reasons(narrowed(terms, how, place, name, days), asked)
    assert wide <= narrow, wide - narrow


@law(TERMS, USES)
def test_a_wider_use_never_drops_a_denial(terms: Grant, asked: Use) -> None:
    everywhere = {
        "territories": ("001",),
        "territories_excluded": (),
        "channels": tuple(Channel),
        "uses": asked.uses + 1,
    }
    assert reasons(terms, asked) <= reasons(terms, asked.model_copy(update=everywhere)) | {("CON-012", "territories")}


@law(TERMS, USES, st.sampled_from(PLACES))
def test_what_is_excluded_is_never_covered_whatever_includes_it(terms: Grant, asked: Use, place: str) -> None:
    spared = terms.model_copy(update={"territories": ("001", *terms.territories), "territories_excluded": (place,)})
    reached = regions.expand(asked.territories, asked.territories_excluded) & regions.countries(place)
    assert not reached or ("CON-012", "territories") in reasons(spared, asked)


ALL_TAGS = [
    *TAGS,
    "en",
    "en-GB",
    "en-US",
    "en-001",
    "sr",
    "sr-Latn",
    "sr-Latn-RS",
    "sr-RS",
    "ca",
    "ca-valencia",
    "ca-ES-valencia",
    "de-AT",
    "de-155",
    "pt-BR",
]


@law(st.sampled_from(ALL_TAGS), st.sampled_from(ALL_TAGS), st.sampled_from(ALL_TAGS), few=200, many=1500)
def test_a_language_covers_itself_and_covering_is_an_order(a: str, b: str, c: str) -> None:
    covers = languages.covers
    assert covers(a, a)
    assert not (covers(a, b) and covers(b, a)) or a == b
    assert not (covers(a, b) and covers(b, c)) or covers(a, c)
    assert covers(a, b, subtags=False) == (a == b)


def test_no_two_regions_are_the_same_countries_and_containing_is_an_order() -> None:
    codes = [
        "001",
        "150",
        "EU",
        "419",
        "202",
        "142",
        "019",
        "002",
        "009",
        "FR",
        "XK",
        "155",
        "151",
        "154",
        "039",
        "029",
        "013",
    ]
    for a, b in product(codes, codes):
        assert (regions.countries(a) == regions.countries(b)) == (a == b)
        assert regions.expand((a,), (b,)) == regions.countries(a) - regions.countries(b)
        assert regions.expand((a, b)) == regions.countries(a) | regions.countries(b)


@law(WINDOWS, WINDOWS, WINDOWS, MOMENTS)
def test_a_window_holds_exactly_the_moments_of_what_it_contains(a: Window, b: Window, c: Window, at: datetime) -> None:
    assert a.contains(a)
    assert not (a.contains(b) and b.contains(c)) or a.contains(c)
    assert not (a.contains(b) and b.holds(at)) or a.holds(at)
    assert not (a.holds(at) and b.holds(at)) or (a.overlaps(b) and b.overlaps(a))
    assert not (a.contains(b) and b.contains(a)) or a == b


# Time and events

SAID = st.tuples(
    st.sampled_from(
        [*OPENING, *TERMINAL, EventKind.SUSPENDED, EventKind.SUSPENDED, EventKind.RESUMED, EventKind.REQUESTED]
    ),
    DAYS,
    st.integers(min_value=0, max_value=40),
)
HISTORIES = st.lists(SAID, max_size=9)


def told(said: list[tuple[EventKind, int, int]]) -> tuple[RecordedEvent, ...]:
    """Recorded one after the other, no two at one moment, effective before or after that."""
    out, at = [], NOW - 150 * DAY
    for index, (kind, shift, pause) in enumerate(said):
        at += pause * DAY + timedelta(minutes=1)
        effective = at + shift * DAY + timedelta(seconds=index)
        out.append(RecordedEvent(event(kind, effective, event_id=f"e-{index}"), at, index))
    return tuple(out)


def reference(events: Sequence[RecordedEvent], at: datetime) -> EventKind | None:
    """The design's section on time, as a strip of moments that each event paints over; None before anything was given."""
    grid = sorted(
        {max(e.event.effective_at, e.recorded_at) for e in events} | {e.event.effective_at for e in events} | {at}
    )
    strip: list[EventKind | None] = [None] * len(grid)
    for recorded in events:
        kind, late = recorded.event.kind, max(recorded.event.effective_at, recorded.recorded_at)
        start = grid.index(late)
        if kind in OPENING:
            ended = any(k is not None and k not in ALIVE for k in strip)
            start = start if ended else grid.index(recorded.event.effective_at)
            strip[start:] = [kind] * (len(grid) - start)
        elif kind in TERMINAL or (kind is EventKind.SUSPENDED and strip[start] is None):
            strip[start:] = [kind] * (len(grid) - start)
        elif (kind is EventKind.SUSPENDED and strip[start] in ALIVE) or (
            kind is EventKind.RESUMED and strip[start] is EventKind.SUSPENDED and any(k in ALIVE for k in strip[:start])
        ):
            planned: EventKind | None = None  # an end that is already planned stays planned
            for k in range(start, len(grid)):
                planned = strip[k] if k > start and strip[k] in TERMINAL else planned
                strip[k] = planned or kind
    return strip[grid.index(at)]


@law(HISTORIES, DAYS, few=250, many=3000)
def test_the_fold_says_what_a_strip_of_moments_says(said: list[tuple[EventKind, int, int]], day: int) -> None:
    events, at = told(said), NOW + day * DAY
    known = [e for e in events if e.recorded_at <= at]
    status = fold(events, known_at=at).status(at)
    assert (status.kind if status else None) == reference(known, at)


@law(HISTORIES, HISTORIES, DAYS)
def test_what_was_withdrawn_opens_only_by_a_giving_recorded_later(
    before: list[Any], after: list[Any], shift: int
) -> None:
    end = (EventKind.WITHDRAWN, -abs(shift) - 1, 1)
    rest = [s for s in after if s[0] not in OPENING]
    events = told([*before, end, *rest])
    ended = events[len(before)]
    for at in (ended.recorded_at + k * DAY for k in (0, 1, 50, 400, 900)):
        assert not fold(events, known_at=at).alive(at)
        assert ("CON-002", "events") in {
            (d.code, d.field) for d in denials(GrantHistory(grant(), JANUARY, events), use(), at, voice=voice())
        }


@law(HISTORIES, st.sets(st.integers(0, 8)), DAYS)
def test_what_a_stolen_key_said_counts_until_it_is_found_out_and_then_never(
    said: list[Any], stolen: set[int], day: int
) -> None:
    events, found_out = told(said), NOW + day * DAY
    marked = [
        RecordedEvent(e.event, e.recorded_at, e.leaf_index, found_out if e.leaf_index in stolen else None)
        for e in events
    ]
    honest = [e for e in events if e.leaf_index not in stolen]
    before, after = found_out - timedelta(seconds=1), found_out + 500 * DAY
    assert fold(marked, known_at=before) == fold(events, known_at=before)
    assert fold(marked, known_at=after) == fold(honest, known_at=after)


METER = st.lists(
    st.tuples(
        st.sampled_from([EventKind.USE_RESERVED, EventKind.USE_SPENT, EventKind.USE_RELEASED]),
        st.sampled_from("abc"),
        st.integers(0, 5),
    ),
    max_size=12,
)


@law(METER, many=1000)
def test_a_meter_never_shows_less_than_what_was_spent_and_never_more_than_was_asked(said: list[Any]) -> None:
    events = [
        RecordedEvent(event(kind, NOW, event_id=f"e-{n}", ref=ref, uses=uses, minutes=float(uses)), NOW, n)
        for n, (kind, ref, uses) in enumerate(said)
    ]
    state = fold(events, known_at=NOW)
    asked = sum(u for k, _, u in said if k is not EventKind.USE_RELEASED)
    reserved = {r for k, r, _ in said if k is EventKind.USE_RESERVED}
    unreserved = sum(u for k, r, u in said if k is EventKind.USE_SPENT and r not in reserved)
    assert unreserved <= state.uses_spent <= asked
    assert state.minutes_spent == state.uses_spent
    assert fold(events[:-1], known_at=NOW).uses_spent <= state.uses_spent or said[-1][0] is EventKind.USE_RELEASED


# Approvals

DECIDED = st.lists(
    st.tuples(
        st.sampled_from(["studio", "rival", "third", "stranger"]),
        st.sampled_from([ApprovalDecision.APPROVE, ApprovalDecision.REJECT]),
        st.integers(0, 30),
    ),
    max_size=6,
)


def quorate(decided: list[Any], needed: int) -> bool:
    at = NOW + 40 * DAY
    joint = claim(holder_ids=("studio", "rival", "third"), quorum=Quorum.SOME, quorum_n=needed)
    histories = [
        ApprovalHistory(
            Approval(
                **{**dict(approval()), "by": who, "for_holder_id": who, "decision": what, "approval_id": f"a-{n}"}
            ),
            NOW + day * DAY,
        )
        for n, (who, what, day) in enumerate(decided)
    ]
    return not missing_approvals([joint], [ApprovalKind.FINAL_SOUND], histories, candidate(), at)


@law(DECIDED, st.integers(1, 3))
def test_a_quorum_is_made_of_holders_whose_last_word_is_yes_and_no_holders_last_word_is_no(
    decided: list[Any], needed: int
) -> None:
    last: dict[str, list[tuple[int, bool]]] = {}
    for who, what, day in decided:
        last.setdefault(who, []).append((day, what is ApprovalDecision.APPROVE))
    holders = {who: said for who, said in last.items() if who != "stranger"}
    yes = {who for who, said in holders.items() if max(said)[1] and (max(said)[0], False) not in said}
    assert quorate(decided, needed) == (len(yes) >= needed and yes == set(holders))
    assert quorate([d for d in decided if d[0] != "stranger"], needed) == quorate(decided, needed)


@pytest.mark.parametrize(
    "changes",
    [
        {"language": "de", "sounds": ()},
        {"title_id": "film"},
        {"sounds": ({"packets_sha256": "9" * 64, "pcm_sha256": None},)},
    ],
)
def test_a_refusal_of_another_language_title_or_sound_says_nothing_about_this_one(changes: dict[str, Any]) -> None:
    said = approval(approval_id="a-2", decision=ApprovalDecision.REJECT, **changes)
    histories = [ApprovalHistory(approval(), NOW), ApprovalHistory(said, NOW + DAY)]
    assert missing_approvals([claim()], [ApprovalKind.FINAL_SOUND], histories, candidate(), NOW + 2 * DAY) == ()
    broad = approval(approval_id="a-2", decision=ApprovalDecision.REJECT, sounds=())
    histories = [ApprovalHistory(approval(), NOW), ApprovalHistory(broad, NOW + DAY)]
    assert missing_approvals([claim()], [ApprovalKind.FINAL_SOUND], histories, candidate(), NOW + 2 * DAY)


# Imports


@law(st.lists(TERMS, min_size=1, max_size=8), few=4, many=60)
def test_what_is_imported_comes_out_as_it_went_in(terms: list[Grant]) -> None:
    grants = [t.model_copy(update={"grant_id": f"g-{n}"}) for n, t in enumerate(terms)]
    seed = {
        "schema": "consent-seed/1.0",
        "parties": [party("p-ada", Role.PERFORMER).model_dump(mode="json", exclude_none=True)],
        "titles": [
            Title(title_id=t, level=Level.FEATURE, name=t).model_dump(mode="json", exclude_none=True) for t in TITLES
        ],
        "voices": [Voice(voice_id="v-ada", subject=voice().subject, owner_id="p-ada").model_dump(mode="json")],
        "grants": [g.model_dump(mode="json", exclude_none=True) for g in grants],
    }
    seed["voices"][0].pop("jurisdiction")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.json"
        path.write_text(json.dumps(seed))
        with Registry.open(Path(folder) / "r.db", create=True, clock=Ticking()) as registry:
            import_seed(registry, path)
            with registry.view() as view:
                out = [e["record"] for e in export_json(view, at=NOW)["entries"] if e["schema"] == Grant.schema_name]
                assert [h.grant for h in view.grants("v-ada")] == grants
    assert [Grant.model_validate_json(json.dumps(g)) for g in out] == grants


# Parsers

JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
).map(json.dumps)
NEARLY = st.lists(
    st.sampled_from(
        ["schema: ", "consent-seed/1.0", "\n", "zone: ", "UTC", "grants:", "- ", "{", "}", "[", "]", ": ", "? ", "&a ", "*a",
         "!!str ", "'", '"', "|", ">", "#", "---", "...", "%YAML 1.2", "\t", "  ", ",", "1e400", ".nan", "0x1", "<<", "@"]
    ),
    max_size=14,
).map("".join)  # fmt: skip
ANY_TEXT = st.text(max_size=60) | JSONISH | NEARLY | st.binary(max_size=40).map(lambda b: b.decode("latin-1"))
PARSERS: tuple[tuple[Callable[[str], Any], type[Exception]], ...] = (
    (languages.canonical, ValueError),
    (regions.countries, ValueError),
    (ids.identifier, ValueError),
    *((scheme, ValueError) for scheme in ids.SCHEMES.values()),
    (verifier_key, ConsentError),
    (read_body, ConsentError),
    (
        lambda text: open_note(
            text, verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
        ),
        ConsentError,
    ),
    (lambda text: Lines("seed.yaml", text.encode("utf-8", "surrogatepass")), ConsentError),
    (lambda text: check_envelope(NobodysKeys(), grant(), text), ConsentError),
    (Event.model_validate_json, ValueError),
)


class NobodysKeys:
    """A registry without keys."""

    now = NOW

    def key(self, key: str, at: datetime) -> None:
        return None


@law(ANY_TEXT, few=150, many=2500)
def test_no_parser_raises_anything_but_its_own_error(text: str) -> None:
    for parse, own in PARSERS:
        try:
            parse(text)
        except own:
            continue


@law(
    st.text(max_size=20),
    st.sampled_from(["not_before", "not_after"]),
    st.dates() | st.datetimes(timezones=st.timezones()),
)
def test_no_seed_raises_anything_but_a_registry_error(noise: str, field: str, moment: Any) -> None:
    """Also not on days and times at the ends of the calendar, which have no next day and no UTC."""
    said = json.loads(grant().model_dump_json(exclude_none=True)) | {field: moment.isoformat()}
    seed = {"schema": "consent-seed/1.0", "zone": "America/New_York", "grants": [said, {"grant_id": noise}]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.json"
        path.write_text(json.dumps(seed))
        with pytest.raises(ConsentError):
            import_seed(UNTOUCHED, path)


class _Untouched:
    def write(self) -> Any:
        raise AssertionError("a seed that is wrong reached the registry")


UNTOUCHED: Any = _Untouched()


@law(st.integers(0, 16**16 - 1), st.integers(0, 16), st.sampled_from("0123456789ABCDEF"))
def test_one_wrong_character_of_an_isan_never_passes(root: int, place: int, other: str) -> None:
    digits = f"{root:016X}"
    right = digits + ids.mod_37_36(digits)
    wrong = right[:place] + other + right[place + 1 :]
    assert ids.isan(right).replace("-", "") == right
    if wrong != right:
        with pytest.raises(ValueError, match=r"check digit|not an ISAN"):
            ids.isan(wrong)


@law(st.integers(0, 10**15 - 1), st.integers(0, 15), st.sampled_from("0123456789"))
def test_one_wrong_digit_of_an_isni_never_passes(number: int, place: int, other: str) -> None:
    digits = f"{number:015d}"
    right = digits + ids.mod_11_2(digits)
    wrong = right[:place] + other + right[place + 1 :]
    assert ids.isni(right) == right
    if wrong != right:
        with pytest.raises(ValueError, match="check digit"):
            ids.isni(wrong)


def test_the_ends_of_the_calendar_are_refused_with_a_sentence() -> None:
    for text in ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00"):
        with pytest.raises(ValueError, match="calendar"):
            Window.model_validate_json(json.dumps({"start": text}))
    assert Window(start=datetime(9999, 1, 1, tzinfo=UTC)).start.year == 9999
