"""What is wrong with the files that `dubgate qc` was given, told before minutes of hearing and by which of the three it is."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from dubgate.errors import InputError

CUES = frozenset({".srt", ".vtt", ".csv", ".tsv", ".json", ".ttml", ".dfxp", ".xml", ".dapt"})
MEDIA = frozenset(
    {".aac", ".ac3", ".aif", ".aiff", ".caf", ".flac", ".m4a", ".m4v", ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mxf", ".oga", ".ogg", ".opus", ".ts", ".w64", ".wav", ".webm"}
)  # fmt: skip
_ORDER = "The order is: dubgate qc ORIGINAL DUB [SCRIPT], two sound or video files and then the dub's cue sheet."
_MOST_NAMED = 6


def require_arguments(original: Path, dub: Path, script: Path | None) -> None:
    """Every file that is not there, and files in each other's place.

    Raises:
        InputError: named by the file, and by which argument it is.
    """
    for path, called in ((original, "ORIGINAL"), (dub, "DUB"), (script, "SCRIPT")):
        if path is not None:
            _require(path, called)
    for path, called in ((original, "ORIGINAL"), (dub, "DUB")):
        if path.suffix.lower() in CUES:
            raise InputError(f"a cue sheet stands where {called} is wanted", where=str(path), remedy=_ORDER)
    if script is not None and script.suffix.lower() in MEDIA:
        what = "a sound or video file stands where SCRIPT is wanted"
        raise InputError(what, where=str(script), remedy=_ORDER)


def require_two(original: Path, dub: Path, original_stream: str | None, dub_stream: str | None) -> None:
    """Original and dub are two sounds: of one file measured against itself, everything is right.

    Raises:
        InputError: both are the same stream of the same file.
    """
    if original_stream == dub_stream and original.exists() and dub.exists() and original.samefile(dub):
        what = "ORIGINAL and DUB are the same sound, and measured against itself every sound is right"
        remedy = "Name two files; or, where one file holds both, two streams: --original-stream en --dub-stream de."
        raise InputError(what, where=str(dub), remedy=remedy)


def _require(path: Path, called: str) -> None:
    if "://" in str(path) or str(path).startswith(("http:/", "https:/", "s3:/")):
        what = f"{called} is an address, and qc opens files of this machine only"
        raise InputError(what, where=str(path), remedy="Download the file, and name it here.")
    if path.is_dir():
        raise InputError(f"{called} is a folder, not a file", where=str(path), remedy=_within(path, called))
    if not path.exists():
        raise InputError(f"no such file ({called})", where=str(path), remedy=_near(path, called))
    if path.is_file() and path.stat().st_size == 0:
        remedy = "Copy or render it again: nothing was written into it."
        raise InputError(f"the file is empty ({called})", where=str(path), remedy=remedy)


def _fitting(folder: Path, called: str) -> list[str]:
    """The files there that can be what is wanted, by name."""
    wanted = CUES if called == "SCRIPT" else MEDIA
    try:
        return sorted(p.name for p in folder.iterdir() if p.suffix.lower() in wanted)
    except OSError:
        return []


def _within(folder: Path, called: str) -> str:
    there = _fitting(folder, called)
    if not there:
        return "Name a file; none in that folder looks like one."
    more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    return f"Name one of its files: {', '.join(there[:_MOST_NAMED])}{more}."


def _near(path: Path, called: str) -> str:
    near = get_close_matches(path.name, _fitting(path.parent, called), n=1, cutoff=0.7)
    if near:
        return f"Did you mean {path.with_name(near[0])}?"
    return "Check the name and the folder that you are in." if path.parent.is_dir() else f"{path.parent} is not there."
