"""Signed objects count only with a registered key, valid now, in a role that may sign, over these very bytes."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from made_delivery import DAY, NOW, SIGNED_AT, World, make_world

from consent.events import Event
from consent.registry import Registry
from consent.vocabulary import EventKind, Role
from dubgate.answers import ATTESTATIONS
from dubgate.certificate.dsse import SignatureError, sign, signer_of
from dubgate.policy.evidence import APPROVALS, HUMAN, Kind, _holders, evidence_files, open_all, open_one
from dubgate.policy.findings import Outcome


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def opened(world: World, folder: Path, data: bytes, kind: Kind[Any] = APPROVALS, at: datetime = NOW) -> Any:
    path = folder / "object.json"
    path.write_bytes(data)
    with world.view() as view:
        return open_one(kind, path, view, at)


def changed(envelope: bytes, **predicate: Any) -> dict[str, Any]:
    statement = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    statement["predicate"].update(predicate)
    return dict(statement)


def test_each_kind_opens_with_its_signers_registered_key(world: World, tmp_path: Path) -> None:
    approval = opened(world, tmp_path, world.approval())
    assert (approval.by, approval.roles, approval.record.title_id) == ("kestrel", {Role.RIGHTS_HOLDER}, "last-train")
    assert opened(world, tmp_path, world.human(), HUMAN).by == "director"
    answer = opened(world, tmp_path, world.attestation("reviewer-b", "CON-031", "OTTO"), ATTESTATIONS)
    assert (answer.by, answer.roles) == ("reviewer-b", {Role.REVIEWER})


def test_roles_are_those_of_the_key_not_all_of_its_owner(world: World, tmp_path: Path) -> None:
    answer = opened(world, tmp_path, world.attestation("reviewer-d", "CON-031", "OTTO"), ATTESTATIONS)
    assert answer.roles == {Role.PERFORMER}


@pytest.mark.parametrize(
    ("by", "key"),
    [
        ("kestrel", "stranger"),
        ("kestrel", "rival"),
        ("kestrel", "director"),
        ("kestrel-lapsed", "kestrel-lapsed"),
        ("kestrel-ear", "kestrel-ear"),
        ("rival", "kestrel"),
    ],
    ids=[
        "a stranger's",
        "another holder's",
        "another role's",
        "lapsed",
        "the party's for another role",
        "own, for another",
    ],
)
def test_a_key_that_may_not_sign_this_does_not_count(world: World, tmp_path: Path, by: str, key: str) -> None:
    with pytest.raises(SignatureError):
        opened(world, tmp_path, world.approval(by, key=world.keys[key]))


def test_a_key_counts_until_its_last_moment_only(world: World, tmp_path: Path) -> None:
    lapsed = world.approval("kestrel-lapsed")
    until = datetime(2026, 11, 18, tzinfo=UTC)
    assert opened(world, tmp_path, lapsed, at=until - DAY / 1000).by == "kestrel-lapsed"
    with pytest.raises(SignatureError, match="not valid"):
        opened(world, tmp_path, lapsed, at=until)


def test_a_revoked_key_does_not_count(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    approval = world.approval()
    assert opened(world, tmp_path, approval).by == "kestrel"
    with Registry.open(world.registry, clock=lambda: NOW) as registry:
        registry.add(
            Event(
                event_id="e-key",
                target="key",
                target_id="k-kestrel",
                kind=EventKind.REVOKED,
                effective_at=NOW,
                by="kestrel",
            )
        )
    with pytest.raises(SignatureError, match="revoked"):
        opened(world, tmp_path, approval, at=NOW + DAY)


@pytest.mark.parametrize("kind", [HUMAN, ATTESTATIONS])
def test_one_kind_of_object_is_never_taken_for_another(world: World, tmp_path: Path, kind: Kind[Any]) -> None:
    with pytest.raises(SignatureError):
        opened(world, tmp_path, world.approval(), kind)


def test_every_flipped_byte_of_the_payload_is_noticed(world: World, tmp_path: Path) -> None:
    plain = json.loads(world.approval())
    payload = base64.b64decode(plain["payload"])
    for k in range(0, len(payload), 29):
        bad = bytearray(payload)
        bad[k] ^= 1
        envelope = {**plain, "payload": base64.b64encode(bytes(bad)).decode()}
        with pytest.raises(SignatureError):
            opened(world, tmp_path, json.dumps(envelope).encode())


@pytest.mark.parametrize("k", [0, 31, 32, 63])
def test_every_flipped_byte_of_the_signature_is_noticed(world: World, tmp_path: Path, k: int) -> None:
    plain = json.loads(world.approval())
    signature = bytearray(base64.b64decode(plain["signatures"][0]["sig"]))
    signature[k] ^= 1
    plain["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()
    with pytest.raises(SignatureError):
        opened(world, tmp_path, json.dumps(plain).encode())


def test_the_signature_of_one_object_does_not_carry_another(world: World, tmp_path: Path) -> None:
    one, other = json.loads(world.approval()), json.loads(world.approval(title_id="harbour"))
    with pytest.raises(SignatureError):
        opened(world, tmp_path, json.dumps({**one, "signatures": other["signatures"]}).encode())


@pytest.mark.parametrize(
    "predicate",
    [
        {"schema": "consent-approval/9.0"},
        {"unknown": 1},
        {"by": 7},
        {"sounds": []},
        {"expires_at": "2026-01-01T00:00:00Z"},
    ],
    ids=["schema", "unknown field", "type", "no sound", "expires before signed"],
)
def test_a_well_signed_object_that_says_something_else_does_not_count(
    world: World, tmp_path: Path, predicate: dict[str, Any]
) -> None:
    statement = changed(world.approval(), **predicate)
    with pytest.raises(SignatureError):
        opened(world, tmp_path, sign(statement, signer_of(world.keys["kestrel"])))


def test_a_subject_that_is_not_the_sound_named_does_not_count(world: World, tmp_path: Path) -> None:
    statement = changed(world.approval())
    statement["subject"][0]["digest"]["sha256"] = "7" * 64
    with pytest.raises(SignatureError, match="subject"):
        opened(world, tmp_path, sign(statement, signer_of(world.keys["kestrel"])))


@pytest.mark.parametrize("junk", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"[" * 3000, b'{"payload":"","payload":""}'])
def test_what_is_no_envelope_is_a_finding_and_no_crash(world: World, junk: bytes) -> None:
    delivery = world.with_evidence("junk", world.approval(), junk)
    by_type, bad = evidence_files(delivery)
    assert [len(paths) for paths in by_type.values()] == [1]
    assert [(f.rule, f.outcome) for f in bad] == [("INT-001", Outcome.HOLD)]


def test_a_file_that_does_not_verify_is_named_and_the_others_count(world: World) -> None:
    delivery = world.with_evidence("two", world.approval(), world.approval(key=world.keys["stranger"]))
    by_type, _ = evidence_files(delivery)
    with world.view() as view:
        good, bad = open_all(APPROVALS, by_type[APPROVALS.predicate_type], view, NOW)
    assert [s.by for s in good] == ["kestrel"]
    assert [f.rule for f in bad] == ["INT-001"]
    assert "1.json" in bad[0].text.en


def test_files_that_the_manifest_lists_and_that_lie_there_are_read_once(world: World) -> None:
    delivery = world.with_evidence("once", world.approval())
    path = delivery.root / "evidence" / "0.json"
    listed = replace(delivery, evidence=replace(delivery.evidence, approvals=(path,)))
    by_type, bad = evidence_files(listed)
    assert by_type == {APPROVALS.predicate_type: (path,)}
    assert bad == ()


def test_a_link_in_the_evidence_is_not_followed(world: World, tmp_path: Path) -> None:
    delivery = world.with_evidence("link")
    (tmp_path / "elsewhere.json").write_bytes(world.approval(at=SIGNED_AT))
    (delivery.root / "evidence" / "link.json").symlink_to(tmp_path / "elsewhere.json")
    assert evidence_files(delivery) == ({}, ())


def test_an_envelope_over_4_mb_is_not_read(world: World, tmp_path: Path) -> None:
    with pytest.raises(SignatureError, match="4 MB"):
        opened(world, tmp_path, b" " * 4_000_001)


@pytest.mark.parametrize("signatures", [{"keyid": "x"}, "abc", 7, None])
def test_signatures_that_are_no_list_are_no_envelope(world: World, signatures: Any) -> None:
    envelope = json.loads(world.approval()) | {"signatures": signatures}
    with world.view() as view, pytest.raises(SignatureError, match="not a DSSE envelope"):
        list(_holders(json.dumps(envelope).encode(), "x", view, NOW))
