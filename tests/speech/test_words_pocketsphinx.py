"""The embedded English ears on real speech: words, where they are, and whether a text was said."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))

from ljspeech_script import load

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.pocketsphinx import EnglishModel, PocketSphinxTranscriber, packaged_model
from dubgate.speech.sphinx_aligner import PlacedText, PocketSphinxAligner, _scored
from dubgate.speech.sphinx_search import Stretch
from dubgate.unmeasured import Unmeasured, measured

TEXT = "in being comparatively modern."


@pytest.fixture(scope="module")
def transcriber() -> PocketSphinxTranscriber:
    return PocketSphinxTranscriber()


@pytest.fixture(scope="module")
def aligner() -> PocketSphinxAligner:
    return PocketSphinxAligner()


@pytest.fixture(scope="module")
def clip(speech: Path) -> Floats:
    """LJ001-0002: "in being comparatively modern.", 1.9 s."""
    if not (speech / "ljspeech").is_dir():
        pytest.skip("no real speech: ljspeech is not in the shared folder")
    return next(sound for name, _, sound in load(speech / "ljspeech") if name == "LJ001-0002")


def placed(aligner: PocketSphinxAligner, clip: Floats, text: str) -> PlacedText:
    return measured(aligner.align([clip], [text], language="en")[0])


def test_speech_is_written_down_with_times_inside_the_clip(transcriber: PocketSphinxTranscriber, clip: Floats) -> None:
    words = measured(transcriber.transcribe([clip], language="en")[0])
    assert {"being", "comparatively"} <= {w.text for w in words}
    assert all(0 <= w.span.start_s < w.span.end_s <= clip.size / 16_000 + 0.01 for w in words)
    assert all(0.0 <= w.prob <= 1.0 for w in words)


def test_what_a_clip_gives_does_not_depend_on_what_was_heard_before(
    transcriber: PocketSphinxTranscriber, clip: Floats
) -> None:
    """PocketSphinx carries noise and cepstral mean from one utterance to the next unless told to forget."""
    loud = np.random.default_rng(0).normal(0, 0.3, 32_000).astype(np.float32)
    alone = transcriber.transcribe([clip], language="en")[0]
    assert transcriber.transcribe([loud, clip, loud], language="en")[1] == alone


def test_a_text_that_was_said_fits_and_its_words_are_in_order(aligner: PocketSphinxAligner, clip: Floats) -> None:
    out = placed(aligner, clip, TEXT)
    assert [w.text for w in out.words] == ["in", "being", "comparatively", "modern"]
    assert out.score > -1.5
    assert out.words[3].span.start_s == pytest.approx(1.27, abs=0.06)
    assert all(a.span.end_s <= b.span.start_s + 1e-9 for a, b in zip(out.words, out.words[1:], strict=False))


def test_a_text_that_was_not_said_does_not_fit(aligner: PocketSphinxAligner, clip: Floats) -> None:
    assert placed(aligner, clip, "has never been surpassed").score < -5.0


def test_in_a_text_that_was_said_but_for_one_word_that_word_stands_out(
    aligner: PocketSphinxAligner, clip: Floats
) -> None:
    probs = [w.prob for w in placed(aligner, clip, "in being comparatively useful").words]
    assert probs[3] < 0.05 < min(probs[:3])


def test_the_text_is_found_among_other_speech(aligner: PocketSphinxAligner, clip: Floats, speech: Path) -> None:
    clips = {name: sound for name, _, sound in load(speech / "ljspeech")}
    before, after = clips["LJ001-0005"][8000:24_000], clips["LJ001-0008"][8000:24_000]
    out = placed(aligner, np.concatenate([before, clip, after]), TEXT)
    assert out.score > -1.5
    assert out.words[0].span.start_s == pytest.approx(1.0, abs=0.1)
    assert out.words[3].span.end_s == pytest.approx(1.0 + 1.8, abs=0.15)


def test_a_name_that_no_dictionary_lists_is_placed_by_its_spelling(aligner: PocketSphinxAligner, clip: Floats) -> None:
    out = placed(aligner, clip, "in being comparatively moddern")
    assert out.words[3].text == "moddern"
    assert out.score > -2.0


def test_words_in_other_alphabets_are_left_unaligned(aligner: PocketSphinxAligner, clip: Floats) -> None:
    assert [w.text for w in placed(aligner, clip, "in being сравнительно modern").words] == ["in", "being", "modern"]
    assert isinstance(aligner.align([clip], ["сравнительно"], language="en")[0], Unmeasured)


def test_a_text_too_long_for_the_clip_is_unmeasured(aligner: PocketSphinxAligner, clip: Floats) -> None:
    [out] = aligner.align([clip[:4000]], [TEXT * 3], language="en")
    assert isinstance(out, Unmeasured)


@pytest.mark.parametrize("n_heard", [0, 1])
def test_a_path_of_half_a_line_is_unmeasured(n_heard: int) -> None:
    path = [Stretch("small", 0, 4, -1.0), Stretch("<sil>", 5, 9, -1.0)][1 - n_heard :]
    assert isinstance(_scored(path, np.full(10, -1.0), 2), Unmeasured)
    assert isinstance(_scored(path, np.full(10, -1.0), 1), PlacedText if n_heard else Unmeasured)


def test_other_languages_are_unmeasured_and_named(
    transcriber: PocketSphinxTranscriber, aligner: PocketSphinxAligner
) -> None:
    sound = np.zeros(16_000, np.float32)
    for out in (transcriber.transcribe([sound], language="de"), aligner.align([sound], ["ja"], language="de")):
        assert isinstance(out[0], Unmeasured)
        assert "de" in out[0].reason
    assert isinstance(transcriber.identify_language([sound])[0], Unmeasured)


def test_the_digest_covers_names_and_bytes_of_every_file(tmp_path: Path) -> None:
    def model(**files: bytes) -> EnglishModel:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        (folder / "hmm").mkdir(parents=True)
        contents = {"hmm/means": b"m", "dict": b"d", "lm": b"l", "phones": b"p"} | {
            k.replace("_", "/"): v for k, v in files.items()
        }
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        return EnglishModel(folder / "hmm", folder / "dict", folder / "lm", folder / "phones")

    same = model().sha256()
    assert model().sha256() == same
    changed = [model(**{name: b"x"}).sha256() for name in ("hmm_means", "dict", "lm", "phones", "hmm_more")]
    assert len({same, *changed}) == 6


def test_a_model_that_is_not_there_is_a_model_error(tmp_path: Path) -> None:
    good = packaged_model()
    with pytest.raises(ModelError):
        PocketSphinxTranscriber(EnglishModel(tmp_path, good.dictionary, good.language_model, good.phone_model))
