"""What is peculiar to a registry in one SQLite file: its files, its versions, its locks, its erasures."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from consent_examples import (
    NOW,
    VECTOR,
    Ticking,
    enrolment,
    open_world,
    refusal,
    use,
)

from consent.database import engine_for, writing
from consent.errors import StoreError
from consent.parties import Party, Personal
from consent.registry import Registry, _found
from consent.sealing import Keyring
from consent.voices import Voice
from consent.writing import Addition

MATCHED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)


def test_names_and_templates_lie_in_no_file_as_they_are(tmp_path: Path) -> None:
    from consent.views import packed

    with open_world(tmp_path, None, MATCHED) as registry, registry.view() as view:
        assert view.personal("party:p-ada", Party) == Personal(name="Ada Example", contact="ada@example.org")
        on_disk = b"".join(p.read_bytes() for p in tmp_path.iterdir())
        assert b"Ada Example" not in on_disk
        assert packed(VECTOR) not in on_disk
    assert stat.S_IMODE((tmp_path / "registry.db.key").stat().st_mode) == 0o600


def test_the_key_lies_where_the_environment_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBGATE_REGISTRY_KEY", str(tmp_path / "vault/registry.key"))
    (tmp_path / "vault").mkdir()
    Registry.open(tmp_path / "registry.db", create=True).close()
    assert [p.name for p in tmp_path.glob("**/*.key")] == ["registry.key"]


def test_a_database_that_holds_a_registry_is_founded_no_second_time(tmp_path: Path) -> None:
    open_world(tmp_path, None).close()
    engine = engine_for(tmp_path / "registry.db", create=False)
    with pytest.raises(StoreError, match="already holds a registry"), writing(engine) as connection:
        _found(connection, {"origin": "another"})
    engine.dispose()


def test_a_registry_that_does_not_say_what_it_is_takes_nothing(tmp_path: Path) -> None:
    open_world(tmp_path, None).close()
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("DELETE FROM meta WHERE key = 'signatures'")
    with (
        Registry.open(tmp_path / "registry.db", clock=Ticking()) as registry,
        pytest.raises(StoreError, match="does not say its signatures"),
    ):
        registry.add(refusal())


def test_without_its_key_a_registry_opens_and_keeps_what_is_sealed(tmp_path: Path) -> None:
    open_world(tmp_path, None, MATCHED).close()
    (tmp_path / "registry.db.key").rename(tmp_path / "elsewhere.key")
    with Registry.open(tmp_path / "registry.db", clock=Ticking()) as registry, registry.view() as view:
        assert view.clear("v-ada", use(), NOW).cleared
        with pytest.raises(StoreError, match="sealed"):
            view.enrolments("v-ada", NOW)
    key_file = tmp_path / "elsewhere.key"
    with (
        Registry.open(tmp_path / "registry.db", clock=Ticking(), key_file=key_file) as registry,
        registry.view() as view,
    ):
        assert view.enrolments("v-ada", NOW)[0].vector == VECTOR
    key_file.write_text("00" * 32)
    with (
        Registry.open(tmp_path / "registry.db", clock=Ticking(), key_file=key_file) as registry,
        registry.view() as view,
        pytest.raises(StoreError, match="does not open with this registry key"),
    ):
        view.enrolments("v-ada", NOW)


def test_an_erasure_leaves_no_key_no_template_and_an_unchanged_history(tmp_path: Path) -> None:
    with open_world(tmp_path, None, MATCHED) as registry:
        before = registry.head()
        assert registry.erase("voice:v-ada", by="p-ada", reason="asked for by the performer")
        assert not registry.erase("voice:v-ada", by="p-ada", reason="again")
        with registry.view() as view:
            assert view.enrolments("v-ada", NOW) == ()
            assert view.personal("voice:v-ada", Voice) is None
        assert registry.head().size == before.size + 1
    rows = sqlite3.connect(tmp_path / "registry.db").execute("SELECT holder FROM person_key").fetchall()
    assert rows == [("party:p-ada",), ("party:p-bo",)]


def test_the_history_refuses_updates_and_deletes(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "registry.db")
    for table in ("entry", "lookup", "node"):
        column = "position" if table == "node" else "leaf_index"
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = {column} + 1"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                connection.execute(statement)


def test_a_missing_registry_is_an_error_and_is_not_made_by_looking(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no registry"):
        Registry.open(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_registry_is_not_made_over_another(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    with pytest.raises(StoreError, match="already there"):
        Registry.open(tmp_path / "registry.db", create=True)


@pytest.mark.parametrize(("version", "what"), [("3", "newer"), ("1", "older"), ("0", "older"), ("x", "older")])
def test_a_registry_of_another_version_is_refused(tmp_path: Path, version: str, what: str) -> None:
    open_world(tmp_path).close()
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", [version])
    with pytest.raises(StoreError, match=what):
        Registry.open(tmp_path / "registry.db")


def test_files_that_are_no_registry_are_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text.db", tmp_path / "other.db"
    text.write_text("this is not a database, it is a page of prose " * 100)
    sqlite3.connect(other).execute("CREATE TABLE t (x)").connection.commit()
    with pytest.raises(StoreError, match="not a registry"):
        Registry.open(text)
    with pytest.raises(StoreError, match="not a registry"):
        Registry.open(other)
    with pytest.raises(StoreError, match="SQLite and PostgreSQL"):
        Registry.open("mysql://localhost/registry")


def test_a_locked_registry_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consent.database.BUSY_S", 0.05)
    open_world(tmp_path).close()
    blocker = sqlite3.connect(tmp_path / "registry.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Registry.open(tmp_path / "registry.db", clock=Ticking()) as registry:
        with registry.view() as view:
            assert view.clear("v-ada", use(), NOW).cleared
        with pytest.raises(StoreError, match="locked"):
            registry.add(refusal())


def test_a_read_only_registry_answers_and_refuses_to_record(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    os.chmod(tmp_path / "registry.db", 0o444)
    with Registry.open(tmp_path / "registry.db", clock=Ticking(), read_only=True) as registry:
        with registry.view() as view:
            assert view.clear("v-ada", use(), NOW).cleared
        with pytest.raises(StoreError, match="cannot be written"):
            registry.add(refusal())


@pytest.mark.parametrize("n_bytes", [0, 16, 24, 31, 33])
def test_a_registrys_key_has_its_full_length(n_bytes: int) -> None:
    with pytest.raises(StoreError, match="not 32 bytes"):
        Keyring(b"k" * n_bytes)


def test_after_an_erasure_not_even_the_ciphertext_is_left_in_any_file(tmp_path: Path) -> None:
    with open_world(tmp_path, None, MATCHED) as registry:
        connection = sqlite3.connect(tmp_path / "registry.db")
        query = "SELECT content FROM sealed WHERE holder = :of UNION SELECT wrapped FROM person_key WHERE holder = :of"
        before = [bytes(row[0]) for row in connection.execute(query, {"of": "voice:v-ada"})]
        connection.close()
        assert len(before) == 3
        on_disk = b"".join(p.read_bytes() for p in tmp_path.iterdir())
        assert all(content in on_disk for content in before)
        registry.erase("voice:v-ada", by="p-ada", reason="asked for")
        on_disk = b"".join(p.read_bytes() for p in tmp_path.iterdir())
        assert not any(content in on_disk for content in before)


def test_a_content_that_was_sealed_anew_is_not_the_one_that_the_ledger_knows(tmp_path: Path) -> None:
    from consent.sealing import read_keyring, seal

    with open_world(tmp_path, None, MATCHED) as registry:
        keyring = read_keyring(tmp_path / "registry.db.key")
        assert keyring is not None
        connection = sqlite3.connect(tmp_path / "registry.db")
        (wrapped,) = connection.execute("SELECT wrapped FROM person_key WHERE holder = 'voice:v-ada'").fetchone()
        forged, _ = seal(keyring.unwrap("voice:v-ada", wrapped), "entry 17", b"another voice....")
        with connection:
            connection.execute("UPDATE sealed SET content = ? WHERE leaf_index = 17", [forged])
        with registry.view() as view, pytest.raises(StoreError, match="not the one that the ledger"):
            view.enrolments("v-ada", NOW)
        assert any("entry 17" in p for p in registry.audit().problems)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33, "\xff"])
def test_a_file_that_is_no_registry_key_is_refused(tmp_path: Path, content: str) -> None:
    open_world(tmp_path).close()
    (tmp_path / "registry.db.key").write_text(content, encoding="latin-1")
    with pytest.raises(StoreError, match=r"not a registry key|not 32 bytes"):
        Registry.open(tmp_path / "registry.db")
