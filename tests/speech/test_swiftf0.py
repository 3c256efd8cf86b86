"""SwiftF0: known pitches, the package's own results, and windows that change nothing."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="dubgate[audio] is not installed")

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech import swiftf0 as module
from dubgate.speech.models import resolve
from dubgate.speech.selftest import VOICES, utterance
from dubgate.speech.swiftf0 import HOP_S, SwiftF0


@pytest.fixture(scope="module")
def tracker() -> SwiftF0:
    ref = resolve("pitch")
    return SwiftF0(ref.path, ref.sha256)


def pulses(f0_hz: Floats, seconds: float) -> tuple[Floats, Floats]:
    """A speech-like buzz whose pitch runs through `f0_hz`, and its true pitch every 16 ms."""
    n = int(seconds * 16_000)
    time = np.arange(n) / 16_000
    hz = np.interp(time, np.linspace(0, seconds, len(f0_hz)), f0_hz)
    phase = 2 * np.pi * np.cumsum(hz) / 16_000
    sound = sum(
        np.sin(k * phase) * (hz * k < 7_000) / k * (1 + 2 * np.exp(-((hz * k - 700) ** 2) / 5e4)) for k in range(1, 60)
    )
    truth = np.interp(np.arange(n // 256) * HOP_S, time, hz)
    return (0.1 * sound / np.abs(sound).max()).astype(np.float32), truth.astype(np.float32)


@pytest.mark.parametrize("f0", [(80, 120, 90, 150), (180, 320, 200, 260), (70, 390)])
def test_gross_errors_on_known_pitch_stay_under_two_percent(tracker: SwiftF0, f0: tuple[float, ...]) -> None:
    sound, truth = pulses(np.array(f0, dtype=np.float32), 4.0)
    [found] = tracker.pitch([sound])
    voiced = ~np.isnan(found.f0_hz.values)
    assert voiced.mean() > 0.95
    assert (np.abs(found.f0_hz.values[voiced] / truth[voiced] - 1) > 0.2).mean() < 0.02
    assert np.median(np.abs(12 * np.log2(found.f0_hz.values[voiced] / truth[voiced]))) < 0.2


def test_it_reports_what_the_package_reports(tracker: SwiftF0) -> None:
    import swift_f0

    sound = np.concatenate([utterance(v, s) for v in VOICES for s in (1, 2)] * 5)  # 72 s: nine windows
    theirs = swift_f0.SwiftF0(threads=1).detect(sound, 16_000, module.MIN_HZ, module.MAX_HZ)
    [ours] = tracker.pitch([sound])
    assert np.abs(ours.confidence.values - theirs.confidence).max() < 1e-5
    voiced = theirs.confidence >= module.VOICED_CONFIDENCE
    assert np.array_equal(~np.isnan(ours.f0_hz.values), voiced)
    assert np.allclose(ours.f0_hz.values[voiced], theirs.pitch_hz[voiced], rtol=1e-5)


def test_windows_do_not_change_the_result(tracker: SwiftF0, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.concatenate([utterance(VOICES[0], 1), utterance(VOICES[1], 2)])
    [whole] = tracker.pitch([sound])
    monkeypatch.setattr(tracker, "_window_frames", 40)
    [cut] = tracker.pitch([sound])
    assert np.abs(cut.confidence.values - whole.confidence.values).max() < 1e-4
    assert np.allclose(cut.f0_hz.values, whole.f0_hz.values, rtol=1e-4, equal_nan=True)


def test_noise_and_silence_are_unvoiced(tracker: SwiftF0) -> None:
    rng = np.random.default_rng(0)
    hiss = (0.05 * rng.standard_normal(32_000)).astype(np.float32)
    answers = tracker.pitch([hiss, np.zeros(32_000, dtype=np.float32)])
    assert np.isnan(answers[0].f0_hz.values).mean() > 0.9
    assert np.isnan(answers[1].f0_hz.values).all()
    assert not answers[1].confidence.values.any()


def test_pitch_stays_inside_the_band() -> None:
    ref = resolve("pitch")
    sound, _ = pulses(np.array([300.0, 300.0], dtype=np.float32), 2.0)
    [low] = SwiftF0(ref.path, ref.sha256, min_hz=65, max_hz=200).pitch([sound])
    assert not (low.f0_hz.values > 210).any()
    with pytest.raises(ValueError, match="band"):
        SwiftF0(ref.path, ref.sha256, min_hz=400, max_hz=65)


def test_clips_of_any_length_are_heard_together_as_alone(tracker: SwiftF0) -> None:
    rng = np.random.default_rng(1)
    noisy = [(utterance(v, 3) + 0.01 * rng.standard_normal(38_400)).astype(np.float32) for v in VOICES]
    sounds = [*noisy, noisy[0][:999], noisy[1][:100], np.concatenate(noisy)]
    for together, alone in zip(tracker.pitch(sounds), [tracker.pitch([s])[0] for s in sounds], strict=True):
        assert np.abs(together.confidence.values - alone.confidence.values).max() < 1e-4
        both = ~np.isnan(together.f0_hz.values) & ~np.isnan(alone.f0_hz.values)
        assert np.allclose(together.f0_hz.values[both], alone.f0_hz.values[both], rtol=1e-4)
        assert (np.isnan(together.f0_hz.values) != np.isnan(alone.f0_hz.values)).mean() < 0.01


def test_another_network_is_refused() -> None:
    other = resolve("voice_activity").path
    with pytest.raises(ModelError, match="not SwiftF0"):
        SwiftF0(other, "0" * 64)
    with pytest.raises(ModelError, match="not a readable ONNX"):
        SwiftF0(resolve("speaker_encoder", "ge2e").path, "0" * 64)
