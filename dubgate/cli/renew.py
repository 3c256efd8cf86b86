"""`dubgate renew`: a certificate that expires, or whose file was re-wrapped, asked again and signed anew."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.certify_options import VERIFIER, signing_gate
from dubgate.cli.registry_options import plain, registry_option
from dubgate.cli.verify import FILE, REFUSED, root_key, say_refused, trust_options

if TYPE_CHECKING:
    from dubgate.certificate.trust import TrustStore
    from dubgate.certifying import Gate
    from dubgate.renewal_ends import End

WARNED = 3
EXAMPLES = """\b
Examples:
  dubgate renew verdict/certificate.json --registry consent.db --key gate.pem --ledger-key ledger.pem --as op-1 \\
      --trust trust.json --root root.hex
  dubgate renew verdict/certificate.json --file dub.mka …        # the same sound in another container
  dubgate renew verdict/package-certificate.json …
  dubgate renew verdict/certificate.json --warn --registry consent.db --trust trust.json --root root.hex

\b
Exit codes: 0 renewed (with --warn: nothing in sight), 1 refused, 2 could not be asked, 3 --warn found something.
What was withdrawn, refused, revoked or changed is never renewed: have it judged again."""


@click.command(epilog=EXAMPLES)
@click.argument("certificate", type=FILE)
@click.option("--annex", type=FILE, help="Its private annex. Default: annex.json beside it.")
@click.option("--file", "published", type=FILE, help="The published file, where it is the same sound re-wrapped.")
@registry_option()
@trust_options
@click.option("--key", type=FILE, envvar="DUBGATE_GATE_KEY", help="The gate's key file, or its card.")
@click.option(
    "--ledger-key", type=FILE, envvar="DUBGATE_LEDGER_KEY", help="The key that signs the ledger's checkpoints."
)
@click.option("--as", "party", envvar="DUBGATE_GATE_PARTY", metavar="PARTY", help="The party that records it.")
@click.option(
    "--verifier", envvar="DUBGATE_VERIFIER", default=VERIFIER, show_default=True, metavar="URI", help="The gate's name."
)
@click.option("--out", type=FILE, help="Where the new certificate is written. Default: over the old one.")
@click.option("--warn", is_flag=True, help="Sign nothing; say what will stop renewals soon.")
@click.option(
    "--hours", type=click.IntRange(1, 8760), default=72, show_default=True, help="With --warn: how far ahead."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def renew(
    certificate: Path,
    annex: Path | None,
    published: Path | None,
    registry: str,
    trust: Path,
    root: str,
    seen: Path | None,
    key: Path | None,
    ledger_key: Path | None,
    party: str | None,
    verifier: str,
    out: Path | None,
    warn: bool,
    hours: int,
    form: str,
) -> int:
    """Renew CERTIFICATE for another 24 hours at most, once everything that it rests on stood when asked again.

    With --file, a file that holds the judged sound in another container: its timeline and label are read again first.
    """
    from dubgate.certificate.refusals import Refused
    from dubgate.errors import InputError
    from dubgate.verifying import current_trust, read_small

    gate = None if warn else _gate(key, ledger_key, party, verifier)
    read_small(certificate)  # told first: beside what is not there nothing lies
    if annex is None and certificate.is_file() and not certificate.with_name("annex.json").is_file():
        remedy = "It lies where the certificate was made; name it with --annex. Whoever has none asks whoever signed."
        raise InputError("its private annex, annex.json, is not beside it", where=str(certificate), remedy=remedy)
    beside = read_small(annex or certificate.with_name("annex.json"))
    try:
        store = current_trust(trust, root_key(root), seen)
        if gate is None:
            return _warned(certificate, beside, store, registry, hours, form)
        return _renewed(certificate, beside, store, registry, gate, published, out or certificate, form)
    except Refused as refused:
        say_refused(refused, form)
        return REFUSED


def _gate(key: Path | None, ledger_key: Path | None, party: str | None, verifier: str) -> Gate:
    if key is None or ledger_key is None or party is None:
        raise click.UsageError("renewing needs --key, --ledger-key and --as; --warn does not")
    return signing_gate(key, ledger_key, party, verifier)


def _warned(certificate: Path, annex: bytes, store: TrustStore, registry: str, hours: int, form: str) -> int:
    from dubgate.certificate.package import MAX_BYTES
    from dubgate.renewing import renewal_warnings
    from dubgate.verifying import read_small

    data = read_small(certificate, MAX_BYTES)
    found = renewal_warnings(data, annex, store, registry, ahead=timedelta(hours=hours))
    if form == "json":
        click.echo(json.dumps({"warnings": _data(found)}))
    else:
        for end in found:
            click.echo(f"{end.at.isoformat()}  {plain(end.what)}")
        click.echo(f"{len(found) or 'nothing'} within {hours} hours", err=True)
    return WARNED if found else 0


def _renewed(
    certificate: Path,
    annex: bytes,
    store: TrustStore,
    registry: str,
    gate: Gate,
    published: Path | None,
    out: Path,
    form: str,
) -> int:
    from dubgate.certificate.package import MAX_BYTES
    from dubgate.certifying import PACKS, place_whole
    from dubgate.errors import InputError
    from dubgate.renewing import renew as ask
    from dubgate.verifying import read_small

    made = ask(
        read_small(certificate, MAX_BYTES),
        annex,
        store,
        registry,
        gate,
        file=published,
        packs=certificate.parent / PACKS,
    )
    try:
        place_whole(out, made.certificate, 0o644)
    except OSError as error:
        raise InputError(f"the certificate cannot be written: {error.strerror}", where=str(out)) from error
    if form == "json":
        said = {"certificate": str(out), "expires_at": made.expires_at.isoformat(), "warnings": _data(made.warnings)}
        click.echo(json.dumps(said))
        return 0
    click.echo(f"renewed until {made.expires_at.isoformat()}: {out}")
    for end in made.warnings:
        click.echo(f"warning: {plain(end.what)} ends on {end.at.isoformat()}", err=True)
    return 0


def _data(ends: tuple[End, ...]) -> list[dict[str, str]]:
    return [{"at": end.at.isoformat(), "what": end.what} for end in ends]
