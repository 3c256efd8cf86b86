"""A registry that an older dubgate made comes up to today's schema with every row, or stays as it was."""

from __future__ import annotations

import base64
import json
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from consent_examples import NOW, VECTOR, Place, Ticking, event, open_world, use
from sqlalchemy import Connection, create_engine, text
from sqlmodel import SQLModel

from consent import database
from consent.database import SCHEMA_VERSION, engine_for, reading, writing
from consent.errors import StoreError
from consent.migrations import upgrade
from consent.migrations.upgrade import migrate
from consent.parties import Party, Personal
from consent.registry import Registry
from consent.vocabulary import EventKind
from dubgate.cli.main import run

V1: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "registry_v1.json").read_text(encoding="utf-8"))


def make_v1(place: Place) -> None:
    """The registry of version 1, with the very statements of that version."""
    if "://" not in place.location:
        sqlite3.connect(place.location).execute("PRAGMA journal_mode=WAL").connection.close()
    engine = engine_for(place.location, create=False)
    with writing(engine) as connection:
        for statement in V1["ddl"][connection.dialect.name]:
            connection.execute(text(statement.replace(":", r"\:")))
        for table, rows in V1["rows"].items():
            names = ", ".join(rows[0])
            values = ", ".join(f":{name}" for name in rows[0])
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), [_plain(row) for row in rows])
    engine.dispose()
    place.key_file.write_text(V1["registry_key"])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {k: base64.b64decode(v["base64"]) if isinstance(v, dict) else v for k, v in row.items()}


@pytest.fixture
def old(place: Place) -> Place:
    make_v1(place)
    return place


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    make_v1(Place.sqlite(tmp_path))
    return tmp_path / "registry.db"


def version_of(place: Place) -> int:
    engine = engine_for(place.location, create=False)
    with reading(engine) as connection:
        version = database.schema_version(connection, place.location)
    engine.dispose()
    return version


def test_a_registry_of_version_one_comes_up_with_its_history_names_and_templates(old: Place) -> None:
    done = migrate(old.location)
    assert (done.version_before, done.version_after, len(done.steps)) == (1, SCHEMA_VERSION, SCHEMA_VERSION - 1)
    assert (done.size, done.root.hex()) == (V1["size"], V1["root"])
    with old.open() as registry:
        found = registry.audit()
        assert (found.problems, found.size, found.root.hex()) == ((), V1["size"], V1["root"])
        assert (found.n_erased, found.n_sealed_unread) == (1, 0)
        with registry.view() as view:
            assert view.clear("v-ada", use(), NOW).cleared
            assert view.enrolments("v-ada", NOW)[0].vector == VECTOR
            assert view.personal("party:p-ada", Party) == Personal(name="Ada Example", contact="ada@example.org")
            assert view.personal("party:p-bo", Party) is None
            assert view.state("grant:g-metered", view.grants("v-ada")[1].grant, NOW).uses_spent == 1
        registry.add(event(EventKind.WITHDRAWN, NOW))
        assert registry.audit().sound


def test_a_migrated_registry_has_the_tables_indexes_and_guards_of_a_fresh_one(old: Place, tmp_path: Path) -> None:
    migrate(old.location)
    engine = engine_for(old.location, create=False)
    with reading(engine) as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
        migrated = _schema(connection)
    engine.dispose()
    assert migrated == _fresh_schema(old, tmp_path)


def _fresh_schema(beside: Place, folder: Path) -> list[str]:
    """What `create_schema` makes; on PostgreSQL in a schema of its own, undone afterwards."""
    if "://" not in beside.location:
        fresh = Place(str(folder / "fresh.db"), folder / "fresh.key")
        fresh.open(create=True).close()
        engine = engine_for(fresh.location, create=False)
        with reading(engine) as connection:
            made = _schema(connection)
        engine.dispose()
        return made
    engine = engine_for(beside.location, create=False)
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("CREATE SCHEMA fresh; SET LOCAL search_path = fresh"))
        database.create_schema(connection)
        made = _schema(connection)
        transaction.rollback()
    engine.dispose()
    return made


def _schema(connection: Connection) -> list[str]:
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
        return sorted(re.sub(r"[\s\"]+", " ", sql).replace("( ", "(").replace(" ,", ",") for sql in found)
    queries = (
        "SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema()",
        "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, column_default) "
        "FROM information_schema.columns WHERE table_schema = current_schema()",
        "SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
    )
    found = [row for query in queries for row in connection.execute(text(query.replace("::", r"\:\:"))).scalars()]
    return sorted(re.sub(r"\b(public|fresh)\.", "", row) for row in found)


def test_the_first_step_makes_the_schema_that_was_released(tmp_path: Path) -> None:
    """A step is history too: who edits it is told."""
    path, released = tmp_path / "steps.db", tmp_path / "released"
    sqlite3.connect(path).close()
    released.mkdir()
    make_v1(Place.sqlite(released))
    engine = engine_for(path, create=False)
    with writing(engine) as connection:
        config = upgrade._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("DROP TABLE alembic_version"))
        stepped = _schema(connection)
    engine.dispose()
    engine = engine_for(released / "registry.db", create=False)
    with reading(engine) as connection:
        assert stepped == _schema(connection)
    engine.dispose()


def test_the_guards_still_hold_after_a_migration(old: Place) -> None:
    migrate(old.location)
    engine = engine_for(old.location, create=False)
    for table in ("entry", "lookup", "node"):
        with pytest.raises(StoreError, match="refuses edits"), writing(engine) as connection:
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()


def test_an_older_registry_is_refused_with_the_way_out(old: Place) -> None:
    with pytest.raises(StoreError, match="version 1, older") as caught:
        old.open()
    assert "dubgate consent migrate" in str(caught.value)
    migrate(old.location)
    old.open().close()


def test_a_dry_run_names_the_steps_and_writes_nothing(old_file: Path) -> None:
    before = {p.name: p.read_bytes() for p in old_file.parent.iterdir()}
    done = migrate(old_file, dry_run=True)
    assert [step[:5] for step in done.steps] == ["0002:"]
    assert (done.backup, done.root.hex()) == (None, V1["root"])
    after = {p.name: p.read_bytes() for p in old_file.parent.iterdir() if not p.name.endswith(("-wal", "-shm"))}
    assert after == {name: before[name] for name in after}
    assert version_of(Place.sqlite(old_file.parent)) == 1


def test_what_is_of_todays_version_is_left_alone(place: Place) -> None:
    with open_world(place) as registry:
        head = registry.head()
    done = migrate(place.location)
    assert (done.steps, done.backup, done.size, done.root) == ((), None, head.size, head.root)


def test_a_newer_registry_is_refused_and_not_taken_back(old: Place) -> None:
    migrate(old.location)
    engine = engine_for(old.location, create=False)
    with writing(engine) as connection:
        connection.execute(text("UPDATE meta SET value = '99' WHERE key = 'schema_version'"))
    engine.dispose()
    for refused in (lambda: migrate(old.location), lambda: migrate(old.location, dry_run=True), old.open):
        with pytest.raises(StoreError, match="version 99, newer"):
            refused()
    assert version_of(old) == 99


def test_the_copy_made_before_is_the_registry_as_it_was(old_file: Path) -> None:
    done = migrate(old_file)
    assert done.backup == old_file.with_name("registry.db.v1.backup")
    assert stat.S_IMODE(done.backup.stat().st_mode) == 0o600
    again = old_file.with_name("again.db")
    shutil.copy(done.backup, again)
    with pytest.raises(StoreError, match="version 1, older"):
        Registry.open(again)
    second = migrate(again)
    assert (second.root, second.size) == (done.root, done.size)


def test_a_copy_never_overwrites_another(old_file: Path) -> None:
    kept = old_file.with_name("registry.db.v1.backup")
    kept.write_text("somebody's")
    done = migrate(old_file)
    assert kept.read_text() == "somebody's"
    assert done.backup == old_file.with_name("registry.db.v1.backup-2")


def _fails_half_way(monkeypatch: pytest.MonkeyPatch, after: Callable[[Connection], None]) -> None:
    """Lets every step run and then what is handed in, in the same transaction."""
    take = command.upgrade

    def broken(config: Any, revision: str) -> None:
        take(config, revision)
        after(config.attributes["connection"])

    monkeypatch.setattr(upgrade.command, "upgrade", broken)


def test_a_migration_that_fails_leaves_the_registry_as_it_was(old: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(connection: Connection) -> None:
        connection.execute(text("SELECT * FROM nowhere"))

    with monkeypatch.context() as patched:
        _fails_half_way(patched, fails)
        with pytest.raises(StoreError):
            migrate(old.location)
    assert version_of(old) == 1
    assert list(old.key_file.parent.glob("*backup*")) == []
    assert migrate(old.location).root.hex() == V1["root"]
    with old.open() as registry:
        assert registry.audit().sound


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("person_key", "DELETE FROM person_key WHERE holder = 'voice:v-ada'"),
        ("sealed", "UPDATE sealed SET holder = 'voice:v-bo' WHERE holder = 'voice:v-ada'"),
        ("lookup", "INSERT INTO lookup VALUES ('voice:v-x', 'consent-grant/1.0', 3)"),
        ("node", "INSERT INTO node VALUES (9, 9, 'ab')"),
    ],
)
def test_a_step_that_would_change_what_is_said_is_undone(
    old: Place, monkeypatch: pytest.MonkeyPatch, table: str, statement: str
) -> None:
    _fails_half_way(monkeypatch, lambda connection: connection.execute(text(statement)) and None)
    with pytest.raises(StoreError, match=f"would change what {table} says"):
        migrate(old.location)
    assert version_of(old) == 1


def test_a_migration_without_room_for_its_copy_changes_nothing(old_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(upgrade.os, "open", full)
        with pytest.raises(StoreError, match="no copy could be made"):
            migrate(old_file)
    assert version_of(Place.sqlite(old_file.parent)) == 1


def test_what_is_no_registry_is_not_migrated(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(StoreError, match="not a registry"):
        migrate(other)
    with pytest.raises(StoreError, match="no registry"):
        migrate(tmp_path / "none.db")


@pytest.mark.parametrize(
    "url", ["sqlite://", "postgresql+psycopg://nobody@nowhere.invalid/none"], ids=["memory", "server"]
)
def test_a_database_that_is_no_file_has_none_to_copy(url: str) -> None:
    engine = create_engine(url)
    assert database.sqlite_path(engine) is None
    assert upgrade._copy_beside(engine, 1) == []


def test_a_database_without_a_registrys_tables_says_no_version() -> None:
    with create_engine("sqlite://").connect() as connection, pytest.raises(StoreError, match="not a registry"):
        database.schema_version(connection, "here")


def test_a_version_that_never_was_is_not_guessed_at(old_file: Path) -> None:
    with sqlite3.connect(old_file) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(StoreError, match="no registry ever had the schema version 0"):
        migrate(old_file)


def test_there_is_a_step_for_every_version_and_a_released_example_of_each_but_the_last() -> None:
    assert [int(s.revision) for s in upgrade._due(1, "")] == list(range(2, SCHEMA_VERSION + 1))
    examples = sorted((Path(__file__).parent / "data").glob("registry_v*.json"))
    assert [p.stem for p in examples] == [f"registry_v{v}" for v in range(1, SCHEMA_VERSION)]


def test_the_command_tells_what_it_would_do_and_what_it_did(old_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["consent", "audit", "--registry", str(old_file)]) == 2
    assert "dubgate consent migrate" in capsys.readouterr().err
    assert run(["consent", "migrate", "--registry", str(old_file), "--dry-run"]) == 0
    assert "Would migrate the registry from schema version 1 to 2" in capsys.readouterr().out
    assert run(["consent", "migrate", "--registry", str(old_file), "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["version_before"], told["root"], told["entries"]) == (1, V1["root"], V1["size"])
    assert Path(told["backup"]).is_file()
    assert run(["consent", "migrate", "--registry", str(old_file)]) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert run(["consent", "audit", "--registry", str(old_file)]) == 0


def test_nothing_but_the_migration_itself_loads_alembic() -> None:
    code = "import sys, consent.registry, dubgate.cli.consent; print('alembic' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert out.stdout.strip() == "False"


def test_the_clock_of_the_registry_goes_on_where_it_was(old_file: Path) -> None:
    migrate(old_file)
    past = replace(Place.sqlite(old_file.parent))
    with past.open(Ticking(NOW.replace(year=2020))) as registry, pytest.raises(StoreError, match="clock"):
        registry.add(event(EventKind.WITHDRAWN, NOW))
