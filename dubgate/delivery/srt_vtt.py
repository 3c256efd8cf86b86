"""SubRip and WebVTT, read strictly with line numbers and written so that reading gives the same sheet back.

Kept readers of these formats skip what they cannot read and forget the lines; a gate must not, so these are its own.
WebVTT carries more than captions need: `<v NAME>` is the character; the cue settings `character:`, `kind:`, `lang:`,
`on_screen:` and `synthesised:` (percent-encoded, no spaces) and the header or single-line notes `NOTE language: de` and
`NOTE style: lector` say the rest. SubRip says it in marks at the start of the text (marks.py).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from dubgate.delivery.cue_times import clock
from dubgate.delivery.draft import Draft, SheetDraft
from dubgate.delivery.marks import set_attribute, take_marks, written_bool, written_marks
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.errors import CueError

_SRT_ARROW = re.compile(
    r"\s*(-?)(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})\s*-->\s*(-?)(\d{1,3}):(\d{2}):(\d{2})[,.](\d{1,3})"
    r"(?:\s+[XY][12]:\s*-?\d+)*\s*"
)
_VTT_ARROW = re.compile(
    r"\s*(-?)(?:(\d{2,4}):)?(\d{2}):(\d{2})\.(\d{3})[ \t]+-->[ \t]+(-?)(?:(\d{2,4}):)?(\d{2}):(\d{2})\.(\d{3})(.*)"
)
_SRT_TAGS = re.compile(r"</?(?:i|b|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s([^<>]*)>")
_LANG = re.compile(r"\s*<lang\s+([^<>\s]+)>((?:(?!</?lang).)*)(?:</lang>)?\s*", re.DOTALL)
_RUBY_TEXT = re.compile(r"<rt(?:\.[^<>]*)?>(?:(?!</rt>|</ruby>).)*(?:</rt>)?", re.DOTALL)
_VTT_TAGS = re.compile(r"<[^<>]*>")
_SHEET_KEYS = re.compile(r"\s*(language|style)\s*:\s*(\S+)\s*", re.IGNORECASE)
# Settings of the format itself, which say where a caption stands on the picture.
_LAYOUT = frozenset({"vertical", "line", "position", "size", "align", "region"})

MAX_PAYLOAD = 20_000  # characters of a cue with its tags

Block = list[tuple[int, str]]  # the numbered lines between two blank ones


def _blocks(text: str) -> Iterator[Block]:
    block: Block = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _seconds(groups: Sequence[str | None], where: str) -> float:
    sign, hours, minutes, seconds, fraction = (g or "" for g in groups)
    if sign:
        raise CueError("a negative time", where=where)
    if int(minutes) > 59 or int(seconds) > 59:
        raise CueError("a minute or second above 59", where=where)
    ms = int(fraction.ljust(3, "0"))
    return (int(hours or 0) * 3_600_000 + int(minutes) * 60_000 + int(seconds) * 1000 + ms) / 1000


def read_srt(text: str, name: str) -> SheetDraft:
    """SubRip: a counter, a line of times, lines of text, a blank line.

    Raises:
        CueError: at `file:line`, whatever is not of that form.
    """
    sheet = SheetDraft()
    for block in _blocks(text):
        sheet.add(_srt_cue(block, name), name)
    return sheet


def _srt_cue(block: Block, name: str) -> Draft:
    (line, counter), *rest = block
    if not counter.strip().isdecimal():
        raise CueError("a cue must start with its number", where=f"{name}:{line}")
    where = f"{name}:{rest[0][0] if rest else line}"
    match = _SRT_ARROW.fullmatch(rest[0][1]) if rest else None
    if match is None:
        what = "the line after a cue's number must be its times, such as 00:00:01,000 --> 00:00:02,500"
        raise CueError(what, where=where)
    text = "\n".join(t for _, t in rest[1:])
    start, end = _seconds(match.groups()[:5], where), _seconds(match.groups()[5:10], where)
    draft = Draft(line, start, end, _SRT_TAGS.sub("", text), id=counter.strip())
    take_marks(draft, f"{name}:{line}")
    return draft


def read_vtt(text: str, name: str) -> SheetDraft:
    """WebVTT: a header, then notes, styles, regions and cues.

    Raises:
        CueError: at `file:line`, whatever is none of these, or a cue in which two characters speak.
    """
    sheet = SheetDraft()
    header, *blocks = _blocks(text)
    _read_header(sheet, header, name)
    for block in blocks:
        first = block[0][1]
        if re.match(r"NOTE(\s|$)", first):
            _read_note(sheet, block)
        elif first.strip() not in ("STYLE", "REGION") or sheet.drafts:
            sheet.add(_vtt_cue(block, name), name)
    return sheet


def _read_header(sheet: SheetDraft, header: Block, name: str) -> None:
    for number, line in header[1:]:
        if line.startswith("X-TIMESTAMP-MAP"):
            remedy = "Hand in the whole sheet, on the programme's own timeline."
            raise CueError("a segment of a stream, not a cue sheet", where=f"{name}:{number}", remedy=remedy)
        if "-->" in line:
            raise CueError("a blank line must follow the header", where=f"{name}:{number}")
        _read_sheet_key(sheet, line)


def _read_note(sheet: SheetDraft, block: Block) -> None:
    if len(block) == 1 and not sheet.drafts:
        _read_sheet_key(sheet, block[0][1][4:])


def _read_sheet_key(sheet: SheetDraft, line: str) -> None:
    if match := _SHEET_KEYS.fullmatch(line):
        setattr(sheet, match[1].lower(), match[2])


def _vtt_cue(block: Block, name: str) -> Draft:
    line = block[0][0]
    identifier = None if "-->" in block[0][1] else block[0][1].strip()
    rest = block if identifier is None else block[1:]
    where = f"{name}:{rest[0][0] if rest else line}"
    match = _VTT_ARROW.fullmatch(rest[0][1]) if rest else None
    if match is None:
        what = "a cue needs its times here, such as 00:01.000 --> 00:02.500"
        raise CueError(what, where=where)
    start, end = _seconds(match.groups()[:5], where), _seconds(match.groups()[5:10], where)
    draft = Draft(line, start, end, "", id=identifier)
    _read_settings(draft, match[11], where)
    _read_payload(draft, "\n".join(t for _, t in rest[1:]), f"{name}:{line}")
    return draft


def _read_settings(draft: Draft, settings: str, where: str) -> None:
    for setting in settings.split():
        key, colon, value = setting.partition(":")
        if not colon:
            raise CueError(f"{setting!r} is not a cue setting", where=where)
        if key not in _LAYOUT:
            set_attribute(draft, key, value, where)


def _read_payload(draft: Draft, payload: str, where: str) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise CueError(f"a cue of more than {MAX_PAYLOAD:,} characters", where=where)
    voices = list(dict.fromkeys(" ".join(html.unescape(v).split()) for v in _VOICE.findall(payload)))
    voices = [v for v in voices if v]
    if len(voices) > 1:
        what = f"two characters in one cue ({voices[0]}, {voices[1]})"
        raise CueError(what, where=where, remedy="Split the cue, so that each line has its own times.")
    payload = _VOICE.sub("", payload).replace("</v>", "")
    if match := _LANG.fullmatch(payload):
        draft.language, payload = draft.language or match[1], match[2]
    draft.text = html.unescape(_VTT_TAGS.sub("", _RUBY_TEXT.sub("", payload)))
    if draft.kind is None:
        take_marks(draft, where)
    if voices:
        draft.character, draft.explicit_character = voices[0], True


def write_srt(sheet: CueSheet) -> str:
    """The sheet as SubRip; original texts, actors and the sheet's own language and style are lost."""
    return "\n".join(_srt_block(number, cue) for number, cue in enumerate(sheet.cues, 1))


def _srt_block(number: int, cue: Cue) -> str:
    times = f"{clock(cue.span.start_s, ',')} --> {clock(cue.span.end_s, ',')}"
    text = (written_marks(cue, number_id=str(number)) + cue.text).rstrip()
    return f"{number}\n{times}\n" + (f"{text}\n" if text else "")


def write_vtt(sheet: CueSheet) -> str:
    """The sheet as WebVTT; only original texts and actors are lost."""
    notes = [("language", sheet.language), ("style", sheet.style)]
    head = "".join(f"NOTE {key}: {value}\n\n" for key, value in notes if value is not None)
    return f"WEBVTT\n\n{head}" + "\n".join(_vtt_block(number, cue) for number, cue in enumerate(sheet.cues, 1))


def _vtt_block(number: int, cue: Cue) -> str:
    plain = re.match(r"NOTE(\s|$)|(STYLE|REGION)$|.*-->", cue.id) is None
    identifier = f"{cue.id}\n" if plain and cue.id != f"#{number}" else ""
    times = f"{clock(cue.span.start_s)} --> {clock(cue.span.end_s)}"
    payload = (f"<v {_escaped(cue.character)}>" if cue.character else "") + _escaped(cue.text)
    return f"{identifier}{times}{_settings(cue, plain)}\n" + (f"{payload}\n" if payload else "")


def _settings(cue: Cue, plain_id: bool) -> str:
    settings = {
        "id": None if plain_id else cue.id,
        "character": "" if cue.character is None and re.search("[:：]", cue.text) else None,
        "kind": cue.kind if cue.kind is not CueKind.DIALOGUE or cue.text.startswith(("{", "[")) else None,
        "lang": cue.language,
        "on_screen": written_bool(cue.on_screen),
        "synthesised": written_bool(cue.synthesised),
    }
    return "".join(f" {key}:{quote(value)}" for key, value in settings.items() if value is not None)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
