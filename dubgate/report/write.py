"""Writes reports: each appears whole, by rename, and last."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dubgate.errors import InputError
from dubgate.judgement import Judgement
from dubgate.report.html import render_html
from dubgate.report.issues import issues_csv, issues_xlsx
from dubgate.report.json import to_json
from dubgate.report.junit import junit_xml
from dubgate.report.markers import markers
from dubgate.report.sounds import cut_sounds

SOUNDS = "report-sounds"
PAGE = "report.html"
_HINTS = {"en": "  (in a browser: click a line to hear it)", "ja": "  （ブラウザで開き、台詞をクリックすると聴けます）"}
SOUND_NAME = re.compile(r"\d{9,}-[\w-]*-(original|dub)\.\w+")

_EXTRA: dict[str, Callable[[Judgement], dict[str, bytes]]] = {
    "junit": lambda j: {"report.junit.xml": junit_xml(j)},
    "csv": lambda j: {"issues.csv": issues_csv(j)},
    "xlsx": lambda j: {"issues.xlsx": issues_xlsx(j)},
    "markers": lambda j: {f"markers/{name}": data for name, data in markers(j).items()},
}


def require_place(folder: Path) -> None:
    """Whether reports can lie there, asked before minutes of hearing and not after.

    Raises:
        InputError: the folder, or the nearest one above it that is there, is none or may not be written to.
    """
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        remedy = "Name another folder with --out."
        raise InputError("reports cannot be written here", where=str(folder), remedy=remedy)


def write_reports(
    judgement: Judgement, folder: Path, formats: Sequence[str], *, media: str = "flagged", lang: str = "en"
) -> list[Path]:
    """Write the formats asked for into `folder` and return the files; report.json is always written, and last.

    Sound that lies beside the page is not among the files returned. `lang` is the language the page opens in.

    Raises:
        InputError: the folder cannot be written to. No report of this run is left there then.
    """
    return place_reports(report_files(judgement, formats, media=media, lang=lang), folder)


def report_files(judgement: Judgement, formats: Sequence[str], *, media: str, lang: str) -> dict[str, bytes]:
    """The formats asked for as files by relative name; report.json always, and last."""
    files: dict[str, bytes] = {}
    if "html" in formats:
        files.update(html_files(judgement, media, lang=lang))
    for name in dict.fromkeys(formats):
        files.update(_EXTRA[name](judgement) if name in _EXTRA else {})
    files["report.json"] = json.dumps(to_json(judgement), ensure_ascii=False, indent=1, allow_nan=False).encode()
    return files


def place_reports(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write what `report_files` made, all or nothing.

    Raises:
        InputError: the folder cannot be written to. No report of this run is left there then.
    """
    try:
        written = write_together({folder / name: data for name, data in files.items()})
        _drop_old_sounds(folder / SOUNDS, {Path(name).name for name in files if name.startswith(f"{SOUNDS}/")})
    except OSError as error:
        raise InputError(f"reports cannot be written: {error.strerror}", where=str(folder)) from error
    return [path for path in written if path.parent != folder / SOUNDS]


def _drop_old_sounds(folder: Path, kept: set[str]) -> None:
    """Voices of an earlier run do not stay beside a page that no longer plays them."""
    for path in folder.glob("*"):
        if path.name not in kept and SOUND_NAME.fullmatch(path.name):
            path.unlink()


def write_together(files: Mapping[Path, bytes]) -> list[Path]:
    """All files or none: each is first written whole under another name beside its place.

    Raises:
        OSError: a folder cannot be made or written to.
    """
    staged: dict[Path, Path] = {}
    placed: list[Path] = []
    try:
        for path, data in files.items():
            staged[path] = _stage(path, data)
        for path, waiting in staged.items():
            os.replace(waiting, path)
            placed.append(path)
    except BaseException:
        for left in (*staged.values(), *placed):
            left.unlink(missing_ok=True)
        raise
    return placed


def html_files(judgement: Judgement, media: str, *, lang: str = "en") -> dict[str, bytes]:
    """The page, and the sound that lies beside it because 20 MB are embedded already."""
    beside: dict[str, bytes] = {}

    def keep(name: str, data: bytes) -> str:
        beside[f"{SOUNDS}/{name}"] = data
        return f"{SOUNDS}/{name}"

    sounds = cut_sounds(judgement, media, keep)
    return {**beside, PAGE: render_html(judgement, sounds=sounds, lang=lang).encode()}


def _stage(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    waiting = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        waiting.chmod(0o644)
    except BaseException:
        waiting.unlink()
        raise
    return waiting


def print_judgement(judgement: Judgement, written: Sequence[Path], *, lang: str = "en") -> None:
    """The verdict on standard output, and where the reports lie."""
    from rich.console import Console

    from dubgate.report.text import print_text

    console = Console(highlight=False)
    print_text(judgement, console, lang=lang)
    for path in written:
        console.print(f"report: {path}{_HINTS[lang] if path.name == PAGE else ''}", markup=False, soft_wrap=True)
