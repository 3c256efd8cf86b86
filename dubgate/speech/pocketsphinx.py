"""The embedded English transcriber and aligner: PocketSphinx with the en-us model that its package brings.

PocketSphinx keeps the front end's state (noise, cepstral mean) from clip to clip; it is reset before each, so that a
clip gives the same answer alone as in a batch. It holds Python's lock while it decodes: threads do not help.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats, Word
from dubgate.spans import Span
from dubgate.speech.letter_sounds import pronounce
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

_FRAME_S = 0.01
_SHORTEST_CLIP_S = 0.1
_NATS_PER_SCORE = 1024.0  # PocketSphinx reports log scores shifted right by 10 bits (SENSCR_SHIFT)
_ONLY_ENGLISH = "the embedded {} hears English only, not {}"
_ENGLISH = frozenset({"en"})
# Nothing is pruned away: a text that was not said must still be placed, to be scored.
_OPEN_BEAM = 0.0
_GARBAGE_PROB = 0.05
# One pass over the lexicon with a bounded beam: half the time of the package's two open passes, with as many words
# right (WER 0.24 against 0.23 on LJ Speech, 0.10 against 0.10 on the clean sample).
_SEARCH = {"fwdflat": False, "maxhmmpf": 3000, "maxwpf": 10, "pl_window": 5}
_ARPABET = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
PHONES = _ARPABET.split()


@dataclass(frozen=True, slots=True)
class EnglishModel:
    """Where the parts of a PocketSphinx model lie: `acoustic` is a folder, the others are files."""

    acoustic: Path
    dictionary: Path
    language_model: Path
    phone_model: Path

    def sha256(self) -> str:
        """One digest over the names and bytes of every file that decides what is heard."""
        digest = hashlib.sha256()
        for path in (*sorted(self.acoustic.iterdir()), self.dictionary, self.language_model, self.phone_model):
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()


def packaged_model() -> EnglishModel:
    """The en-us model inside the installed package.

    Raises:
        ModelError: the package or its model is not there.
    """
    try:
        import pocketsphinx
    except ImportError as error:
        raise ModelError("pocketsphinx is not installed", remedy="pip install 'dubgate[audio]'") from error
    folder = Path(pocketsphinx.get_model_path()) / "en-us"
    model = EnglishModel(
        folder / "en-us", folder / "cmudict-en-us.dict", folder / "en-us.lm.bin", folder / "en-us-phone.lm.bin"
    )
    if not all(path.exists() for path in (model.acoustic, model.dictionary, model.language_model, model.phone_model)):
        raise ModelError("the package brought no en-us model", where=str(folder), remedy="reinstall pocketsphinx")
    return model


def open_decoder(model: EnglishModel, **options: Any) -> Any:
    from pocketsphinx import Config, Decoder

    try:
        return Decoder(
            Config(
                hmm=str(model.acoustic),
                dict=str(model.dictionary),
                loglevel="FATAL",
                samprate=SAMPLE_RATE_HZ,
                **options,
            )
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError("PocketSphinx cannot load its model", where=str(model.acoustic)) from error


def decode(decoder: Any, clip: Floats) -> None:
    """Run one whole clip through a decoder whose front end has forgotten every other clip."""
    samples = np.clip(np.nan_to_num(clip), -1.0, 1.0) * 32767.0
    decoder.reinit_feat()
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2").tobytes(), no_search=False, full_utt=True)
    decoder.end_utt()


def _too_short(clip: Floats) -> bool:
    return clip.size < _SHORTEST_CLIP_S * SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class _Segment:
    """A stretch of a decoding: frames `first` to `last`, inclusive; `score_nats` is its acoustic log-likelihood."""

    name: str
    first: int
    last: int
    score_nats: float
    prob: float

    @property
    def span(self) -> Span:
        return Span(self.first * _FRAME_S, (self.last + 1) * _FRAME_S)

    @property
    def is_word(self) -> bool:
        return self.name[0] not in "<[~"


def segments(decoder: Any) -> list[_Segment]:
    """The best path; empty where the decoder found none."""
    if decoder.hyp() is None:
        return []
    return list(_read_segments(decoder))


def _read_segments(decoder: Any) -> Iterator[_Segment]:
    for s in decoder.seg():
        if s.word != "(NULL)":
            nats = math.log(max(s.ascore, 1e-300)) * _NATS_PER_SCORE
            yield _Segment(s.word.split("(")[0], s.start_frame, s.end_frame, nats, min(1.0, s.prob))


class PocketSphinxTranscriber:
    """Free transcription of English; about a third of the words of clean read speech are misheard at worst."""

    def __init__(self, model: EnglishModel | None = None) -> None:
        model = model or packaged_model()
        self.info = BackendInfo("transcriber", "pocketsphinx", model.sha256(), embedded=True, version=_version())
        self.languages: frozenset[str] | None = _ENGLISH
        self.at_once = 8
        self._decoder = open_decoder(model, lm=str(model.language_model), **_SEARCH)

    def transcribe(self, clips: Sequence[Floats], *, language: str) -> list[tuple[Word, ...] | Unmeasured]:
        """Words of each clip; Unmeasured for a language other than English, no words for a clip under 0.1 s."""
        if primary_language(language) != "en":
            return [Unmeasured(_ONLY_ENGLISH.format("transcriber", language))] * len(clips)
        return [self._words(clip) for clip in clips]

    def identify_language(self, clips: Sequence[Floats]) -> list[tuple[tuple[str, float], ...] | Unmeasured]:
        return [Unmeasured("the embedded transcriber hears English only and cannot tell languages apart")] * len(clips)

    def _words(self, clip: Floats) -> tuple[Word, ...]:
        if _too_short(clip):
            return ()
        decode(self._decoder, clip)
        return tuple(Word(s.name, s.span, s.prob) for s in segments(self._decoder) if s.is_word)


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
        self.info = BackendInfo("aligner", "pocketsphinx", model.sha256(), embedded=True, version=_version())
        self.languages: frozenset[str] | None = _ENGLISH
        # compallsen: scores are relative to the best of all senones, so that two decoders can be compared
        beams = {"beam": _OPEN_BEAM, "pbeam": _OPEN_BEAM, "wbeam": _OPEN_BEAM, "maxhmmpf": -1, "maxwpf": -1}
        self._aligner = open_decoder(model, lm=None, compallsen=True, bestpath=False, **beams)
        self._free = open_decoder(model, lm=None, compallsen=True, allphone=str(model.phone_model))
        for phone in PHONES:
            self._aligner.add_word(f"~{phone}", phone, False)

    def align(self, clips: Sequence[Floats], texts: Sequence[str], *, language: str) -> list[PlacedText | Unmeasured]:
        if primary_language(language) != "en":
            return [Unmeasured(_ONLY_ENGLISH.format("aligner", language))] * len(clips)
        return [self._place(clip, spoken_words(text, language)) for clip, text in zip(clips, texts, strict=True)]

    def _place(self, clip: Floats, spoken: tuple[str, ...]) -> PlacedText | Unmeasured:
        words = [word for word in spoken if self._pronounceable(word)]
        if not words:
            return Unmeasured("the text has no word that the aligner can pronounce")
        if _too_short(clip):
            return Unmeasured(f"the clip is shorter than {_SHORTEST_CLIP_S} s")
        self._set_grammar(words)
        decode(self._aligner, clip)
        path = segments(self._aligner)
        if sum(s.is_word for s in path) != len(words):
            return Unmeasured("the text has more sounds than the clip has time for")
        decode(self._free, clip)
        return _scored(path, _per_frame(segments(self._free)))

    def _pronounceable(self, word: str) -> bool:
        if self._aligner.lookup_word(word) is not None:
            return True
        phones = pronounce(word, self._aligner.lookup_word)
        if phones is None:
            return False
        self._aligner.add_word(word, phones, False)
        return True

    def _set_grammar(self, words: Sequence[str]) -> None:
        """Free phones, the words in order, free phones."""
        end = len(words)
        loops = [(state, state, _GARBAGE_PROB / len(PHONES), f"~{p}") for state in (0, end) for p in PHONES]
        line = [(i, i + 1, 1.0, word) for i, word in enumerate(words)]
        self._aligner.add_fsg("line", self._aligner.create_fsg("line", 0, end, loops + line))
        self._aligner.activate_search("line")


def _per_frame(path: Sequence[_Segment]) -> Floats:
    """The free decoding's log-likelihood per frame [shape=(n_frames,)], spread evenly over each phone."""
    out = np.zeros(path[-1].last + 1 if path else 0, dtype=np.float32)
    for s in path:
        out[s.first : s.last + 1] = s.score_nats / (s.last + 1 - s.first)
    return out


def _scored(path: Sequence[_Segment], free: Floats) -> PlacedText:
    spoken = [k for k, s in enumerate(path) if s.is_word]
    line = path[spoken[0] : spoken[-1] + 1]
    words = tuple(Word(s.name, s.span, math.exp(min(0.0, _ratio([s], free)))) for s in line if s.is_word)
    return PlacedText(words, _ratio(line, free))


def _ratio(segments: Sequence[_Segment], free: Floats) -> float:
    """Mean log-likelihood ratio per frame of these segments against the free decoding, in nats."""
    first, last = segments[0].first, segments[-1].last
    own = sum(s.score_nats for s in segments)
    return (own - float(free[first : last + 1].sum(dtype=np.float64))) / (last + 1 - first)


def _version() -> str:
    from importlib.metadata import version

    return version("pocketsphinx")
