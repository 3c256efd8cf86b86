"""PocketSphinx's own decoders as the aligner used them: a second implementation of what dubgate/speech/sphinx_*.py computes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats
from dubgate.speech.pocketsphinx import PHONES, EnglishModel, decode, open_decoder
from dubgate.speech.sphinx_lines import GARBAGE_PROB

_NATS = math.log(1.0001) * 1024


class Decoders:
    """A grammar of free phones, a line, free phones; and free phones alone; features and scores of states are logged."""

    def __init__(self, model: EnglishModel, logs: Path) -> None:
        self._features, self._senones = logs / "features", logs / "senones"
        for folder in (self._features, self._senones):
            folder.mkdir()
        beams = {"beam": 0.0, "pbeam": 0.0, "wbeam": 0.0, "maxhmmpf": -1, "maxwpf": -1}
        self._line = open_decoder(model, lm=None, compallsen=True, bestpath=False, **beams)
        logged = {"mfclogdir": str(self._features), "senlogdir": str(self._senones)}
        self._free = open_decoder(model, lm=None, compallsen=True, allphone=str(model.phone_model), **logged)
        for phone in PHONES:
            self._line.add_word(f"~{phone}", phone, False)

    def line(self, clip: Floats, words: Sequence[str]) -> list[tuple[str, int, int, int]]:
        """Each stretch: word, first and last frame, score."""
        end = len(words)
        loops = [(state, state, GARBAGE_PROB / len(PHONES), f"~{p}") for state in (0, end) for p in PHONES]
        arcs = [(i, i + 1, 1.0, word) for i, word in enumerate(words)]
        self._line.add_fsg("line", self._line.create_fsg("line", 0, end, loops + arcs))
        self._line.activate_search("line")
        decode(self._line, clip)
        return _stretches(self._line)

    def free(self, clip: Floats) -> list[tuple[str, int, int, int]]:
        decode(self._free, clip)
        return _stretches(self._free)

    def cepstra(self) -> Floats:
        """Of the clip last heard by `free` [shape=(n_frames, 13)], before their mean is taken off."""
        newest = max(self._features.iterdir())
        return np.frombuffer(newest.read_bytes()[4:], ">f4").reshape(-1, 13).astype(np.float32)

    def senones(self, n: int) -> NDArray[np.int32]:
        """What each state cost in each frame of it [shape=(n_frames, n)]."""
        data = max(self._senones.iterdir()).read_bytes()
        rows = np.frombuffer(data, "<i2", offset=data.index(b"endhdr\n") + 11)
        return rows[: len(rows) // (n + 1) * (n + 1)].reshape(-1, n + 1)[:, 1:].astype(np.int32)


def _stretches(decoder: Any) -> list[tuple[str, int, int, int]]:
    found = (
        (s.word.split("(")[0], s.start_frame, s.end_frame, s.ascore) for s in decoder.seg() or () if s.word != "(NULL)"
    )
    return [(name, first, last, round(math.log(score) * 1024 / _NATS)) for name, first, last, score in found]
