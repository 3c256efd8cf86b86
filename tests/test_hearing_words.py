"""The words stage in the child: a dub that ends before its script is heard as far as it goes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from dubgate.delivery.script import Cue
from dubgate.hearing_words import alignments_of
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured


class _Aligner:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def align(self, clips: list[Any], texts: list[str], *, language: str) -> list[Unmeasured]:
        assert all(len(c) > 0 for c in clips)
        self.texts += texts
        return [Unmeasured("not tried")] * len(texts)


def test_lines_after_the_end_of_the_dub_are_not_looked_for_in_it() -> None:
    spool = SimpleNamespace(
        duration_s=20.0, read=lambda start_s, end_s: np.zeros(max(0, round((end_s - start_s) * 16_000)), np.float32)
    )
    cues = [Cue(f"L{k}", Span(k * 8.0, k * 8.0 + 6.0), f"line {k}") for k in range(5)]  # 0, 8, 16, 24, 32 s
    aligner = _Aligner()
    ears: Any = SimpleNamespace(aligner=aligner)
    assert alignments_of(ears, spool, cues, "en") == ()  # type: ignore[arg-type]
    assert aligner.texts == ["line 0", "line 1", "line 2"]
