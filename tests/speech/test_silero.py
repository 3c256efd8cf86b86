"""silero-vad in torch against the package's own network, whole and in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.activity import speech_spans
from dubgate.speech.models import resolve
from dubgate.speech.selftest import VOICES, utterance
from dubgate.speech.silero import HOP_S, SileroVad


@pytest.fixture(scope="module")
def vad() -> SileroVad:
    ref = resolve("voice_activity")
    return SileroVad(ref.path, ref.sha256)


def speech_and_gap() -> Floats:
    rng = np.random.default_rng(3)
    gap = (1e-4 * rng.standard_normal(24_000)).astype(np.float32)
    return np.concatenate([gap, utterance(VOICES[0], 1), gap, utterance(VOICES[1], 2), gap])


def test_it_agrees_with_the_networks_own_runner(vad: SileroVad) -> None:
    from silero_vad.sequence_vad import SileroVADSequence

    sound = np.concatenate([speech_and_gap()] * 3)
    [ours] = vad.speech_prob([sound])
    theirs = SileroVADSequence(str(resolve("voice_activity").path)).audio_forward(sound)
    assert np.abs(ours.values - theirs).max() < 1e-5
    assert ours.hop_s == HOP_S == 0.032


def test_it_agrees_with_the_packages_streaming_model(vad: SileroVad) -> None:
    import torch
    from silero_vad import load_silero_vad

    sound = speech_and_gap()
    theirs = load_silero_vad().audio_forward(torch.from_numpy(sound)[None], 16_000)[0].numpy()
    assert np.abs(vad.speech_prob([sound])[0].values - theirs).max() < 1e-4


@given(st.lists(st.integers(0, 20_000), max_size=12))
@settings(max_examples=20, deadline=None)
def test_a_signal_in_blocks_is_heard_as_the_whole(vad: SileroVad, sizes: list[int]) -> None:
    sound, at, blocks = speech_and_gap(), 0, []
    for size in sizes:
        blocks.append(sound[at : at + size])
        at += size
    blocks.append(sound[at:])
    parts, whole = vad.speech_prob_blocks(iter(blocks)), vad.speech_prob([sound])[0]
    assert parts.values.shape == whole.values.shape
    assert np.abs(parts.values - whole.values).max() < 1e-5


def test_no_blocks_give_no_steps(vad: SileroVad) -> None:
    assert vad.speech_prob_blocks([]).values.size == 0


def test_real_speech_is_found_and_the_pauses_are_not(vad: SileroVad, speech: Path) -> None:
    import soundfile

    sound, _ = soundfile.read(sorted((speech / "librispeech").glob("*/*.flac"))[0], dtype="float32")
    gap = np.zeros(32_000, dtype=np.float32)
    spans = speech_spans(vad.speech_prob([np.concatenate([gap, sound, gap])])[0])
    assert spans[0].start_s == pytest.approx(2.0, abs=0.7)
    assert spans[-1].end_s == pytest.approx(2.0 + sound.size / 16_000, abs=0.7)


def test_another_onnx_file_is_refused() -> None:
    with pytest.raises(ModelError, match="not silero-vad"):
        SileroVad(resolve("pitch").path, "0" * 64)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = resolve("voice_activity").path.read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"cut\.onnx"):
        SileroVad(tmp_path / "cut.onnx", "0" * 64)
