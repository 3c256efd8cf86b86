"""Vectors of one voice pooled by seconds, and a line against the others of its character."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dubgate.features import VoiceSegment
from dubgate.measure.voice_pooling import Pooled, against_others, pool
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured


def test_a_pool_weighs_seconds() -> None:
    x, y = (VoiceSegment(Span(0, 1), s, "a", "A", np.array(v, np.float32)) for s, v in ((3.0, [1, 0]), (1.0, [0, 1])))
    found = pool([x, y, VoiceSegment(Span(0, 1), 9.0, "b", "A", Unmeasured("short"))])
    assert isinstance(found, Pooled)
    assert found.speech_s == 4.0
    assert found.vector == pytest.approx(np.array([3, 1]) / math.sqrt(10))


def test_a_line_is_compared_without_itself() -> None:
    rows = np.array([[1.0, 0.0], [0.8, 0.6], [0.8, 0.6]])
    first = against_others(rows, np.array([2.0, 1.0, 1.0]), 0.5)[0]
    assert first.cosine == pytest.approx(0.8)
    assert first.reference_s == 2.0
