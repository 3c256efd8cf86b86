"""Backup and restore: the same root afterwards, what was erased stays erased, what is damaged makes no registry."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from consent_examples import NOW, VECTOR, Place, Ticking, enrolment, open_world, use

from consent.errors import RecordError, StoreError
from consent.parties import Party, Personal
from consent.registry import Registry
from consent.views import packed
from consent.writing import Addition

MATCHED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)


def restored(place: Place, folder: Path, **how: Path) -> Registry:
    target = folder / "again.db"
    said = {"path": folder / "history.jsonl", "keys_path": folder / "keys.jsonl", "key_file": place.key_file} | how
    return Registry.restore(target, clock=Ticking(), **said)


def test_a_restored_registry_has_the_same_root_and_answers_the_same(place: Place, tmp_path: Path) -> None:
    with open_world(place, None, MATCHED) as registry:
        assert registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl") == 18
        with restored(place, tmp_path) as again, again.view() as view:
            assert again.head() == registry.head()
            assert again.audit().sound
            assert view.clear("v-ada", use(), NOW).cleared
            assert view.enrolments("v-ada", NOW)[0].vector == VECTOR
            assert view.personal("party:p-bo", Party) == Personal(name="Bo Sample")


def test_a_backup_shows_no_name_and_no_template(place: Place, tmp_path: Path) -> None:
    with open_world(place, None, MATCHED) as registry:
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
    written = (tmp_path / "history.jsonl").read_bytes() + (tmp_path / "keys.jsonl").read_bytes()
    assert b"Ada Example" not in written
    assert packed(VECTOR) not in written
    assert str(VECTOR[1]).encode() not in written


def test_what_was_erased_does_not_come_back_with_an_older_file_of_keys(place: Place, tmp_path: Path) -> None:
    with open_world(place, None, MATCHED) as registry:
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
        old_sealed = [x for x in (tmp_path / "history.jsonl").read_text().splitlines() if '"sealed"' in x]
        shutil.copy(tmp_path / "keys.jsonl", tmp_path / "old-keys.jsonl")
        registry.erase("voice:v-ada", by="p-ada", reason="asked for")
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
        head = registry.head()
    assert "voice:v-ada" not in (tmp_path / "keys.jsonl").read_text()
    with (tmp_path / "history.jsonl").open("a") as file:
        file.writelines(line + "\n" for line in old_sealed if "voice:v-ada" in line)
    with restored(place, tmp_path, keys_path=tmp_path / "old-keys.jsonl") as again, again.view() as view:
        assert again.head() == head
        assert view.enrolments("v-ada", NOW) == ()
        assert again.audit().sound
        assert view.personal("party:p-ada", Party) is not None
    holders = sqlite3.connect(tmp_path / "again.db").execute("SELECT holder FROM person_key").fetchall()
    assert sorted(holders) == [("party:p-ada",), ("party:p-bo",)]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda lines: lines[:-10], "root that the backup names"),
        (lambda lines: [*lines[:5], *lines[6:]], "entry 4 is damaged"),
        (
            lambda lines: [lines[0], lines[1].replace("studio", "sturio"), *lines[2:]],
            "entry 0 is damaged",
        ),
        (lambda lines: [lines[0].replace("/1.0", "/2.0"), *lines[1:]], "not a backup"),
        (lambda lines: [lines[0], "[1]", *lines[1:]], "damaged"),
        (lambda lines: [lines[0], "{", *lines[1:]], "damaged"),
        (lambda lines: [], "not a backup"),
    ],
)
def test_a_damaged_backup_makes_no_registry(tmp_path: Path, damage: object, what: str) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place) as registry:
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert callable(damage)
    (tmp_path / "history.jsonl").write_text("".join(line + "\n" for line in damage(lines)))
    with pytest.raises(RecordError, match=what):
        restored(place, tmp_path)
    assert not (tmp_path / "again.db").exists()


def test_damaged_keys_make_no_registry(tmp_path: Path) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place) as registry:
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
    lines = (tmp_path / "keys.jsonl").read_text().splitlines()
    (tmp_path / "keys.jsonl").write_text("\n".join([*lines, "[1]"]) + "\n")
    with pytest.raises(RecordError, match="damaged"):
        restored(place, tmp_path)
    assert not (tmp_path / "again.db").exists()


def test_the_keys_of_another_registry_and_a_taken_place_are_refused(tmp_path: Path) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place) as registry:
        registry.backup(tmp_path / "history.jsonl", tmp_path / "keys.jsonl")
    header = json.loads((tmp_path / "keys.jsonl").read_text().splitlines()[0])
    (tmp_path / "foreign.jsonl").write_text(json.dumps(header | {"origin": "dubgate-registry/other"}) + "\n")
    with pytest.raises(RecordError, match="not the keys of that registry"):
        restored(place, tmp_path, keys_path=tmp_path / "foreign.jsonl")
    with pytest.raises(RecordError, match="cannot be read"):
        restored(place, tmp_path, keys_path=tmp_path / "none.jsonl")
    restored(place, tmp_path).close()
    with pytest.raises(StoreError, match="already there"):
        restored(place, tmp_path)
