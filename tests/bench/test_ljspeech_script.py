"""LJ Speech clips with their own text pass; with another clip's text every one is flagged (issue 2, shows)."""

from __future__ import annotations

from pathlib import Path

import pytest
from ljspeech_script import RUN_WORDS, Row, load, rows

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def judged(speech: Path) -> list[Row]:
    folder = speech / "ljspeech"
    if not folder.is_dir():
        pytest.skip("no real speech: ljspeech is not in the shared folder")
    return rows(load(folder), range(4))


def test_clips_with_their_own_text_miss_no_line_and_hold_no_divergent_run(judged: list[Row]) -> None:
    own = [row for row in judged if row.shift == 0]
    assert len(own) == 8
    assert [r for r in own if r.missing or r.run_words >= RUN_WORDS or r.invented_words] == []


def test_clips_with_another_text_are_flagged_every_one(judged: list[Row]) -> None:
    wrong = [row for row in judged if row.shift]
    assert len(wrong) == 24
    assert [r for r in wrong if not r.flagged] == []
