"""The contract of speech/protocols.py, for every transcriber and aligner there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_ctc
import tiny_whisper

from dubgate.features import Floats, Word
from dubgate.speech.ctc import CtcAligner
from dubgate.speech.faster_whisper import FasterWhisperTranscriber
from dubgate.speech.pocketsphinx import PocketSphinxTranscriber
from dubgate.speech.protocols import Aligner, Transcriber
from dubgate.speech.sphinx_aligner import PocketSphinxAligner
from dubgate.unmeasured import Unmeasured

DIGEST = "0123456789abcdef" * 4
Build = Callable[[Path], Any]

TRANSCRIBERS: dict[str, Build] = {
    "pocketsphinx": lambda _: PocketSphinxTranscriber(),
    "faster-whisper": lambda folder: FasterWhisperTranscriber(
        tiny_whisper.build(folder / "whisper", " It is a test."), DIGEST, threads=1
    ),
}
ALIGNERS: dict[str, Build] = {
    "pocketsphinx": lambda _: PocketSphinxAligner(),
    "ctc-onnx": lambda folder: CtcAligner(tiny_ctc.build_onnx(folder / "onnx")[0], DIGEST),
    "ctc-wav2vec2": lambda folder: CtcAligner(tiny_ctc.build_wav2vec2(folder / "wav2vec2"), DIGEST),
}


@pytest.fixture(scope="module", params=TRANSCRIBERS)
def transcriber(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    model: Transcriber = TRANSCRIBERS[request.param](tmp_path_factory.mktemp("model"))
    return model


@pytest.fixture(scope="module", params=ALIGNERS)
def aligner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Aligner:
    model: Aligner = ALIGNERS[request.param](tmp_path_factory.mktemp("model"))
    return model


def vowel(f0_hz: float, seconds: float, seed: int) -> Floats:
    """A buzz through two resonances with a little noise: near enough to speech to make a model say something."""
    n = int(seconds * 16_000)
    t = np.arange(n) / 16_000
    rng = np.random.default_rng(seed)
    buzz = sum(np.sin(2 * np.pi * f0_hz * k * t) / (1 + ((f0_hz * k - 700) / 300) ** 2) for k in range(1, 30))
    return (0.1 * buzz * (1 + 0.5 * np.sin(2 * np.pi * 4 * t)) + 0.01 * rng.normal(size=n)).astype(np.float32)


CLIPS = (vowel(120, 1.5, 0), vowel(210, 2.5, 1), vowel(95, 0.8, 2))
TEXTS = ("it is a test", "another line of words", "no")


def _close(left: object, right: object) -> bool:
    """Equal, but for the last digits that the order of sums in a batch decides."""
    if isinstance(left, Word) and isinstance(right, Word):
        return left.text == right.text and left.span == right.span and abs(left.prob - right.prob) < 1e-3
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(_close, left, right))
    return left == right


def _flat(placed: Iterable[Any]) -> list[Any]:
    return [p if isinstance(p, Unmeasured) else (p.words, round(p.score, 4)) for p in placed]


def test_transcribers_give_an_answer_a_clip_in_order(transcriber: Transcriber) -> None:
    together = transcriber.transcribe(CLIPS, language="en")
    assert len(together) == len(CLIPS)
    for clip, words in zip(CLIPS, together, strict=True):
        assert _close(transcriber.transcribe([clip], language="en")[0], words)
    assert transcriber.transcribe([], language="en") == []
    assert transcriber.identify_language([]) == []


def test_transcribers_say_the_same_twice(transcriber: Transcriber) -> None:
    assert transcriber.transcribe(CLIPS, language="en") == transcriber.transcribe(CLIPS, language="en")
    assert transcriber.identify_language(CLIPS) == transcriber.identify_language(CLIPS)


@pytest.mark.parametrize("n", [0, 1, 160, 16_000])
def test_silence_and_scraps_have_no_words_and_raise_nothing(transcriber: Transcriber, n: int) -> None:
    [words] = transcriber.transcribe([np.zeros(n, np.float32)], language="en")
    assert isinstance(words, (tuple, Unmeasured))
    [probs] = transcriber.identify_language([np.zeros(n, np.float32)])
    assert isinstance(probs, (tuple, Unmeasured))


def test_transcribers_leave_their_arguments_alone(transcriber: Transcriber) -> None:
    copies = [clip.copy() for clip in CLIPS]
    for clip in copies:
        clip.flags.writeable = False
    transcriber.transcribe(copies, language="en")
    transcriber.identify_language(copies)
    for copy, clip in zip(copies, CLIPS, strict=True):
        assert np.array_equal(copy, clip)


def test_a_language_that_is_not_heard_is_unmeasured_for_every_clip(transcriber: Transcriber) -> None:
    out = transcriber.transcribe(CLIPS, language="tlh")
    assert [type(o) for o in out] == [Unmeasured] * len(CLIPS)


def test_transcribers_are_named_by_their_weights(transcriber: Transcriber) -> None:
    assert transcriber.info.kind == "transcriber"
    assert len(transcriber.info.weights_sha256) == 64


def test_aligners_give_an_answer_a_clip_in_order(aligner: Aligner) -> None:
    together = _flat(aligner.align(CLIPS, TEXTS, language="en"))
    assert len(together) == len(CLIPS)
    alone = [_flat(aligner.align([c], [t], language="en"))[0] for c, t in zip(CLIPS, TEXTS, strict=True)]
    assert together == alone
    assert together == _flat(aligner.align(CLIPS, TEXTS, language="en"))
    assert aligner.align([], [], language="en") == []


def test_aligned_words_are_the_spoken_words_of_the_text_inside_the_clip(aligner: Aligner) -> None:
    for clip, text, out in zip(CLIPS, TEXTS, aligner.align(CLIPS, TEXTS, language="en"), strict=True):
        assert not isinstance(out, Unmeasured)
        assert [w.text for w in out.words] == text.split()
        assert all(0 <= w.span.start_s <= w.span.end_s <= clip.size / 16_000 + 0.02 for w in out.words)
        assert np.isfinite(out.score)


@pytest.mark.parametrize("n", [0, 1, 160, 16_000])
@pytest.mark.parametrize("text", ["", "…", "hello there", "東京"])
def test_silence_scraps_and_empty_texts_raise_nothing(aligner: Aligner, n: int, text: str) -> None:
    [out] = aligner.align([np.zeros(n, np.float32)], [text], language="en")
    assert isinstance(out, Unmeasured) or np.isfinite(out.score)
    if not text.isascii() or not text:
        assert isinstance(out, Unmeasured)


def test_aligners_leave_their_arguments_alone(aligner: Aligner) -> None:
    copies = [clip.copy() for clip in CLIPS]
    for clip in copies:
        clip.flags.writeable = False
    aligner.align(copies, TEXTS, language="en")
    for copy, clip in zip(copies, CLIPS, strict=True):
        assert np.array_equal(copy, clip)


def test_texts_and_clips_must_pair_up(aligner: Aligner) -> None:
    with pytest.raises(ValueError):
        aligner.align(CLIPS, TEXTS[:2], language="en")


def test_aligners_are_named_by_their_weights(aligner: Aligner) -> None:
    assert aligner.info.kind == "aligner"
    assert len(aligner.info.weights_sha256) == 64
