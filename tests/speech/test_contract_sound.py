"""The contract of every backend that hears sound: voice activity, pitch, speaker encoders (see protocols.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from made_wespeaker import pyannote_module, write_checkpoint

from dubgate.features import Floats, Pitch, Series
from dubgate.speech.ge2e import Ge2e
from dubgate.speech.models import resolve
from dubgate.speech.selftest import VOICES, utterance
from dubgate.speech.silero import SileroVad
from dubgate.speech.swiftf0 import SwiftF0
from dubgate.speech.wespeaker import WeSpeaker
from dubgate.unmeasured import Unmeasured

Hear = Callable[[Sequence[Floats]], list[Any]]
TOLERANCE = 2e-4


def silero(_: Path) -> tuple[Any, Hear]:
    ref = resolve("voice_activity")
    model = SileroVad(ref.path, ref.sha256)
    return model, model.speech_prob


def swiftf0(_: Path) -> tuple[Any, Hear]:
    ref = resolve("pitch")
    model = SwiftF0(ref.path, ref.sha256)
    return model, model.pitch


def ge2e(_: Path) -> tuple[Any, Hear]:
    ref = resolve("speaker_encoder", "ge2e")
    model = Ge2e(ref.path, ref.sha256)
    return model, model.embed


def wespeaker(folder: Path) -> tuple[Any, Hear]:
    write_checkpoint(folder, pyannote_module())
    ref = resolve("speaker_encoder", f"speaker_encoder={folder}")
    model = WeSpeaker(ref.path, ref.sha256)
    return model, model.embed


MAKERS = [silero, swiftf0, ge2e, wespeaker]


@pytest.fixture(scope="module", params=MAKERS, ids=lambda maker: maker.__name__)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Hear]:
    made: tuple[Any, Hear] = request.param(tmp_path_factory.mktemp("weights"))
    return made


def clips() -> list[Floats]:
    first, second = utterance(VOICES[0], 1), utterance(VOICES[1], 2)
    return [first, second[:20_000], np.concatenate([second, first]), second[: 16_000 + 77]]


def numbers(answer: Any) -> Floats:
    """The answer as one array; an Unmeasured as its own mark."""
    if isinstance(answer, Unmeasured):
        return np.full(1, 9e9, dtype=np.float32)
    if isinstance(answer, Series):
        return answer.values
    if isinstance(answer, Pitch):
        return np.concatenate([np.nan_to_num(answer.f0_hz.values, nan=-1.0), answer.confidence.values])
    return np.asarray(answer)


def same(left: Any, right: Any) -> None:
    a, b = numbers(left), numbers(right)
    assert a.shape == b.shape
    assert np.all(np.abs(a - b) <= TOLERANCE * np.maximum(1.0, np.abs(a)))


def test_nothing_in_nothing_out(backend: tuple[Any, Hear]) -> None:
    assert backend[1]([]) == []


def test_answers_come_in_the_order_of_the_clips(backend: tuple[Any, Hear]) -> None:
    there, back = backend[1](clips()), backend[1](clips()[::-1])
    assert len(there) == len(clips())
    for one, other in zip(there, back[::-1], strict=True):
        same(one, other)


def test_a_clip_gives_the_same_answer_alone_as_in_a_batch(backend: tuple[Any, Hear]) -> None:
    for clip, together in zip(clips(), backend[1](clips()), strict=True):
        [alone] = backend[1]([clip])
        same(alone, together)


def test_the_same_clip_gives_the_same_answer_twice(backend: tuple[Any, Hear]) -> None:
    first, second = backend[1](clips()), backend[1](clips())
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(numbers(one), numbers(other))


@pytest.mark.parametrize("n", [0, 1, 160, 16_000])
def test_silence_and_the_shortest_clips_are_answered(backend: tuple[Any, Hear], n: int) -> None:
    [answer] = backend[1]([np.zeros(n, dtype=np.float32)])
    assert np.isfinite(numbers(answer)).all()


def test_loud_noise_is_answered_beside_speech(backend: tuple[Any, Hear]) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 12_345).astype(np.float32)
    answers = backend[1]([noise, clips()[0]])
    assert all(np.isfinite(numbers(a)).all() for a in answers)
    same(answers[1], backend[1]([clips()[0]])[0])


def test_arguments_are_not_changed(backend: tuple[Any, Hear]) -> None:
    given = clips()
    for clip in given:
        clip.flags.writeable = False
    before = [clip.copy() for clip in given]
    backend[1](given)
    assert all(np.array_equal(a, b) for a, b in zip(given, before, strict=True))


def test_info_names_the_weights_by_digest(backend: tuple[Any, Hear]) -> None:
    info = backend[0].info
    assert len(info.weights_sha256) == 64
    assert info.kind in ("voice_activity", "pitch", "speaker_encoder")
    assert info.name
    assert info.device == "cpu"


def test_encoders_give_unit_vectors_of_their_dimension(backend: tuple[Any, Hear]) -> None:
    model, hear = backend
    if model.info.kind != "speaker_encoder":
        return
    for vector in hear(clips()):
        assert vector.shape == (model.dimension,)
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)
    short = np.ones(int(model.min_speech_s * 16_000) - 1, dtype=np.float32)
    assert isinstance(hear([short])[0], Unmeasured)


@pytest.mark.skipif("not __import__('torch').cuda.is_available()", reason="no CUDA device")
@pytest.mark.parametrize("maker", [SileroVad, SwiftF0, Ge2e])
def test_the_gpu_agrees_with_the_cpu(maker: Any) -> None:
    kind = {SileroVad: "voice_activity", SwiftF0: "pitch", Ge2e: "speaker_encoder"}[maker]
    ref = resolve(kind, "embedded")
    method = {"voice_activity": "speech_prob", "pitch": "pitch", "speaker_encoder": "embed"}[kind]
    here, there = (getattr(maker(ref.path, ref.sha256, device=d), method)(clips()) for d in ("cpu", "cuda"))
    for one, other in zip(here, there, strict=True):
        same(one, other)
