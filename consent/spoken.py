"""Spoken consent as evidence: a fresh phrase is issued, said once, and what was measured of the recording is kept. Pure.

The phrase is a statement and random words behind it. Whoever says it permits one comparison of this recording with the
enrolled voice: the phrase itself grants `match`, for that moment and nothing else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from consent.strict import Id, Line, Record, Sha256, Time

STATEMENT = "I agree to this use of my voice and you may compare it with my recordings"
N_WORDS = 8
MAX_WORD_ERRORS = 0.375  # of the random words; by chance somebody says five of eight right once in 10^7 times
VALID_FOR = timedelta(minutes=15)
# Common words of two or three syllables and the digits, apart in sound: an English recogniser tells them from another.
WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "apple",
    "balcony",
    "banana",
    "blanket",
    "bottle",
    "button",
    "camera",
    "candle",
    "carpet",
    "castle",
    "chicken",
    "circle",
    "coffee",
    "cotton",
    "diamond",
    "dinner",
    "doctor",
    "dragon",
    "elephant",
    "engine",
    "finger",
    "forest",
    "garden",
    "giraffe",
    "guitar",
    "hammer",
    "harbor",
    "island",
    "jacket",
    "kitchen",
    "ladder",
    "lemon",
    "machine",
    "market",
    "message",
    "mirror",
    "monkey",
    "mountain",
    "number",
    "ocean",
    "orange",
    "paper",
    "pencil",
    "pepper",
    "piano",
    "pocket",
    "rabbit",
    "river",
    "sailor",
    "shadow",
    "silver",
    "summer",
    "teacher",
    "tiger",
    "tomato",
    "umbrella",
    "vacation",
    "village",
    "violin",
    "water",
    "weather",
    "window",
    "winter",
    "yellow",
]
Words = Annotated[
    tuple[Annotated[str, Field(pattern=re.compile(r"^[a-z]{2,20}\Z"))], ...], Field(min_length=4, max_length=40)
]
Step = Literal["words", "voice"]


class SpokenPhrase(Record):
    """A phrase that was issued for one voice, to be said once and before it expires."""

    schema_name: ClassVar[str] = "consent-phrase/1.0"

    phrase_id: Id
    voice_id: Id
    issued_by: Id
    statement: Line
    words: Words
    issued_at: Time
    expires_at: Time

    @property
    def record_id(self) -> str:
        """The phrase's id."""
        return self.phrase_id

    @property
    def text(self) -> str:
        """What is to be said."""
        return f"{self.statement}: {', '.join(self.words)}."

    def found_under(self) -> tuple[str, ...]:
        """By phrase, voice and issuer."""
        return (f"phrase:{self.phrase_id}", f"voice:{self.voice_id}", f"party:{self.issued_by}")

    @model_validator(mode="after")
    def _short_lived(self) -> Self:
        if not timedelta(0) < self.expires_at - self.issued_at <= timedelta(days=1):
            raise ValueError("a phrase lives for a day at most, and longer than nothing")
        return self


class SpokenConsent(Record):
    """What was measured of one recording of a phrase. `refused_at` names the step that failed; None: it was accepted.

    `word_error_rate` is over the random words; `statement_score` how much better the statement fits the sound than
    free speech sounds do, in nats a frame. `match_llr` is against the enrolment, or `not_compared` says why there is none.
    """

    schema_name: ClassVar[str] = "consent-spoken/1.0"

    spoken_id: Id
    phrase_id: Id
    voice_id: Id
    recorded_by: Id
    recording_sha256: Sha256
    words_heard: tuple[Line, ...]
    word_error_rate: Annotated[float, Field(ge=0)]
    statement_score: float | None = None
    transcriber_sha256: Sha256
    speech_s: Annotated[float, Field(ge=0)] | None = None
    match_llr: float | None = None
    not_compared: Line | None = None
    encoder_sha256: Sha256 | None = None
    refused_at: Step | None = None

    @property
    def record_id(self) -> str:
        """The id of this saying."""
        return self.spoken_id

    def found_under(self) -> tuple[str, ...]:
        """By saying, phrase, voice and recording."""
        own = (f"spoken:{self.spoken_id}", f"phrase:{self.phrase_id}")
        return (*own, f"voice:{self.voice_id}", f"recording:{self.recording_sha256}")


def new_phrase(
    voice_id: str,
    by: str,
    at: datetime,
    *,
    valid_for: timedelta = VALID_FOR,
    choose: Callable[[Sequence[str]], str] = secrets.choice,
) -> SpokenPhrase:
    """A fresh phrase: no word twice, so that a word said early cannot stand for a later one."""
    words: list[str] = []
    while len(words) < N_WORDS:
        word = choose(WORDS)
        if word not in words:
            words.append(word)
    return SpokenPhrase(
        phrase_id=f"ph-{secrets.token_hex(10)}",
        voice_id=voice_id,
        issued_by=by,
        statement=STATEMENT,
        words=tuple(words),
        issued_at=at,
        expires_at=at + valid_for,
    )


def staleness(phrase: SpokenPhrase, voice_id: str, said: Sequence[SpokenConsent], at: datetime) -> str | None:
    """Why a phrase may not be said now; None where it is fresh.

    Args:
        said: what was recorded of it before; a saying whose words were wrong does not use it up.
    """
    if phrase.voice_id != voice_id:
        return f"the phrase {phrase.phrase_id} was issued for {phrase.voice_id}, not for {voice_id}"
    if not phrase.issued_at <= at < phrase.expires_at:
        return f"the phrase {phrase.phrase_id} expired at {phrase.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    if any(s.refused_at != "words" for s in said):
        return f"the phrase {phrase.phrase_id} was said before, and it is for once"
    return None


def word_error_rate(expected: Sequence[str], heard: Sequence[str]) -> float:
    """Words left out, put in or changed, over the words expected (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(expected, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (word != other))
    return row[-1] / max(1, len(expected))
