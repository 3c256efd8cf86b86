"""Records that contradict themselves, and what belongs to one kind of record alone, are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    NOW,
    Ticking,
    approval,
    candidate,
    claim,
    enrolment,
    event,
    grant,
    open_world,
    party,
    permission,
    refusal,
    use,
    voice,
)
from pydantic import ValidationError
from test_consent_races import release

from consent import strict_yaml
from consent.errors import RecordError, StoreError
from consent.parties import Personal
from consent.registry import Registry
from consent.releases import Planned, VoiceUse
from consent.strict_yaml import read_lines
from consent.titles import Title
from consent.views import packed, unpacked
from consent.vocabulary import EventKind, Level, PermissionKind, Role, Subject
from consent.voices import SearchHalt
from consent.webhooks import WebhookError, _said, checked_address
from consent.writing import Addition

TERM = {"not_before": NOW, "not_after": NOW}


def title(**changes: Any) -> Title:
    return Title(**({"title_id": "moon", "level": Level.FEATURE, "name": "Moon"} | changes))


def halt(**changes: Any) -> SearchHalt:
    said = {
        "halt_id": "h-1",
        "by": "op-1",
        "legal_basis": "GDPR 18",
        "not_before": NOW,
        "not_after": NOW + timedelta(1),
    }
    return SearchHalt(**(said | changes))


@pytest.mark.parametrize(
    ("make", "changes", "what"),
    [
        (title, {"identifiers": ("isni:0000000121032683",)}, "identified by eidr, isan or internal"),
        (title, {"parent_id": "moon"}, "cannot belong to itself"),
        (refusal, TERM, "the term ends before it starts"),
        (lambda **c: permission(PermissionKind.MATCH, **c), TERM, "the term ends before it starts"),
        (halt, TERM, "the term ends before it starts"),
        (voice, {"blend_of": ("v-a", "v-b")}, "only a blend does"),
        (voice, {"subject": Subject.BLEND, "blend_of": ("v-a",)}, "two or more voices"),
    ],
)
def test_a_record_that_contradicts_itself_is_none(
    make: Callable[..., object], changes: dict[str, Any], what: str
) -> None:
    make()
    with pytest.raises(ValidationError, match=what):
        make(**changes)


@pytest.mark.parametrize(
    ("addition", "what"),
    [
        (Addition(enrolment()), "comes with a vector of its dimension"),
        (Addition(enrolment(), vector=(0.5,)), "comes with a vector of its dimension"),
        (Addition(party("p-new", Role.PERFORMER), vector=(0.5,)), "only an enrolment carries a vector"),
        (Addition(claim(claim_id="c-2"), personal=Personal(name="Ada")), "only parties and voices have names"),
    ],
)
def test_what_is_sealed_belongs_to_its_kind_of_record(tmp_path: Path, addition: Addition, what: str) -> None:
    with open_world(tmp_path) as registry, pytest.raises(RecordError, match=what):
        registry.add(addition)


def test_a_template_of_another_length_than_its_enrolment_says_is_not_read() -> None:
    assert unpacked(packed((0.5, 1.0)), 2) == (0.5, 1.0)
    with pytest.raises(StoreError, match="has 2 numbers where its enrolment says 3"):
        unpacked(packed((0.5, 1.0)), 3)


@pytest.mark.parametrize("named", ["a-none", "a-1"])
def test_nobody_is_told_of_the_use_of_what_is_no_standing_approval(tmp_path: Path, named: str) -> None:
    with (
        open_world(tmp_path, Ticking(), approval()) as registry,
        registry.write() as writer,
        pytest.raises(RecordError, match=f"'{named}' is no standing approval"),
    ):
        writer.notice_use(named, candidate(), "op-1")


@pytest.mark.parametrize(("limits", "spent"), [({}, 0), ({"max_uses": 2}, 1), ({"max_minutes": 20.0}, 1)])
def test_a_release_spends_only_what_is_limited(tmp_path: Path, limits: dict[str, Any], spent: int) -> None:
    given = grant(grant_id="g-own", **limits)
    voices = (VoiceUse(voice_id="v-ada", grant_id="g-own", technique=given.techniques[0], minutes=12.5),)
    born = event(EventKind.GIVEN, event_id="e-own", target_id="g-own")
    with open_world(tmp_path, Ticking(), given, born) as registry:
        with registry.write() as writer:
            writer.release(release("rel-1", voices=voices), [Planned("v-ada", use())])
        with registry.view() as view:
            events = [e.event.kind for e in view.events("grant:g-own")]
    assert events.count(EventKind.USE_SPENT) == spent


def test_a_tree_that_lacks_a_part_proves_nothing(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("DROP TRIGGER IF EXISTS node_no_delete")
        connection.execute("DELETE FROM node WHERE level = 0 AND position = 0")
    with (
        Registry.open(tmp_path / "registry.db", clock=Ticking()) as registry,
        registry.view() as view,
        pytest.raises(StoreError, match="lacks the node"),
    ):
        view.store.read_node(0, 0)


def test_a_file_larger_than_any_seed_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "seed.yaml").write_text("a: 1\n")
    monkeypatch.setattr(strict_yaml, "MAX_BYTES", 4)
    with pytest.raises(RecordError, match="more than 4 bytes"):
        read_lines(tmp_path / "seed.yaml")


def test_a_host_without_an_address_and_one_behind_a_mapped_one_are_refused() -> None:
    with pytest.raises(WebhookError, match=r"example\.org has no address"):
        checked_address("example.org", [], allow_private=True)
    with pytest.raises(WebhookError, match="not a public address"):
        checked_address("example.org", ["::ffff:10.0.0.1"], allow_private=False)
    assert checked_address("example.org", ["::ffff:9.9.9.9"], allow_private=False) == "::ffff:909:909"


def test_a_delivery_that_failed_is_told_in_words() -> None:
    assert _said(WebhookError("no address")) == "no address"
    assert _said(TimeoutError("timed out")) == "it did not answer in time"
    assert _said(ConnectionRefusedError("refused")) == "ConnectionRefusedError: refused"
