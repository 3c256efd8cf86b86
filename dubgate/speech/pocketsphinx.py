"""The embedded English transcriber: PocketSphinx with the en-us model that its package brings.

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
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.speech.sphinx_search import Stretch
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language

SHORTEST_CLIP_S = 0.1
_NATS_PER_SCORE = 1024.0  # PocketSphinx reports log scores shifted right by 10 bits (SENSCR_SHIFT)
ONLY_ENGLISH = "the embedded {} hears English only, not {}"
ENGLISH = frozenset({"en"})
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


def too_short(clip: Floats) -> bool:
    return clip.size < SHORTEST_CLIP_S * SAMPLE_RATE_HZ


def segments(decoder: Any) -> list[Stretch]:
    """The best path; empty where the decoder found none."""
    if decoder.hyp() is None:
        return []
    return list(_read_segments(decoder))


def _read_segments(decoder: Any) -> Iterator[Stretch]:
    for s in decoder.seg():
        if s.word != "(NULL)":
            nats = math.log(max(s.ascore, 1e-300)) * _NATS_PER_SCORE
            yield Stretch(s.word.split("(")[0], s.start_frame, s.end_frame, nats, min(1.0, s.prob))


class PocketSphinxTranscriber:
    """Free transcription of English; about a third of the words of clean read speech are misheard at worst."""

    def __init__(self, model: EnglishModel | None = None) -> None:
        model = model or packaged_model()
        self.info = BackendInfo("transcriber", "pocketsphinx", model.sha256(), embedded=True, version=_version())
        self.languages: frozenset[str] | None = ENGLISH
        self.at_once = 8
        self._decoder = open_decoder(model, lm=str(model.language_model), **_SEARCH)

    def transcribe(self, clips: Sequence[Floats], *, language: str) -> list[tuple[Word, ...] | Unmeasured]:
        """Words of each clip; Unmeasured for a language other than English, no words for a clip under 0.1 s."""
        if primary_language(language) != "en":
            return [Unmeasured(ONLY_ENGLISH.format("transcriber", language))] * len(clips)
        return [self._words(clip) for clip in clips]

    def identify_language(self, clips: Sequence[Floats]) -> list[tuple[tuple[str, float], ...] | Unmeasured]:
        return [Unmeasured("the embedded transcriber hears English only and cannot tell languages apart")] * len(clips)

    def _words(self, clip: Floats) -> tuple[Word, ...]:
        if too_short(clip):
            return ()
        decode(self._decoder, clip)
        return tuple(Word(s.name, s.span, s.prob) for s in segments(self._decoder) if s.is_word)


def _version() -> str:
    from importlib.metadata import version

    return version("pocketsphinx")
