"""The script of a dub as values: cues, their characters, kinds and style. Parsers are in cues.py and dapt.py."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dubgate.spans import Span


class CueKind(StrEnum):
    """What a cue holds. Only `dialogue` is held to script, language and one voice; every kind is searched for voices."""

    DIALOGUE = "dialogue"
    SONG = "song"
    CROWD = "crowd"
    EFFORT = "effort"
    KEPT_ORIGINAL = "kept-original"


class Style(StrEnum):
    """How the dub sits on the picture: lip-synchronous, voice-over, or a lector over the audible original."""

    LIPSYNC = "lipsync"
    VOICEOVER = "voiceover"
    LECTOR = "lector"


@dataclass(frozen=True, slots=True)
class Cue:
    """One line of the script.

    `id` is unique in its sheet; `text` is what the dub says (target language), without the character's name;
    `language` overrides the sheet's (BCP-47); `on_screen` is None where the sheet does not say.
    """

    id: str
    span: Span
    text: str
    character: str | None = None
    kind: CueKind = CueKind.DIALOGUE
    language: str | None = None
    on_screen: bool | None = None
    synthesised: bool | None = None  # DAPT tta:speak
    original_text: str | None = None


@dataclass(frozen=True, slots=True)
class CueSheet:
    """A script in order of time. `actors` maps character to actor where the sheet names one (DAPT)."""

    name: str  # file name, for messages
    cues: tuple[Cue, ...]
    language: str | None = None
    style: Style | None = None
    actors: tuple[tuple[str, str], ...] = ()

    @property
    def characters(self) -> tuple[str, ...]:
        """Characters in order of first appearance."""
        return tuple(dict.fromkeys(c.character for c in self.cues if c.character is not None))
