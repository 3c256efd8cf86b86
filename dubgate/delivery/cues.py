"""Cue sheets of every format to one value: what a file is, is told from its content, never from its name.

Formats: SubRip and WebVTT (srt_vtt.py), CSV and TSV (tabular.py), JSON (cue_json.py), TTML and W3C DAPT (dapt.py).
Text is UTF-8, or UTF-16 with a byte order mark.
"""

from __future__ import annotations

import codecs
import math
import re
import stat
from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

from dubgate.delivery.cue_json import read_json, write_json
from dubgate.delivery.cue_times import exact_rate
from dubgate.delivery.dapt import read_ttml
from dubgate.delivery.dapt_writer import write_dapt
from dubgate.delivery.draft import SheetDraft, checked
from dubgate.delivery.marks import take_names
from dubgate.delivery.script import Cue, CueSheet
from dubgate.delivery.srt_vtt import read_srt, read_vtt, write_srt, write_vtt
from dubgate.delivery.tabular import delimiter_of, read_table, write_table
from dubgate.errors import CueError
from dubgate.languages import canonical, same_language
from dubgate.pinned import as_pinned

MAX_BYTES = 50_000_000
MAX_LINE = 20_000  # characters, in the formats that are made of lines
PAST_END_S = 0.5  # a last cue is often drawn out to the next frame or beat
_XML_ENCODING = re.compile(r"""<\?xml[^>]{0,100}?\bencoding\s*=\s*["']([^"']{1,40})["']""")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)

__all__ = [
    "check_against_duration",
    "read_cues",
    "sheet_from",
    "write_dapt",
    "write_json",
    "write_srt",
    "write_table",
    "write_vtt",
]


def read_cues(
    path: Path,
    *,
    language: str | None = None,
    frame_rate: float | Fraction | str | None = None,
    start_s: float = 0.0,
    characters: Collection[str] = (),
) -> CueSheet:
    """Read a cue sheet.

    Args:
        path: a file of less than 50 MB.
        language: the dub's; a sheet that says another is refused, and in a DAPT file with several the one to take.
        frame_rate: of SMPTE times (`23.976` is understood as 24000/1001); TTML brings its own.
        start_s: what SMPTE times and clock times of the sheet show at the programme's first frame; subtracted.
        characters: names that are characters wherever a line starts with them and a colon.

    Raises:
        CueError: at `file:line`, whatever the formats and `draft.checked` refuse.
    """
    return sheet_from(
        _bytes_of(path),
        path.name,
        language=language,
        frame_rate=frame_rate,
        start_s=start_s,
        characters=characters,
    )


def sheet_from(
    data: bytes,
    name: str,
    *,
    language: str | None = None,
    frame_rate: float | Fraction | str | None = None,
    start_s: float = 0.0,
    characters: Collection[str] = (),
) -> CueSheet:
    """`read_cues` of bytes in memory; `name` stands in messages.

    Raises:
        CueError: as `read_cues`.
    """
    wanted, rate = _options(name, language, frame_rate)
    sheet = _read(_text_of(data, name), name, wanted, rate)
    take_names(sheet.drafts, characters)
    for draft in sheet.drafts:
        draft.start_s, draft.end_s = draft.start_s - start_s, draft.end_s - start_s
    sheet.language = sheet.language or wanted
    result = checked(sheet, name)
    if wanted and result.language and not same_language(wanted, result.language):
        raise CueError(f"the cue sheet is in {result.language}, the dub in {wanted}", where=f"{name}:1")
    return result


def check_against_duration(sheet: CueSheet, duration_s: float) -> None:
    """Refuse a sheet that goes on after the programme has ended.

    Raises:
        CueError: a cue starts at or after the end, or ends more than `PAST_END_S` after it; all of them are named.
    """
    if not (math.isfinite(duration_s) and duration_s > 0):
        raise CueError(f"a programme of {duration_s} s holds no cue", where=sheet.name)
    late = [c for c in sheet.cues if c.span.start_s >= duration_s or c.span.end_s > duration_s + PAST_END_S]
    if late:
        shown = ", ".join(_ended(c) for c in late[:5]) + (f" and {len(late) - 5} more" if len(late) > 5 else "")
        remedy = "Check that the cue sheet belongs to this programme and counts from its first frame." + _from(sheet)
        raise CueError(
            f"cues past the end of the programme ({duration_s:.3f} s): {shown}", where=sheet.name, remedy=remedy
        )


def _from(sheet: CueSheet) -> str:
    """How to say that a sheet counts from a full hour, where it seems to."""
    hours = int(min(c.span.start_s for c in sheet.cues) // 3600)
    if not hours:
        return ""
    said = f"{hours:02d}:00:00:00"
    return f' Where it counts from {said}, say so: --start-timecode {said} --frame-rate 25, or `timecode: {{frame_rate: "25", start: "{said}"}}` in delivery.yaml.'


def _ended(cue: Cue) -> str:
    return f"{cue.id} ({cue.span.start_s:.3f} to {cue.span.end_s:.3f} s)"


def _options(
    name: str, language: str | None, rate: float | Fraction | str | None
) -> tuple[str | None, Fraction | None]:
    try:
        return canonical(language) if language else None, None if rate is None else exact_rate(rate)
    except ValueError as error:
        raise CueError(str(error), where=name) from None


def _bytes_of(path: Path) -> bytes:
    """The file's bytes; the size is looked at before anything is read."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CueError("not a file", where=str(path))
        if status.st_size >= MAX_BYTES:
            raise CueError(f"a cue sheet of {status.st_size:,} bytes; the limit is {MAX_BYTES:,}", where=str(path))
        with open(path, "rb", opener=as_pinned) as file:
            return file.read(MAX_BYTES)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise CueError(f"cannot be read ({why})", where=str(path)) from None


def _text_of(data: bytes, name: str) -> str:
    """Decoded, with line ends as `\\n`."""
    if not data.strip(b" \t\r\n"):
        raise CueError("the file is empty", where=f"{name}:1")
    if len(data) >= MAX_BYTES:
        raise CueError(f"{MAX_BYTES:,} bytes or more", where=name)
    if data.startswith(_UTF32):
        raise CueError("UTF-32 text", where=f"{name}:1", remedy="Save the file as UTF-8.")
    encoding = "utf-16" if data.startswith(_UTF16) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise _not_text(data, error, name) from None
    if "\0" in text[:1000]:
        raise CueError("not text, or UTF-16 without a byte order mark", where=f"{name}:1", remedy="Save it as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _not_text(data: bytes, error: UnicodeDecodeError, name: str) -> CueError:
    if error.encoding.startswith("utf-16"):
        return CueError("damaged UTF-16 text", where=f"{name}:1")
    line = data.count(b"\n", 0, error.start) + 1
    guess = "; it looks like Windows-1252 or Latin-1" if _could_be_cp1252(data) else ""
    return CueError(f"not UTF-8 text{guess}", where=f"{name}:{line}", remedy="Save the file as UTF-8.")


def _could_be_cp1252(data: bytes) -> bool:
    head = data[:100_000]
    return b"\0" not in head and sum(b < 9 or 13 < b < 32 for b in head) == 0


def _read(text: str, name: str, language: str | None, rate: Fraction | None) -> SheetDraft:
    start = text.lstrip()
    if start.startswith("<"):
        _refuse_other_encoding(start, name)
        return read_ttml(text, name, language=language)
    if start.startswith(("{", "[")):
        return read_json(text, name, frame_rate=rate)
    _refuse_long_lines(text, name)
    if re.match(r"WEBVTT(?:[ \t\n]|$)", text):
        return read_vtt(text, name)
    if delimiter_of(text) is not None:
        return read_table(text, name, frame_rate=rate)
    if "-->" in start[:1000]:
        return read_srt(text, name)
    known = "SRT, WebVTT, CSV or TSV with columns start and end, JSON, TTML or DAPT"
    raise CueError(f"not a cue sheet; known are {known}", where=f"{name}:1")


def _refuse_other_encoding(text: str, name: str) -> None:
    declared = _XML_ENCODING.match(text)
    if declared and declared[1].lower() not in ("utf-8", "utf-16", "us-ascii"):
        remedy = "Save the file as UTF-8 and say so in its first line."
        raise CueError(f"the encoding {declared[1]} is refused", where=f"{name}:1", remedy=remedy)


def _refuse_long_lines(text: str, name: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            raise CueError(f"a line of {len(line):,} characters; the limit is {MAX_LINE:,}", where=f"{name}:{number}")
