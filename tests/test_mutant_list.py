"""Every mutant of `make mutants` can be made of today's tree, under a name of its own, and its tests are there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mutant_list import all_mutants

ROOT = Path(__file__).resolve().parents[1]


@cache
def source(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def test_every_mutant_changes_a_file_of_today() -> None:
    stale = []
    for mutant in all_mutants(ROOT):
        try:
            changed = mutant.change(source(mutant.file)) != source(mutant.file)
        except ValueError as error:
            stale.append(f"{mutant.name}: {error}")
        else:
            stale += [] if changed else [f"{mutant.name}: changes nothing"]
    assert stale == []


def test_every_mutant_is_judged_by_tests_that_exist() -> None:
    missing = {t for m in all_mutants(ROOT) for t in m.tests if t.startswith("tests/") and not (ROOT / t).exists()}
    assert missing == set()
