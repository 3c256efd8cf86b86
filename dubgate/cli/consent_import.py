"""`dubgate consent import`: a YAML seed, or many records of one kind from CSV or JSON; all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import open_registry, plain, registry_options, say

if TYPE_CHECKING:
    from consent.bulk import BulkImport, Imported
    from consent.registry import Registry


def _print_template(context: click.Context, _: click.Parameter, section: str | None) -> None:
    """Print a template and end; an eager option, since it needs neither a file nor a registry."""
    if section is None or context.resilient_parsing:
        return
    from consent.bulk_template import template

    _known_kind(section)
    click.echo(template(section), nl=False)
    context.exit()


def _known_kind(section: str) -> None:
    from consent.seed import SECTIONS

    if section not in SECTIONS:
        raise click.BadParameter(f"{section!r} is not one of {', '.join(SECTIONS)}")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--kind", metavar="KIND", help="For CSV: grants, parties, voices, titles …; else a column `record` says it."
)
@click.option("--zone", metavar="ZONE", help="For days without a time: the IANA zone they are meant in, Europe/Berlin.")
@click.option("--dry-run", is_flag=True, help="Check everything, print what would be imported, and write nothing.")
@click.option(
    "--template",
    metavar="KIND",
    is_eager=True,
    expose_value=False,
    callback=_print_template,
    help="Print the CSV header of a kind with an example row and comments, and end.",
)
@registry_options
def import_(
    file: Path,
    kind: str | None,
    zone: str | None,
    dry_run: bool,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Import FILE: a YAML seed, or records in bulk from .csv or .json; all of it, or nothing.

    Every error is told with its line and column. In bulk, what is there already and the same is left alone, and a record that
    differs from one under the same id is an error; a seed is imported once. A last day is included: until 2026-12-31 ends when 2027 starts in --zone.

    JSON holds lists: {"schema": "consent-bulk/1.0", "zone": "Europe/Berlin", "parties": [...], "grants": [...]}.

    \b
    dubgate consent import seed.yaml --registry consent.db --dry-run
    dubgate consent import --template grants > grants.csv
    dubgate consent import grants.csv --kind grants --zone Europe/Berlin --registry consent.db --dry-run
    """
    if file.suffix.lower() in (".csv", ".json"):
        with open_registry(location, key_file) as registry:
            done = _bulk(registry, file, kind, zone, dry_run)
        say(form, _data(done), _text(done))
        return
    if kind is not None or zone is not None:
        raise click.UsageError("--kind and --zone are for .csv and .json; a seed says both itself")
    from consent.seed import import_seed

    with open_registry(location, key_file) as registry:
        seeded = import_seed(registry, file, dry_run=dry_run)
    say(form, {"imported": seeded.counts, "dry_run": dry_run}, _summary(seeded.counts, dry_run))


def _bulk(registry: Registry, file: Path, kind: str | None, zone: str | None, dry_run: bool) -> BulkImport:
    from consent.bulk import import_bulk

    if kind is not None:
        _known_kind(kind)
    return import_bulk(registry, file, kind=kind, zone=zone, dry_run=dry_run)


def _data(done: BulkImport) -> dict[str, Any]:
    return {
        "imported": done.counts(),
        "unchanged": done.counts("unchanged"),
        "dry_run": done.dry_run,
        "records": [{"kind": r.section, "id": r.record_id, "line": r.line, "state": r.state} for r in done.records],
    }


def _text(done: BulkImport) -> str:
    lines = [_line(r) for r in done.records] if done.dry_run else []
    same = done.counts("unchanged")
    told = ", ".join(f"{n} {section}" for section, n in same.items())
    already = [f"Already there, the same: {told}."] if same else []
    return "\n".join([*lines, _summary(done.counts(), done.dry_run), *already])


def _line(record: Imported) -> str:
    sign = "+" if record.state == "new" else "="
    return f"{sign} line {record.line:>6}  {record.section:<12} {plain(record.record_id)}"


def _summary(counts: dict[str, int], dry_run: bool) -> str:
    listed = ", ".join(f"{n} {section}" for section, n in counts.items()) or "nothing"
    return f"{'Would import' if dry_run else 'Imported'} {listed}."


COMMANDS = (import_,)
