"""Writes reports: each appears whole, by rename, and last."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dubgate.errors import InputError
from dubgate.judgement import Judgement
from dubgate.report.json import to_json


def write_reports(judgement: Judgement, folder: Path, formats: Sequence[str], *, media: str = "flagged") -> list[Path]:
    """Write the formats asked for into `folder` and return the files.

    Raises:
        InputError: the folder cannot be written to.
    """
    files = {"report.json": json.dumps(to_json(judgement), ensure_ascii=False, indent=1).encode()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / name, data) for name, data in files.items()]
    except OSError as error:
        raise InputError(f"reports cannot be written: {error.strerror}", where=str(folder)) from error


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
