"""`dubgate compare`: what a second report fixed, what is new, and which lines changed though nobody asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dubgate.report.schema import StoredReport

EXAMPLES = """\b
Examples:
  dubgate compare v1.qc/report.json v2.qc/report.json
  dubgate compare v1.qc v2.qc --out compare.html
  dubgate compare v1.qc v2.qc --format json

\b
Exit codes: 0 the reports were compared (whatever came out), 2 they could not be compared."""


@click.command(epilog=EXAMPLES)
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write the comparison as an HTML page."
)
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
def compare(old: Path, new: Path, form: str, out: Path | None, lang: str) -> int:
    """Compare the reports OLD and NEW of one programme (report.json, or the folder that holds it)."""
    from dubgate.errors import InputError
    from dubgate.report.compare import compare as compared
    from dubgate.report.compare import comparison_json
    from dubgate.report.compare_views import comparison_html, comparison_text
    from dubgate.report.write import write_together

    comparison = compared(_read(old), _read(new))
    if out is not None:
        try:
            write_together({out: comparison_html(comparison, lang=lang).encode()})
        except OSError as error:
            raise InputError(f"the page cannot be written: {error.strerror}", where=str(out)) from error
    if form == "json":
        click.echo(json.dumps(comparison_json(comparison), ensure_ascii=False, indent=1))
    else:
        click.echo(comparison_text(comparison, lang=lang), nl=False)
    return 0


def _read(path: Path) -> StoredReport:
    from dubgate.errors import InputError
    from dubgate.report.schema import read_report

    file = path / "report.json" if path.is_dir() else path
    try:
        data = file.read_bytes()
    except OSError as error:
        remedy = "Give the report.json that `dubgate qc` or `dubgate check` wrote, or the folder that it lies in."
        raise InputError(f"cannot be read: {error.strerror}", where=str(file), remedy=remedy) from error
    return read_report(data, where=str(file))
