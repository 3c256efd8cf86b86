"""`dubgate tokens`: make, list and revoke the tokens of the HTTP API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dubgate.cli.registry_options import open_registry, plain, registry_options, say
from dubgate.cli.tasks import Commands
from dubgate.errors import InputError

EXAMPLES = """\b
Examples:
  dubgate tokens new --party polyglot --scope submit --scope read --by op-1 --registry consent.db
  dubgate tokens new --party pipeline --scope read --for polyglot --by op-1 --registry consent.db
  dubgate tokens list --registry consent.db
  dubgate tokens revoke 0f3a9c21b7de --by op-1 --registry consent.db

\b
Scopes: read (may-publish, jobs, certificates), submit, approve (answer requests), admin (metrics).
One token never has two of submit, approve and admin."""


@click.group(cls=Commands, epilog=EXAMPLES)
def tokens() -> None:
    """Tokens of the HTTP API: each for one party of the registry, with scopes, until a day. Kept as hashes."""


@tokens.command(
    epilog="\b\nExamples:\n  dubgate tokens new --party polyglot --scope submit --scope read --by op-1 --registry consent.db > token\n  dubgate tokens new --party pipeline --scope read --for polyglot --days 30 --by op-1 --registry consent.db > token"
)
@click.option("--party", required=True, help="Whose token it is: a party of the registry.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["read", "submit", "approve", "admin"]),
    help="What it may do; may be repeated.",
)
@click.option(
    "--for", "asks_for", multiple=True, metavar="ORG", help="It may also ask about this organisation's releases."
)
@click.option("--by", required=True, metavar="PARTY", help="The operator who makes it.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long it lives.")
@click.option("--note", default="", help="What it is for; shown in the list.")
@registry_options
def new(
    party: str,
    scopes: tuple[str, ...],
    asks_for: tuple[str, ...],
    by: str,
    days: int,
    note: str,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Make a token and print it: this once, and never again."""
    from dubgate.service.database import open_database
    from dubgate.service.tokens import issue

    open_database(location).dispose()
    with open_registry(location, key_file) as registry:
        made = issue(registry, party=party, scopes=scopes, by=by, days=days, asks_for=asks_for, note=note)
    data = {"token_id": made.token_id, "token": made.token, "expires_at": made.caller.expires_at.isoformat()}
    say(form, data, made.token)


@tokens.command(name="list", epilog="\b\nExample:\n  dubgate tokens list --registry consent.db")
@registry_options
def list_tokens(location: str, key_file: Path | None, form: str) -> None:
    """List tokens, the dead ones too; none of them can be read back."""
    from dubgate.service.database import open_database
    from dubgate.service.tokens import listed

    engine = open_database(location)
    rows = listed(engine)
    engine.dispose()
    say(form, {"tokens": rows}, "\n".join(map(_line, rows)) or "No tokens.")


def _line(row: dict[str, Any]) -> str:
    state = f"revoked {row['revoked_at'][:10]}" if row["revoked_at"] else f"until {row['expires_at'][:10]}"
    return plain(f"{row['token_id']}  {row['party']}  {row['scopes']}  {state}  {row['note']}")


@tokens.command(epilog="\b\nExample:\n  dubgate tokens revoke 0f3a9c21b7de --by op-1 --registry consent.db")
@click.argument("token_id")
@click.option("--by", required=True, metavar="PARTY", help="The operator who revokes it.")
@registry_options
def revoke(token_id: str, by: str, location: str, key_file: Path | None, form: str) -> None:
    """End a token now."""
    from dubgate.service.database import open_database
    from dubgate.service.tokens import revoke as end

    open_database(location).dispose()
    with open_registry(location, key_file) as registry:
        done = end(registry, token_id, by=by)
    if not done:
        remedy = "Its id is the part of it after dgt_: dubgate tokens list --registry REGISTRY shows those that live."
        raise InputError("no living token has this id", where=plain(token_id)[:16], remedy=remedy)
    say(form, {"token_id": token_id, "revoked": True}, "Revoked.")
