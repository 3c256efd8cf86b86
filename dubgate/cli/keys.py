"""`dubgate keys`: make, list, rotate, revoke and export signing keys, each for one purpose, and sign a trust store."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.tasks import Commands
from dubgate.errors import InputError

if TYPE_CHECKING:
    pass

FILE = click.Path(path_type=Path)
PURPOSE = click.Choice(["gate", "ledger", "webhook", "root"])
EXAMPLES = """\b
Examples:
  dubgate keys new holder.pem                               # a party's key: the registry says what it may sign
  dubgate keys new gate.pem --purpose gate --days 365       # a key with one purpose, and its card beside it
  dubgate keys list .
  dubgate keys rotate gate.pem gate-2.pem --overlap-days 7
  dubgate keys revoke gate.pem --reason "laptop stolen"
  dubgate keys export root.pem > root.hex
  dubgate keys trust trust.json --root root.pem --gate gate.pem --ledger ledger.pem --registry consent.db"""

_ANOTHER = "Choose another name, or make one that takes over: dubgate keys rotate."
_UNATTENDED = (
    "Set {own}, or {own}_FILE to a file that holds it; a key that was made with --no-passphrase asks for none."
)
_NEXT = {
    "": "hand it to whoever keeps the registry (public_hex under keys: in a seed; dubgate consent draft)",
    "root": "hand it to whoever verifies (dubgate keys export > root.hex), and keep the key offline",
    "gate": "a trust store lists it (dubgate keys trust)",
    "ledger": "a trust store lists it (dubgate keys trust)",
    "webhook": "hand it to whoever receives webhooks",
}


@click.group(cls=Commands, epilog=EXAMPLES)
def keys() -> None:
    """Ed25519 signing keys as files, and keys in key services by URI.

    A passphrase is taken from DUBGATE_GATE_KEY_PASSPHRASE (or LEDGER, WEBHOOK, ROOT for GATE), else from
    DUBGATE_KEY_PASSPHRASE, or from the file that either names with _FILE behind it; else asked for on a terminal.
    """


@keys.command(
    epilog="\b\nExamples:\n  dubgate keys new holder.pem                                   # a party's key; the registry says what it may sign\n  dubgate keys new gate.pem --purpose gate --days 365\n  DUBGATE_KEY_PASSPHRASE_FILE=secret dubgate keys new ledger.pem --purpose ledger\n  dubgate keys new gate.json --purpose gate --uri awskms:KEY-ID --public gate.pub.pem"
)
@click.argument("path", type=FILE)
@click.option("--purpose", type=PURPOSE, help="The one thing that it may sign. Default: a party's key, without a card.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long it may sign.")
@click.option("--uri", help="The key lies in a key service (awskms:, gcpkms:, azurekms:, hv:, hsm:); PATH is its card.")
@click.option("--public", type=FILE, help="With --uri: the public key in PEM, from the service's console.")
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Write the key unencrypted (for tests and for machines that seal their disks).",
)
def new(path: Path, purpose: str | None, days: int, uri: str | None, public: Path | None, no_passphrase: bool) -> None:
    """Make a key at PATH (never over a file that is there) and print its public half."""
    from dubgate.certificate.dsse import new_private_key, public_of, save_private_key
    from dubgate.certificate.key_cards import new_card, new_service_card

    until = datetime.now(UTC) + timedelta(days=days)
    if uri is not None:
        if purpose is None or public is None:
            raise click.UsageError("--uri goes with --purpose and --public")
        click.echo(new_service_card(path, purpose, uri, public, datetime.now(UTC), until))
        return
    if path.exists():  # before a passphrase is asked for, and before a card is written beside a key that is not its own
        raise InputError("a file is already there, and a key is never overwritten", where=str(path), remedy=_ANOTHER)
    key = new_private_key()
    secret = None if no_passphrase else passphrase(confirm=True, purpose=purpose or "")
    if purpose is not None:
        new_card(path, purpose, public_of(key), datetime.now(UTC), until)
    save_private_key(key, path, secret)
    click.echo(public_of(key).public_hex)
    click.echo(f"{path}: keep it secret. The line above is its public half: {_NEXT[purpose or '']}", err=True)


@keys.command(epilog="\b\nExample:\n  dubgate keys show holder.pem")
@click.argument("path", type=FILE)
def show(path: Path) -> None:
    """Print the public half of the key at PATH: what `dubgate consent` registers for a party."""
    from dubgate.certificate.dsse import public_of

    click.echo(public_of(_open(path)).public_hex)


@keys.command(name="list", epilog="\b\nExample:\n  dubgate keys list .")
@click.argument("folder", type=FILE, default=".")
def list_keys(folder: Path) -> None:
    """Every key in FOLDER that has a card: what it is for, until when, and whether it is valid."""
    from dubgate.certificate.key_cards import cards_in

    if not folder.is_dir():
        raise InputError("no such folder", where=str(folder), remedy="Name the folder that holds the keys.")
    found = cards_in(folder)
    if not found:
        click.echo(f"{folder}: no key here has a card; a party's own key has none (dubgate keys show PATH)", err=True)
    for path, card in found:
        status = card.status(datetime.now(UTC))
        click.echo(f"{path.name}  {card.purpose}  {status}  until {card.not_after.date()}  {card.key.keyid}")


@keys.command(epilog="\b\nExample:\n  dubgate keys rotate gate.pem gate-2.pem --overlap-days 7")
@click.argument("old", type=FILE)
@click.argument("path", type=FILE)
@click.option("--overlap-days", type=click.IntRange(0, 90), default=7, show_default=True, help="How long both sign.")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How long the new one signs."
)
@click.option("--no-passphrase", is_flag=True, help="Write the key unencrypted.")
def rotate(old: Path, path: Path, overlap_days: int, days: int, no_passphrase: bool) -> None:
    """Make a key at PATH that takes over from the key OLD, for the same purpose; OLD ends after the overlap.

    Sign a new trust store afterwards, so that publishers know the new key before it is used.
    """
    from dubgate.certificate.dsse import new_private_key, public_of, save_private_key
    from dubgate.certificate.key_cards import rotated

    key = new_private_key()
    secret = None if no_passphrase else passphrase(confirm=True)
    now = datetime.now(UTC)
    rotated(old, path, public_of(key), now, now + timedelta(days=overlap_days), now + timedelta(days=days))
    save_private_key(key, path, secret)
    click.echo(public_of(key).public_hex)


@keys.command(epilog='\b\nExample:\n  dubgate keys revoke gate.pem --reason "laptop stolen"')
@click.argument("path", type=FILE)
@click.option("--reason", required=True, help="Why, for whoever reads the card.")
def revoke(path: Path, reason: str) -> None:
    """Mark the key at PATH as revoked. Publishers refuse what it signed once they have a new trust store."""
    from dubgate.certificate.key_cards import revoked

    card = revoked(path, reason, datetime.now(UTC))
    click.echo(f"revoked: {card.key.keyid}. Sign a new trust store now: dubgate keys trust.")


@keys.command(epilog="\b\nExample:\n  dubgate keys export root.pem > root.hex")
@click.argument("path", type=FILE)
def export(path: Path) -> None:
    """Print the public half of the key whose card lies beside PATH: hex for Ed25519, else PEM. Asks for no passphrase."""
    from dubgate.certificate.keys import read_card

    click.echo(read_card(path).key.public)


@keys.command(
    epilog="\b\nExamples:\n  dubgate keys trust trust.json --root root.pem --gate gate.pem --ledger ledger.pem --registry consent.db\n  dubgate keys trust trust.json --root root.pem --gate gate.pem --gate gate-2.pem --ledger ledger.pem --registry consent.db"
)
@click.argument("out", type=FILE)
@click.option("--root", type=FILE, required=True, help="The offline root key.")
@click.option("--gate", "gates", type=FILE, multiple=True, required=True, help="A gate's key or card; may be repeated.")
@click.option(
    "--ledger", "ledgers", type=FILE, multiple=True, required=True, help="A ledger's key or card; may be repeated."
)
@click.option("--registry", "location", help="The registry whose ledger it is; or say --origin.")
@click.option("--origin", help="The ledger's name, as its checkpoints say it.")
@click.option("--verifier", default="urn:dubgate:gate", show_default=True, metavar="URI", help="The gate's name.")
@click.option("--accept-embedded", is_flag=True, help="Also accept verdicts that embedded models reached.")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="How long the store is valid.")
def trust(
    out: Path,
    root: Path,
    gates: tuple[Path, ...],
    ledgers: tuple[Path, ...],
    location: str | None,
    origin: str | None,
    verifier: str,
    accept_embedded: bool,
    days: int,
) -> None:
    """Sign a trust store at OUT: which gate and ledger keys count, until when. Its version is one more than OUT's.

    List revoked keys as well: a key that is missing is unknown, one that is listed as revoked is refused as such.
    """
    from dubgate.certificate.key_cards import next_trust_store
    from dubgate.certificate.keys import card_for, signer_for, trust_store_bytes
    from dubgate.cli.registry_options import open_registry

    now = datetime.now(UTC)
    if (location is None) == (origin is None):
        raise click.UsageError("say either --registry or --origin")
    if location is not None:
        with open_registry(location, None, read_only=True) as registry:
            origin = registry.head().origin
    key = card_for(root, "root", now).key
    levels = ("DUBGATE_RELEASE", *(("DUBGATE_RELEASE_EMBEDDED",) if accept_embedded else ()))
    until = now + timedelta(days=days)
    store = next_trust_store(out, key, gates, ledgers, verifier, origin or "", levels, now, until)
    partial = out.with_name(f"{out.name}.partial")
    partial.write_bytes(trust_store_bytes(store, signer_for(root, "root", now, passphrase_for)))
    partial.replace(out)
    click.echo(f"trust store version {store.version}, until {until.isoformat()}: {out}")


def load(path: Path) -> Any:
    """The private key of a party; asks for its passphrase only where it has one.

    Raises:
        InputError: it cannot be read, or its card says that it is for something else.
    """
    from dubgate.certificate.keys import card_path, read_card

    if card_path(path).exists():
        raise InputError(f"this key is for {read_card(path).purpose}, not for a party to sign with", where=str(path))
    return _open(path)


def _open(path: Path) -> Any:
    from dubgate.certificate.dsse import load_private_key

    try:
        encrypted = b"ENCRYPTED" in path.read_bytes()[:64]
    except OSError as error:
        raise InputError(f"cannot read this signing key: {error.strerror}", where=str(path)) from None
    return load_private_key(path, passphrase() if encrypted else None)


def passphrase_for(purpose: str) -> bytes:
    """The passphrase of the key with this purpose."""
    return passphrase(purpose=purpose)


def passphrase(*, confirm: bool = False, purpose: str = "") -> bytes:
    """From the environment, a file that the environment names, else asked for without echo.

    Raises:
        InputError: the file cannot be read.
    """
    own = f"DUBGATE_{purpose.upper()}_KEY_PASSPHRASE"
    for name in dict.fromkeys((own if purpose else "DUBGATE_KEY_PASSPHRASE", "DUBGATE_KEY_PASSPHRASE")):
        if given := os.environ.get(name):
            return given.encode()
        if named := os.environ.get(f"{name}_FILE"):
            try:
                return Path(named).read_bytes().rstrip(b"\r\n")
            except OSError as error:
                raise InputError(f"the passphrase cannot be read: {error.strerror}", where=named) from None
    if not sys.stdin.isatty():
        raise InputError(
            "a passphrase is needed, and there is no terminal to ask at", remedy=_UNATTENDED.format(own=name)
        )
    what = f"Passphrase of the {purpose} key" if purpose else "Passphrase of the key"
    asked: str = click.prompt(what, hide_input=True, confirmation_prompt=confirm)
    return asked.encode()
