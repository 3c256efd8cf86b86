"""Whisper through faster-whisper and CTranslate2, from a local folder: batched, with word times, nothing fetched.

Decoding is a beam search at temperature 0 without text carried from window to window: the same sound gives the same
words, and one window's mistake cannot spread to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats, Word
from dubgate.spans import Span
from dubgate.speech.batching import in_batches
from dubgate.speech.hallucination import believable
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language

T = TypeVar("T")

WINDOW_S = 30.0
_CPU_BATCH, _MOST_AT_ONCE = 8, 32
_LEAST_WINDOW_BYTES, _WINDOW_SHARE = 64 << 20, 0.12
_SHORTEST_CLIP_S = 0.1
_SILENT = 1e-4  # RMS, -80 dBFS
_LONGEST_WORD_S = 2.0  # attention stretches a word over the pause before it
_FEATURES_PER_S = 100
# Whisper's own rule for "nobody spoke" (openai/whisper, transcribe.py): both must hold.
_NO_SPEECH_PROB = 0.6
_NO_SPEECH_LOGPROB = -1.0
_NEEDED = (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt"))
# Whisper's names where they are not BCP-47 primary subtags.
_TO_WHISPER = {"jv": "jw", "fil": "tl", "nb": "no", "cmn": "zh"}
_FROM_WHISPER = {"jw": "jv", "tl": "fil"}


def check_folder(folder: Path) -> None:
    """Refuse a folder that lacks a file: without tokenizer.json, faster-whisper would ask a hub for one.

    Raises:
        ModelError: naming what is missing.
    """
    missing = [names[0] for names in _NEEDED if not any((folder / name).is_file() for name in names)]
    if missing:
        raise ModelError(
            f"not a CTranslate2 Whisper folder: {', '.join(missing)} is missing",
            where=str(folder),
            remedy="convert with ct2-transformers-converter --copy_files tokenizer.json preprocessor_config.json",
        )


class FasterWhisperTranscriber:
    """A Whisper model in CTranslate2's format.

    Args:
        weights: the model's folder.
        sha256: the folder's digest as checked by who resolved it; becomes part of every report.
        device: where it runs; on "cuda" the CUDA 12 libraries are loaded first.
        compute_type: CTranslate2's name; by default float16 on a GPU and int8 on a CPU.
        batch: windows decoded at once, halved where memory runs out; by default 8 on a CPU, and on a GPU what half of
            its free memory holds.

    Raises:
        ModelError: the folder is incomplete, or CTranslate2 cannot load it.
    """

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        name: str = "faster-whisper",
        device: Literal["cpu", "cuda"] = "cpu",
        compute_type: str | None = None,
        beam: int = 5,
        batch: int | None = None,
        threads: int = 0,
    ) -> None:
        check_folder(weights)
        compute_type = compute_type or ("float16" if device == "cuda" else "int8")
        self._model = _load(weights, device, compute_type, threads)
        self.languages: frozenset[str] | None = _languages(self._model)
        self.info = BackendInfo("transcriber", name, sha256, embedded=False, device=device, version=_version())
        self._beam = beam
        self.at_once = batch or _windows_at_once(device, (weights / "model.bin").stat().st_size)

    def transcribe(self, clips: Sequence[Floats], *, language: str) -> list[tuple[Word, ...] | Unmeasured]:
        """Words of each clip; Unmeasured for a language this model was not trained on."""
        code = _whisper_code(language)
        if self.languages is not None and _from_whisper(code) not in self.languages:
            return [Unmeasured(f"{self.info.name} does not hear {language}")] * len(clips)
        windows = [(k, at, piece) for k, clip in enumerate(clips) for at, piece in _windows(clip)]
        heard: list[list[Word]] = [[] for _ in clips]
        decoded = self._in_batches([piece for _, _, piece in windows], lambda pieces: self._decode(pieces, code))
        for (k, at, piece), words in zip(windows, decoded, strict=True):
            heard[k] += _shifted(believable(words, piece.size / SAMPLE_RATE_HZ), at)
        return [tuple(words) for words in heard]

    def identify_language(self, clips: Sequence[Floats]) -> list[tuple[tuple[str, float], ...] | Unmeasured]:
        """Probabilities over the first 30 s of each clip; Unmeasured for silence and for English-only models."""
        if not self._model.model.is_multilingual:
            return [Unmeasured(f"{self.info.name} hears English only and cannot tell languages apart")] * len(clips)
        audible = [k for k, clip in enumerate(clips) if _audible(clip)]
        out: list[tuple[tuple[str, float], ...] | Unmeasured]
        out = [Unmeasured("there is no sound to tell a language from")] * len(clips)
        told = self._in_batches([clips[k] for k in audible], self._tell_language)
        for k, probs in zip(audible, told, strict=True):
            out[k] = tuple((_from_whisper(token[2:-2]), float(prob)) for token, prob in probs)
        return out

    def _tell_language(self, pieces: Sequence[Floats]) -> list[list[tuple[str, float]]]:
        found: list[list[tuple[str, float]]] = self._model.model.detect_language(
            self._model.encode(self._features(pieces))
        )
        return found

    def _in_batches(self, pieces: Sequence[Floats], run: Callable[[Sequence[Floats]], Sequence[T]]) -> list[T]:
        """Whisper pads each piece to 30 s, so a batch costs by its number."""
        return in_batches(pieces, run, length_s=lambda _: WINDOW_S, budget_s=self.at_once * WINDOW_S)

    def _features(self, pieces: Sequence[Floats]) -> Floats:
        """Log-mel [shape=(n, n_mels, 3000)], padded to 30 s."""
        from faster_whisper.audio import pad_or_trim

        longest = int(WINDOW_S * SAMPLE_RATE_HZ)
        rows = [pad_or_trim(self._model.feature_extractor(_clean(p[:longest]))[..., :-1]) for p in pieces]
        return np.stack(rows).astype(np.float32)

    def _decode(self, pieces: Sequence[Floats], code: str) -> list[list[Word]]:
        """The words of windows of at most 30 s, in one batch."""
        from faster_whisper.tokenizer import Tokenizer

        model = self._model
        tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language=code)
        encoded = model.encode(self._features(pieces))
        tokens = self._search(encoded, tokenizer, len(pieces))
        n_frames = [max(2, round(p.size / SAMPLE_RATE_HZ * _FEATURES_PER_S)) for p in pieces]
        placed = model.find_alignment(tokenizer, tokens, encoded, n_frames)
        return [_words(line) for line in placed]

    def _search(self, encoded: Any, tokenizer: Any, n: int) -> list[list[int]]:
        """Text tokens of each window; none where Whisper itself says that nobody spoke."""
        from faster_whisper.transcribe import get_suppressed_tokens

        results = self._model.model.generate(
            encoded,
            [self._model.get_prompt(tokenizer, [], without_timestamps=True)] * n,
            beam_size=self._beam,
            max_length=self._model.max_length,
            suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [_text_tokens(result, tokenizer.eot) for result in results]


def _windows_at_once(device: str, model_bytes: int) -> int:
    """8 on a CPU; on a GPU what half of its free memory holds.

    A window of large-v3 (3.1 GB) takes about 0.4 GB with a beam of 5 (faster-whisper's README: 6.1 GB for 8 of large-v2),
    a smaller model's by its size, and each at least 64 MB for what the encoder computes.
    """
    if device != "cuda":
        return _CPU_BATCH
    import torch

    free, _ = torch.cuda.mem_get_info()
    return max(1, min(_MOST_AT_ONCE, int(free / 2 / (_LEAST_WINDOW_BYTES + _WINDOW_SHARE * model_bytes))))


def _load(weights: Path, device: str, compute_type: str, threads: int) -> Any:
    if device == "cuda":
        from dubgate.speech.cuda12 import preload

        preload()
    try:
        from faster_whisper import WhisperModel
        from faster_whisper.feature_extractor import FeatureExtractor

        model = WhisperModel(str(weights), device=device, compute_type=compute_type, cpu_threads=threads)
    except ImportError as error:
        raise ModelError("faster-whisper is not installed", remedy="pip install 'dubgate[audio]'") from error
    except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
        raise ModelError(f"CTranslate2 cannot load the model: {error}", where=str(weights)) from error
    # A folder may lack preprocessor_config.json; the model itself knows its mel bands (80, or 128 since large-v3).
    if model.model.n_mels != model.feature_extractor.mel_filters.shape[0]:
        model.feature_extractor = FeatureExtractor(feature_size=model.model.n_mels)
    return model


def _languages(model: Any) -> frozenset[str]:
    """The languages whose token the model has, as BCP-47 primary subtags."""
    if not model.model.is_multilingual:
        return frozenset({"en"})
    known = (c for c in model.supported_languages if model.hf_tokenizer.token_to_id(f"<|{c}|>") is not None)
    return frozenset(map(_from_whisper, known))


def _whisper_code(language: str) -> str:
    primary = primary_language(language) or ""
    return _TO_WHISPER.get(primary, primary)


def _from_whisper(code: str) -> str:
    return _FROM_WHISPER.get(code, code)


def _audible(clip: Floats) -> bool:
    return clip.size >= _SHORTEST_CLIP_S * SAMPLE_RATE_HZ and float(np.sqrt(np.mean(_clean(clip) ** 2))) > _SILENT


def _clean(clip: Floats) -> Floats:
    return np.nan_to_num(clip).astype(np.float32, copy=False)


def _windows(clip: Floats) -> list[tuple[float, Floats]]:
    """The clip in windows of at most 30 s with their starts in seconds, cut where it is quietest; none if silent."""
    if not _audible(clip):
        return []
    longest, out, at = int(WINDOW_S * SAMPLE_RATE_HZ), [], 0
    while clip.size - at > longest:
        cut = at + _quietest(clip[at : at + longest])
        out.append((at / SAMPLE_RATE_HZ, clip[at:cut]))
        at = cut
    return [*out, (at / SAMPLE_RATE_HZ, clip[at:])]


def _quietest(window: Floats) -> int:
    """The sample in the last third of the window around which 0.2 s hold the least energy."""
    block = SAMPLE_RATE_HZ // 5
    first = window.size * 2 // 3
    blocks = window[first : first + (window.size - first) // block * block].reshape(-1, block)
    return int(first + (np.argmin((blocks**2).sum(axis=1)) + 0.5) * block)


def _text_tokens(result: Any, eot: int) -> list[int]:
    tokens = [token for token in result.sequences_ids[0] if token < eot]
    if result.no_speech_prob > _NO_SPEECH_PROB and result.scores[0] < _NO_SPEECH_LOGPROB:
        return []
    return tokens


def _words(placed: list[dict[str, Any]]) -> list[Word]:
    from faster_whisper.transcribe import merge_punctuations

    merge_punctuations(placed, "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、")
    return [_word(w) for w in placed if w["word"].strip()]


def _word(placed: dict[str, Any]) -> Word:
    end = max(float(placed["end"]), float(placed["start"]))
    start = max(float(placed["start"]), end - _LONGEST_WORD_S)
    return Word(placed["word"].strip(), Span(start, end), min(1.0, max(0.0, float(placed["probability"]))))


def _shifted(words: Sequence[Word], by_s: float) -> list[Word]:
    return [Word(w.text, w.span.shifted(by_s), w.prob) for w in words]


def _version() -> str:
    from importlib.metadata import version

    return f"{version('faster-whisper')}, ctranslate2 {version('ctranslate2')}"
