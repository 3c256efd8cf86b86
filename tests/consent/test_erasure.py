"""After an erasure no byte of a name or template is anywhere: database, write-ahead log, backup, log, report, cache."""

from __future__ import annotations

import base64
import logging
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from consent_examples import DAY, NOW, Place, Ticking, enrolment, event, open_world, party, permission, voice
from sqlalchemy import Engine, text

from consent.database import engine_for
from consent.errors import RecordError, StoreError
from consent.export import export_dpv, export_json
from consent.parties import Party, Personal
from consent.registry import Registry
from consent.report import Report, to_csv, to_html
from consent.vocabulary import EventKind, PermissionKind, Role
from consent.voices import Voice
from consent.writing import Addition

NAME, CONTACT = "Zoë Quicksilver-Ōta", "zoe.quicksilver@example.org"
VECTOR = tuple(round(0.1234567 + k * 0.0314159, 7) for k in range(16))
PERSONAL = Personal(name=NAME, contact=CONTACT)
PARTY, VOICE = "party:p-zoe", "voice:v-zoe"


def zoe() -> tuple[Addition, ...]:
    """A performer with a name, a contact and an enrolled voice."""
    permissions = [permission(k, "v-zoe", given_by="p-zoe") for k in (PermissionKind.MATCH, PermissionKind.KEEP)]
    made = enrolment(enrolment_id="en-zoe", voice_id="v-zoe", dimension=len(VECTOR), confirmed_by="p-zoe")
    return (
        Addition(party("p-zoe", Role.PERFORMER), personal=PERSONAL),
        Addition(voice(voice_id="v-zoe", owner_id="p-zoe", agent_ids=()), personal=PERSONAL),
        *(Addition(p) for p in permissions),
        Addition(made, vector=VECTOR),
    )


def forms(content: bytes) -> Iterator[bytes]:
    """Some bytes as they are, in hexadecimal, and in base64 at each of its three alignments."""
    yield content
    yield content.hex().encode()
    yield content.hex().upper().encode()
    for shift in range(3):
        yield base64.b64encode(bytes(shift) + content)[4 if shift else 0 : -4]


def traces() -> dict[str, bytes]:
    """Every form in which a name, a contact or (a third of) a template would be recognised."""
    found: dict[str, bytes] = {}
    for word in (NAME, "Quicksilver", CONTACT):
        texts = (word.encode(), word.encode("utf-16-le"), ascii(word)[1:-1].encode(), word.upper().encode())
        found |= {f"{word} as {form!r}": form for t in texts for form in forms(t)}
    for letter in ("<f", ">f", "<d", ">d"):
        packed = [struct.pack(letter, x) for x in VECTOR]
        found |= {
            f"{letter} {k} {form!r}": form
            for k in range(len(VECTOR) - 2)
            for form in forms(b"".join(packed[k : k + 3]))
        }
    found |= {f"{x} in figures": f"{x:.7f}"[1:].encode() for x in VECTOR}
    return {name: form for name, form in found.items() if len(form) >= 6}


TRACES = traces()
PLAIN = {"name": NAME.encode(), "contact": CONTACT.encode()} | {
    f"floats {k}": struct.pack("<3f", *VECTOR[k : k + 3]) for k in range(len(VECTOR) - 2)
}


def searched(folder: Path, wanted: dict[str, bytes] = TRACES) -> list[str]:
    """Where a trace is found, over all bytes of all files."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert files
    content = {p.name: p.read_bytes() for p in files}
    return [f"{name}: {trace}" for name, data in content.items() for trace, form in wanted.items() if form in data]


def written_reports(registry: Registry, folder: Path) -> None:
    """Everything that the registry hands out, as files."""
    folder.mkdir(exist_ok=True)
    made: Report = registry.report("p-zoe", at=NOW)
    (folder / "report.html").write_text(to_html(made), encoding="utf-8")
    (folder / "report.csv").write_text(to_csv(made), encoding="utf-8")
    with registry.view() as view:
        (folder / "export.json").write_text(repr(export_json(view, at=NOW)), encoding="utf-8")
        (folder / "export.jsonld").write_text(repr(export_dpv(view, at=NOW)), encoding="utf-8")
    registry.backup(folder / "history.jsonl", folder / "keys.jsonl")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """Everything that any library logs meanwhile, statements with their parameters too."""
    path = tmp_path / "files" / "debug.log"
    path.parent.mkdir()
    handler, root, engine = logging.FileHandler(path), logging.getLogger(), logging.getLogger("sqlalchemy.engine")
    before = root.level, engine.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    engine.setLevel(logging.DEBUG)
    yield path
    root.removeHandler(handler)
    handler.close()
    root.setLevel(before[0])
    engine.setLevel(before[1])


def test_the_search_finds_what_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" + struct.pack("<16f", *VECTOR) + b"y")
    (tmp_path / "b").write_text(f"x{NAME}y")
    (tmp_path / "c").write_bytes(b"..." + base64.b64encode(b"z" + CONTACT.encode() + b"zz"))
    (tmp_path / "d").write_text(repr(list(VECTOR)))
    assert {found.partition(":")[0] for found in searched(tmp_path)} == {"a", "b", "c", "d"}


def test_no_byte_of_a_name_or_template_is_left_in_any_file(tmp_path: Path, log: Path) -> None:
    folder = log.parent
    with open_world(folder, None, *zoe()) as registry:
        with registry.view() as view:
            assert view.personal(PARTY, Party) == PERSONAL
            assert len(view.enrolments("v-zoe", NOW)) == 1
        written_reports(registry, tmp_path / "before")
        assert {f.partition(":")[0] for f in searched(tmp_path / "before")} == {
            "report.html"
        }  # hers, while she is here
        assert searched(folder) == []  # neither database, log nor key file ever held it
        for holder in (PARTY, VOICE):
            assert registry.erase(holder, by="p-zoe", reason="asked for")
        written_reports(registry, folder / "after")
        assert searched(folder) == []
        with registry.view() as view:
            assert view.personal(PARTY, Party) is None
            assert view.personal(VOICE, Voice) is None
            assert view.enrolments("v-zoe", NOW) == ()
        found = registry.audit()
        assert (found.problems, found.n_erased) == ((), 3)
    assert "INSERT INTO sealed" in log.read_text()


def kept_secrets(path: Path) -> list[bytes]:
    """The ciphertexts and the wrapped key of the voice, as they lie in the database."""
    connection = sqlite3.connect(path)
    query = "SELECT content FROM sealed WHERE holder = :of UNION ALL SELECT wrapped FROM person_key WHERE holder = :of"
    found = [bytes(row[0]) for row in connection.execute(query, {"of": VOICE})]
    connection.close()
    return found


def test_the_end_of_a_permission_leaves_no_ciphertext_in_the_write_ahead_log_either(tmp_path: Path) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock, *zoe()) as registry:
        before = kept_secrets(tmp_path / "registry.db")
        assert len(before) == 3
        assert any(s in p.read_bytes() for s in before for p in tmp_path.iterdir())
        clock.now += DAY
        registry.add(event(EventKind.WITHDRAWN, clock.now, target="permission", target_id="pm-match-v-zoe", by="p-zoe"))
        assert kept_secrets(tmp_path / "registry.db") == []
        assert not any(s in p.read_bytes() for s in before for p in tmp_path.iterdir())
        assert registry.audit().sound


def test_an_older_backup_with_todays_keys_brings_nobody_back(tmp_path: Path) -> None:
    """The keys are backed up apart so that only the newest file of them need be kept."""
    place = Place.sqlite(tmp_path)
    with open_world(place, None, *zoe()) as registry:
        registry.backup(tmp_path / "old.jsonl", tmp_path / "old-keys.jsonl")
        for holder in (PARTY, VOICE):
            registry.erase(holder, by="p-zoe", reason="asked for")
        registry.backup(tmp_path / "new.jsonl", tmp_path / "keys.jsonl")
    for name, history in (("first", "old"), ("second", "new")):
        again = Registry.restore(
            tmp_path / f"{name}.db",
            tmp_path / f"{history}.jsonl",
            tmp_path / "keys.jsonl",
            clock=Ticking(),
            key_file=place.key_file,
        )
        with again, again.view() as view:
            assert view.personal("party:p-bo", Party) == Personal(name="Bo Sample")
            assert unreadable(view, PARTY, Party)
            assert unreadable(view, VOICE, Voice)
    assert searched(tmp_path) == []


def unreadable(view: object, key: str, kind: type) -> bool:
    try:
        return view.personal(key, kind) is None  # type: ignore[attr-defined]
    except StoreError as error:
        return "is gone" in error.what


def test_a_newer_history_erases_whatever_an_older_file_of_keys_holds(tmp_path: Path) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place, None, *zoe()) as registry:
        registry.backup(tmp_path / "old.jsonl", tmp_path / "old-keys.jsonl")
        for holder in (PARTY, VOICE):
            registry.erase(holder, by="p-zoe", reason="asked for")
        registry.backup(tmp_path / "new.jsonl", tmp_path / "keys.jsonl")
        head = registry.head()
    again = Registry.restore(
        tmp_path / "again.db",
        tmp_path / "new.jsonl",
        tmp_path / "old-keys.jsonl",
        clock=Ticking(),
        key_file=place.key_file,
    )
    with again, again.view() as view:
        assert again.head() == head
        assert again.audit().sound
        assert view.personal(PARTY, Party) is None
        assert view.enrolments("v-zoe", NOW) == ()
    holders = sqlite3.connect(tmp_path / "again.db").execute("SELECT holder FROM person_key").fetchall()
    assert not {(PARTY,), (VOICE,)} & set(holders)


def test_whoever_erases_is_known_even_where_there_is_nothing_to_erase(tmp_path: Path) -> None:
    with open_world(tmp_path, None, *zoe()) as registry:
        assert not registry.erase("party:p-none", by="p-zoe", reason="asked for")
        with pytest.raises(RecordError, match="no party 'nobody' is registered"):
            registry.erase("party:p-none", by="nobody", reason="asked for")


def test_a_content_smuggled_back_into_a_backup_after_its_erasure_is_left_out(tmp_path: Path) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place, None, *zoe()) as registry:
        registry.backup(tmp_path / "old.jsonl", tmp_path / "old-keys.jsonl")
        registry.erase(VOICE, by="p-zoe", reason="asked for")
        registry.backup(tmp_path / "new.jsonl", tmp_path / "keys.jsonl")
    smuggled = [line for line in (tmp_path / "old.jsonl").read_text().splitlines() if f'"holder": "{VOICE}"' in line]
    assert len(smuggled) == 2
    with (tmp_path / "new.jsonl").open("a") as file:
        file.writelines(line + "\n" for line in smuggled)
    again = Registry.restore(
        tmp_path / "again.db",
        tmp_path / "new.jsonl",
        tmp_path / "old-keys.jsonl",
        clock=Ticking(),
        key_file=place.key_file,
    )
    with again, again.view() as view:
        assert view.enrolments("v-zoe", NOW) == ()
        assert view.personal(PARTY, Party) == PERSONAL
        assert again.audit().sound


def on_disk(engine: Engine) -> tuple[Path, bytes]:
    """PostgreSQL's data folder, and all bytes of this database's own files after a checkpoint."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
        oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar_one()
    return folder, b"".join(p.read_bytes() for p in (folder / "base" / str(oid)).iterdir() if p.is_file())


def test_postgresql_never_holds_a_name_or_template_and_after_an_erasure_not_their_key(postgresql_place: Place) -> None:
    """Its write-ahead log keeps the wrapped key until it is recycled; that file is searched for plain text only."""
    with open_world(postgresql_place, None, *zoe()) as registry:
        engine = engine_for(postgresql_place.location, create=False)
        query = text("SELECT wrapped FROM person_key WHERE holder IN (:party, :voice)")
        with engine.connect() as connection:
            keys = [bytes(k) for k in connection.execute(query, {"party": PARTY, "voice": VOICE}).scalars()]
        assert len(keys) == 2
        assert all(k in on_disk(engine)[1] for k in keys)
        for holder in (PARTY, VOICE):
            assert registry.erase(holder, by="p-zoe", reason="asked for")
        folder, files = on_disk(engine)
        assert not any(k in files for k in keys)
        assert registry.audit().sound
        engine.dispose()
    assert searched(folder, PLAIN) == []
