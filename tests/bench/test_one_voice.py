"""The one-voice experiment as a test: readers that the threshold never saw, lines of 2 s, 200 draws of each kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from one_voice import experiment, low_voices, pairs_of, pieces_of
from voice_material import encoder, librispeech

from dubgate.speech.calibration import Calibration, Relation, find


@pytest.mark.slow
def test_another_voice_in_one_line_of_ten_is_named_and_clean_characters_are_not(speech: Path) -> None:
    heard_by, voices = encoder(), librispeech(speech)
    calibration = find(heard_by.info.weights_sha256, Relation.SAME)
    assert isinstance(calibration, Calibration)
    pieces, low = pieces_of(heard_by, voices, 2.0, list), low_voices(voices)
    for same_sex in (None, True):
        found = experiment(pieces, 2.0, pairs_of(low, same_sex), calibration, np.random.default_rng(11))
        assert found.n == 200
        assert found.named >= 0.95
        assert found.clean >= 0.95
