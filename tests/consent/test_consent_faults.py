"""A database that is full, locked, read-only, gone, damaged or no registry: told plainly, and nothing half-written."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from consent_examples import NOW, Place, Ticking, event, open_world, party, refusal, use
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from consent.database import engine_for, writing
from consent.errors import StoreError
from consent.migrations.upgrade import migrate
from consent.registry import Registry
from consent.vocabulary import EventKind, Role


def sql(place: Place, statement: str) -> None:
    """A statement of the server's administrator."""
    engine = create_engine(
        make_url(place.location).set(drivername="postgresql+psycopg", database="postgres"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def database_of(place: Place) -> str:
    return make_url(place.location).database or ""


def events_of(registry: Registry) -> list[str]:
    with registry.view() as view:
        return [e.event.event_id for e in view.events("grant:g-ada")]


# ---- locked


def test_who_cannot_write_in_time_is_told_that_another_does_and_may_still_ask(place: Place) -> None:
    open_world(place).close()
    with place.open() as holder, place.open(busy_s=0.05) as waiting:
        with holder.write() as writer:
            writer.clear("v-ada", use(), NOW)
            with pytest.raises(StoreError, match="locked by another process") as caught:
                waiting.add(refusal())
            assert "Try again" in str(caught.value)
            with waiting.view() as view:
                assert view.clear("v-ada", use(), NOW).cleared
        waiting.add(refusal())
        assert waiting.audit().sound


def test_a_migration_waits_for_who_writes_and_then_says_so(place: Place) -> None:
    open_world(place).close()
    with (
        place.open() as holder,
        holder.write(),
        pytest.raises(StoreError, match="locked"),
    ):
        migrate(place.location, busy_s=0.05)


# ---- read-only


def test_a_registry_that_only_reads_answers_and_says_why_it_records_nothing(place: Place) -> None:
    with open_world(place) as registry:
        head = registry.head()
    if "://" in place.location:
        sql(place, f"ALTER DATABASE {database_of(place)} SET default_transaction_read_only = on")
    with place.open(read_only="://" not in place.location) as registry:
        with registry.view() as view:
            assert view.clear("v-ada", use(), NOW).cleared
        with pytest.raises(StoreError, match="cannot be written"):
            registry.add(refusal())
        assert registry.head() == head
        assert registry.audit().sound


# ---- full


def test_a_full_disk_undoes_the_whole_transaction_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    acknowledged: list[str] = []
    with Place.sqlite(tmp_path).open() as registry:
        with registry.view() as view:
            pages = view.store.connection.execute(text("PRAGMA page_count")).scalar_one()
        with registry.write() as writer:
            writer.store.connection.execute(text(f"PRAGMA max_page_count = {pages + 6}"))

        def fill() -> None:
            for k in range(1000):
                registry.add(event(EventKind.REQUESTED, NOW, event_id=f"e-{k}"), party(f"n-{k}", Role.LEGAL))
                acknowledged.append(f"e-{k}")

        with pytest.raises(StoreError, match="disk is full; nothing was written") as caught:
            fill()
        assert "Make room" in str(caught.value)
        assert len(acknowledged) > 3
        assert registry.audit().sound
    with Place.sqlite(tmp_path).open() as registry:
        assert events_of(registry)[1:] == acknowledged
        with registry.view() as view:
            assert view.party(f"n-{len(acknowledged)}") is None
        registry.add(refusal())
        assert registry.audit().sound


LIMITED = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from consent.errors import StoreError
from consent.vocabulary import EventKind
from consent_examples import NOW, Place, event
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
with Place.sqlite(Path({folder!r})).open() as registry:
    for k in range(1000):
        try:
            registry.add(event(EventKind.REQUESTED, NOW, event_id=f"e-{{k}}"))
        except StoreError as error:
            print(k, error.what, sep="|")
            break
"""


def test_a_file_that_may_not_grow_any_more_ends_with_a_clear_error_and_a_sound_history(tmp_path: Path) -> None:
    open_world(tmp_path).close()
    limit = (tmp_path / "registry.db").stat().st_size + 100_000
    script = LIMITED.format(tests=str(Path(__file__).parent), folder=str(tmp_path), limit=limit)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    n, what = said.split("|")
    assert what in ("the disk is full; nothing was written", "the disk failed or is full; nothing was recorded")
    with Place.sqlite(tmp_path).open() as registry:
        assert events_of(registry)[1:] == [f"e-{k}" for k in range(int(n))]
        assert registry.audit().sound


# ---- gone in the middle


def test_a_file_that_is_deleted_while_open_takes_no_more_records(tmp_path: Path) -> None:
    with open_world(tmp_path) as registry:
        (tmp_path / "registry.db").unlink()
        with pytest.raises(StoreError, match="deleted or replaced"):
            registry.add(refusal())
        with pytest.raises(StoreError, match="deleted or replaced"), registry.view() as view:
            view.clear("v-ada", use(), NOW)
        begun = []
        with pytest.raises(StoreError, match="deleted or replaced"), registry.write() as writer:
            begun.append(writer)
        assert not begun, "what is decided within a write is not decided over a registry that is gone"


def test_a_file_that_is_replaced_in_the_middle_of_a_write_does_not_lose_it_silently(tmp_path: Path) -> None:
    with open_world(tmp_path) as registry:
        head = registry.head()
    older = shutil.copy(tmp_path / "registry.db", tmp_path / "older.db")
    with Place.sqlite(tmp_path).open() as registry:

        def replaced() -> None:
            with registry.write() as writer:
                writer.store.append(refusal(), writer.now)
                Path(older).replace(tmp_path / "registry.db")

        with pytest.raises(StoreError, match="deleted or replaced"):
            replaced()
        with pytest.raises(StoreError, match="deleted or replaced"):
            registry.add(refusal())
    for left in ("registry.db-wal", "registry.db-shm"):
        (tmp_path / left).unlink(missing_ok=True)
    with Place.sqlite(tmp_path).open() as registry:
        assert registry.head() == head
        assert registry.audit().sound


@pytest.mark.parametrize("how", ["pg_terminate_backend(:pid)", "pg_cancel_backend(:pid)"])
def test_a_connection_that_is_cut_before_the_commit_leaves_nothing(postgresql_place: Place, how: str) -> None:
    place = postgresql_place
    with open_world(place) as registry:
        head = registry.head()

        def interrupted() -> None:
            with registry.write() as writer, place.open() as other, other.view() as killer:
                pid = writer.store.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                for entry in (refusal(), party("new-1", Role.LEGAL)):
                    writer.store.append(entry, writer.now)
                if "cancel" in how:
                    raise StoreError("cancelled by its own caller")
                killer.store.connection.execute(text(f"SELECT {how}"), {"pid": pid})
                writer.clear("v-ada", use(), NOW)

        with pytest.raises(StoreError, match=r"connection to the database was lost|cancelled"):
            interrupted()
        assert registry.head() == head
        registry.add(refusal())
        assert registry.audit().sound


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Registry.open(f"postgresql://op:hunter2@/registry?host={tmp_path}", busy_s=0.1)
    assert "hunter2" not in str(caught.value)


def test_a_database_that_was_dropped_is_told_and_not_made_anew(postgresql_place: Place) -> None:
    with open_world(postgresql_place) as registry:
        sql(postgresql_place, f"DROP DATABASE {database_of(postgresql_place)} WITH (FORCE)")
        with pytest.raises(StoreError, match=r"not a registry|was lost"):
            registry.add(refusal())
    with pytest.raises(StoreError, match="not a registry"):
        postgresql_place.open()


# ---- newer, or no registry


def test_a_registry_of_a_later_program_is_refused_on_both_databases(place: Place) -> None:
    open_world(place).close()
    engine = engine_for(place.location, create=False)
    with writing(engine) as connection:
        connection.execute(text("UPDATE meta SET value = '3' WHERE key = 'schema_version'"))
    engine.dispose()
    with pytest.raises(StoreError, match=r"version 3, newer than this program's 2") as caught:
        place.open()
    assert "Update dubgate" in str(caught.value)


def test_an_empty_database_is_no_registry(postgresql_place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    for place in (postgresql_place, Place(str(tmp_path / "empty.db"), tmp_path / "k")):
        with pytest.raises(StoreError, match="not a registry") as caught:
            place.open()
        assert "dubgate consent init" in str(caught.value)


def test_a_folder_is_no_registry(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no registry"):
        Registry.open(tmp_path)


# ---- damaged


def closed_world(folder: Path) -> Path:
    """A registry in one file: what was in its write-ahead log is in the database."""
    with open_world(folder) as registry:
        registry._flush()
    return folder / "registry.db"


def audited(path: Path) -> bool:
    with Registry.open(path, clock=Ticking(), key_file=path.with_name("registry.db.key")) as registry:
        return registry.audit().sound


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_never_taken_for_a_sound_registry(tmp_path: Path, share: float) -> None:
    whole = closed_world(tmp_path).read_bytes()
    cut = tmp_path / "cut.db"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(StoreError, match=r"damaged|not a registry|cannot be opened"):
        audited(cut)
    assert cut.read_bytes()[100:] == whole[100 : int(len(whole) * share)]


def test_a_page_of_noise_is_never_taken_for_a_sound_registry(tmp_path: Path) -> None:
    path = closed_world(tmp_path)
    whole = path.read_bytes()
    told = {_noise_told(path, whole, page) for page in range(0, len(whole), 4096)}
    assert told <= {"told", "not sound", "unused"}
    assert "told" in told


def _noise_told(path: Path, whole: bytes, page: int) -> str:
    broken = path.with_name("broken.db")
    broken.write_bytes(whole[:page] + bytes(range(256)) * 16 + whole[page + 4096 :])
    try:
        if not audited(broken):
            return "not sound"
    except StoreError:
        return "told"
    return "unused" if _says_the_same(path, broken) else "taken for sound"


def _says_the_same(one: Path, other: Path) -> bool:
    def rows(path: Path) -> list[object]:
        connection = sqlite3.connect(path)
        tables = ("entry", "lookup", "node", "sealed", "person_key")
        found = [connection.execute(f"SELECT * FROM {t} ORDER BY 1, 2").fetchall() for t in tables]
        connection.close()
        return found

    return rows(one) == rows(other)


def test_a_lost_write_ahead_log_is_exposed_by_a_checkpoint_kept_outside(tmp_path: Path) -> None:
    path = closed_world(tmp_path)
    with Place.sqlite(tmp_path).open() as registry:
        old = path.read_bytes()
        registry.add(refusal())
        kept = registry.head()
    path.write_bytes(old)  # as after a crash that took the log
    with Place.sqlite(tmp_path).open() as registry:
        assert registry.audit().sound
        assert any("rolled back" in problem for problem in registry.audit(kept).problems)


@pytest.mark.parametrize("ask", [lambda r: r.head(), lambda r: r.audit(), lambda r: r.inclusion(3)])
def test_a_table_that_is_gone_is_told(place: Place, ask: Callable[[Registry], object]) -> None:
    with open_world(place) as registry:
        engine = engine_for(place.location, create=False)
        with writing(engine) as connection:
            connection.execute(text("DROP TABLE node"))
        engine.dispose()
        with pytest.raises(StoreError, match="not a registry"):
            ask(registry)
