"""The embedded English aligner: PocketSphinx's acoustic model and searches over whole clips, in arrays.

The package itself takes every clip through two decoders frame by frame; here both share what is computed of the sound, which is
eight times faster and places words within a frame of where the package does (tests/speech/test_sphinx_aligner.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from dubgate.features import BackendInfo, Floats, Word
from dubgate.speech.letter_sounds import pronounce
from dubgate.speech.pocketsphinx import ENGLISH, ONLY_ENGLISH, SHORTEST_CLIP_S, EnglishModel, packaged_model, too_short
from dubgate.speech.sphinx_features import features
from dubgate.speech.sphinx_lines import LineGraphs, Spelt
from dubgate.speech.sphinx_search import FreePhones, Stretch, line_path
from dubgate.speech.sphinx_senones import Senones
from dubgate.speech.sphinx_weights import read_moves, read_phones, read_words
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

_AT_ONCE = 16  # clips whose features are made together


@dataclass(frozen=True, slots=True)
class PlacedText:
    """The words of one text placed in one clip; see LineAlignment for `score`."""

    words: tuple[Word, ...]
    score: float


class PocketSphinxAligner:
    """Places a known English text in a clip, and says how much better or worse it fits than free phones do.

    The clip may hold other speech before and after the text: a free phone loop takes it. `score` is the mean over
    the frames between the first and the last word of log p(sound | text) - log p(sound | free phones), in nats.
    A word's `prob` is exp of the same mean over its own frames, at most 1. Words that the dictionary lacks are
    pronounced by rule (letter_sounds); words in other alphabets are left unaligned.
    """

    def __init__(self, model: EnglishModel | None = None) -> None:
        model = model or packaged_model()
        self.info = BackendInfo(
            "aligner", "pocketsphinx", model.sha256(), embedded=True, version=version("pocketsphinx")
        )
        self.languages: frozenset[str] | None = ENGLISH
        phones = read_phones(model.acoustic / "mdef")
        self._senones_of = phones.senones
        self._moves = read_moves(model.acoustic / "transition_matrices")
        self._words = read_words(model.dictionary)
        self._scores = Senones(model.acoustic, phones)
        self._graphs = LineGraphs(phones)
        self._free = FreePhones(phones, self._moves, model.phone_model)

    def align(self, clips: Sequence[Floats], texts: Sequence[str], *, language: str) -> list[PlacedText | Unmeasured]:
        if primary_language(language) != "en":
            return [Unmeasured(ONLY_ENGLISH.format("aligner", language))] * len(clips)
        out: list[PlacedText | Unmeasured] = []
        for k in range(0, len(clips), _AT_ONCE):
            some = clips[k : k + _AT_ONCE]
            heard = features(some)
            for clip, found, text in zip(some, heard, texts[k : k + _AT_ONCE], strict=True):
                out.append(self._place(clip, found, spoken_words(text, language)))
        return out

    def _place(self, clip: Floats, found: Floats, spoken: tuple[str, ...]) -> PlacedText | Unmeasured:
        words = [(word, said) for word in spoken if (said := self._said(word))]
        if not words:
            return Unmeasured("the text has no word that the aligner can pronounce")
        if too_short(clip):
            return Unmeasured(f"the clip is shorter than {SHORTEST_CLIP_S} s")
        path, free = self._heard(found, words)
        if sum(s.is_word for s in path) != len(words):
            return Unmeasured("the text has more sounds than the clip has time for")
        return _scored(path, free)

    def _said(self, word: str) -> tuple[tuple[str, ...], ...]:
        """A word's pronunciations; none where it cannot be spelt in sounds."""
        known = self._words.get(word)
        if known is not None:
            return known
        phones = pronounce(word, lambda other: " ".join(self._words[other][0]) if other in self._words else None)
        return () if phones is None else (tuple(phones.split()),)

    def _heard(self, found: Floats, words: Sequence[Spelt]) -> tuple[list[Stretch], NDArray[np.float64]]:
        """The line's path, and the free phones' log-likelihood per frame."""
        graph = self._graphs.graph(words)
        states = self._senones_of[graph.triples]
        wanted, columns = np.unique(np.concatenate([states.ravel(), self._free.senones.ravel()]), return_inverse=True)
        costs = self._scores.costs(found, wanted)
        own, free = columns[: states.size].reshape(states.shape), columns[states.size :].reshape(-1, states.shape[1])
        return line_path(graph, costs, own, self._moves[graph.phones]), self._free.scores(costs, free)


def _scored(path: Sequence[Stretch], free: NDArray[np.float64]) -> PlacedText:
    spoken = [k for k, s in enumerate(path) if s.is_word]
    line = path[spoken[0] : spoken[-1] + 1]
    words = tuple(Word(s.name, s.span, math.exp(min(0.0, _ratio([s], free)))) for s in line if s.is_word)
    return PlacedText(words, _ratio(line, free))


def _ratio(line: Sequence[Stretch], free: NDArray[np.float64]) -> float:
    """Mean log-likelihood ratio per frame of these stretches against free phones, in nats."""
    first, last = line[0].first, line[-1].last
    return (sum(s.score_nats for s in line) - float(free[first : last + 1].sum())) / (last + 1 - first)
