"""A file that was exchanged while it was heard, and put back: nothing is kept or judged under its digest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_delivery import SHEET, features

from dubgate import kept, listening
from dubgate.delivery.formats import open_regular
from dubgate.errors import ChangedError, MediaError
from dubgate.hearing import HearingPlan, Source
from dubgate.judgement import Clock
from dubgate.sandbox import parent


def _rewritten(dub: Path) -> None:
    """Other bytes while it is heard, then the same again with the same times."""
    good, times = dub.read_bytes(), os.stat(dub)
    dub.write_bytes(b"other sound")
    dub.write_bytes(good)
    os.utime(dub, ns=(times.st_atime_ns, times.st_mtime_ns))


def _renamed(dub: Path) -> None:
    """Another file in its place while it is heard, then the same file again."""
    aside = dub.with_name("aside.flac")
    dub.rename(aside)
    dub.write_bytes(b"other sound")
    dub.unlink()
    aside.rename(dub)


def _folder_renamed(dub: Path) -> None:
    """Another folder in the place of the one above while the child opens the file, then the same folder again."""
    folder, aside, evil = dub.parent, dub.parent.with_name("aside"), dub.parent.with_name("evil")
    shutil.copytree(folder, evil)
    folder.rename(aside)
    evil.rename(folder)
    try:
        os.close(open_regular(dub))
    finally:
        folder.rename(evil)
        aside.rename(folder)


@pytest.mark.parametrize("swap", [_rewritten, _renamed, _folder_renamed])
def test_a_file_that_was_swapped_and_put_back_is_neither_judged_nor_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swap: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "heard"))
    (tmp_path / "ep1").mkdir()
    original, dub = tmp_path / "ep1" / "original.flac", tmp_path / "ep1" / "dub.flac"
    original.write_bytes(b"original")
    dub.write_bytes(b"the dub")
    plan = HearingPlan(Source(str(original), 0, "original.flac"), Source(str(dub), 0, "dub.flac"), SHEET)
    planned = listening.Planned(plan, SHEET, Clock(), (0, 0))
    monkeypatch.setattr(listening, "plan_of", lambda request: planned)
    monkeypatch.setattr(listening, "model_digests", lambda plan: ["a model"])

    def child(*_: Any) -> Any:
        swap(dub)
        return features()

    monkeypatch.setattr(listening, "hear_all", child)
    request: Any = None
    asked = listening.asked_of(request)
    with pytest.raises((MediaError, ChangedError), match="changed while it was being read"):
        listening.run_plan(asked, lambda stage, share: None)
    assert kept.load(asked.key) is None


@pytest.mark.parametrize("swap", [_rewritten, _renamed])
def test_the_sandbox_sees_a_file_that_was_swapped_and_put_back(tmp_path: Path, swap: Callable[[Path], None]) -> None:
    dub = tmp_path / "dub.flac"
    dub.write_bytes(b"the dub")
    before = parent._states([dub])
    swap(dub)
    assert parent._states([dub]) != before
