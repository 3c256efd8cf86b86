"""What `dubgate check --certify` needs: keys with their purposes, the gate's party and name. All before hearing starts."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from dubgate.certifying import Certified, Gate

F = TypeVar("F", bound=Callable[..., Any])
FILE = click.Path(path_type=Path)
VERIFIER = "urn:dubgate:gate"


def certify_options(command: F) -> F:
    """--certify, --key, --ledger-key, --as, --verifier."""
    for option in reversed(
        (
            click.option("--certify", is_flag=True, help="Record the decision in the ledger and sign it: certificate.json in --out."),
            click.option("--key", type=FILE, envvar="DUBGATE_GATE_KEY", help="With --certify: the gate's key file, or its card."),
            click.option("--ledger-key", type=FILE, envvar="DUBGATE_LEDGER_KEY", help="With --certify: the key that signs the ledger's checkpoints."),
            click.option("--as", "party", envvar="DUBGATE_GATE_PARTY", metavar="PARTY", help="With --certify: the party of the registry that records the decision."),
            click.option("--verifier", envvar="DUBGATE_VERIFIER", default=VERIFIER, show_default=True, metavar="URI", help="With --certify: the gate's name, as trust stores list it."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def gate_options(command: F) -> F:
    """--key, --ledger-key, --as, --verifier of a command that always signs."""
    for option in reversed(
        (
            click.option("--key", type=FILE, envvar="DUBGATE_GATE_KEY", required=True, help="The gate's key file, or its card."),
            click.option("--ledger-key", type=FILE, envvar="DUBGATE_LEDGER_KEY", required=True, help="The key that signs the ledger's checkpoints."),
            click.option("--as", "party", envvar="DUBGATE_GATE_PARTY", required=True, metavar="PARTY", help="The party of the registry that records it."),
            click.option("--verifier", envvar="DUBGATE_VERIFIER", default=VERIFIER, show_default=True, metavar="URI", help="The gate's name, as trust stores list it."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def gate_of(
    *, certify: bool, key: Path | None, ledger_key: Path | None, party: str | None, verifier: str, at: str | None
) -> Gate | None:
    """The gate that signs; None where nothing is to be signed.

    Raises:
        click.UsageError: something is missing, or a time was given: what is signed is dated by the clock.
        InputError: a key is for another purpose, revoked, expired, or its passphrase is wrong.
    """
    if not certify:
        return None
    if at is not None:
        raise click.UsageError("--certify takes no --at: what is signed is dated by this machine's clock")
    if key is None or ledger_key is None or party is None:
        raise click.UsageError("--certify needs --key, --ledger-key and --as")
    return signing_gate(key, ledger_key, party, verifier)


def signing_gate(key: Path, ledger_key: Path, party: str, verifier: str) -> Gate:
    """The gate that signs with these keys.

    Raises:
        InputError: a key is for another purpose, revoked, expired, or its passphrase is wrong.
    """
    from dubgate.certificate.keys import private_for, read_card, signer_for
    from dubgate.certifying import Gate
    from dubgate.cli.keys import passphrase_for

    now = datetime.now(UTC)
    signer = signer_for(key, "gate", now, passphrase_for)
    private = private_for(ledger_key, "ledger", now, passphrase_for)
    return Gate(verifier, party, signer, private, tuple(read_card(k).not_after for k in (key, ledger_key)))


def say_certified(certified: Certified) -> None:
    """Where the certificate lies and what it says."""
    verdict = certified.verdict
    click.echo(f"certificate: {certified.certificate} ({verdict.result}, {verdict.level})")
    click.echo(f"annex: {certified.annex} (private)")
    if verdict.result == "PASSED":
        asked = f"dubgate verify {shlex.quote(str(certified.certificate))} FILE --territory CODE --channel CHANNEL"
        click.echo(f"before it is published: {asked} --trust trust.json --root root.hex")
