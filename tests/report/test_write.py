"""Writing reports: all of them or none, and never half of one."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from made_judgement import judgement

from dubgate.errors import InputError
from dubgate.report import write
from dubgate.report.write import write_reports, write_together

ALL = ("json", "junit", "csv", "xlsx", "markers")
FILES = {
    "report.json", "report.junit.xml", "issues.csv", "issues.xlsx",
    "markers/audacity.txt", "markers/reaper.csv", "markers/protools.txt", "markers/markers.edl",
}  # fmt: skip


def _there(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_each_format_has_its_file_and_the_report_as_json_is_always_there(tmp_path: Path) -> None:
    written = write_reports(judgement(12), tmp_path / "out", ALL)
    assert _there(tmp_path / "out") == FILES
    assert {str(p.relative_to(tmp_path / "out")) for p in written} == FILES
    assert write_reports(judgement(2), tmp_path / "two", ["csv"])[-1].name == "report.json"
    assert json.loads((tmp_path / "two/report.json").read_text(encoding="utf-8"))["schema"] == "report/1.0"


def test_the_files_may_be_read_by_others(tmp_path: Path) -> None:
    assert {p.stat().st_mode & 0o777 for p in write_reports(judgement(2), tmp_path, ALL)} == {0o644}


def test_a_disk_that_fails_at_the_last_file_leaves_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.replace

    def full(source: Path, target: Path) -> None:
        if target.name == "report.json":
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(write.os, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        write_reports(judgement(2), tmp_path, ALL)
    assert _there(tmp_path) == set()


def test_an_interrupt_between_files_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write.os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        write_together({tmp_path / "a": b"1", tmp_path / "b": b"2"})
    assert _there(tmp_path) == set()


def test_a_report_that_cannot_be_made_leaves_those_of_before_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_reports(judgement(2), tmp_path, ALL)
    before = {name: (tmp_path / name).read_bytes() for name in _there(tmp_path)}

    def broken(*_: object) -> bytes:
        raise ValueError("broken")

    monkeypatch.setattr(write, "junit_xml", broken)
    with pytest.raises(ValueError, match="broken"):
        write_reports(judgement(12), tmp_path, ALL)
    assert {name: (tmp_path / name).read_bytes() for name in _there(tmp_path)} == before


def test_a_folder_that_cannot_be_written_to_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="file/out"):
        write_reports(judgement(2), tmp_path / "file/out", ALL)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError):
        write_reports(judgement(2), tmp_path, ALL)


def test_the_same_judgement_is_written_in_the_same_bytes(tmp_path: Path) -> None:
    texts = [n for n in sorted(FILES) if not n.endswith(".xlsx")]
    for name in ("a", "b"):
        write_reports(judgement(12), tmp_path / name, ALL)
    assert [(tmp_path / "a" / n).read_bytes() for n in texts] == [(tmp_path / "b" / n).read_bytes() for n in texts]
