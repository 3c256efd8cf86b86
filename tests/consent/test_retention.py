"""Retention: what the published schedule wants gone is found, destroyed and proved; the rest stays readable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    DAY,
    NEXT_YEAR,
    NOW,
    VECTOR,
    Place,
    Ticking,
    enrolment,
    event,
    grant,
    key,
    open_world,
    party,
    permission,
)

from consent import ledger
from consent.errors import RecordError
from consent.parties import Personal
from consent.registry import Registry
from consent.retention import apply_schedule, find_due
from consent.retention_schedule import SCHEDULE, schedule_data, schedule_text
from consent.vocabulary import EventKind, LegalBasis, PermissionKind, Role
from consent.voices import Enrolment
from consent.writing import Addition
from dubgate.cli.main import run

OTHER = (0.125, 0.25, 0.375, 0.5)
TEMPLATE = Addition(enrolment(), vector=VECTOR)
CONFIRMED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)
NEWER = Addition(enrolment(enrolment_id="en-2", supersedes="en-ada", confirmed_by="p-ada"), vector=OTHER)
YEAR = timedelta(days=365)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the world, made once; tests work on a copy of its files."""
    folder = tmp_path_factory.mktemp("world")
    open_world(folder).close()
    return folder


@pytest.fixture
def registry(made: Path, tmp_path: Path, clock: Ticking) -> Iterator[Registry]:
    for name in ("registry.db", "registry.db.key"):
        shutil.copy(made / name, tmp_path / name)
    with Place.sqlite(tmp_path).open(clock) as opened:
        yield opened


def due(registry: Registry, at: Any = None) -> list[tuple[str, str]]:
    with registry.view() as view:
        return [(d.rule_id, d.holder) for d in find_due(view, at or view.now)]


def sealed_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("registry.db*") if path.suffix != ".key")


def test_nothing_is_due_while_everything_is_permitted_confirmed_and_needed(registry: Registry) -> None:
    registry.add(CONFIRMED)
    assert due(registry) == []
    before = registry.head()
    done = apply_schedule(registry, by="op-1")
    assert (done.erased, done.head) == ((), before)


def test_a_template_goes_when_the_term_of_keep_is_over(registry: Registry, clock: Ticking) -> None:
    registry.add(CONFIRMED)
    assert due(registry, NEXT_YEAR - timedelta(microseconds=1)) == []
    assert due(registry, NEXT_YEAR) == [("template-not-permitted", "voice:v-ada")]
    with registry.view() as view:
        (found,) = find_due(view, NEXT_YEAR + DAY)
    assert found.since == NEXT_YEAR
    clock.now = NEXT_YEAR + DAY
    (done,) = apply_schedule(registry, by="op-1").erased
    assert done.due.entries == found.entries
    with registry.view() as view:
        assert [view.store.unsealed(e) for e in view.store.entries("voice:v-ada", Enrolment)] == [None]
    assert registry.audit().sound


def test_a_withdrawal_that_was_announced_takes_the_template_on_its_day(registry: Registry, clock: Ticking) -> None:
    registry.add(CONFIRMED)
    later = event(EventKind.WITHDRAWN, NOW + 5 * DAY, target="permission", target_id="pm-match-v-ada")
    registry.add(later)
    assert due(registry, NOW + 4 * DAY) == []
    assert due(registry, NOW + 5 * DAY) == [("template-not-permitted", "voice:v-ada")]
    clock.now = NOW + 6 * DAY
    (done,) = apply_schedule(registry, by="op-1").erased
    assert done.due.since == NOW + 5 * DAY


def test_an_enrolment_that_nobody_confirmed_in_thirty_days_goes(registry: Registry) -> None:
    registry.add(TEMPLATE)
    assert due(registry, NOW + 30 * DAY - timedelta(microseconds=1)) == []
    assert due(registry, NOW + 30 * DAY) == [("enrolment-unconfirmed", "voice:v-ada")]
    registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="agency"))
    assert due(registry, NOW + 40 * DAY) == []


def test_the_confirmation_of_an_operator_does_not_keep_a_template(registry: Registry) -> None:
    registry.add(TEMPLATE)
    registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="op-1"))
    assert due(registry, NOW + 30 * DAY) == [("enrolment-unconfirmed", "voice:v-ada")]


def test_a_superseded_template_goes_at_once_and_the_newer_one_stays_under_a_fresh_key(place: Place) -> None:
    with open_world(place) as registry:
        registry.add(CONFIRMED, NEWER)
        with registry.view() as view:
            wrapped = view.store._key_of("voice:v-ada", create=False)
        (done,) = apply_schedule(registry, by="op-1").erased
        assert done.due.rule_id == "template-superseded"
        with registry.view() as view:
            (kept,) = view.enrolments("v-ada", NOW)
            assert kept.vector == OTHER
            old = view.store.entries("voice:v-ada", Enrolment)[0]
            assert (old.leaf_index, view.store.unsealed(old)) == (done.due.entries[0], None)
            assert view.store._key_of("voice:v-ada", create=False) != wrapped
            assert view.personal("voice:v-ada", type(view.voices()[0])) == Personal(name="Ada Example")
        assert registry.audit().sound
        assert due(registry) == []


def test_a_backup_after_a_partial_erasure_restores_what_stayed_and_not_what_went(
    registry: Registry, tmp_path: Path
) -> None:
    registry.add(CONFIRMED, NEWER)
    registry.backup(tmp_path / "old.jsonl", tmp_path / "old-keys.jsonl")
    apply_schedule(registry, by="op-1")
    registry.backup(tmp_path / "h.jsonl", tmp_path / "k.jsonl")
    clock, again = Ticking(), tmp_path / "again.db"
    how: dict[str, Any] = {"clock": clock, "key_file": tmp_path / "registry.db.key"}
    with Registry.restore(again, tmp_path / "h.jsonl", tmp_path / "k.jsonl", **how) as restored:
        assert restored.head() == registry.head()
        assert restored.audit().sound
        with restored.view() as view:
            assert [e.vector for e in view.enrolments("v-ada", NOW)] == [OTHER]


def test_no_ciphertext_of_what_was_erased_is_left_in_the_database_or_its_log(
    registry: Registry, tmp_path: Path
) -> None:
    from sqlalchemy import select

    from consent.store import SEALED

    registry.add(CONFIRMED, NEWER)
    with registry.view() as view:
        old = view.store.entries("voice:v-ada", Enrolment)[0].leaf_index
        query = select(SEALED.c.content).where(SEALED.c.leaf_index == old)
        content = view.store.connection.execute(query).scalar_one()
    assert content in sealed_bytes(tmp_path)
    apply_schedule(registry, by="op-1")
    assert content not in sealed_bytes(tmp_path)


def test_on_a_bipa_release_three_idle_years_end_a_template_whatever_its_term(tmp_path: Path) -> None:
    terms = {"legal_basis": LegalBasis.BIPA_RELEASE, "not_after": NOW + 20 * YEAR}
    kinds = [permission(k, permission_id=f"pm-{k}-us", **terms) for k in (PermissionKind.KEEP, PermissionKind.MATCH)]
    with open_world(tmp_path, Ticking(), *kinds, CONFIRMED) as registry:
        assert due(registry, NOW + 3 * YEAR - DAY) == []
        assert ("template-idle", "voice:v-ada") in due(registry, NOW + 3 * YEAR)


def test_a_contact_goes_three_years_after_the_last_matter_and_never_before(registry: Registry, clock: Ticking) -> None:
    held = ("contact-idle", "party:p-ada"), ("contact-idle", "voice:v-ada")
    assert set(due(registry, NEXT_YEAR + 3 * YEAR - DAY)) == {("contact-idle", "party:p-bo")}
    assert set(held) <= set(due(registry, NEXT_YEAR + 3 * YEAR))
    clock.now = NEXT_YEAR - DAY
    registry.add(event(EventKind.RENEWED, NEXT_YEAR - DAY))
    assert ("contact-idle", "party:p-ada") not in due(registry, NEXT_YEAR + 3 * YEAR - DAY)
    clock.now = NEXT_YEAR + 4 * YEAR
    done = apply_schedule(registry, by="op-1")
    assert {e.due.holder for e in done.erased} == {"party:p-ada", "party:p-bo", "voice:v-ada"}
    assert registry.report("p-ada").subject == "p-ada"
    assert registry.audit().sound


@pytest.mark.parametrize(
    "matter",
    [
        key("p-bo", "ab" * 32, Role.PERFORMER, not_after=NOW + 30 * YEAR),
        grant(grant_id="g-bo", voice_id="v-bo", granted_by="p-bo", not_after=None, perpetual_ack=True),
        grant(grant_id="g-bo", voice_id="v-bo", granted_by="p-bo", not_after=NOW + 9 * YEAR),
        permission(PermissionKind.PROTECT, "v-bo", not_after=NOW + 9 * YEAR),
    ],
    ids=["key", "open grant", "long grant", "protect"],
)
def test_whoever_has_something_living_stays_reachable(registry: Registry, matter: Any) -> None:
    assert ("contact-idle", "party:p-bo") in due(registry, NOW + 8 * YEAR)
    registry.add(matter)
    assert ("contact-idle", "party:p-bo") not in due(registry, NOW + 8 * YEAR)


def test_an_organisations_contact_is_no_personal_data(registry: Registry) -> None:
    registry.add(Addition(party("label", Role.RIGHTS_HOLDER), personal=Personal(name="Label Ltd")))
    assert ("contact-idle", "party:label") not in due(registry, NOW + 50 * YEAR)


def test_a_withdrawn_grant_counts_from_its_withdrawal(registry: Registry) -> None:
    registry.add(grant(grant_id="g-bo", voice_id="v-bo", granted_by="p-bo", not_after=NOW + 9 * YEAR))
    registry.add(event(EventKind.GIVEN, target_id="g-bo", by="p-bo"))
    registry.add(event(EventKind.WITHDRAWN, NOW, target_id="g-bo", by="p-bo"))
    assert ("contact-idle", "party:p-bo") not in due(registry, NOW + 3 * YEAR - DAY)
    assert ("contact-idle", "party:p-bo") in due(registry, NOW + 3 * YEAR)


def test_every_erasure_is_an_event_whose_inclusion_the_proof_shows(registry: Registry, clock: Ticking) -> None:
    registry.add(CONFIRMED, NEWER)
    done = apply_schedule(registry, by="op-1")
    (erased,) = done.erased
    data = json.loads(json.dumps(erased.data()))
    leaf, path = bytes.fromhex(data["leaf_hash"]), [bytes.fromhex(h) for h in data["inclusion"]]
    assert ledger.leaf_hash(data["leaf"].encode()) == leaf
    assert ledger.verify_inclusion(leaf, data["event_entry"], done.head.size, path, done.head.root)
    assert not ledger.verify_inclusion(leaf, data["event_entry"] - 1, done.head.size, path, done.head.root)
    with registry.view() as view:
        recorded = view.events("voice:v-ada")[-1]
    assert recorded.leaf_index == data["event_entry"]
    assert recorded.event.kind is EventKind.ERASED
    assert recorded.event.ref == str(data["erased_entries"][0])
    assert "template-superseded" in str(recorded.event.reason)


def test_a_second_run_does_nothing(registry: Registry) -> None:
    registry.add(CONFIRMED, NEWER)
    after = apply_schedule(registry, by="op-1").head
    again = apply_schedule(registry, by="op-1")
    assert again.erased == ()
    assert again.head == after


@pytest.mark.parametrize("by", ["p-ada", "nobody"])
def test_only_an_operator_runs_it(registry: Registry, by: str) -> None:
    registry.add(CONFIRMED, NEWER)
    before = registry.head()
    with pytest.raises(RecordError, match="not an operator"):
        apply_schedule(registry, by=by)
    assert registry.head() == before
    assert len(due(registry)) == 1


def test_the_published_schedule_names_every_rule_with_reason_and_law() -> None:
    data = schedule_data()
    assert data["schema"] == "retention-schedule/1.0"
    assert {r["rule"]: r["days_after"] for r in data["rules"]} == {
        "template-not-permitted": 0,
        "template-superseded": 0,
        "enrolment-unconfirmed": 30,
        "template-idle": 1095,
        "contact-idle": 1095,
    }
    assert all(r["why"].endswith(".") and r["sources"] for r in data["rules"])
    assert all(rule.rule_id in schedule_text() and rule.why in schedule_text() for rule in SCHEDULE)


@pytest.fixture
def said(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    registry.add(CONFIRMED, NEWER)
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))

    def call(*words: str) -> tuple[int, str]:
        code = run(["voices", "retention", *words])
        printed = capsys.readouterr()
        return code, printed.err if code == 2 else printed.out

    return call


def test_the_command_lists_first_and_acts_only_when_told(said: Callable[..., Any], tmp_path: Path) -> None:
    code, text = said()
    assert code == 0
    assert "template-superseded" in text
    assert "Nothing was erased" in text
    code, text = said("--format", "json")
    assert [d["holder"] for d in json.loads(text)["due"]] == ["voice:v-ada"]
    assert json.loads(said("--as-of", "2040-01-01T00:00Z", "--format", "json")[1])["due"] != json.loads(text)["due"]
    proof = tmp_path / "proof.json"
    code, text = said("--apply", "--by", "op-1", "--proof", str(proof))
    assert code == 0
    assert "recorded as entry" in text
    assert "Ada" not in proof.read_text()
    assert len(json.loads(proof.read_text())["erased"]) == 1
    assert said("--apply", "--by", "op-1")[1] == "Nothing was due; nothing was erased.\n"
    assert said()[1] == "Nothing is due.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--apply",),
        ("--by", "op-1"),
        ("--apply", "--by", "op-1", "--as-of", "2040-01-01T00:00Z"),
        ("--apply", "--by", "p-ada"),
        ("--proof", "x.json"),
        ("--as-of", "2040-01-01"),
        ("--as-of", "soon"),
    ],
)
def test_what_the_command_cannot_do_returns_two(said: Callable[..., Any], words: tuple[str, ...]) -> None:
    assert said(*words)[0] == 2
    assert "template-superseded" in said()[1]


def test_the_schedule_is_printed_without_a_registry(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DUBGATE_REGISTRY", raising=False)
    assert run(["voices", "retention", "--schedule"]) == 0
    assert capsys.readouterr().out == schedule_text() + "\n"
    assert run(["voices", "retention", "--schedule", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == schedule_data()
