"""What people hear at the desk is the sound that was judged: they sign over its digest."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dubgate.delivery.manifest import DeliveryTrack, Source
from dubgate.pinned import read_pinned
from dubgate.service import desk_judge, desk_listening
from dubgate.service.desk_judge import DeskDeliveries


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeskDeliveries:
    """A delivery that was judged, without its judging."""

    def track(name: str) -> Any:
        (tmp_path / name).write_bytes(b"as judged")
        return DeliveryTrack("en", mix=Source(tmp_path / name, None, "en"), stem=None, me=None)

    delivery = SimpleNamespace(original=track("original.flac"), dub=track("dub.flac"))
    judgement = SimpleNamespace(original_stream=0, dub_stream=0)
    made = DeskDeliveries(lambda: {"d": tmp_path / "delivery.yaml"}, "nowhere")
    monkeypatch.setattr(desk_listening, "cut_excerpts", lambda cuts: [[b"fLaC"]])
    made._keep("d", delivery, judgement, desk_judge.places_of(delivery))  # type: ignore[arg-type]
    return made


def _heard(desk: DeskDeliveries) -> tuple[bool, bool]:
    return desk.sound("d", "dub") is not None, desk.excerpt("d", "dub", 0.0, 1.0) is not None


def test_the_sound_that_was_judged_is_played(desk: DeskDeliveries) -> None:
    assert _heard(desk) == (True, True)


@pytest.mark.parametrize("name", ["dub.flac", "original.flac"])
def test_another_sound_in_its_place_is_not_played(desk: DeskDeliveries, tmp_path: Path, name: str) -> None:
    times = os.stat(tmp_path / name)
    (tmp_path / name).write_bytes(b"nice tune")
    os.utime(tmp_path / name, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert _heard(desk) == (False, False)


def test_a_sound_that_is_gone_is_not_played(desk: DeskDeliveries, tmp_path: Path) -> None:
    (tmp_path / "dub.flac").unlink()
    assert _heard(desk) == (False, False)


def test_a_stretch_of_what_was_judged_before_is_not_remembered_for_what_is_judged_now(
    desk: DeskDeliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same path, stream and times; another file, and judged as that."""
    monkeypatch.setattr(desk_listening, "cut_excerpts", lambda cuts: [[Path(cuts[0].path).read_bytes()]])
    assert desk.excerpt("d", "dub", 0.0, 1.0) == b"as judged"
    (tmp_path / "dub.flac").write_bytes(b"another")
    delivery, judgement = desk._judgements["d"]
    desk._keep("d", delivery, judgement, desk_judge.places_of(delivery))
    assert desk.excerpt("d", "dub", 0.0, 1.0) == b"another"


def test_a_sound_that_is_exchanged_while_it_is_cut_is_not_played(
    desk: DeskDeliveries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at it and its opening."""

    def cut(cuts: Any) -> list[list[bytes]]:
        path = Path(cuts[0].path)
        path.write_bytes(b"nice tune")
        return [[read_pinned(path)]]

    monkeypatch.setattr(desk_listening, "cut_excerpts", cut)
    assert desk.excerpt("d", "dub", 0.0, 1.0) is None


def test_of_what_nobody_judged_nothing_is_played(desk: DeskDeliveries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeskDeliveries, "place_judged", lambda *_: None)
    assert desk.excerpt("d", "dub", 0.0, 1.0) is None
