"""What a transaction remembers is what the database would say: new entries are in it, and a failure is not remembered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from consent_examples import NOW, Place, event, grant, open_world

from consent import ledger
from consent.errors import RecordError
from consent.events import Event
from consent.parties import Party
from consent.registry import Registry
from consent.terms import Grant
from consent.vocabulary import EventKind


@pytest.fixture
def registry(place: Place) -> Iterator[Registry]:
    with open_world(place) as opened:
        yield opened


def test_what_is_appended_is_in_answers_given_before(registry: Registry) -> None:
    with registry.write() as writer:
        before = len(writer.store.entries("grant:g-ada", Event))
        assert writer.store.named(Event, "e-new") == []
        writer.store.append(event(EventKind.REQUESTED, event_id="e-new"), NOW)
        assert len(writer.store.entries("grant:g-ada", Event)) == before + 1
        assert [e.record.record_id for e in writer.store.named(Event, "e-new")] == ["e-new"]
        writer.store.append(event(EventKind.REQUESTED, event_id="e-newer"), NOW)
        assert [e.record.record_id for e in writer.store.entries_of(["grant:g-ada", "party:p-ada"], Event)][-2:] == [
            "e-new",
            "e-newer",
        ]
        assert writer.store.entry(writer.store.size() - 1) == writer.store.named(Event, "e-newer")[0]
    with registry.view() as view:
        assert len(view.store.entries("grant:g-ada", Event)) == before + 2
        assert view.store.entries("nothing:here", Grant) == []
    assert registry.audit().sound


def test_two_events_of_one_id_in_one_batch_are_refused_whole(registry: Registry) -> None:
    size, twice = registry.head().size, event(EventKind.REQUESTED, event_id="e-twice")
    with pytest.raises(RecordError, match="already recorded"):
        registry.add(event(EventKind.REQUESTED, event_id="e-first"), twice, twice)
    assert registry.head().size == size


def test_what_a_batch_names_may_come_in_the_same_batch(registry: Registry) -> None:
    registry.add(
        grant(grant_id="g-new"),
        event(EventKind.GIVEN, event_id="e-1", target_id="g-new"),
        event(EventKind.REQUESTED, event_id="e-2", target_id="g-new"),
    )
    assert registry.audit().sound


def test_a_question_that_failed_is_asked_again(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry.view() as view:
        monkeypatch.setattr(view.store, "_read_under", lambda keys, schema: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            view.store.entries("party:p-ada", Party)
        monkeypatch.undo()
        assert len(view.store.entries("party:p-ada", Party)) == 1


@pytest.mark.parametrize("size", [1, 2, 7, 64, 97])
def test_the_nodes_of_a_proof_are_all_that_it_reads(size: int) -> None:
    for index in range(size):
        read: list[tuple[int, int]] = []
        ledger.inclusion_proof(index, size, lambda lv, p, read=read: read.append((lv, p)) or b"")
        assert set(ledger.nodes_of_inclusion(index, size)) == set(read)
