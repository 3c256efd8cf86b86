"""What the audience hears of it: words at the start that tell that AI made the voices, and the rhythm of AI in Morse code.

EU Code of Practice 2026-06 (an audible disclaimer at the start of sound without pictures); GB 45438-2025, 5.3 (a spoken
label or the rhythm). Words count as heard by a transcriber in the dub's own language; where none hears it, they are Unmeasured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dubgate.features import ProgrammeFeatures, Word
from dubgate.labels.wording import denies_ai
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured
from dubgate.wording import counts_characters, primary_language, spoken_words

START_S = 30.0  # a disclaimer begins within the first so many seconds of the programme
_WITHIN_WORDS, _WITHIN_CHARACTERS = 16, 40  # both parts of it stand so near to each other

# By language: what names the machine, and what names the making of a voice; a disclaimer says both. A line of the film
# about AI alone does not count.
_MACHINE = {
    "en": ("artificial intelligence", "ai", "a i", "synthetic", "computer generated", "machine generated"),
    "de": ("künstliche intelligenz", "künstlicher intelligenz", "ki", "k i", "synthetisch", "synthetische", "synthetischen"),
    "fr": ("intelligence artificielle", "ia", "i a", "synthétique", "synthétiques", "voix de synthèse"),
    "es": ("inteligencia artificial", "ia", "i a", "sintética", "sintéticas"),
    "pt": ("inteligência artificial", "ia", "i a", "sintética", "sintéticas"),
    "it": ("intelligenza artificiale", "ia", "i a", "sintetica", "sintetiche"),
    "ja": ("ai", "人工知能", "合成音声"),
    "ko": ("ai", "인공지능", "합성 음성", "에이아이"),
    "zh": ("ai", "人工智能", "人工智慧", "合成"),
}  # fmt: skip
_MAKING = {
    "en": ("voice", "voices", "dub", "dubbed", "dubbing", "speech", "narration", "audio", "recording"),
    "de": ("stimme", "stimmen", "synchronfassung", "synchronisation", "synchronisiert", "sprache", "ton", "vertont"),
    "fr": ("voix", "doublage", "doublé", "doublée", "doublées", "doublés", "narration"),
    "es": ("voz", "voces", "doblaje", "doblada", "doblado", "dobladas", "narración"),
    "pt": ("voz", "vozes", "dublagem", "dobragem", "dublado", "dublada", "narração"),
    "it": ("voce", "voci", "doppiaggio", "doppiato", "doppiata"),
    "ja": ("音声", "声", "吹き替え", "吹替", "ナレーション"),
    "ko": ("음성", "목소리", "더빙"),
    "zh": ("配音", "声音", "聲音", "语音", "語音", "生成"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audible:
    """What can be heard: `words` is the disclaimer as it was heard at the start, "" none; `rhythm` where Morse AI sounds."""

    words: str | Unmeasured
    rhythm: tuple[Span, ...] | Unmeasured

    @property
    def spoken(self) -> bool | Unmeasured:
        """Whether words at the start tell of it."""
        return self.words if isinstance(self.words, Unmeasured) else bool(self.words)

    @property
    def sounded(self) -> bool | Unmeasured:
        """Whether the rhythm sounds, anywhere."""
        return self.rhythm if isinstance(self.rhythm, Unmeasured) else bool(self.rhythm)

    @property
    def heard(self) -> bool | Unmeasured:
        """Whether either is there; unknown where one was not measured and the other is not there."""
        if self.spoken is True or self.sounded is True:
            return True
        return next((v for v in (self.spoken, self.sounded) if isinstance(v, Unmeasured)), False)


NOT_HEARD = Audible(Unmeasured("the sound was not heard"), Unmeasured("the sound was not heard"))


def audible_of(features: ProgrammeFeatures, *, language: str) -> Audible:
    """What is audible of the label in a dub that was heard.

    Where a stem was heard in place of the mix that is published, words that are not in it may still be in the mix: not
    found is Unmeasured then.
    """
    published = features.published
    rhythm = Unmeasured("the published sound was not listened to") if published is None else published.rhythm
    words = disclaimer(features.dub.words, language)
    heard_all = published is None or published.packet_sha256 == features.dub.packet_sha256
    if words == "" and not heard_all:
        words = Unmeasured("no disclaimer is spoken in the stem, and the mix was not transcribed")
    return Audible(words, rhythm)


def disclaimer(words: Sequence[Word] | Unmeasured, language: str) -> str | Unmeasured:
    """The words of a disclaimer that begins within START_S, as heard; "" where there is none.

    Unmeasured where nothing was transcribed, or where no words of this language are known here.
    """
    if isinstance(words, Unmeasured):
        return words
    primary = primary_language(language) or ""
    if primary not in _MACHINE:
        return Unmeasured(f"no words of a spoken disclaimer are known here for {language}")
    starting = [w for w in words if w.span.start_s < START_S + 10.0]
    tokens, starts = _tokens(starting, language)
    reach = _WITHIN_CHARACTERS if counts_characters(language) else _WITHIN_WORDS
    machines = list(_places(tokens, _MACHINE[primary], language))
    makings = list(_places(tokens, _MAKING[primary], language))
    for first, last in machines:
        if _denied(tokens, first, last, language):
            continue
        near = [(a, b) for a, b in makings if max(b, last) - min(a, first) <= reach]
        if near and starts[min(near[0][0], first)] < START_S:
            told = (min(near[0][0], first), max(near[0][1], last))
            return ("" if counts_characters(language) else " ").join(tokens[told[0] : told[1]])
    return ""


def _denied(tokens: Sequence[str], first: int, last: int, language: str) -> bool:
    """Whether what stands around a machine's name says that there is none: "no AI voices", "not made with AI"."""
    joint, around = ("", 20) if counts_characters(language) else (" ", 6)
    return denies_ai(joint.join((*tokens[max(0, first - around) : first], "AI", *tokens[last : last + around])))


def _tokens(words: Sequence[Word], language: str) -> tuple[list[str], list[float]]:
    """The words as `spoken_words` parts them, each with when it starts."""
    pairs = [(token, w.span.start_s) for w in words for token in spoken_words(w.text, language)]
    return [token for token, _ in pairs], [at for _, at in pairs]


def _places(tokens: Sequence[str], phrases: Sequence[str], language: str) -> Iterator[tuple[int, int]]:
    """First and one past last token of each of the phrases."""
    for phrase in phrases:
        wanted = list(spoken_words(phrase, language))
        for k in range(len(tokens) - len(wanted) + 1):
            if list(tokens[k : k + len(wanted)]) == wanted:
                yield k, k + len(wanted)
