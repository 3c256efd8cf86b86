"""faster-whisper from a folder: a known answer, incomplete folders refused, and no network whatever happens."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_whisper import build

from dubgate.errors import ModelError
from dubgate.features import Floats, Word
from dubgate.speech.faster_whisper import FasterWhisperTranscriber, _windows_at_once, check_folder
from dubgate.unmeasured import Unmeasured, measured

SAYS = " Hello, brave new world."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("whisper") / "tiny", SAYS)


@pytest.fixture(scope="module")
def whisper(folder: Path) -> FasterWhisperTranscriber:
    return FasterWhisperTranscriber(folder, "ab" * 32, name="tiny", threads=1)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a check opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def noise(seconds: float, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * 16_000)).astype(np.float32)


def test_the_words_of_the_model_come_back_in_order_inside_the_clip(whisper: FasterWhisperTranscriber) -> None:
    [words] = whisper.transcribe([noise(3.0)], language="en")
    words = measured(words)
    assert [w.text for w in words] == ["Hello,", "brave", "new", "world."]
    assert all(0.0 <= w.prob <= 1.0 for w in words)
    edges = [t for w in words for t in (w.span.start_s, w.span.end_s)]
    assert edges == sorted(edges)
    assert edges[-1] <= 3.0


def test_a_clip_longer_than_a_window_is_heard_in_two_with_times_of_its_own(whisper: FasterWhisperTranscriber) -> None:
    clip = noise(40.0)
    clip[16_000 * 25 : 16_000 * 26] = 0.0
    [words] = whisper.transcribe([clip], language="en")
    words = measured(words)
    assert [w.text for w in words] == ["Hello,", "brave", "new", "world."] * 2
    assert words[3].span.end_s <= 26.0
    assert words[4].span.start_s >= 25.0
    assert words[7].span.end_s <= 40.0


def test_a_batch_smaller_than_the_clips_changes_nothing(folder: Path, whisper: FasterWhisperTranscriber) -> None:
    clips = [noise(1.0 + k, seed=k) for k in range(5)]
    one_by_one = FasterWhisperTranscriber(folder, "00", batch=1, threads=1)
    assert [[w.text for w in measured(c)] for c in one_by_one.transcribe(clips, language="en")] == [
        [w.text for w in measured(c)] for c in whisper.transcribe(clips, language="en")
    ]


def test_where_memory_runs_out_batches_are_halved_and_nothing_changes(
    folder: Path, whisper: FasterWhisperTranscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = FasterWhisperTranscriber(folder, "00", batch=8, threads=1)
    decode, sizes = small._decode, []

    def at_most_two(pieces: Sequence[Floats], code: str) -> list[list[Word]]:
        sizes.append(len(pieces))
        if len(pieces) > 2:
            raise RuntimeError("CUDA failed with error out of memory")
        return decode(pieces, code)

    monkeypatch.setattr(small, "_decode", at_most_two)
    clips = [noise(1.0 + k, seed=k) for k in range(5)]
    assert small.transcribe(clips, language="en") == whisper.transcribe(clips, language="en")
    assert sizes == [5, 2, 2, 1]


@pytest.mark.parametrize(
    ("free_gb", "model_gb", "batch"), [(139.0, 3.1, 32), (8.0, 3.1, 9), (8.0, 0.15, 32), (0.5, 3.1, 1), (0.0, 3.1, 1)]
)
def test_a_gpus_batch_is_what_half_of_its_free_memory_holds(
    free_gb: float, model_gb: float, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda: (int(free_gb * 1e9), int(141e9)))
    assert _windows_at_once("cuda", int(model_gb * 1e9)) == batch
    assert _windows_at_once("cpu", int(model_gb * 1e9)) == 8


def test_silence_has_no_words_though_the_model_would_say_some(whisper: FasterWhisperTranscriber) -> None:
    assert whisper.transcribe([np.zeros(48_000, np.float32)], language="en") == [()]


def test_languages_come_with_probabilities_that_sum_to_one(whisper: FasterWhisperTranscriber) -> None:
    [probs, nothing] = whisper.identify_language([noise(2.0), np.zeros(32_000, np.float32)])
    probs = measured(probs)
    assert probs[0] == ("de", max(p for _, p in probs))  # the model is built to hear German
    assert sum(p for _, p in probs) == pytest.approx(1.0, abs=1e-3)
    assert isinstance(nothing, Unmeasured)
    assert whisper.languages is not None
    assert {tag for tag, _ in probs} == whisper.languages


@pytest.mark.parametrize(("tag", "heard"), [("en-GB", True), ("nb", True), ("fil", True), ("jv", True), ("gsw", False)])
def test_languages_are_asked_for_by_their_bcp_47_tags(whisper: FasterWhisperTranscriber, tag: str, heard: bool) -> None:
    [words] = whisper.transcribe([noise(1.0)], language=tag)
    assert isinstance(words, Unmeasured) is not heard


def test_an_english_only_model_hears_english_and_tells_no_languages_apart(tmp_path: Path) -> None:
    english = FasterWhisperTranscriber(build(tmp_path / "en", SAYS, multilingual=False), "00", threads=1)
    assert english.languages == {"en"}
    assert measured(english.transcribe([noise(2.0)], language="en")[0])[0].text == "Hello,"
    assert isinstance(english.transcribe([noise(2.0)], language="de")[0], Unmeasured)
    assert isinstance(english.identify_language([noise(2.0)])[0], Unmeasured)


def test_a_model_of_128_mel_bands_runs_without_a_preprocessor_config(tmp_path: Path) -> None:
    large = FasterWhisperTranscriber(build(tmp_path / "v3", SAYS, n_mels=128), "00", threads=1)
    assert len(measured(large.transcribe([noise(1.0)], language="en")[0])) == 4


def test_a_loop_of_the_model_is_cut_after_the_third_round(tmp_path: Path) -> None:
    looping = FasterWhisperTranscriber(build(tmp_path / "loop", " go" * 12), "00", threads=1)
    assert [w.text for w in measured(looping.transcribe([noise(5.0)], language="en")[0])] == ["go"] * 3


def test_more_text_than_anybody_can_say_is_not_believed(tmp_path: Path) -> None:
    hasty = FasterWhisperTranscriber(build(tmp_path / "hasty", " unbelievable quantities of chatter noted"), "00")
    assert hasty.transcribe([noise(0.4)], language="en") == [()]
    assert len(measured(hasty.transcribe([noise(4.0)], language="en")[0])) == 5


@pytest.mark.parametrize("name", ["tokenizer.json", "model.bin", "config.json", "vocabulary.json"])
def test_a_folder_that_lacks_a_file_is_refused_before_anything_is_asked_of_a_hub(tmp_path: Path, name: str) -> None:
    folder = build(tmp_path / "tiny", SAYS)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name.split(".")[0]):
        FasterWhisperTranscriber(folder, "00")


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        check_folder(tmp_path / "large-v3")


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_damaged_file_is_a_model_error(tmp_path: Path, name: str) -> None:
    folder = build(tmp_path / "tiny", SAYS)
    (folder / name).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot load"):
        FasterWhisperTranscriber(folder, "00")


def test_the_report_names_the_weights_by_the_digest_given(whisper: FasterWhisperTranscriber) -> None:
    assert whisper.info.weights_sha256 == "ab" * 32
    assert whisper.info.embedded is False
    assert "ctranslate2" in whisper.info.version
