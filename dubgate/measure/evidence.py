"""What speaks for each script line having been said: the words heard in it, and how well its text fits the sound.

A transcriber may mishear (the embedded one up to four words in ten of clean speech), and an aligner places any text
somewhere. Each covers for the other: a script word was heard if the transcriber wrote it, or if the line as a whole
fits the sound and this word does too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import LineAlignment, ProgrammeFeatures, Word
from dubgate.measure.word_clock import Clock, fit_clock
from dubgate.measure.word_match import Pair, Placed, match_words
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured
from dubgate.wording import primary_language, spoken_words

# How far from its cue a word is still taken for it: first widely, to find how late the dub is and how it drifts
# (150 s at 23.976 against 25 run 6 s apart), then, by that clock, closely.
FIRST_REACH_S, REACH_S = 8.0, 3.0
MISHEARD_REACH_S = 1.0  # how far another word is taken for it misheard
_CLAIM_S = 0.5  # a word this close to a line belongs to it

# Nats per frame of the text against free speech, below which a line or word does not fit the sound, by aligner.
# pocketsphinx: 300 sentences of five synthetic voices against their own texts and others of the same length
# (tests/bench/fit_scores.py): own -3.6 at worst, median -1.1; others -4.3 at best, median -9.4; with noise at 20 dB
# -3.6 and -1.9, -4.3 and -7.2. Lines of one or two words part less well: about one wrong text in eight fits.
# Others (CTC): the path of the text against the model's own best path, where a wrong letter costs several nats a
# frame; chosen from the definition, not fitted.
_LINE_FITS_NATS = {"pocketsphinx": -3.7}
_WORD_FITS_NATS = {"pocketsphinx": -4.0}
_CTC_FITS_NATS = -1.5


@dataclass(frozen=True, slots=True)
class ScriptWord:
    """A word of a line: whether the transcriber wrote it, and where the sound supports it."""

    text: str
    written: bool = False
    placed: Span | None = None

    @property
    def heard(self) -> bool:
        return self.written or self.placed is not None


@dataclass(frozen=True, slots=True)
class Step:
    """A step through a line: a script word, a heard one (an index), or both (the same, or one misheard for the other).

    `explained` marks a heard word without a script word where the sound supports the script all the same.
    """

    script: ScriptWord | None
    heard: int | None
    explained: bool = False

    @property
    def differs(self) -> bool:
        return not self.explained if self.script is None else not self.script.heard


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """A dialogue line with all that speaks for it; `fits_nats` is its alignment's score."""

    cue: Cue
    language: str | None
    words: tuple[ScriptWord, ...]
    steps: tuple[Step, ...] = ()
    fits_nats: float | None = None

    @property
    def heard_share(self) -> float:
        return sum(w.heard for w in self.words) / len(self.words)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The dialogue lines that have words, in order; all heard words, in order; which of them no line claims."""

    lines: tuple[LineEvidence, ...]
    heard: tuple[Placed, ...]
    stray: frozenset[int]


def language_of(cue: Cue, sheet: CueSheet, features: ProgrammeFeatures) -> str | None:
    """What the line should be in: its own language, else the sheet's, else the dub's."""
    return primary_language(cue.language or sheet.language or features.dub.language)


def gather(features: ProgrammeFeatures, sheet: CueSheet) -> Evidence:
    """Match the script with what was heard. Lines in another language than was listened for are left out."""
    listened = primary_language(features.dub.language)
    cues = sorted(sheet.cues, key=lambda c: (c.span.start_s, c.span.end_s, c.id))
    alignments = features.dub.alignments
    placed = {} if isinstance(alignments, Unmeasured) else {a.cue_id: a for a in alignments}
    aligner = next((m.name for m in features.models if m.kind == "aligner"), "")
    lines: list[LineEvidence] = []
    elsewhere: list[LineEvidence] = []
    for cue in cues:
        line = _line(cue, language_of(cue, sheet, features), placed.get(cue.id), aligner)
        judged = cue.kind is CueKind.DIALOGUE and line.words and listened in (None, line.language)
        (lines if judged else elsewhere).append(line)
    heard = _heard(features)
    keys = _Keys([[_key(w.text) for w in x.words] for x in lines], [Placed(_key(w.text), w.span) for w in heard])
    clock = _clock(lines, keys)
    spans = [clock.there(line.cue.span) for line in lines]
    pairs = _matched(keys, spans, REACH_S)
    return _attributed(lines, spans, heard, pairs, [clock.there(line.cue.span) for line in elsewhere])


def _key(word: str) -> str:
    """What makes two words the same: apostrophes come and go between spellings."""
    return word.replace("'", "")


def _heard(features: ProgrammeFeatures) -> list[Placed]:
    """The transcript as spoken words, in order of time."""
    words = features.dub.words
    if isinstance(words, Unmeasured):
        return []
    language = features.dub.language
    tokens = [Placed(text, word.span) for word in words for text in spoken_words(word.text, language)]
    return sorted(tokens, key=lambda w: _middle(w.span))


def _line(cue: Cue, language: str | None, alignment: LineAlignment | None, aligner: str) -> LineEvidence:
    texts = spoken_words(cue.text, language)
    if alignment is None:
        return LineEvidence(cue, language, tuple(ScriptWord(text) for text in texts))
    fits = alignment.score >= _LINE_FITS_NATS.get(aligner, _CTC_FITS_NATS)
    least = math.exp(_WORD_FITS_NATS.get(aligner, _CTC_FITS_NATS))
    words = (
        ScriptWord(text, placed=word.span if fits and word is not None and word.prob >= least else None)
        for text, word in zip(texts, _in_order(texts, alignment.words), strict=True)
    )
    return LineEvidence(cue, language, tuple(words), fits_nats=alignment.score)


def _in_order(texts: Sequence[str], aligned: Sequence[Word]) -> list[Word | None]:
    """The aligned word of each script word; None where the aligner left it out."""
    out: list[Word | None] = []
    k = 0
    for text in texts:
        found = k < len(aligned) and aligned[k].text == text
        out.append(aligned[k] if found else None)
        k += found
    return out


@dataclass(frozen=True, slots=True)
class _Keys:
    """The words as they are compared: those of each line, and those heard."""

    lines: Sequence[Sequence[str]]
    heard: Sequence[Placed]


def _clock(lines: Sequence[LineEvidence], keys: _Keys) -> Clock:
    """The dub's clock from a first, wide match of equal words."""
    expected = [_middle(part) for line in lines for part in _shares(line.cue.span, len(line.words))]
    script = [key for line in keys.lines for key in line]
    pairs = [
        (expected[p.script], _middle(keys.heard[p.heard].span))
        for p in _matched(keys, [line.cue.span for line in lines], FIRST_REACH_S)
        if p.script is not None and p.heard is not None and script[p.script] == keys.heard[p.heard].text
    ]
    return fit_clock([s for s, _ in pairs], [h for _, h in pairs])


def _shares(span: Span, n: int) -> list[Span]:
    """The span in n equal parts: where its words would be at an even pace."""
    step = span.duration_s / n
    return [Span(span.start_s + k * step, span.start_s + (k + 1) * step) for k in range(n)]


def _matched(keys: _Keys, spans: Sequence[Span], reach_s: float) -> tuple[Pair, ...]:
    script = [Placed(key, span) for line, span in zip(keys.lines, spans, strict=True) for key in line]
    return match_words(script, keys.heard, reach_s=reach_s, misheard_reach_s=MISHEARD_REACH_S)


def _attributed(
    lines: Sequence[LineEvidence],
    spans: Sequence[Span],
    heard: Sequence[Placed],
    pairs: Sequence[Pair],
    elsewhere: Sequence[Span],
) -> Evidence:
    """Give every step to its line; a word put in goes to the line around it, or is stray."""
    owners = [k for k, line in enumerate(lines) for _ in line.words]
    words = [w for line in lines for w in line.words]
    steps: list[list[Step]] = [[] for _ in lines]
    stray: set[int] = set()
    before = -1  # the last script word passed
    for pair in pairs:
        if pair.script is not None:
            before = pair.script
            steps[owners[before]].append(_step(words[before], heard, pair.heard))
        elif pair.heard is not None:
            word = heard[pair.heard]
            near = {owners[i] for i in (before, before + 1) if 0 <= i < len(owners)}
            owner = _claiming(word, {k: spans[k] for k in sorted(near)})
            if owner is not None:
                steps[owner].append(Step(None, pair.heard, _explained(word, lines[owner])))
            elif not any(_away_s(word, span) <= _CLAIM_S for span in elsewhere):
                stray.add(pair.heard)
    judged = [_with_steps(line, own) for line, own in zip(lines, steps, strict=True)]
    return Evidence(tuple(judged), tuple(heard), frozenset(stray))


def _step(word: ScriptWord, heard: Sequence[Placed], index: int | None) -> Step:
    written = index is not None and _key(heard[index].text) == _key(word.text)
    return Step(replace(word, written=written), index)


def _with_steps(line: LineEvidence, steps: Sequence[Step]) -> LineEvidence:
    return replace(line, words=tuple(s.script for s in steps if s.script is not None), steps=tuple(steps))


def _claiming(word: Placed, spans: Mapping[int, Span]) -> int | None:
    """The nearest of these lines that the word is in or close to."""
    nearest = min(spans, key=lambda k: _away_s(word, spans[k]), default=None)
    return nearest if nearest is not None and _away_s(word, spans[nearest]) <= _CLAIM_S else None


def _away_s(word: Placed, span: Span) -> float:
    return max(0.0, span.start_s - _middle(word.span), _middle(word.span) - span.end_s)


def _middle(span: Span) -> float:
    return (span.start_s + span.end_s) / 2


def _explained(word: Placed, line: LineEvidence) -> bool:
    """Whether the sound of at least half of this word supports the script: then it is a script word misheard."""
    shared = sum(word.span.overlap_s(w.placed) for w in line.words if w.placed is not None)
    return shared >= 0.5 * word.span.duration_s and shared > 0
