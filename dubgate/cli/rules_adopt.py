"""`dubgate rules adopt|retire|adopted`: which rule packs are in force, signed into the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from dubgate.cli.registry_options import ID, registry_option

FILE = click.Path(path_type=Path)
REGISTRY = registry_option("The registry whose ledger records it.")
NAMES = click.argument("packs", nargs=-1, required=True, metavar="NAME|FILE.yaml...")
BY = click.option("--as", "by", required=True, type=ID, metavar="PARTY", help="Who answers for it.")
KEY = click.option("--key", type=FILE, required=True, help="That party's signing key.")
REASON = click.option("--reason", required=True, help="Why, for whoever reads the ledger.")


@click.command(epilog="Example: dubgate rules adopt core house.yaml --as qc-lead --key lead.pem --reason 'onset 0.5 s'")
@NAMES
@REGISTRY
@BY
@KEY
@REASON
def adopt(packs: tuple[str, ...], registry: str, by: str, key: Path, reason: str) -> None:
    """Put packs in force, by their very bytes; a change of one threshold is another pack, and is signed again.

    Certificates that other bytes of the pack judged are not renewed any more, and `verify --policy` with
    `adopted: true` refuses them.
    """
    _record(packs, "adopted", registry, by, key, reason)


@click.command(
    epilog="Example: dubgate rules retire house.yaml --as qc-lead --key lead.pem --reason 'merged into core'"
)
@NAMES
@REGISTRY
@BY
@KEY
@REASON
def retire(packs: tuple[str, ...], registry: str, by: str, key: Path, reason: str) -> None:
    """Put packs out of force."""
    _record(packs, "retired", registry, by, key, reason)


@click.command(epilog="Example: dubgate rules adopted --registry consent.db --format policy > publish.yaml")
@REGISTRY
@click.option("--format", "form", type=click.Choice(["text", "policy"]), default="text", show_default=True)
def adopted(registry: str, form: str) -> None:
    """The packs in force; as a publish-policy file for `dubgate verify --policy` with --format policy."""
    from dubgate.adopting import adopted_in

    found = adopted_in(registry)
    if form == "policy":
        click.echo("schema: publish-policy/1.0\nlevels: [DUBGATE_RELEASE]\npacks:")
        for one in found:
            click.echo(f"  - {{pack: {one.pack}, sha256: {one.sha256}}}")
        return
    for one in found:
        click.echo(f"{one.pack}  {one.version}  {one.sha256}  by {one.by}: {' '.join(one.reason.split())}")


def _record(
    packs: tuple[str, ...], kind: Literal["adopted", "retired"], registry: str, by: str, key: Path, reason: str
) -> None:
    from dubgate.adopting import adopt as record
    from dubgate.cli.keys import load
    from dubgate.policy.packs import CORE, load_packs

    chosen = [p for p in load_packs(packs) if p.name != CORE or CORE in packs]
    made = record(chosen, kind, location=registry, by=by, key=load(key), reason=reason)
    for one in made:
        replaced = f", replaces {one.replaces[:16]}…" if one.replaces else ""
        click.echo(f"{one.kind}: {one.pack} {one.version} ({one.sha256[:16]}…{replaced})")
    if not made:
        click.echo("already in force: nothing was recorded")
