"""What a text says about its own cue: `{kind: song, character: Ann}`, `[song]`, and a name with a colon.

A name with a colon (`ANN: Come in.`) is a character only if it is known (from the cast list, or because the sheet
names that character elsewhere in a way of its own), or if the sheet shows that it writes names so:

- names in capitals, when at least half of the cues start with one;
- names in any letters, when every cue starts with one and each occurs twice on average.

Otherwise the colon is ordinary text. A cue whose format names the character is never searched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import quote, unquote

from dubgate.delivery.draft import Draft
from dubgate.delivery.script import Cue, CueKind
from dubgate.errors import CueError

_BRACES = re.compile(r"\{\s*([a-z_]+\s*:[^{}]*)\}\s*")
_BRACKET = re.compile(rf"\[({'|'.join(CueKind)})\]\s*", re.IGNORECASE)
_PREFIX = re.compile(r"(?P<name>[^\W\d_][^:：\n<>\[\]{}\"!?]{0,39}?)\s*(?:：\s*|:\s+|:$)(?P<rest>.*)", re.DOTALL)
_MAX_NAME_WORDS = 4
_TRUTH: dict[str, bool | None] = {
    "": None,
    **dict.fromkeys(("yes", "true", "on", "1"), True),
    **dict.fromkeys(("no", "false", "off", "0"), False),
}


def set_attribute(draft: Draft, key: str, value: str, where: str) -> None:
    """Give a draft one attribute by its written name; values are percent-decoded.

    Raises:
        CueError: an unknown key, or a value that is not yes or no where one is needed.
    """
    value = unquote(value.strip())
    if key == "id":
        draft.id = value
    elif key == "character":
        draft.character, draft.explicit_character = value or None, True
    elif key == "kind":
        draft.kind = value
    elif key in ("lang", "language"):
        draft.language = value
    elif key == "on_screen":
        draft.on_screen = yes_or_no(value, where)
    elif key == "synthesised":
        draft.synthesised = yes_or_no(value, where)
    else:
        raise CueError(f"unknown attribute {key!r} of a cue", where=where)


def yes_or_no(value: str, where: str) -> bool | None:
    """A written truth value; empty is None.

    Raises:
        CueError: another word.
    """
    word = value.strip().lower()
    if word not in _TRUTH:
        raise CueError(f"{value!r} is neither yes nor no", where=where)
    return _TRUTH[word]


def take_marks(draft: Draft, where: str) -> None:
    """Move the marks at the start of a draft's text into its fields.

    Raises:
        CueError: an attribute that is not known.
    """
    text = draft.text.lstrip()
    if match := _BRACES.match(text):
        for part in match[1].split(","):
            key, _, value = part.partition(":")
            set_attribute(draft, key.strip(), value, where)
        text = text[match.end() :]
    elif match := _BRACKET.match(text):
        draft.kind = draft.kind or match[1]
        text = text[match.end() :]
    draft.text = text


def take_names(drafts: Sequence[Draft], known: Collection[str]) -> None:
    """Move names with a colon from the texts into `character`, by the rule of this module."""
    open_drafts = [d for d in drafts if not d.explicit_character]
    split = [(d, _split(d.text)) for d in open_drafts]
    found = [name for _, parts in split if parts for name in [parts[0]]]
    capitals = [name for name in found if name.isupper()]
    names = {*known, *(d.character for d in drafts if d.explicit_character and d.character)}
    if found and len(found) == len(open_drafts) >= 2 * len(set(found)):
        names |= set(found)
    if capitals and 2 * len(capitals) >= len(open_drafts):
        names |= set(capitals)
    for draft, parts in split:
        if parts and parts[0] in names:
            draft.character, draft.text = parts


def _split(text: str) -> tuple[str, str] | None:
    match = _PREFIX.fullmatch(text.strip())
    if match is None or len(match["name"].split()) > _MAX_NAME_WORDS:
        return None
    return " ".join(match["name"].split()), match["rest"]


def written_marks(cue: Cue, number_id: str) -> str:
    """The braces that make `take_marks` read this cue back; nothing where the text alone says it.

    `number_id` is the id that the cue has without marks.
    """
    colon_in_text = _split(cue.text) is not None
    pairs = {
        "id": cue.id if cue.id != number_id else None,
        "character": cue.character or ("" if colon_in_text else None),
        "kind": cue.kind if cue.kind is not CueKind.DIALOGUE or cue.text.startswith(("{", "[")) else None,
        "lang": cue.language,
        "on_screen": written_bool(cue.on_screen),
        "synthesised": written_bool(cue.synthesised),
    }
    written = [f"{key}: {_quoted(value)}" for key, value in pairs.items() if value is not None]
    return f"{{{', '.join(written)}}} " if written else ""


def written_bool(value: bool | None) -> str | None:
    """What `yes_or_no` reads back."""
    return None if value is None else "yes" if value else "no"


def _quoted(value: str) -> str:
    return value.translate({ord(c): quote(c) for c in "%,{}:"})
