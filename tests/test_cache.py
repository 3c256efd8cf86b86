"""The cache is bounded, safe under concurrent writers, and nothing damaged, old or foreign is ever read from it."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate import cache
from dubgate.cli.main import run

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "kept"))
    monkeypatch.delenv("DUBGATE_CACHE_BYTES", raising=False)
    return tmp_path / "kept"


def used(folder: Path, key: str, seconds_ago: float) -> None:
    for path in (folder / key).iterdir():
        now = time.time()
        os.utime(path, (now - seconds_ago, now - seconds_ago))


def keys() -> set[str]:
    return {e.key[0] for e in cache.entries()}


def test_what_is_kept_comes_back(folder: Path) -> None:
    cache.write(A, "heard", b"sound\nof a dub")
    assert cache.read(A, "heard") == b"sound\nof a dub"
    assert cache.read(A, "measured-1") is None
    assert cache.read(B, "heard") is None


def test_any_byte_that_changed_makes_it_count_as_none(folder: Path) -> None:
    cache.write(A, "heard", b"0.75 of the words")
    path = folder / A / "heard"
    whole = path.read_bytes()
    for k in range(len(whole)):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        found = cache.read(A, "heard")
        assert found is None or found == b"0.75 of the words"
    for k in range(len(whole)):
        path.write_bytes(whole[:k])
        assert cache.read(A, "heard") is None


def test_a_file_counts_only_in_its_own_place(folder: Path) -> None:
    for key, name in ((A, "heard"), (B, "heard"), (A, "measured-1")):
        cache.write(key, name, f"{key} {name}".encode())
    (folder / B / "heard").write_bytes((folder / A / "heard").read_bytes())
    (folder / A / "measured-1").write_bytes((folder / A / "heard").read_bytes())
    assert cache.read(B, "heard") is None
    assert cache.read(A, "measured-1") is None


def test_what_somebody_else_could_have_written_counts_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that others write to, whoever knows the bytes of a delivery could put its verdict there."""
    cache.write(A, "heard", b"x")
    path, us = folder / A / "heard", os.geteuid()
    for mode in (0o620, 0o602):
        path.chmod(mode)
        assert cache.read(A, "heard") is None
    path.chmod(0o644)
    assert cache.read(A, "heard") == b"x"
    if us == 0:
        os.chown(path, 65534, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    assert cache.read(A, "heard") is None


@pytest.mark.parametrize("schema", ["kept/1.0", "kept/3.0", ""])
def test_what_another_version_wrote_counts_as_none(folder: Path, schema: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as other:
        other.setattr(cache, "SCHEMA", schema)
        cache.write(A, "heard", b"x")
        assert cache.read(A, "heard") == b"x"
    assert cache.read(A, "heard") is None


def test_what_older_versions_left_goes_with_the_first_writing(folder: Path) -> None:
    (folder / "measured").mkdir(parents=True)
    (folder / "measured" / f"{A}.json").write_text("{}")
    (folder / f"{B}.npz").write_bytes(b"PK")
    (folder / "mine.txt").write_text("somebody's own")
    cache.write(C, "heard", b"x")
    assert sorted(p.name for p in folder.iterdir()) == [".lock", C, "mine.txt"]


def test_it_expires(folder: Path) -> None:
    cache.write(A, "heard", b"x")
    used(folder, A, cache.EXPIRES_S - 60)
    assert cache.read(A, "heard") == b"x"
    used(folder, A, cache.EXPIRES_S + 60)
    assert cache.read(A, "heard") is None
    cache.write(B, "heard", b"y")
    assert keys() == {"b"}


def test_a_clock_set_back_makes_nothing_live_longer(folder: Path) -> None:
    cache.write(A, "heard", b"x")
    used(folder, A, -3600)
    assert cache.read(A, "heard") is None


def test_reading_does_not_put_off_the_expiry(folder: Path) -> None:
    cache.write(A, "heard", b"x")
    used(folder, A, cache.EXPIRES_S - 60)
    cache.read(A, "heard")
    assert time.time() - (folder / A / "heard").stat().st_mtime > cache.EXPIRES_S - 120


def test_what_was_used_longest_ago_goes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k, key in enumerate((A, B, C)):
        cache.write(key, "heard", bytes(1000))
        used(folder, key, 300 - 100 * k)
    cache.read(A, "heard")  # used again: now the newest
    assert cache.prune(limit=2600).n_entries == 1
    assert keys() == {"a", "c"}


def test_its_bytes_are_bounded_by_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBGATE_CACHE_BYTES", "5000")
    for k in range(8):
        cache.write(f"{k:064x}", "heard", bytes(1000))
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert 2000 < total <= 5000
    monkeypatch.setenv("DUBGATE_CACHE_BYTES", "5 GB")
    assert run(["cache", "ls"]) == 2


def _at_once(folder: str, seed: int, wrong: object) -> None:
    os.environ |= {"DUBGATE_CACHE": folder, "DUBGATE_CACHE_BYTES": "60000"}
    rng = random.Random(seed)
    for _ in range(60):
        key, body = f"{rng.randrange(6):064x}", rng.randbytes(rng.randrange(1, 9000))
        told = cache._digest(key, "heard", body).encode() + body
        cache.write(key, "heard", told, voices=[f"v-{seed}"])
        found = cache.read(key, "heard")
        if found is not None and cache._digest(key, "heard", found[64:]).encode() != found[:64]:
            wrong.put(key)  # type: ignore[attr-defined]
        if rng.random() < 0.1:
            cache.purge(f"v-{rng.randrange(4)}")


def test_processes_that_write_read_and_purge_at_once_leave_nothing_torn(folder: Path) -> None:
    context = multiprocessing.get_context("fork")
    wrong = context.Queue()
    writers = [context.Process(target=_at_once, args=(str(folder), seed, wrong)) for seed in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [w.exitcode for w in writers] == [0] * 4
    assert wrong.empty()
    assert not list(folder.glob(".new-*"))
    assert sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) <= 60_000
    for entry in cache.entries():
        assert cache.read(entry.key, "heard") is not None


def test_a_writer_that_died_holds_nobody_up_and_its_rest_goes(folder: Path) -> None:
    cache.write(A, "heard", b"x")
    left = folder / ".new-dead"
    left.write_bytes(b"half")
    cache.write(B, "heard", b"x")
    assert left.exists()  # it might still be written
    os.utime(left, (0, 0))
    cache.write(B, "heard", b"x")
    assert not left.exists()


def test_a_purge_erases_all_that_rests_on_a_voice_and_nothing_else(folder: Path) -> None:
    cache.write(A, "heard", b"x")
    cache.write(B, "heard", b"x")
    cache.mark(A, ["v-ada"])
    cache.write(C, "measured-1", b"y", voices=["v-ada", "v-bo"])
    assert cache.purge("v-nobody").n_entries == 0
    freed = cache.purge("v-ada")
    assert (freed.n_entries, keys()) == (2, {"b"})
    assert cache.purge("v-bo").n_entries == 0


def test_a_voice_is_noted_before_it_is_compared_only_where_something_is_kept(folder: Path) -> None:
    cache.mark(A, ["v-ada"])
    assert not folder.exists()
    cache.write(A, "heard", b"x")
    cache.mark(A, ["v-ada"])
    [entry] = cache.entries()
    assert entry.n_voices == 1


def test_a_purge_by_voice_takes_what_cannot_say_whom_it_compared(folder: Path) -> None:
    (folder / "measured").mkdir(parents=True)
    (folder / "measured" / f"{A}.json").write_text("{}")
    assert cache.purge("v-ada").n_entries == 1


def test_no_voices_name_lies_in_the_folder(folder: Path) -> None:
    cache.write(A, "measured-1", b"y", voices=["v-ada"])
    assert not [p for p in folder.rglob("*") if "ada" in p.name]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["v-1", "v-2", "v-3"])), max_size=12))
def test_a_purge_finds_every_delivery_and_only_those(
    tmp_path_factory: pytest.TempPathFactory, kept: list[tuple[str, str]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUBGATE_CACHE", str(tmp_path_factory.mktemp("kept")))
        for letter, voice in kept:
            cache.write(letter * 64, "heard", b"x", voices=[voice])
        cache.purge("v-1")
        assert keys() == {k for k, _ in kept} - {k for k, v in kept if v == "v-1"}


def test_the_command_lists_prunes_and_purges(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cache.write(A, "heard", bytes(200_000), about="o.flac / \x1b[31mdub\u202e.flac", voices=["v-ada"])
    cache.write(B, "heard", b"x")
    assert run(["cache", "ls"]) == 0
    told = capsys.readouterr().out
    assert "2 kept" in told
    assert "1 voices compared" in told
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert run(["cache", "ls", "--format", "json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {e["key"] for e in listed["entries"]} == {A, B}
    assert run(["cache", "prune", "--most", "100kB"]) == 0
    assert capsys.readouterr().out.startswith("1 erased, 0.2 MB")
    assert run(["cache", "purge"]) == 2
    assert run(["cache", "purge", "--all", "--voice", "v-ada"]) == 2
    assert run(["cache", "prune", "--most", "much"]) == 2
    assert run(["cache", "purge", "--all"]) == 0
    assert keys() == set()


def test_switched_off_it_lists_and_erases_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DUBGATE_CACHE", "off")
    cache.write(A, "heard", b"x")
    assert cache.read(A, "heard") is None
    assert [run(["cache", word]) for word in ("ls", "prune")] == [0, 0]
    assert "off" in capsys.readouterr().out
