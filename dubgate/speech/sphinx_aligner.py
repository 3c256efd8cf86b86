"""The embedded English aligner: PocketSphinx's acoustic model and searches over whole clips, in arrays.

The package itself takes every clip through two decoders frame by frame; here both share what is computed of the sound, which is
six times faster and places words within a frame of where the package does (tests/speech/test_sphinx_aligner.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from dubgate.features import BackendInfo, Floats, Word
from dubgate.speech.batching import in_batches
from dubgate.speech.letter_sounds import pronounce
from dubgate.speech.pocketsphinx import ENGLISH, ONLY_ENGLISH, SHORTEST_CLIP_S, EnglishModel, packaged_model, too_short
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.speech.sphinx_features import features, n_frames
from dubgate.speech.sphinx_lines import LineGraphs, Spelt
from dubgate.speech.sphinx_search import MOST_PLACES, FreePhones, Heard, Stretch, line_paths
from dubgate.speech.sphinx_senones import Senones
from dubgate.speech.sphinx_weights import N_STATES, read_moves, read_phones, read_words
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

_TOO_LONG = Unmeasured("the text and its clip are too long to be placed as one line")
_TOO_MUCH = Unmeasured("the text has more sounds than the clip has time for")
_AT_ONCE_S = 100.0  # of clips searched side by side
_MOST_WORDS_S = 60_000  # words, and 15 more, times seconds: 300 MB of what is kept to trace a cue of three minutes back


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
        told = [(clip, self._spelt(spoken_words(text, language))) for clip, text in zip(clips, texts, strict=True)]
        reasons = [_why_not(clip, words) for clip, words in told]
        lines = [line for line, reason in zip(told, reasons, strict=True) if reason is None]
        placed = iter(
            in_batches(lines, self._place, length_s=lambda x: len(x[0]) / SAMPLE_RATE_HZ, budget_s=_AT_ONCE_S)
        )
        return [next(placed) if reason is None else reason for reason in reasons]

    def _spelt(self, spoken: Sequence[str]) -> list[Spelt]:
        """The words that can be said in English sounds, and how."""
        return [(word, said) for word in spoken if (said := self._said(word))]

    def _said(self, word: str) -> tuple[tuple[str, ...], ...]:
        known = self._words.all(word)
        if known:
            return known
        phones = pronounce(word, self._words.first)
        return () if phones is None else (tuple(phones.split()),)

    def _place(self, lines: Sequence[tuple[Floats, list[Spelt]]]) -> list[PlacedText | Unmeasured]:
        placed: dict[int, PlacedText | Unmeasured] = {}
        heard, free = [], []
        for k, found in enumerate(features([clip for clip, _ in lines])):
            if found is None:
                placed[k] = Unmeasured("nothing sounds where the text should be")
                continue
            line, phones = self._heard(found, lines[k][1])
            if len(found) * len(line.graph.names) > MOST_PLACES:
                placed[k] = _TOO_LONG
                continue
            heard.append(line)
            free.append(phones)
        told = (k for k in range(len(lines)) if k not in placed)
        for k, path, alone in zip(list(told), line_paths(heard), self._free.scores(free), strict=True):
            placed[k] = _scored(path, alone, len(lines[k][1]))
        return [placed[k] for k in range(len(lines))]

    def _heard(self, found: Floats, words: Sequence[Spelt]) -> tuple[Heard, NDArray[np.int32]]:
        """What a line's states cost in each frame of its clip, and what free phones' do."""
        graph = self._graphs.graph(words)
        own, alone = self._senones_of[graph.triples], self._free.senones
        wanted, columns = np.unique(np.concatenate([own, alone]), return_inverse=True)
        columns = columns.reshape(-1, own.shape[1])
        costs = self._scores.costs(found, wanted)
        costs -= costs.min(axis=1, keepdims=True)  # what free phones score is spread evenly: no frame may weigh more
        return Heard(graph, costs, columns[: len(own)], self._moves[graph.phones]), costs[:, columns[len(own) :]]


def _why_not(clip: Floats, words: Sequence[Spelt]) -> Unmeasured | None:
    if not words:
        return Unmeasured("the text has no word that the aligner can pronounce")
    if too_short(clip):
        return Unmeasured(f"the clip is shorter than {SHORTEST_CLIP_S} s")
    if (len(words) + 15) * len(clip) > _MOST_WORDS_S * SAMPLE_RATE_HZ:
        return _TOO_LONG
    if N_STATES * sum(min(map(len, ways)) for _, ways in words) > n_frames(len(clip)):
        return _TOO_MUCH  # a phone takes a frame for each of its states
    return None


def _scored(path: Sequence[Stretch], free: NDArray[np.float64], n_words: int) -> PlacedText | Unmeasured:
    if sum(s.is_word for s in path) != n_words:
        return _TOO_MUCH
    spoken = [k for k, s in enumerate(path) if s.is_word]
    line = path[spoken[0] : spoken[-1] + 1]
    words = tuple(Word(s.name, s.span, math.exp(min(0.0, _ratio([s], free)))) for s in line if s.is_word)
    return PlacedText(words, _ratio(line, free))


def _ratio(line: Sequence[Stretch], free: NDArray[np.float64]) -> float:
    """Mean log-likelihood ratio per frame of these stretches against free phones, in nats."""
    first, last = line[0].first, line[-1].last
    return (sum(s.score_nats for s in line) - float(free[first : last + 1].sum())) / (last + 1 - first)
