"""The self-test: the right front end passes, every wrong one is refused before a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

import torch

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats
from dubgate.speech.ge2e import Ge2e
from dubgate.speech.models import resolve
from dubgate.speech.selftest import VOICES, check_encoder, likeness, utterance
from dubgate.unmeasured import Unmeasured

Mel = Callable[[torch.Tensor], torch.Tensor]
SHUFFLED = np.random.default_rng(0).permutation(40).tolist()

WRONG: dict[str, Mel] = {
    "logarithms that the network never saw": lambda m: torch.log(m + 1e-6),
    "decibels": lambda m: 10 * torch.log10(m + 1e-10),
    "log of one plus": torch.log1p,
    "magnitude for power": lambda m: m.sqrt(),
    "bands upside down": lambda m: m.flip(1),
    "bands shuffled": lambda m: m[:, SHUFFLED],
    "time backwards": lambda m: m.flip(0),
    "samples as 16-bit numbers": lambda m: m * 32768.0**2,
    "nothing": lambda m: m * 0,
}


class BentGe2e(Ge2e):
    """GE2E behind another front end."""

    bend: Mel

    def mels(self, sounds: Sequence[Floats]) -> list[torch.Tensor]:
        return [self.bend(mel) for mel in super().mels(sounds)]


def test_the_embedded_encoder_passes() -> None:
    ref = resolve("speaker_encoder", "ge2e")
    found = check_encoder(Ge2e(ref.path, ref.sha256))
    assert found.same > found.different + 0.1


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_front_end_is_refused(name: str) -> None:
    ref = resolve("speaker_encoder", "ge2e")
    encoder = BentGe2e(ref.path, ref.sha256)
    encoder.bend = WRONG[name]
    with pytest.raises(ModelError, match="self-test"):
        check_encoder(encoder)


class Fake:
    """An encoder of unknown weights that answers from a table."""

    info = BackendInfo("speaker_encoder", "fake", "0" * 64, embedded=False)
    dimension = 4
    min_speech_s = 0.5

    def __init__(self, rows: Sequence[Floats | Unmeasured]) -> None:
        self._rows = list(rows)

    def embed(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]:
        assert len(clips) == 2 * len(VOICES)
        return self._rows


def axis(k: int) -> Floats:
    return np.eye(4, dtype=np.float32)[k]


def test_an_unknown_encoder_that_keeps_voices_apart_passes() -> None:
    assert check_encoder(Fake([axis(k // 2) for k in range(6)])).same == 1.0


@pytest.mark.parametrize(
    "rows",
    [
        [axis(k % 3) for k in range(6)],  # the order turned around
        [axis(0)] * 6,  # everything alike
        [*(axis(k // 2) for k in range(5)), Unmeasured("no")],
        [*(axis(k // 2) for k in range(5)), np.full(4, np.nan, dtype=np.float32)],
    ],
)
def test_an_encoder_that_confuses_voices_or_gives_none_is_refused(rows: list[Floats | Unmeasured]) -> None:
    with pytest.raises(ModelError, match="self-test"):
        check_encoder(Fake(rows))


def test_likeness_takes_the_worst_of_each_kind() -> None:
    bent = np.array([0.6, 0.8, 0, 0], dtype=np.float32)
    found = likeness([axis(0), bent, axis(2), axis(2)])
    assert (found.same, found.different) == (pytest.approx(0.6), 0.0)


def test_made_voices_are_the_same_everywhere_and_have_their_pitch() -> None:
    from dubgate.speech.swiftf0 import SwiftF0

    assert np.array_equal(utterance(VOICES[0], 1), utterance(VOICES[0], 1))
    assert not np.array_equal(utterance(VOICES[0], 1), utterance(VOICES[0], 2))
    ref = resolve("pitch")
    for voice, track in zip(
        VOICES, SwiftF0(ref.path, ref.sha256).pitch([utterance(v, 1) for v in VOICES]), strict=True
    ):
        assert np.nanmedian(track.f0_hz.values) == pytest.approx(voice.f0_hz, rel=0.1)
