"""Forced alignment by a CTC model of any language: emissions, then Viterbi over the text's letters.

A folder is `vocab.json` with either `model.onnx` or a Wav2Vec2ForCTC's `config.json` and `model.safetensors`.
Surrounding speech and words that the model cannot spell are taken by a wildcard, so that they spoil nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats, Word
from dubgate.spans import Span
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

_BLANKS = ("<pad>", "<blank>", "[PAD]", "<ctc>", "-")
_DELIMITER = "|"
# The wildcard costs this much per frame against the model's best guess: said text must be cheaper, silence dearer.
_WILDCARD_NATS = 0.5
_TIE_BREAK_NATS = 1e-3
_SHORTEST_CLIP_S = 0.1
_SILENT = 1e-4

Emit = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The words of one text placed in one clip; see LineAlignment for `score`."""

    words: tuple[Word, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The letters a model can write, by column of its emission; `blank` is CTC's own."""

    letters: dict[str, int]
    blank: int

    @property
    def delimiter(self) -> int | None:
        return self.letters.get(_DELIMITER)

    def spell(self, word: str) -> tuple[int, ...] | None:
        """The columns of a word's letters in whichever case the model writes; None where one is missing."""
        for form in (word, word.upper(), word.capitalize()):
            columns = [self.letters.get(c) for c in form]
            if all(c is not None and c != self.blank for c in columns):
                return tuple(c for c in columns if c is not None)
        return None


def read_vocabulary(folder: Path) -> Vocabulary:
    """vocab.json: a JSON object from letter to column.

    Raises:
        ModelError: missing, malformed, or without a blank.
    """
    path = folder / "vocab.json"
    try:
        letters = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError("vocab.json cannot be read", where=str(path)) from error
    if not isinstance(letters, dict) or not all(isinstance(k, int) and k >= 0 for k in letters.values()):
        raise ModelError("vocab.json is not an object from letters to columns", where=str(path))
    blank = next((letters[name] for name in _BLANKS if name in letters), None)
    if blank is None:
        raise ModelError(f"vocab.json names no blank ({', '.join(_BLANKS[:3])})", where=str(path))
    return Vocabulary(letters, blank)


class CtcAligner:
    """A CTC model from a folder.

    `score` is the mean over the frames of the text's words of log p(path of the text) - log p(best path), in nats: 0
    where the model would have written just that. A word's `prob` is exp of the same mean over its own frames.

    Args:
        weights: the model's folder.
        sha256: the folder's digest as checked by who resolved it.
        languages: what it was trained on (BCP-47 primary subtags); None where it spells any language in its letters.

    Raises:
        ModelError: a file is missing, or the model cannot be loaded.
    """

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        name: str = "ctc",
        languages: frozenset[str] | None = None,
        device: Literal["cpu", "cuda"] = "cpu",
    ) -> None:
        self._vocabulary = read_vocabulary(weights)
        self._emit = _emitter(weights, device)
        self.languages = languages
        self.info = BackendInfo("aligner", name, sha256, embedded=False, device=device)

    def align(self, clips: Sequence[Floats], texts: Sequence[str], *, language: str) -> list[PlacedText | Unmeasured]:
        """Clips are run one by one: a padded batch would change what short clips give."""
        if self.languages is not None and primary_language(language) not in self.languages:
            return [Unmeasured(f"{self.info.name} was not trained on {language}")] * len(clips)
        return [self._place(clip, text, language) for clip, text in zip(clips, texts, strict=True)]

    def _place(self, clip: Floats, text: str, language: str) -> PlacedText | Unmeasured:
        words = spoken_words(text, language)
        if not any(self._vocabulary.spell(word) for word in words):
            return Unmeasured("the text has no word that the aligner can spell")
        if clip.size < _SHORTEST_CLIP_S * SAMPLE_RATE_HZ or not np.any(np.abs(clip) > _SILENT):
            return Unmeasured("there is no sound to place the text in")
        emission = self._emit(_standardised(clip))
        return place(emission, words, self._vocabulary, clip.size / SAMPLE_RATE_HZ / len(emission))


def place(emission: Floats, words: Sequence[str], vocabulary: Vocabulary, frame_s: float) -> PlacedText | Unmeasured:
    """Viterbi of the words' letters through log probabilities [shape=(n_frames, n_letters)], natural logarithm."""
    targets, owners = _targets(words, vocabulary, wildcard=emission.shape[1])
    if len(targets) + sum(a == b for a, b in pairwise(targets)) > len(emission) + 2:
        return Unmeasured("the text has more letters than the clip has time for")
    best = emission.max(axis=1)
    columns = np.concatenate([emission, (best - _WILDCARD_NATS)[:, None]], axis=1)
    path = best_path(_with_free_ends(columns), targets, vocabulary.blank)
    runs = [(first - 1, last - 1) for first, last in _runs(path, vocabulary.blank)]
    path = path[1:-1]
    ratio = columns[np.arange(len(path)), path] - best
    return _placed(words, owners, runs, ratio, frame_s)


def _with_free_ends(columns: Floats) -> Floats:
    """One frame more at both ends that only the wildcard fits: it need not take any of the sound."""
    edge = np.full((1, columns.shape[1]), -1e4, dtype=np.float32)
    edge[0, -1] = 0.0
    return np.concatenate([edge, columns, edge])


def best_path(columns: Floats, targets: Sequence[int], blank: int) -> NDArray[np.int32]:
    """The likeliest way through the targets in order: a column per frame [shape=(n_frames,)].

    torchaudio's search takes a wrong turn where two ways in are exactly equal, which a wildcard in silence makes
    them: a fixed jitter far below any score that matters parts them.
    """
    import torch
    import torchaudio

    jitter = np.random.default_rng(0).uniform(0.0, _TIE_BREAK_NATS, columns.shape)
    path, _ = torchaudio.functional.forced_align(
        torch.from_numpy((columns + jitter).astype(np.float32))[None],
        torch.tensor([list(targets)], dtype=torch.int32),
        blank=blank,
    )
    found: NDArray[np.int32] = path[0].numpy()
    return found


def _targets(words: Sequence[str], vocabulary: Vocabulary, wildcard: int) -> tuple[list[int], list[int | None]]:
    """Columns to pass through, and for each the index of the word it belongs to (None: wildcard or delimiter)."""
    targets: list[int] = [wildcard]
    owners: list[int | None] = [None]
    for k, word in enumerate(words):
        spelled = vocabulary.spell(word)
        between = wildcard if spelled is None else vocabulary.delimiter
        if between is not None and targets[-1] != wildcard:
            targets.append(between)
            owners.append(None)
        if spelled is not None:
            targets += spelled
            owners += [k] * len(spelled)
    if targets[-1] != wildcard:
        targets.append(wildcard)
        owners.append(None)
    return targets, owners


def _runs(path: NDArray[np.int32], blank: int) -> list[tuple[int, int]]:
    """First and last frame of each target, in order: the runs of equal labels that are not blank."""
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return [(a, b - 1) for a, b in pairwise(edges) if path[a] != blank]


def _placed(
    words: Sequence[str],
    owners: Sequence[int | None],
    runs: Sequence[tuple[int, int]],
    ratio: Floats,
    frame_s: float,
) -> PlacedText:
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for owner, (start, end) in zip(owners, runs, strict=True):
        if owner is not None:
            first.setdefault(owner, start)
            last[owner] = end
    placed = tuple(
        Word(
            words[k], Span(first[k] * frame_s, (last[k] + 1) * frame_s), math.exp(ratio[first[k] : last[k] + 1].mean())
        )
        for k in first
    )
    frames = np.concatenate([ratio[first[k] : last[k] + 1] for k in first])
    return PlacedText(placed, float(frames.mean()))


def _standardised(clip: Floats) -> Floats:
    """Zero mean and unit variance, as wav2vec 2.0's feature extractor does."""
    clean = np.nan_to_num(clip).astype(np.float32)
    out: Floats = (clean - clean.mean()) / np.sqrt(clean.var() + 1e-7)
    return out


def _emitter(folder: Path, device: str) -> Emit:
    """A function from a clip to log probabilities [shape=(n_frames, n_letters)]."""
    if (folder / "model.onnx").is_file():
        return _onnx_emitter(folder / "model.onnx")
    if (folder / "model.safetensors").is_file():
        return _torch_emitter(folder, device)
    raise ModelError(
        "neither model.onnx nor model.safetensors is there",
        where=str(folder),
        remedy="pickled weights (pytorch_model.bin) are not read; convert them to safetensors",
    )


def _onnx_emitter(path: Path) -> Emit:
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's classes derive from Exception alone
        raise ModelError(f"onnxruntime cannot load the model: {error}", where=str(path)) from error
    name = session.get_inputs()[0].name
    return lambda clip: _log_softmax(session.run(None, {name: clip[None]})[0][0])


def _torch_emitter(folder: Path, device: str) -> Emit:
    import torch

    from dubgate.speech.wav2vec2_weights import load

    model = load(folder).to(device)

    def emit(clip: Floats) -> Floats:
        with torch.inference_mode():
            logits, _ = model(torch.from_numpy(clip)[None].to(device))
        return _log_softmax(logits[0].float().cpu().numpy())

    return emit


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    out: Floats = (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))).astype(np.float32)
    return out
