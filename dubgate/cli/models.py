"""`dubgate models`: what hears on this machine, fetched only when asked, checked by digest."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dubgate.cli.tasks import Commands


@click.group(
    cls=Commands, epilog="\b\nExamples:\n  dubgate models list\n  dubgate models pull large-v3\n  dubgate models verify"
)
def models() -> None:
    """Speech models: list, fetch, verify.

    A check fetches nothing. DUBGATE_MODELS names folders for machines without a network.
    """


@models.command("list", epilog="\b\nExample:\n  dubgate models list")
def list_() -> None:
    """What each kind has, where it lies, its licence and size."""
    from rich.console import Console
    from rich.table import Table

    from dubgate.speech.models import advice, list_models

    table = Table(box=None, pad_edge=False)
    for column in ("kind", "name", "MB", "licence", "grade"):
        table.add_column(column, no_wrap=True, justify="right" if column == "MB" else "left")
    table.add_column("where", overflow="fold")
    for row in list_models():
        card = row.card
        grade = "best" if card.best else "embedded" if card.embedded else ""
        table.add_row(card.kind, card.name, f"{max(1, card.size / 1e6):.0f}", card.licence, grade, row.where)
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    click.echo(advice())


@models.command(
    epilog="\b\nExamples:\n  dubgate models pull large-v3\n  dubgate models pull best --to /srv/models        # then DUBGATE_MODELS=/srv/models on machines without a network"
)
@click.argument("name")
@click.option("--to", type=click.Path(path_type=Path), help="The folder to fetch into. Default: the user's cache.")
def pull(name: str, to: Path | None) -> None:
    """Fetch the model NAME at its pinned revision (`best` for the best of each kind) and check its digest."""
    from dubgate.speech.models import pull as fetch

    for ref in fetch(name, to):
        click.echo(f"{ref.kind} {ref.name}: {ref.path} ({ref.sha256[:16]}…)")


@models.command(epilog="\b\nExample:\n  dubgate models verify")
def verify() -> None:
    """Hash every model on this machine again and compare with the pinned digests."""
    from dubgate.speech.models import verify as check

    for ref in check():
        click.echo(f"{ref.kind:<16} {ref.name:<20} {ref.sha256[:16]}… {'pinned' if ref.pinned else 'not pinned'}")
