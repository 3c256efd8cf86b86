"""Open-set identification as a test: readers that the threshold never saw, every three of the five enrolled in turn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from open_set import N_PROBES, open_set, voices_of
from voice_material import encoder, librispeech

from dubgate.speech.calibration import Calibration, Relation, find


@pytest.mark.slow
def test_who_is_enrolled_is_found_and_who_is_not_is_nobody(speech: Path) -> None:
    heard_by, readers = encoder(), librispeech(speech)
    calibration = find(heard_by.info.weights_sha256, Relation.SAME)
    assert isinstance(calibration, Calibration)
    found = open_set(voices_of(heard_by.embed, readers, list, np.random.default_rng(11)), calibration)
    assert (found.n_in, found.n_out) == (10 * 3 * N_PROBES, 10 * 2 * N_PROBES)
    assert found.held >= 0.95 * found.n_in
    assert found.blocked >= 0.9 * found.n_in
    assert found.mistaken == found.false_blocked == 0
    assert found.false_held <= 0.05 * found.n_out
