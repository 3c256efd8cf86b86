"""A pinned file is the one that was digested, whoever opens it and whatever was renamed above it meanwhile."""

from __future__ import annotations

import errno
import mmap
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from swapped_folders import renamed_away

from dubgate.delivery import open_writers
from dubgate.delivery.digests import seen
from dubgate.delivery.formats import file_sha256, open_regular
from dubgate.delivery.media import probe_apart
from dubgate.errors import ChangedError, DubgateError, InputError, MediaError
from dubgate.pinned import Pins, pinned, pins, place_of, read_pinned
from dubgate.sandbox import PROBE_LIMITS, run_in_child

LIMITS = replace(PROBE_LIMITS, wall_s=20.0, test_tasks=str(Path(__file__).resolve().parent))


@pytest.fixture
def dub(tmp_path: Path) -> Path:
    """A file in a folder that has an evil twin: the same bytes under the same name."""
    (tmp_path / "season" / "ep1").mkdir(parents=True)
    path = tmp_path / "season" / "ep1" / "dub.txt"
    path.write_bytes(b"the dub")
    shutil.copytree(tmp_path / "season", tmp_path / "evil")
    return path


def opened(path: Path) -> None:
    os.close(open_regular(path))


READERS: dict[str, Callable[[Path], object]] = {
    "a medium": opened,
    "a digest": file_sha256,
    "a text": read_pinned,
    "a digest with its place": seen,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_parent_folder_that_is_renamed_away_and_back_shows_to_who_reads_in_between(reader: str, dub: Path) -> None:
    before = seen(dub)
    with pinned({before.path: before.place}):
        READERS[reader](dub)
        with renamed_away(dub.parents[1]), pytest.raises(ChangedError, match="changed while it was being read"):
            READERS[reader](dub)
        READERS[reader](dub)
    assert seen(dub) == before  # nobody who looks afterwards can tell
    with renamed_away(dub.parents[1]):
        READERS[reader](dub)  # nothing is pinned any more


def test_where_a_file_lay_is_asked_of_the_open_file(dub: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(dub)
    found = seen(link)
    assert (found.path, found.real) == (str(link), str(dub.resolve()))
    link.unlink()
    shutil.copy(dub, link)
    assert seen(link).real == str(link.resolve())


def test_a_file_that_was_written_to_is_another_one(dub: Path) -> None:
    before = seen(dub)
    with pinned({before.path: before.place}):
        dub.write_bytes(b"the bud")
        dub.write_bytes(b"the dub")
        with pytest.raises(ChangedError):
            read_pinned(dub)


def test_a_path_that_goes_up_and_down_again_is_pinned_as_the_one_that_it_means(dub: Path) -> None:
    devious = dub.parent / ".." / "ep1" / dub.name
    before = seen(devious)
    with pinned({before.path: before.place}):
        assert pins().of([devious]).places == pins().of([dub]).places == {str(dub): before.place}
        for path in (dub, devious):
            with renamed_away(dub.parents[1]), pytest.raises(ChangedError):
                read_pinned(path)


def test_below_a_root_nothing_else_is_opened(dub: Path) -> None:
    before, root = seen(dub), dub.parents[1]
    (root / "more.txt").write_bytes(b"x")
    (root / "link.txt").symlink_to(dub)
    (root.parent / "seasons.txt").write_bytes(b"x")
    with pinned({before.path: before.place}, [str(root)]):
        assert read_pinned(root / "link.txt") == b"the dub"
        assert read_pinned(root.parent / "seasons.txt") == b"x"
        with pytest.raises(ChangedError):
            read_pinned(root / "more.txt")


def test_pins_add_up_and_go_again(dub: Path) -> None:
    before, twin = seen(dub), seen(dub.parents[2] / "evil" / "ep1" / "dub.txt")
    assert pins() == Pins()
    with pinned({before.path: before.place}, ["/one"]):
        with pinned({twin.path: twin.place}, ["/two"]):
            assert pins() == Pins({before.path: before.place, twin.path: twin.place}, ("/one", "/two"))
            assert pins().of([Path(twin.path)]).places == {twin.path: twin.place}
            assert pins().of([dub.parents[1]]).places == {before.path: before.place}
            assert pins().of([dub.parents[1].with_name("seas")]).places == {}
        assert pins().places == {before.path: before.place}
    assert pins() == Pins()


def test_a_file_that_is_written_to_while_it_is_digested_has_no_digest(
    dub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = iter([(1, 2, 3, 4), (1, 2, 3, 5)])
    monkeypatch.setattr("dubgate.delivery.digests.place_of", lambda descriptor: next(places))
    with pytest.raises(ChangedError):
        seen(dub)


def test_a_digest_waits_until_a_change_would_have_another_time(dub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one tick of the clock that stamps changes, a file that is written to once more has the same place."""
    now, waited = [1_000_000_000], list[float]()

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += round(1e9 * seconds)

    monkeypatch.setattr("dubgate.delivery.digests.time", SimpleNamespace(time_ns=lambda: now[0], sleep=sleep))
    changed = {"ns": now[0] - 5_000_000}
    monkeypatch.setattr("dubgate.delivery.digests.place_of", lambda descriptor: (1, 2, 3, changed["ns"]))
    seen(dub)
    assert waited == [pytest.approx(0.015)]
    for ns in (now[0] - 60_000_000, now[0] + 1):
        changed["ns"] = ns
        seen(dub)
    assert len(waited) == 1


def test_a_file_that_is_written_to_on_and_on_is_not_waited_for_without_end(
    dub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dubgate.delivery.digests.time", SimpleNamespace(time_ns=lambda: 9, sleep=lambda seconds: None))
    monkeypatch.setattr("dubgate.delivery.digests.place_of", lambda descriptor: (1, 2, 3, 8))
    with pytest.raises(ChangedError, match="changed while"):
        seen(dub)


def test_what_is_no_bad_file_is_taken_for_none() -> None:
    assert issubclass(ChangedError, InputError)
    assert not issubclass(ChangedError, MediaError)


def test_a_place_is_of_what_was_opened(dub: Path) -> None:
    with dub.open("rb") as file:
        before = place_of(file.fileno())
        with renamed_away(dub.parents[1]):
            assert place_of(file.fileno()) == before
            with dub.open("rb") as other:
                assert place_of(other.fileno()) != before


# in the child


def test_a_child_does_not_read_another_file_than_was_digested(dub: Path) -> None:
    """Renamed before the child opens it, and back before anybody looks again."""
    before = seen(dub)

    def probed() -> str:
        try:
            probe_apart(dub)
        except DubgateError as error:
            return f"{type(error).__name__}: {error.what}"
        return "probed"

    with pinned({before.path: before.place}):
        with renamed_away(dub.parents[1]):
            swapped = probed()
        right = probed()
    assert swapped == "ChangedError: a file changed while it was being read"
    assert right.startswith("MediaError: this is text")


def test_a_child_sees_the_renaming_while_it_reads_whatever_opens_the_file(dub: Path) -> None:
    before = seen(dub)
    with pinned({before.path: before.place}):
        swap = renamed_away(dub.parents[1])
        try:
            with pytest.raises(ChangedError):
                run_in_child(
                    "read_on_and_on",
                    {"path": str(dub)},
                    limits=LIMITS,
                    inputs=[dub],
                    progress=lambda *_: swap.__enter__(),
                )
        finally:
            swap.__exit__(None, None, None)


def test_a_child_opens_nothing_in_a_folder_but_what_was_digested_there(dub: Path) -> None:
    """A segment that lies there only while it is read was never digested, and is gone before anybody looks again."""
    before, root = seen(dub), dub.parents[1]
    (dub.parent / "later.txt").write_bytes(b"x")

    def read(path: Path) -> str:
        try:
            reply = run_in_child("read_once", {"path": str(path)}, limits=LIMITS, inputs=[root])
        except DubgateError as error:
            return f"{type(error).__name__}: {error.what}"
        return str(reply.data)

    with pinned({before.path: before.place}, [str(root)]):
        assert read(dub) == "7"
        assert read(dub.parent / "later.txt") == "ChangedError: a file changed while it was being read"
    assert read(dub.parent / "later.txt") == "1"


def test_a_folder_above_the_childs_own_program_is_not_closed_to_it(dub: Path) -> None:
    before, root = seen(dub), dub.parents[1]
    held = Pins({before.path: before.place})
    assert held.folders_of([root, root.with_name("evil")], [root.with_name("seasons")]) == [str(root)]
    for own in (root, root / "ep1" / "venv"):
        assert held.folders_of([root], [own]) == []


def test_a_pinned_file_that_a_folder_no_longer_lists_changed(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    named = [folder / "a.json", folder / "b.json"]
    places = {str(p): (1, 2, 3, 4) for p in (*named, folder / "notes.txt", tmp_path / "other" / "c.json")}
    held = Pins(places)
    held.require_listed(folder, named)
    with pytest.raises(ChangedError, match=r"b\.json"):
        held.require_listed(folder, named[:1])


def test_a_pinned_file_that_was_renamed_away_is_missed(dub: Path) -> None:
    before = seen(dub)
    with pinned({before.path: before.place}):
        pins().require_there(dub)
        pins().require_there(dub.with_name("never pinned"))
        dub.rename(dub.with_name("aside"))
        with pytest.raises(ChangedError, match="changed while it was being read"):
            pins().require_there(dub)


def test_a_file_that_somebody_could_write_into_unseen_is_not_taken_for_what_it_is(tmp_path: Path) -> None:
    """A mapped page that is dirty is written to without a new time of change: no place shows it."""
    dub = tmp_path / "dub.wav"
    dub.write_bytes(b"a" * 4096)
    with dub.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[0:1] = b"b"
        before = os.stat(dub)
        time.sleep(0.03)
        mapped[0:1] = b"c"
        assert (os.stat(dub).st_ctime_ns, dub.read_bytes()[:1]) == (before.st_ctime_ns, b"c"), "nobody can tell"
        file.close()
        with pytest.raises(ChangedError, match="open for writing"):
            seen(dub)
    with dub.open("ab"), pytest.raises(ChangedError, match="open for writing"):
        seen(dub)
    with dub.open("rb"):
        assert seen(dub).sha256 == file_sha256(dub)


def test_where_no_lease_is_given_only_a_local_disk_says_that_somebody_writes(
    dub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system gives none to anybody, and none is given of another user's file."""

    def refusing(number: int) -> Callable[..., int]:
        def fcntl(descriptor: int, what: int, value: int) -> int:
            if what == open_writers.fcntl.F_SETLEASE:
                raise OSError(number, "no lease")
            return 0

        return fcntl

    for number, kind, told in (
        (errno.EAGAIN, "ext4", True),
        (errno.EAGAIN, "nfs4", False),
        (errno.EACCES, "ext4", False),
    ):
        monkeypatch.setattr(open_writers, "_file_system", lambda _, kind=kind: kind)
        monkeypatch.setattr(open_writers.fcntl, "fcntl", refusing(number))
        with dub.open("rb") as file:
            assert open_writers.is_open_for_writing(file.fileno()) is told


def test_the_mounts_say_what_a_device_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    rows = ["1 0 8:1 / / rw - ext4 /dev/sda rw", "2 0 0:44 / /n rw,x shared:3 - nfs4 host:/ rw", "3 0 8:2 short"]
    mounts.write_text("\n".join(rows))
    monkeypatch.setattr(open_writers, "_MOUNTS", mounts)
    kinds = [open_writers._file_system(os.makedev(*d)) for d in ((8, 1), (0, 44), (8, 2), (9, 9))]
    assert kinds == ["ext4", "nfs4", "", ""]
    mounts.unlink()
    assert open_writers._file_system(os.makedev(8, 1)) == ""
