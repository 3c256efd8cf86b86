"""Every mutant of `make mutants` can be made of today's tree, under a name of its own, and its tests are there."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from mutant_list import all_mutants, mutants_that_are_equivalent
from mutate import Mutant

ROOT = Path(__file__).resolve().parents[1]


@cache
def mutants() -> list[Mutant]:
    return all_mutants(ROOT)


@cache
def source(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def test_every_mutant_changes_a_file_of_today() -> None:
    stale = []
    for mutant in mutants():
        try:
            changed = mutant.change(source(mutant.file)) != source(mutant.file)
        except ValueError as error:
            stale.append(f"{mutant.name}: {error}")
        else:
            stale += [] if changed else [f"{mutant.name}: changes nothing"]
    assert stale == []


def test_every_mutant_is_judged_by_tests_that_exist() -> None:
    missing = {t for m in mutants() for t in m.tests if t.startswith("tests/") and not (ROOT / t).exists()}
    assert missing == set()


def test_every_mutant_has_a_name_of_its_own() -> None:
    names = Counter(m.name for m in mutants())
    assert [name for name, n in names.items() if n > 1] == []


def test_every_row_of_equivalents_leaves_out_one_mutant_of_today() -> None:
    assert [(e, [m.name for m in own]) for e, own in mutants_that_are_equivalent(ROOT) if len(own) != 1] == []
