"""GE2E: the front end against librosa, vectors against Resemblyzer's own encoder, error rate on real readers."""

from __future__ import annotations

import sys
import types
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

import torch

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech import ge2e as module
from dubgate.speech.calibration_fit import equal_error_rate
from dubgate.speech.ge2e import Ge2e, at_level, mel_filters, partial_starts
from dubgate.speech.models import resolve
from dubgate.speech.selftest import VOICES, utterance


@pytest.fixture(scope="module")
def encoder() -> Ge2e:
    ref = resolve("speaker_encoder", "ge2e")
    return Ge2e(ref.path, ref.sha256)


@pytest.fixture
def resemblyzer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package itself; the modules that it no longer finds are stood in for."""
    import scipy.ndimage

    morphology = types.ModuleType("scipy.ndimage.morphology")
    morphology.binary_dilation = scipy.ndimage.binary_dilation  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "webrtcvad", types.ModuleType("webrtcvad"))
    monkeypatch.setitem(sys.modules, "scipy.ndimage.morphology", morphology)
    return pytest.importorskip("resemblyzer", reason="resemblyzer is not installed")


def test_the_mel_filters_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    assert np.abs(mel_filters() - librosa.filters.mel(sr=16_000, n_fft=400, n_mels=40)).max() < 1e-7


def test_the_mel_spectrogram_is_librosas(encoder: Ge2e) -> None:
    librosa = pytest.importorskip("librosa")
    for seed, voice in enumerate(VOICES):
        sound = utterance(voice, seed)
        theirs = librosa.feature.melspectrogram(y=sound, sr=16_000, n_fft=400, hop_length=160, n_mels=40).T
        [ours] = [m.numpy() for m in encoder.mels([sound])]
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 1e-4


def test_a_sound_is_analysed_as_if_none_lay_beside_it(encoder: Ge2e) -> None:
    sounds = [utterance(v, s)[: 9_000 + 7_777 * s] for s, v in enumerate(VOICES)]
    together = encoder.mels(sounds)
    for sound, mel in zip(sounds, together, strict=True):
        assert mel.shape == (1 + sound.size // 160, 40)
        assert float((mel - encoder.mels([sound])[0]).abs().max()) < 1e-6


def test_vectors_are_resemblyzers_where_partials_lie_where_its_own_do(
    encoder: Ge2e, resemblyzer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = resemblyzer.VoiceEncoder("cpu", verbose=False)
    sounds = [np.concatenate([utterance(v, s) for s in range(n)]) for v, n in zip(VOICES, (1, 2, 4), strict=True)]
    sounds += [0.01 * sounds[0], sounds[1][:9_000]]
    rule = resemblyzer.VoiceEncoder.compute_partial_slices
    monkeypatch.setattr(module, "partial_starts", lambda n: [m.start for m in rule(n, 1.3, 0.75)[1]])
    for sound, ours in zip(sounds, encoder.embed(sounds), strict=True):
        assert isinstance(ours, np.ndarray)
        assert np.abs(ours - theirs.embed_utterance(at_level(sound))).max() < 1e-5


def test_fewer_partials_move_a_vector_little(encoder: Ge2e, resemblyzer: Any) -> None:
    theirs = resemblyzer.VoiceEncoder("cpu", verbose=False)
    sound = np.concatenate([utterance(VOICES[0], s) for s in range(3)])
    [ours] = encoder.embed([sound])
    assert isinstance(ours, np.ndarray)
    assert float(ours @ theirs.embed_utterance(at_level(sound))) > 0.98


@given(st.integers(1, 1_000_000))
def test_partials_lie_inside_a_clip_and_leave_little_unheard(n_samples: int) -> None:
    starts = partial_starts(n_samples)
    n_frames = max(160, n_samples // 160)
    heard = np.zeros(n_frames, dtype=bool)
    for start in starts:
        assert 0 <= start <= n_frames - 160
        heard[start : start + 160] = True
    assert (~heard).sum() <= 32 * max(1, len(starts) - 1)
    assert all(a < b for a, b in pairwise(starts))
    assert len(starts) <= n_frames / 160 + 1


def test_quiet_speech_is_raised_and_loud_speech_left() -> None:
    sound = utterance(VOICES[0], 1)  # -20 dBFS
    assert np.array_equal(at_level(sound), sound)
    assert 20 * np.log10(np.sqrt(np.mean(at_level(sound * 1e-3) ** 2))) == pytest.approx(-30, abs=0.01)


def test_readers_are_told_apart_with_at_most_one_percent_error(encoder: Ge2e, speech: Path) -> None:
    sounds, who = _net_speech(speech)
    vectors = np.array([v for v in encoder.embed(sounds) if isinstance(v, np.ndarray)])
    assert len(vectors) == len(who) == 50
    alike, (i, j) = vectors @ vectors.T, np.triu_indices(50, 1)
    same = np.array([who[a] == who[b] for a, b in zip(i, j, strict=True)])
    assert equal_error_rate(alike[i, j][same], alike[i, j][~same]) <= 0.01


def _net_speech(speech: Path) -> tuple[list[Floats], list[str]]:
    """LibriSpeech utterances as a check hears them: voice activity, 150 ms kept around speech, pauses out."""
    import soundfile

    from dubgate.spans import union
    from dubgate.speech.activity import speech_spans
    from dubgate.speech.silero import SileroVad

    ref = resolve("voice_activity")
    files = sorted((speech / "librispeech").glob("*/*.flac"))
    sounds = [soundfile.read(f, dtype="float32")[0] for f in files]
    kept = []
    for sound, prob in zip(sounds, SileroVad(ref.path, ref.sha256).speech_prob(sounds), strict=True):
        spans = union(s.padded(0.15) for s in speech_spans(prob))
        kept.append(np.concatenate([sound[round(s.start_s * 16_000) : round(s.end_s * 16_000)] for s in spans]))
    return kept, [f.parent.name for f in files]


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"model_state": Evil()}, tmp_path / "pretrained.pt")
    with pytest.raises(ModelError, match="does not hold GE2E"):
        Ge2e(tmp_path / "pretrained.pt", "0" * 64)
    assert not (tmp_path / "ran").exists()
