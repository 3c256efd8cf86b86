"""`dubgate consent draft`: what the registry has to know for a delivery, as a seed to be filled in."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from dubgate.cli.registry_options import errors_told, open_registry, write_text
from dubgate.errors import InputError


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new file.")
@click.option(
    "--registry",
    "location",
    envvar="DUBGATE_REGISTRY",
    show_envvar=True,
    metavar="PATH|URL",
    help="Leave out what this registry knows already.",
)
def draft(manifest: Path, out: Path, location: str | None) -> None:
    """Draft what the registry has to know for the delivery that MANIFEST describes: title, holder, voices, grants.

    Writes a seed with a FILL IN at everything that only contracts say. Nothing counts before it is filled in and imported.

    \b
    dubgate consent draft delivery.yaml --out seed.yaml
    dubgate consent draft delivery.yaml --out seed.yaml --registry consent.db    # leaves out what is there already
    """
    from dubgate.consent_draft import draft_seed, known_to
    from dubgate.delivery.manifest import load_delivery

    if out.exists():
        raise InputError("a file is already there", where=str(out), remedy="Choose another name with --out.")
    delivery, today = load_delivery(manifest), datetime.now(UTC).date()
    if location is None:
        text = draft_seed(delivery, today)
    else:
        with errors_told(), open_registry(location, None, read_only=True) as registry, registry.view() as view:
            text = draft_seed(delivery, today, known_to(view, delivery))
    write_text(out, text)
    click.echo(
        f"{out}: {text.count('# FILL IN')} places say FILL IN; write them from the contracts, then\n"
        f"  dubgate consent import {shlex.quote(str(out))} --registry {shlex.quote(location or 'consent.db')} --dry-run"
    )


COMMANDS = (draft,)
