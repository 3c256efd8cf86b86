"""The benchmark of verifying says every figure, and one core verifies far more than it has to."""

from __future__ import annotations

from pathlib import Path

import pytest
import verify_speed


def test_one_core_verifies_200_small_files_a_second(tmp_path: Path) -> None:
    assert verify_speed.rate(100, tmp_path, stored=False) > 200


def test_the_table_names_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_speed.main(["--n", "4", "--files", "20", "--megabytes", "1"]) == 0
    printed = capsys.readouterr().out
    for what in ("trust store open", "all from files", "cold", "a package of 20 files", "a file of 1 MB"):
        assert what in printed
