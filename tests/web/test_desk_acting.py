"""What may be said is looked at again where nothing can come between, whatever a page let through before."""

from __future__ import annotations

import pytest
from world import START, World

from consent.events import Event
from consent.vocabulary import EventKind
from consent.web.acting import record
from consent.web.visiting import NotYoursError, Visitor


def visitor(world: World, party: str) -> Visitor:
    from consent.web import sessions

    visit = world.visit(party)
    session = sessions.find(world.desk, sessions.start(world.desk, visit.account.account_id, "passkey"))
    with world.registry.view() as view:
        known = view.party(party)
    assert session is not None
    assert known is not None
    return Visitor(world.desk, session, visit.account, known)


def said(by: str, target: str = "request:rq-1", kind: EventKind = EventKind.REFUSED) -> Event:
    word, _, number = target.partition(":")
    about = {"target": word, "target_id": number, "kind": kind, "effective_at": START, "by": by}
    return Event.model_validate({"event_id": "ev-try", **about})


@pytest.mark.parametrize(
    ("party", "event"),
    [
        ("ada", said("berta", "grant:g-berta", EventKind.SUSPENDED)),
        ("rev-a", said("studio", "refusal:none", EventKind.LIFTED)),
        ("rev-a", said("rev-a")),
        ("rival", said("rival")),
        ("hana", said("rival", "request:rq-rival")),
    ],
    ids=["somebody else", "a reviewer for the house", "a reviewer", "another house", "another house's name"],
)
def test_nobody_says_what_is_anothers_to_say(world: World, party: str, event: Event) -> None:
    who = visitor(world, party)
    size = world.registry.head().size
    with pytest.raises(NotYoursError):
        record(who, [event], None)
    assert world.registry.head().size == size


def test_what_is_ones_own_is_recorded(world: World) -> None:
    hana, ada = visitor(world, "hana"), visitor(world, "ada")
    size = world.registry.head().size
    record(hana, [said("hana")], None)
    record(ada, [said("ada", "grant:g-ada", EventKind.SUSPENDED)], None)
    assert world.registry.head().size == size + 2
