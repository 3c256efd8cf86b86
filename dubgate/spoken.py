"""Spoken consent, step by step: freshness, then the words, then the voice; what was measured becomes evidence.

The voice is listened to only after the words were heard: the phrase itself is what permits the comparison. A step that
fails is named, and nothing after it is done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent.registry import Registry
from consent.spoken import MAX_WORD_ERRORS, WORDS, SpokenConsent, SpokenPhrase, word_error_rate
from consent.spoken_door import require_fresh, templates_for
from consent.views import View
from dubgate.comparing import compare
from dubgate.errors import ChildError
from dubgate.stored import Arrays, from_stored, to_stored
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.enrolling import Recording

MIN_STATEMENT_SCORE = (
    -3.5
)  # nats a frame against free phones: flite's voices say it at -0.7 to -1.3, another text at -7
LONGEST_S = 120.0


@dataclass(frozen=True, slots=True)
class WordsHeard:
    """The words behind the statement, how well the statement fits the sound, the file's length, and by which weights."""

    words: tuple[str, ...]
    statement_score: float | Unmeasured
    duration_s: float
    transcriber_sha256: str


@dataclass(frozen=True, slots=True)
class Said:
    """What came of a recording: the evidence, and one sentence on each step that was taken."""

    evidence: SpokenConsent
    told: tuple[str, ...]

    @property
    def accepted(self) -> bool:
        """Whether every step passed."""
        return self.evidence.refused_at is None


def check_spoken(
    registry: Registry,
    voice_id: str,
    recording: Path,
    phrase_id: str,
    *,
    by: str,
    hear: Callable[[Path, SpokenPhrase], WordsHeard] | None = None,
    listen: Callable[[Path], Recording] | None = None,
) -> Said:
    """Check a recording of a phrase and record what was measured, whether it is accepted or not.

    Args:
        hear, listen: how words and voice are heard; in the child, by default.

    Raises:
        RecordError: the phrase is unknown, expired, used, of another voice; or this recording was handed in before.
        MediaError, ModelError, ChildError: it could not be heard.
    """
    from dubgate.delivery.formats import file_sha256
    from dubgate.enrolling import hear_voice

    digest = file_sha256(recording)
    with registry.view() as view:
        phrase = require_fresh(view, phrase_id, voice_id, digest, view.now)
    words = (hear or hear_words)(recording, phrase)
    rate = word_error_rate(phrase.words, words.words)
    fields: dict[str, Any] = {
        "spoken_id": f"sp-{secrets.token_hex(10)}",
        "phrase_id": phrase_id,
        "voice_id": voice_id,
        "recorded_by": by,
        "recording_sha256": digest,
        "words_heard": words.words,
        "word_error_rate": rate,
        "statement_score": None if isinstance(words.statement_score, Unmeasured) else words.statement_score,
        "transcriber_sha256": words.transcriber_sha256,
    }
    told = [_words_told(phrase, words, rate)]
    if not said_it(phrase, words):
        fields["refused_at"] = "words"
    else:
        heard = (listen or hear_voice)(recording)
        with registry.view() as view:
            more, sentence = _voice(phrase, heard, view, view.now)
        fields |= more
        told.append(sentence)
    evidence = SpokenConsent(**fields)
    registry.add(evidence)
    return Said(evidence, tuple(told))


def said_it(phrase: SpokenPhrase, words: WordsHeard) -> bool:
    """Whether a recording says the phrase: the statement, and most of the random words in their order."""
    score, rate = words.statement_score, word_error_rate(phrase.words, words.words)
    return rate <= MAX_WORD_ERRORS and not isinstance(score, Unmeasured) and score >= MIN_STATEMENT_SCORE


def _words_told(phrase: SpokenPhrase, words: WordsHeard, rate: float) -> str:
    heard = ", ".join(words.words) or "none"
    score = words.statement_score
    fit = score.reason if isinstance(score, Unmeasured) else f"{score:.2f} nat a frame"
    return (
        f"words: {rate:.0%} of {len(phrase.words)} wrong (at most {MAX_WORD_ERRORS:.0%}); heard {heard}; "
        f"statement {fit} (at least {MIN_STATEMENT_SCORE:g})"
    )


def _voice(phrase: SpokenPhrase, heard: Recording, view: View, at: datetime) -> tuple[dict[str, Any], str]:
    """The voice step: refused for another voice, and where it cannot be told though there is an enrolment."""
    fields: dict[str, Any] = {"speech_s": heard.speech_s, "encoder_sha256": heard.encoder_sha256}
    templates = templates_for(view, phrase, at)
    if not templates:
        why = "the voice has no enrolment, so that nothing says whose voice spoke"
        return {**fields, "not_compared": why}, f"voice: not compared; {why}"
    found = compare(heard, phrase.voice_id, templates)
    if isinstance(found.llr, Unmeasured):
        fields["not_compared"] = found.llr.reason
    else:
        fields["match_llr"] = found.llr
    if found.answer is not True:
        fields["refused_at"] = "voice"
    return fields, f"voice: {found.as_text().splitlines()[-1]}"


def hear_words(path: Path, phrase: SpokenPhrase) -> WordsHeard:
    """The words of a recording, heard in the child.

    Raises:
        MediaError, ModelError, ChildError: it could not be heard.
    """
    from dubgate.sandbox import Limits, run_in_child

    request = {"path": str(path.absolute()), "statement": phrase.statement}  # it is not told which words to hear
    reply = run_in_child("spoken", request, limits=Limits(), inputs=[path])
    try:
        return from_stored(WordsHeard, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the words came back malformed: {error}", where=str(path)) from None


def spoken_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `hear_words`."""
    from dubgate.delivery.audio import AudioSpool
    from dubgate.delivery.media import probe, select_stream
    from dubgate.errors import MediaError
    from dubgate.speech.phrase_words import PhraseWords
    from dubgate.speech.sphinx_aligner import PocketSphinxAligner

    path = Path(request["path"])
    spool = AudioSpool(path, select_stream(probe(path)).index, scratch)
    if spool.duration_s > LONGEST_S:
        raise MediaError(f"{spool.duration_s:.0f} s are too long for one phrase ({LONGEST_S:g} s)", where=path.name)
    clip = spool.read(0.0, spool.duration_s)
    hearer = PhraseWords(request["statement"], WORDS)
    words = hearer.hear(clip)
    [placed] = PocketSphinxAligner().align([clip], [request["statement"]], language="en")
    score: float | Unmeasured = placed if isinstance(placed, Unmeasured) else placed.score
    return to_stored(WordsHeard(words, score, spool.duration_s, hearer.sha256))
