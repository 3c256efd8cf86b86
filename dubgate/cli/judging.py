"""Options that the judging commands share, and the reading of times."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ["html", "json", "junit", "csv", "xlsx", "markers"]


def judging_options(command: F) -> F:
    """--pack, --models, --device, --at, --quiet."""
    for option in reversed(
        (
            click.option("--pack", "packs", multiple=True, metavar="NAME|FILE", help="Rule pack; may be repeated. Default: by style. A check adds those of its places, channels and partners."),
            click.option("--models", default="auto", show_default=True, metavar="auto|embedded|NAME", help="Which speech models hear."),
            click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where they run."),
            click.option("--at", metavar="TIME", help="Judge as at this time (ISO 8601 with zone). Default: now."),
            click.option("--quiet", is_flag=True, help="No progress."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


company_option = click.option(
    "--company",
    type=click.Path(path_type=Path),
    envvar="DUBGATE_COMPANY",
    show_envvar=True,
    help="The company's folder: register of tools, and what must never be AI.",
)


def report_options(command: F) -> F:
    """--out, --format, --media, --lang."""
    for option in reversed(
        (
            click.option("--out", type=click.Path(path_type=Path), help="Folder for reports. Default: beside what is judged."),
            click.option("--format", "formats", multiple=True, type=click.Choice(FORMATS), default=("html", "json"), show_default=True, help="Reports to write; may be repeated."),
            click.option("--media", type=click.Choice(["all", "flagged", "none"]), default="flagged", show_default=True, help="Sound in the HTML report."),
            click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the text printed."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def moment(text: str | None) -> datetime:
    """The time to judge at: now, or an ISO 8601 time with a zone.

    Raises:
        click.BadParameter: not such a time.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not an ISO 8601 time") from error
    if at.tzinfo is None:
        raise click.BadParameter(f"{text!r} has no time zone; write 2026-11-20T12:00:00Z")
    return at.astimezone(UTC)
