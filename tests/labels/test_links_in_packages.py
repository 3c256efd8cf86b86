"""No link below a package's folder is followed: what is behind one can be turned to other bytes and back, unseen."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import label_files as files
import pytest
from swapped_folders import turned_into_a_link

from dubgate.delivery.digests import seen
from dubgate.errors import ChangedError, DubgateError, MediaError
from dubgate.labels.packages import inspect
from dubgate.labels.played import played
from dubgate.labels.renditions import package_of
from dubgate.labels.segments import Piece, as_written, sha256_of
from dubgate.package_hearing import _relative
from dubgate.pinned import pinned

KINDS: dict[str, Callable[[Path], Path]] = {"hls": files.hls, "dash": files.dash}
MEDIA = {"hls": "en.aac", "dash": "en.m4a"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("to", ["inside", "outside"])
def test_a_link_in_the_place_of_a_segment_blocks_wherever_it_leads(tmp_path: Path, kind: str, to: str) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    manifest = KINDS[kind](folder)
    assert not inspect(manifest, folder, language="en", anchors=None).unreadable
    segment, target = folder / MEDIA[kind], (folder if to == "inside" else tmp_path) / "target"
    segment.rename(target)
    segment.symlink_to(target)
    [why] = inspect(manifest, folder, language="en", anchors=None).unreadable
    assert {"inside": "a link", "outside": "outside"}[to] in why
    os.unlink(segment)
    os.link(target, segment)  # one file under two names is pinned by what it is
    assert not inspect(manifest, folder, language="en", anchors=None).unreadable


def test_a_folder_that_is_a_link_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "a1").mkdir()
    (tmp_path / "a1" / "s0.m4s").write_bytes(b"x")
    (tmp_path / "a0").symlink_to("a1")
    with pytest.raises(MediaError, match="a link"):
        as_written(tmp_path / "a0" / "s0.m4s", tmp_path, what="", named_by="m")
    assert as_written(tmp_path / "a0/../a1/s0.m4s", tmp_path, what="", named_by="m") == tmp_path / "a1" / "s0.m4s"


def test_a_link_above_the_package_is_the_operators_own(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    manifest = files.hls(tmp_path / "real")
    manifest.write_text(manifest.read_text().replace("video.m3u8", "de.m3u8"))
    (tmp_path / "link").symlink_to("real")
    root = tmp_path / "link"
    package = package_of(root / "master.m3u8", root)
    assert {_relative(p, root) for r in package.audio for p in r.files} >= {"en.m3u8", "en.aac"}
    assert as_written(tmp_path / "real" / "en.aac", root, what="", named_by="m") == root / "en.aac"


@pytest.mark.parametrize("read", [sha256_of, lambda pieces: played(pieces, None)])
def test_a_folder_turned_into_a_link_between_the_look_and_the_opening_shows(
    tmp_path: Path, read: Callable[[list[Piece]], object]
) -> None:
    """Where the link leads is a file of the package too, and digested; only the path that was named is another one's."""
    root = tmp_path / "at" / "package"
    for name in ("a0", "a1"):
        (root / name).mkdir(parents=True)
        (root / name / "s0.aac").write_bytes(files.adts(name * 9))
    places = {s.path: s.place for s in (seen(root / n / "s0.aac") for n in ("a0", "a1"))}
    path = as_written(root / "a0" / "s0.aac", root, what="", named_by="m")
    with pinned(places, [str(root)]):
        read([Piece(path)])
        with turned_into_a_link(root / "a0", root / "a1"):
            with pytest.raises(ChangedError):
                read([Piece(path)])
            with pytest.raises(MediaError, match="a link"):
                as_written(root / "a0" / "s0.aac", root, what="", named_by="m")
        read([Piece(path)])


def test_what_a_second_name_of_a_file_writes_and_puts_back_shows(tmp_path: Path) -> None:
    """A hard link outside the package leads to the same file, which its change dates."""
    path, second = tmp_path / "s0.aac", tmp_path / "elsewhere"
    path.write_bytes(files.adts("sound" * 9))
    os.link(path, second)
    before, data = seen(path), path.read_bytes()
    with pinned({before.path: before.place}):
        sha256_of([Piece(path)])
        second.write_bytes(data[::-1])
        second.write_bytes(data)
        shutil.copystat(path, second)
        with pytest.raises(ChangedError):
            sha256_of([Piece(path)])
    assert seen(path).sha256 == before.sha256


def test_a_manifest_behind_a_link_is_read_nowhere(tmp_path: Path) -> None:
    files.hls(tmp_path)
    (tmp_path / "other.m3u8").symlink_to("master.m3u8")
    with pytest.raises(DubgateError, match="a link"):
        package_of(tmp_path / "other.m3u8", tmp_path)
