"""`dubgate consent export|report|backup|restore`: what leaves the registry as a file, and what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import click

from dubgate.cli.registry_options import open_registry, registry_options, say, write_text

FILE = click.Path(path_type=Path)


@click.command()
@click.option("--as", "kind", type=click.Choice(["json", "dpv"]), default="json", show_default=True)
@click.option("--out", type=FILE, required=True)
@registry_options
def export(kind: str, out: Path, location: str, key_file: Path | None, form: str) -> None:
    """Write every record as JSON, or every consent as an ISO/IEC TS 27560 record; never a name or template.

    \b
    dubgate consent export --as dpv --out consents.jsonld --registry consent.db
    """
    from consent.export import export_dpv, export_json

    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        data = (export_dpv if kind == "dpv" else export_json)(view, at=view.now)
    write_text(out, json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    n = len(data["@graph"] if kind == "dpv" else data["entries"])
    say(form, {"written": str(out), "records": n}, f"Wrote {n} records to {out}.")


@click.command()
@click.argument("party")
@click.option("--out", type=FILE, required=True, help="A .html, .json or .csv file.")
@registry_options
def report(party: str, out: Path, location: str, key_file: Path | None, form: str) -> None:
    """Write what was done with a party's voices and titles, for that party to read.

    \b
    dubgate consent report p-ada --out ada.html --registry consent.db
    """
    from consent.report import to_csv, to_html

    suffix = out.suffix.lower()
    if suffix not in (".html", ".json", ".csv"):
        raise click.UsageError("--out ends in .html, .json or .csv")
    with open_registry(location, key_file, read_only=True) as registry:
        made = registry.report(party)
    if suffix == ".json":
        text = json.dumps(made.data(), ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    else:
        text = to_html(made) if suffix == ".html" else to_csv(made)
    write_text(out, text)
    counts = {"grants": len(made.grants), "uses": len(made.releases)}
    say(form, {"written": str(out), **counts}, f"Wrote {counts['grants']} consents and {counts['uses']} uses to {out}.")


@click.command()
@click.argument("history", type=FILE)
@click.argument("keys", type=FILE)
@registry_options
def backup(history: Path, keys: Path, location: str, key_file: Path | None, form: str) -> None:
    """Write the history and, apart from it, the wrapped keys. The registry's own key file is in neither.

    \b
    dubgate consent backup history.jsonl keys.jsonl --registry consent.db
    """
    with open_registry(location, key_file, read_only=True) as registry:
        n = registry.backup(history, keys)
    say(form, {"entries": n}, f"Wrote {n} entries. Keep {keys.name} apart from {history.name}.")


@click.command()
@click.argument("history", type=FILE)
@click.argument("keys", type=FILE)
@registry_options
def restore(history: Path, keys: Path, location: str, key_file: Path | None, form: str) -> None:
    """Make a new registry from a backup; it comes to the same root, and what was erased stays erased.

    \b
    dubgate consent restore history.jsonl keys.jsonl --registry again.db --key-file consent.db.key
    """
    from consent.registry import Registry

    with Registry.restore(location, history, keys, key_file=key_file) as registry:
        head = registry.head()
    say(form, {"entries": head.size, "root": head.root.hex()}, f"Restored {head.size} entries, root {head.root.hex()}.")


COMMANDS = (export, report, backup, restore)
