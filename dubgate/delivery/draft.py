"""A cue as a format's reader found it, with its line; and what must hold of every cue sheet whatever its format."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dubgate.delivery.script import Cue, CueKind, CueSheet, Style
from dubgate.errors import CueError
from dubgate.languages import canonical
from dubgate.spans import Span

MAX_CUES = 200_000
MAX_TEXT = 5_000  # characters in one cue: some minutes of speech
MAX_NAME = 100  # characters in an id or a character's name
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(slots=True)
class Draft:
    """A cue before the checks; `id` None gets its ordinal. `line` is where it starts in the file, from 1.

    `explicit_character` says that the format itself named the character (or none), so the text is not searched.
    """

    line: int
    start_s: float
    end_s: float
    text: str
    id: str | None = None
    character: str | None = None
    kind: str | None = None
    language: str | None = None
    on_screen: bool | None = None
    synthesised: bool | None = None
    original_text: str | None = None
    explicit_character: bool = False


@dataclass(slots=True)
class SheetDraft:
    """What a format's reader found in a file; `ordered` where the format wants cues in order of time."""

    drafts: list[Draft] = field(default_factory=list)
    language: str | None = None
    style: str | None = None
    actors: dict[str, str] = field(default_factory=dict)
    ordered: bool = True

    def add(self, draft: Draft, name: str) -> None:
        """Take one more cue.

        Raises:
            CueError: more cues than any programme has.
        """
        if len(self.drafts) >= MAX_CUES:
            raise CueError(f"more than {MAX_CUES:,} cues", where=f"{name}:{draft.line}")
        self.drafts.append(draft)


def checked(sheet: SheetDraft, name: str) -> CueSheet:
    """The sheet as values, in order of time.

    Raises:
        CueError: at `file:line`: no cue, a repeated or empty id, times that are not finite, negative, without
            duration or backward, an unknown kind, style or language, text that is missing, too long or not text.
    """
    if not sheet.drafts:
        raise CueError("the cue sheet holds no cue", where=f"{name}:1")
    language = _language(sheet.language, f"{name}:1")
    cues = [_cue(draft, number, name) for number, draft in enumerate(sheet.drafts, 1)]
    _refuse_repeated_ids(sheet.drafts, cues, name)
    if sheet.ordered:
        _refuse_backward(sheet.drafts, name)
    cues.sort(key=lambda cue: cue.span.start_s)
    return CueSheet(name, tuple(cues), language, _style(sheet.style, name), tuple(sheet.actors.items()))


def _cue(draft: Draft, number: int, name: str) -> Cue:
    where = f"{name}:{draft.line}"
    kind = _kind(draft.kind, where)
    return Cue(
        id=_name(draft.id, "id", where) or f"#{number}",
        span=_span(draft, where),
        text=_text(draft.text, kind, where),
        character=_name(draft.character, "character", where),
        kind=kind,
        language=_language(draft.language, where),
        on_screen=draft.on_screen,
        synthesised=draft.synthesised,
        original_text=plain_text(draft.original_text or "", where) or None,
    )


def _span(draft: Draft, where: str) -> Span:
    start, end = draft.start_s, draft.end_s
    if not (math.isfinite(start) and math.isfinite(end)):
        raise CueError("a time is not a finite number", where=where)
    if start < 0:
        raise CueError(f"the cue starts before the programme ({start:g} s)", where=where)
    if end <= start:
        what = "ends before it starts" if end < start else "has no duration"
        raise CueError(f"the cue {what} ({start:g} s to {end:g} s)", where=where)
    return Span(start, end)


def _text(raw: str, kind: CueKind, where: str) -> str:
    text = plain_text(raw, where)
    if not text and kind is CueKind.DIALOGUE:
        remedy = "Write what is said, or give the cue a kind such as effort or crowd."
        raise CueError("a line of dialogue without text", where=where, remedy=remedy)
    return text


def plain_text(raw: str, where: str) -> str:
    """The text in one line: NFC, white space joined.

    Raises:
        CueError: control characters, half surrogates, or more than `MAX_TEXT` characters.
    """
    if len(raw) > MAX_TEXT:
        raise CueError(f"a text of more than {MAX_TEXT:,} characters", where=where)
    if _CONTROL.search(raw):
        raise CueError("control characters in a text", where=where)
    return " ".join(unicodedata.normalize("NFC", raw).split())


def _name(raw: str | None, what: str, where: str) -> str | None:
    if raw is None:
        return None
    name = plain_text(raw, where)
    if len(name) > MAX_NAME:
        raise CueError(f"an {what} of more than {MAX_NAME} characters".replace("an c", "a c"), where=where)
    return name or None


def _kind(raw: str | None, where: str) -> CueKind:
    try:
        return CueKind.DIALOGUE if raw is None else CueKind(raw.strip().lower())
    except ValueError:
        raise CueError(f"unknown kind {raw!r}; known are {', '.join(CueKind)}", where=where) from None


def _style(raw: str | None, name: str) -> Style | None:
    try:
        return None if raw is None else Style(raw.strip().lower())
    except ValueError:
        raise CueError(f"unknown style {raw!r}; known are {', '.join(Style)}", where=f"{name}:1") from None


def _language(raw: str | None, where: str) -> str | None:
    try:
        return None if raw is None else canonical(raw.strip())
    except ValueError as error:
        raise CueError(f"unknown language: {error}", where=where) from None


def _refuse_repeated_ids(drafts: Sequence[Draft], cues: Iterable[Cue], name: str) -> None:
    first: dict[str, int] = {}
    for draft, cue in zip(drafts, cues, strict=True):
        if cue.id in first:
            what = f"the id {cue.id!r} is repeated (first on line {first[cue.id]})"
            raise CueError(what, where=f"{name}:{draft.line}")
        first[cue.id] = draft.line


def _refuse_backward(drafts: Sequence[Draft], name: str) -> None:
    for before, after in pairwise(drafts):
        if after.start_s < before.start_s:
            what = f"the times go backward ({after.start_s:g} s after {before.start_s:g} s)"
            raise CueError(what, where=f"{name}:{after.line}", remedy="Put the cues in order of time.")
