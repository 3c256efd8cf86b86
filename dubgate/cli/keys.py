"""`dubgate keys`: make a signing key, and show the public half that the registry lists."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.group(epilog="\b\nExample:\n  dubgate keys new holder.pem\n  dubgate keys show holder.pem")
def keys() -> None:
    """Ed25519 signing keys as files.

    A passphrase is taken from DUBGATE_KEY_PASSPHRASE, or asked for on a terminal.
    """


@keys.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--no-passphrase",
    is_flag=True,
    help="Write the key unencrypted (for tests and for machines that seal their disks).",
)
def new(path: Path, no_passphrase: bool) -> None:
    """Make a key at PATH (never over a file that is there) and print its public half."""
    from dubgate.certificate.dsse import new_private_key, public_of, save_private_key

    key = new_private_key()
    save_private_key(key, path, None if no_passphrase else passphrase(confirm=True))
    click.echo(public_of(key).public_hex)


@keys.command()
@click.argument("path", type=click.Path(path_type=Path))
def show(path: Path) -> None:
    """Print the public half of the key at PATH: what `dubgate consent` registers for a party."""
    from dubgate.certificate.dsse import public_of

    click.echo(public_of(load(path)).public_hex)


def load(path: Path):  # type: ignore[no-untyped-def]
    """The private key of a file; asks for its passphrase only where it has one."""
    from dubgate.certificate.dsse import load_private_key
    from dubgate.errors import InputError

    try:
        encrypted = b"ENCRYPTED" in path.read_bytes()[:64]
    except OSError as error:
        raise InputError(f"cannot read this signing key: {error.strerror}", where=str(path)) from None
    return load_private_key(path, passphrase() if encrypted else None)


def passphrase(*, confirm: bool = False) -> bytes:
    """From DUBGATE_KEY_PASSPHRASE, else asked for without echo."""
    given = os.environ.get("DUBGATE_KEY_PASSPHRASE")
    if given:
        return given.encode()
    asked: str = click.prompt("Passphrase of the key", hide_input=True, confirmation_prompt=confirm)
    return asked.encode()
