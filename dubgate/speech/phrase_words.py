"""Which words of a list were said behind a known statement: PocketSphinx with a grammar of one phrase.

Every slot behind the statement takes any word of the list, so the recogniser is not told which ones to hear. Free
phones may surround the phrase, and lie between its words.
"""

from __future__ import annotations

from collections.abc import Sequence

from dubgate.features import Floats
from dubgate.speech import pocketsphinx as sphinx

_GARBAGE_PROB = 0.02


class PhraseWords:
    """Hears phrases of a statement and some words out of a list, in English."""

    def __init__(self, statement: str, words: Sequence[str], model: sphinx.EnglishModel | None = None) -> None:
        self._statement, self._words = statement.lower().split(), tuple(words)
        model = model or sphinx.packaged_model()
        self.sha256 = model.sha256()
        self._decoder = sphinx.open_decoder(model, lm=None, bestpath=False)
        for phone in sphinx.PHONES:
            self._decoder.add_word(f"~{phone}", phone, False)
        self._decoder.add_fsg("phrase", self._grammar())
        self._decoder.activate_search("phrase")

    def _grammar(self) -> object:
        """Phones, the statement, any number of the words, phones."""
        n, share = len(self._statement), 1.0 / len(self._words)
        phones = [(s, s, _GARBAGE_PROB / len(sphinx.PHONES), f"~{p}") for s in (0, n) for p in sphinx.PHONES]
        line = [(k, k + 1, 1.0, word) for k, word in enumerate(self._statement)]
        slots = [(n, n, share, word) for word in self._words]
        return self._decoder.create_fsg("phrase", 0, n, [*phones, *line, *slots])

    def hear(self, clip: Floats) -> tuple[str, ...]:
        """The words of the list that follow the statement in a clip [shape=(n,), 16 kHz]; none where it was not said."""
        if not clip.size or not float(abs(clip).max()) > 0:
            return ()
        sphinx.decode(self._decoder, clip)
        said = [s.name for s in sphinx.segments(self._decoder) if s.is_word]
        n = len(self._statement)
        return tuple(said[n:]) if said[:n] == self._statement else ()
