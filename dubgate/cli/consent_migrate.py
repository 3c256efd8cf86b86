"""`dubgate consent migrate`: a registry that an older dubgate made, brought to this one's schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import registry_options, say

if TYPE_CHECKING:
    from consent.migrations.upgrade import Migration


@click.command()
@click.option("--dry-run", is_flag=True, help="Name the steps and change nothing.")
@registry_options
def migrate(dry_run: bool, location: str, key_file: Path | None, form: str) -> None:
    """Bring a registry that an older dubgate made to this one's schema: every step, or nothing.

    The history stays as it is, to the same root. A SQLite file is copied beside itself first; the copy holds names and
    templates too (sealed), so delete it once `dubgate consent audit` is content. Nobody else should have the
    registry open meanwhile. Of a PostgreSQL registry make a dump before.

    \b
    dubgate consent migrate --registry consent.db --dry-run
    dubgate consent migrate --registry consent.db
    """
    from consent.migrations.upgrade import migrate as bring_up

    done = bring_up(location, dry_run=dry_run)
    data = {
        "version_before": done.version_before,
        "version_after": done.version_after,
        "steps": list(done.steps),
        "dry_run": dry_run,
        "entries": done.size,
        "root": done.root.hex(),
        "backup": None if done.backup is None else str(done.backup),
    }
    say(form, data, _text(done, dry_run))


def _text(done: Migration, dry_run: bool) -> str:
    if not done.steps:
        return f"The registry already has schema version {done.version_after}; there is nothing to do."
    did = "Would migrate" if dry_run else "Migrated"
    lines = [f"{did} the registry from schema version {done.version_before} to {done.version_after}:"]
    lines += [f"  {step}" for step in done.steps]
    lines.append(f"{done.size} entries, root {done.root.hex()}{'' if dry_run else ', as before'}")
    if done.backup is not None:
        lines.append(f"The registry as it was: {done.backup}. Audit the new one, then delete it.")
    return "\n".join(lines)
