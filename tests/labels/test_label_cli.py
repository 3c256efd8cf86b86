"""`dubgate label` with its child process as it is: shut in, without network, its file taken while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import label_files as files
import pytest
from label_files import LABEL

from dubgate.cli.main import run
from dubgate.labels.places import media_places
from dubgate.sandbox import Reply, run_in_child


def test_a_re_wrap_in_the_shut_in_child_arrives_whole_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart: list[str] = []

    def only_the_re_wrap_apart(task: str, request: dict[str, Any], **given: Any) -> Reply:
        if "apply" not in request:
            return files.run_here(task, request, **given)
        apart.append(task)
        return run_in_child(task, request, **given)

    monkeypatch.setattr("dubgate.sandbox.run_in_child", only_the_re_wrap_apart)
    monkeypatch.chdir(tmp_path)  # names as a user types them, seen from elsewhere by the child
    source, out = Path(files.made_media.make(tmp_path, "matroska", 0.2).name), Path("out.mkv")
    asked = ["label", "apply", str(source), "--out", str(out), "--text", LABEL, "--language", "en"]
    assert run([*asked, "--aigc-producer", "Studio", "--aigc-id", "7"]) == 0
    assert apart == ["labels"]
    assert {p.text for p in media_places(out) if p.names_track} == {LABEL}
    assert any(p.token == "AIGC" for p in media_places(out))
    assert sorted(p.name for p in tmp_path.iterdir()) == [source.name, "out.mkv"]


def test_the_child_may_read_the_package_that_a_manifest_names(tmp_path: Path) -> None:
    master = files.hls(tmp_path, files.MASTER.replace('NAME="English"', f'NAME="{LABEL}"'))
    assert run(["label", "check", str(master), "--language", "en"]) == 0
