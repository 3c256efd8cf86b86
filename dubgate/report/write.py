"""Writes reports: each appears whole, by rename, and last."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from dubgate.errors import InputError
from dubgate.excerpts import Cut, cut_excerpts
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.report.html import render_html
from dubgate.report.json import to_json

_EXTRA: dict[str, Callable[[Judgement], dict[str, bytes]]] = {}


def write_reports(judgement: Judgement, folder: Path, formats: Sequence[str], *, media: str = "flagged") -> list[Path]:
    """Write the formats asked for into `folder` and return the files.

    Raises:
        InputError: the folder cannot be written to.
    """
    made = {"report.json": json.dumps(to_json(judgement), ensure_ascii=False, indent=1).encode()}
    if "html" in formats:
        made["report.html"] = render_html(judgement, media=media_of(judgement, media)).encode()
    for name in formats:
        made.update(_EXTRA[name](judgement) if name in _EXTRA else {})
    files = made
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / name, data) for name, data in files.items()]
    except OSError as error:
        raise InputError(f"reports cannot be written: {error.strerror}", where=str(folder)) from error


def media_of(judgement: Judgement, which: str) -> dict[str, dict[str, bytes]]:
    """Excerpts of the lines that failed (`flagged`), of all of them, or none."""
    if which == "none":
        return {}
    bad = {f.subject.name for f in judgement.verdict.findings if f.outcome > Outcome.WARN}
    cues = [c for c in judgement.sheet.cues if which == "all" or c.id in bad]
    if not cues:
        return {}
    spans = tuple(c.span for c in cues)
    original, dub = cut_excerpts(
        [
            Cut(str(judgement.original_media.absolute()), judgement.original_stream, spans),
            Cut(str(judgement.dub_media.absolute()), judgement.dub_stream, spans),
        ]
    )
    return {c.id: {"original": a, "dub": b} for c, a, b in zip(cues, original, dub, strict=True)}


def _write(path: Path, data: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    return path


def print_judgement(judgement: Judgement, written: Sequence[Path], *, lang: str = "en") -> None:
    """The verdict on standard output, and where the reports lie."""
    from rich.console import Console

    from dubgate.report.text import print_text

    console = Console(highlight=False)
    print_text(judgement, console, lang=lang)
    for path in written:
        console.print(f"report: {path}", markup=False, soft_wrap=True)
