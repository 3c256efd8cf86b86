"""The benchmark of the registry loads what the registry would have written: the audit finds it sound."""

from __future__ import annotations

from pathlib import Path

import pytest
import registry_speed

from consent.registry import Registry


def test_what_is_loaded_in_bulk_is_a_sound_registry_that_clears_its_uses(tmp_path: Path) -> None:
    with Registry.open(tmp_path / "registry.db", create=True, clock=lambda: registry_speed.NOW) as registry:
        registry_speed.load(registry, 40, n_titles=9)
        found = registry.audit()
        assert (found.problems, found.size) == ((), 1 + 9 + 4 * (2 + 2 * 10))
        assert len(registry_speed.clearing(registry, 40, 20, n_titles=9)) == 20


def test_the_table_names_every_figure_with_its_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--sqlite", "20", "--postgresql", "0", "--n", "5", "--seconds", "0.1", "--folder", str(tmp_path)]
    assert registry_speed.main([*asked, "--titles", "9", "--audit"]) == 0
    printed = capsys.readouterr().out
    for what in ("clear one use", "inclusion proof", "events, one commit each", "synchronous writes", "p99 < 20 ms"):
        assert what in printed
    assert list(tmp_path.iterdir()) == []
