"""The audit names every change of the stored history; a checkpoint kept outside exposes what it cannot see alone."""

from __future__ import annotations

import base64
import random
import shutil
import sqlite3
from pathlib import Path

import pytest
from consent_examples import DAY, VECTOR, Ticking, enrolment, event, open_world, party, refusal
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import ledger
from consent.audit import Audit
from consent.checkpoint import Checkpoint, VerifierKey, open_note, read_body, sign, verifier_key
from consent.errors import SignatureError
from consent.registry import Registry
from consent.vocabulary import EventKind, Role
from consent.writing import Addition

MATCHED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    open_world(tmp_path, None, MATCHED, refusal()).close()
    return tmp_path / "registry.db"


def audited(path: Path, checkpoint: Checkpoint | None = None) -> Audit:
    with Registry.open(path, clock=Ticking()) as registry:
        return registry.audit(checkpoint)


def tampered(path: Path, *statements: str) -> sqlite3.Connection:
    """A hand on the database that first takes the triggers away, as its administrator could."""
    connection = sqlite3.connect(path, isolation_level=None)
    for table in ("entry", "lookup", "node"):
        for action in ("update", "delete"):
            connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{action}")
    for statement in statements:
        connection.execute(statement)
    return connection


def test_an_honest_history_is_sound(path: Path) -> None:
    found = audited(path)
    assert found.sound
    assert found.size == 19
    with Registry.open(path, clock=Ticking()) as registry:
        assert registry.head().root == found.root


GRANT = "schema_name = 'consent-grant/1.0'"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"UPDATE entry SET body = replace(body, '150', '001') WHERE {GRANT}", "entry 15 was changed"),
        ("UPDATE entry SET recorded_at = '2026-11-20T11:59:59.000000Z' WHERE leaf_index = 3", "entry 3 was changed"),
        ("UPDATE entry SET recorded_at = '2020-01-01T00:00:00.000000Z' WHERE leaf_index = 3", "3 was recorded before"),
        ("UPDATE entry SET recorded_at = 'yesterday' WHERE leaf_index = 3", "entry 3 cannot be read"),
        ("UPDATE entry SET schema_name = 'consent-title/1.0' WHERE leaf_index = 0", "entry 0 was changed"),
        ("UPDATE entry SET schema_name = 'consent-x/1.0' WHERE leaf_index = 0", "does not know"),
        (
            "UPDATE entry SET salt = CASE substr(salt, 1, 2) WHEN '00' THEN '01' ELSE '00' END || substr(salt, 3) WHERE leaf_index = 2",
            "entry 2 was changed",
        ),
        ("UPDATE entry SET salt = 'salt' WHERE leaf_index = 2", "entry 2 cannot be read"),
        ("DELETE FROM entry WHERE leaf_index = 7", "entry 7 is missing"),
        ("DELETE FROM entry WHERE leaf_index = 18", "the index has"),
        ("UPDATE lookup SET key = 'voice:x' WHERE leaf_index = 15 AND key = 'voice:v-ada'", "15 is not found under"),
        ("DELETE FROM lookup WHERE leaf_index = 18 AND key = 'title:show'", "entry 18 is not found under"),
        ("INSERT INTO lookup VALUES ('voice:v-x', 'consent-grant/1.0', 99)", "the index has"),
        (
            "UPDATE node SET hash = CASE substr(hash, 1, 2) WHEN '00' THEN '01' ELSE '00' END || substr(hash, 3) WHERE level = 1 AND position = 2",
            "node 1/2",
        ),
        ("INSERT INTO node VALUES (9, 9, 'ab')", "the tree has"),
        ("DELETE FROM sealed WHERE leaf_index = 17", "gone and no erasure says why"),
        ("UPDATE sealed SET leaf_index = 99 WHERE leaf_index = 17", "which has none"),
        ("DELETE FROM person_key WHERE holder = 'voice:v-ada'", "is gone"),
        (
            "UPDATE sealed SET content = (SELECT content FROM sealed WHERE leaf_index = 2) WHERE leaf_index = 3",
            "altered or moved",
        ),
    ],
)
def test_what_an_administrator_changes_is_named(path: Path, statement: str, named: str) -> None:
    tampered(path, statement).close()
    assert any(named in problem for problem in audited(path).problems), audited(path).problems


def test_two_entries_that_changed_places_are_named(path: Path) -> None:
    swap = (
        "UPDATE entry SET leaf_index = -1 WHERE leaf_index = 4",
        "UPDATE entry SET leaf_index = 4 WHERE leaf_index = 5",
    )
    tampered(path, *swap, "UPDATE entry SET leaf_index = 5 WHERE leaf_index = -1").close()
    problems = audited(path).problems
    assert any("entry 4 was changed" in p for p in problems)
    assert any("entry 5 was changed" in p for p in problems)


def test_any_single_character_of_the_history_is_noticed_when_it_changes(path: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    columns = ("recorded_at", "schema_name", "body", "salt", "sealed_sha256", "leaf_hash")
    connection = tampered(path)
    for _ in range(80):
        index, column = chance.randrange(19), chance.choice(columns)
        (value,) = connection.execute(f"SELECT {column} FROM entry WHERE leaf_index = ?", [index]).fetchone()
        if value is None:
            continue
        place = chance.randrange(len(value))
        changed = value[:place] + ("0" if value[place] != "0" else "1") + value[place + 1 :]
        connection.execute(f"UPDATE entry SET {column} = ? WHERE leaf_index = ?", [changed, index])
        assert any(f"entry {index}" in p for p in audited(path).problems), (index, column, place)
        connection.execute(f"UPDATE entry SET {column} = ? WHERE leaf_index = ?", [value, index])
    assert audited(path).sound


def test_a_history_rewritten_in_full_is_exposed_only_by_a_checkpoint(tmp_path: Path) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock, refusal()) as registry:
        kept = registry.head()
    shutil.copy(tmp_path / "registry.db", tmp_path / "honest.db")
    (tmp_path / "registry.db").unlink()
    (tmp_path / "registry.db.key").unlink()
    with open_world(tmp_path, clock, refusal(title_ids=("show-101",))) as forged:
        origin = forged.head().origin
    rewritten = audited(tmp_path / "registry.db")
    assert rewritten.sound
    assert any(
        "rewritten" in p for p in audited(tmp_path / "registry.db", Checkpoint(origin, kept.size, kept.root)).problems
    )
    assert any("this registry is" in p for p in audited(tmp_path / "registry.db", kept).problems)


def test_a_rolled_back_history_is_exposed_by_a_checkpoint(path: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    shutil.copy(path, backup)
    shutil.copy(f"{path}.key", f"{backup}.key")
    clock = Ticking()
    with Registry.open(path, clock=clock) as registry:
        clock.now += DAY
        registry.add(event(EventKind.WITHDRAWN, clock.now))
        kept = registry.head()
    assert audited(backup).sound
    assert any("rolled back" in p for p in audited(backup, kept).problems)
    assert audited(path, kept).sound


def test_an_erasure_is_accounted_for_and_the_audit_still_passes(path: Path) -> None:
    with Registry.open(path, clock=Ticking()) as registry:
        before = registry.head()
        registry.erase("voice:v-ada", by="p-ada", reason="asked for")
        found = registry.audit(before)
    assert found.sound
    assert found.n_erased == 2


def test_without_the_registry_key_the_audit_says_what_it_could_not_read(path: Path) -> None:
    Path(f"{path}.key").unlink()
    found = audited(path)
    assert found.sound
    assert found.n_sealed_unread == 4


def test_an_entry_proves_its_place_in_the_ledger(path: Path) -> None:
    with Registry.open(path, clock=Ticking()) as registry:
        head = registry.head()
        for index in range(head.size):
            leaf, proof = registry.inclusion(index)
            assert ledger.verify_inclusion(ledger.leaf_hash(leaf.encode()), index, head.size, proof, head.root)
            assert "Ada" not in leaf
        registry.add(party("late", Role.LEGAL))
        later = registry.head()
        assert ledger.verify_consistency(head.size, later.size, head.root, later.root, registry.consistency(head.size))


# Checkpoints

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
POINT = Checkpoint("example.org/registry", 19, bytes(range(32)))
KEY = VerifierKey("example.org/registry", PRIVATE.public_key().public_bytes_raw())


def test_a_signed_checkpoint_comes_back_as_it_was() -> None:
    note = sign(POINT, PRIVATE)
    assert note.splitlines()[:3] == ["example.org/registry", "19", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="]
    assert open_note(note, KEY) == POINT
    assert verifier_key(str(KEY)) == KEY


def test_the_example_of_the_signed_note_package_verifies() -> None:
    """Go's golang.org/x/mod/sumdb/note documents this key and note."""
    key = verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    note = (
        text
        + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6"
        + "KE6RyyBwJnAM=\n"
    )
    with pytest.raises(SignatureError, match="not a checkpoint"):
        open_note(note, key)  # the signature holds; three lines of a checkpoint it is not
    with pytest.raises(SignatureError, match="not signed by"):
        open_note(note.replace("answer", "Answer"), key)


def test_a_witness_signature_beside_the_ledgers_is_passed_over() -> None:
    witness = sign(POINT, Ed25519PrivateKey.generate(), name="witness").splitlines()[-1]
    assert open_note(sign(POINT, PRIVATE) + witness + "\n", KEY) == POINT


def relabelled(name: str, key_hash: bytes) -> str:
    """A note whose signature is good and whose line names another key."""
    encoded = base64.b64encode(key_hash + PRIVATE.sign(POINT.body().encode())).decode()
    return f"{POINT.body()}\n— {name} {encoded}\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        sign(POINT, PRIVATE).replace("19", "20"),
        sign(POINT, PRIVATE).replace("example.org/registry\n19", "example.org/other\n19"),
        sign(POINT, PRIVATE).replace("— ", "- "),
        sign(POINT, PRIVATE).rstrip("\n"),
        sign(POINT, PRIVATE, name="somebody-else"),
        sign(POINT, Ed25519PrivateKey.generate(), name="example.org/registry"),
        sign(Checkpoint("example.org/registry", 19, b"short"), PRIVATE),
        relabelled("example.org/registry", bytes(4)),
        relabelled("somebody-else", KEY.key_hash),
    ],
)
def test_a_note_that_was_changed_or_signed_by_another_is_refused(note: str) -> None:
    with pytest.raises(SignatureError):
        open_note(note, KEY)


@pytest.mark.parametrize(
    "body", ["o\n-1\nAA==\n", "o\n01\nAA==\n", "o\n1\n", "o\n1\n!!\n", "\n1\nAA==\n", "o\nx\nAA==\n"]
)
def test_what_is_no_checkpoint_is_refused(body: str) -> None:
    with pytest.raises(SignatureError):
        read_body(body)


@pytest.mark.parametrize("text", ["", "a+b", "name+00000000+AA==", str(KEY).replace("+", "+0", 1), str(KEY)[:-4]])
def test_what_is_no_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(SignatureError):
        verifier_key(text)
