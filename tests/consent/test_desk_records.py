"""What the review desk adds to the records: conditions that their own party closes, lists under one signature, newest first."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.approvals import Approval, ApprovalHistory, ApprovedSound, Candidate, approval_denials
from consent.conditions import open_conditions
from consent.dsse import STATEMENT_TYPE, pre_authentication_encoding
from consent.errors import SignatureError
from consent.events import Event
from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.shown import Shown
from consent.signatures import LIST_SCHEMA, LIST_TYPE, check_envelope, predicate_of
from consent.strict import Window
from consent.titles import Title
from consent.vocabulary import ApprovalDecision, ApprovalKind, Channel, EventKind, Level, Role
from consent.writing import Addition

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
WINDOW = Window(start=AT, end=AT + timedelta(days=100))
KEY = Ed25519PrivateKey.generate()


def approval(number: str = "ap-1", **changes: Any) -> Approval:
    said: dict[str, Any] = {
        "kind": ApprovalKind.FINAL_SOUND,
        "decision": ApprovalDecision.APPROVE,
        "by": "hana",
        "for_holder_id": "studio",
        "title_id": "moon",
        "language": "en",
        "territories": ("DE",),
        "channels": (Channel.SVOD,),
        "window": WINDOW,
        "sounds": (ApprovedSound(packets_sha256="a" * 64),),
        "label_plan_sha256": "b" * 64,
        "script_sha256": "c" * 64,
        "original_sha256": "d" * 64,
        "signed_at": AT,
        "expires_at": AT + timedelta(days=180),
    }
    return Approval(approval_id=number, **(said | changes))


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "registry.db", create=True, clock=lambda: AT) as made:
        made.add(
            Party(party_id="studio", roles=(Role.RIGHTS_HOLDER,), person=False),
            Party(party_id="hana", roles=(Role.RIGHTS_HOLDER,), person=True, organisation_id="studio"),
            Party(party_id="op-1", roles=(Role.OPERATOR,), person=True),
            Title(title_id="moon", level=Level.FEATURE, name="Moon"),
            PartyKey(
                key_id="k-hana",
                party_id="hana",
                public_hex=KEY.public_key().public_bytes_raw().hex(),
                roles=(Role.RIGHTS_HOLDER,),
                not_before=AT - timedelta(days=1),
                not_after=AT + timedelta(days=1),
            ),
        )
        yield made


def listed(*approvals: Approval, **changes: Any) -> str:
    """An envelope over a list of approvals by hana's key."""
    predicate = {
        "schema": LIST_SCHEMA,
        "approvals": [predicate_of(a) for a in approvals],
        **changes.pop("predicate", {}),
    }
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": "a" * 64}}],
        "predicateType": LIST_TYPE,
        "predicate": predicate,
    }
    payload = rfc8785.dumps(statement | changes)
    from consent.parties import dsse_keyid

    keyid = dsse_keyid(KEY.public_key().public_bytes_raw().hex())
    sig = base64.b64encode(KEY.sign(pre_authentication_encoding(payload))).decode()
    signatures = [{"keyid": keyid, "sig": sig}]
    body = {"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json"}
    return json.dumps({**body, "signatures": signatures})


def test_every_approval_of_a_list_enters_under_the_one_signature(registry: Registry) -> None:
    first, second = approval(), approval("ap-2", language="fr")
    envelope = listed(first, second)
    registry.add(Addition(first, envelope=envelope), Addition(second, envelope=envelope))
    assert registry.audit().problems == ()


@pytest.mark.parametrize(
    ("record", "envelope"),
    [
        (approval("ap-3"), listed(approval(), approval("ap-2"))),
        (approval(territories=("DE", "US")), listed(approval())),
        (approval(), listed(approval(), approval(language="fr"))),
        (approval(), listed(approval(), predicate={"schema": "consent-approvals/2.0"})),
        (approval(), listed(approval(), predicate={"more": "of it"})),
        (approval(), listed(approval(), _type="https://in-toto.io/Statement/v2")),
        (approval(), listed(approval(), predicate={"approvals": "all"})),
        (approval(shown=(Shown(what="Title", said="Moon!"),)), listed(approval(shown=(Shown(what="Title", said="Moon"),)))),
        (Event(event_id="ev-1", target="approval", target_id="ap-1", kind=EventKind.WITHDRAWN, effective_at=AT, by="hana"),
         listed(approval())),
    ],
    ids=["not among them", "wider", "twice, differently", "another schema", "another member", "another statement",
         "no list", "one character of what was shown", "no approval"],
)  # fmt: skip
def test_what_a_list_does_not_say_exactly_is_not_signed_by_it(registry: Registry, record: Any, envelope: str) -> None:
    with registry.view() as view, pytest.raises(SignatureError):
        check_envelope(view, record, envelope)


def test_an_approval_that_shows_nothing_reads_as_it_always_did() -> None:
    assert b"shown" not in rfc8785.dumps(predicate_of(approval()))


CANDIDATE = Candidate(
    title_ids=("moon",),
    language="en",
    territories=("DE",),
    channels=(Channel.SVOD,),
    window=WINDOW,
    packets_sha256="a" * 64,
    label_plan_sha256="b" * 64,
    script_sha256="c" * 64,
    original_sha256="d" * 64,
)


def conditional() -> Approval:
    return approval(decision=ApprovalDecision.CONDITIONS, conditions=("Other: one", "Other: two"))


def met(registry: Registry, condition: str, by: str, number: str = "ev-1") -> None:
    said = {"target": "approval", "target_id": "ap-1", "kind": EventKind.CONFIRMED, "by": by, "reason": condition}
    registry.add(Event.model_validate({"event_id": number, "effective_at": AT, **said}))


def history(registry: Registry) -> ApprovalHistory:
    with registry.view() as view:
        [found] = view.approvals(["moon"])
    return found


@pytest.mark.parametrize(("by", "closed"), [("hana", True), ("studio", True), ("op-1", False)])
def test_a_condition_is_closed_by_its_own_party_alone(registry: Registry, by: str, closed: bool) -> None:
    registry.add(conditional())
    assert len(approval_denials(history(registry), CANDIDATE, AT)) == 2
    met(registry, "Other: one", by)
    left = open_conditions(conditional(), history(registry).events, AT)
    assert left == (("Other: two",) if closed else ("Other: one", "Other: two"))
    assert len(approval_denials(history(registry), CANDIDATE, AT)) == len(left)


def test_another_condition_or_one_met_later_closes_nothing(registry: Registry) -> None:
    registry.add(conditional())
    met(registry, "Other: three", "hana")
    met(registry, "Other: one", "hana", "ev-2")
    known = history(registry).events
    assert open_conditions(conditional(), known, AT - timedelta(seconds=1)) == conditional().conditions
    assert open_conditions(conditional(), known, AT) == ("Other: two",)


def test_all_conditions_met_leave_nothing_against_it(registry: Registry) -> None:
    registry.add(conditional())
    met(registry, "Other: one", "hana")
    met(registry, "Other: two", "studio", "ev-2")
    assert approval_denials(history(registry), CANDIDATE, AT) == ()


def test_the_newest_entries_under_many_keys_come_first_and_only_as_many(registry: Registry) -> None:
    for k in range(6):
        registry.add(approval(f"ap-{k}", title_id="moon"))
    with registry.view() as view:
        keys = ["title:moon", "party:studio", *(f"title:none-{k}" for k in range(900))]
        found = view.store.newest(keys, Approval, 4)
        assert [e.record.record_id for e in found] == ["ap-5", "ap-4", "ap-3", "ap-2"]
        assert view.store.newest([], Approval, 4) == []
        assert view.store.count("title:moon", Approval) == 6
        assert view.store.count("title:moon", Title) == 1
        first = view.store.of_kind(Approval)[2].leaf_index
        assert [e.record.record_id for e in view.store.of_kind(Approval, start=first)] == [
            "ap-2",
            "ap-3",
            "ap-4",
            "ap-5",
        ]
        assert [e.record.record_id for e in view.store.newest(["title:moon"], Approval, 2)] == ["ap-5", "ap-4"]


def test_what_opens_nothing_needs_no_key_at_hand_where_signatures_are_wanted_and_what_opens_does(
    tmp_path: Path,
) -> None:
    from consent.requests import Request, RequestKind, Wanted

    with Registry.open(tmp_path / "r.db", create=True, clock=lambda: AT, signatures_required=True) as registry:
        registry.add(
            Party(party_id="studio", roles=(Role.RIGHTS_HOLDER,), person=False),
            Party(party_id="vendor", roles=(Role.DUBBING_VENDOR,), person=False),
            Title(title_id="moon", level=Level.FEATURE, name="Moon"),
        )
        wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you?")
        ends = AT + timedelta(days=14)
        for number in ("rq-1", "rq-2"):
            registry.add(
                Request(
                    request_id=number,
                    to="studio",
                    asked_by="vendor",
                    release=CANDIDATE,
                    wanted=(wanted,),
                    asked_at=AT,
                    expires_at=ends,
                )
            )

        def said(kind: EventKind, request_id: str, number: str) -> Event:
            return Event(
                event_id=number, target="request", target_id=request_id, kind=kind, effective_at=AT, by="studio"
            )

        registry.add(said(EventKind.DEFERRED, "rq-1", "ev-1"), said(EventKind.REFUSED, "rq-1", "ev-2"))
        registry.add(said(EventKind.CONFIRMED, "rq-2", "ev-3"))
        with pytest.raises(SignatureError):
            registry.add(said(EventKind.LIFTED, "rq-1", "ev-4"))
        with pytest.raises(SignatureError):
            registry.add(approval(by="studio"))
        assert registry.audit().problems == ()
