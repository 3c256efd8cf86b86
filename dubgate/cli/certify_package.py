"""`dubgate certify-package`: from the certified master to every file that is published."""

from __future__ import annotations

from pathlib import Path

import click

from dubgate.cli.certify_options import gate_options, signing_gate
from dubgate.cli.registry_options import registry_option
from dubgate.cli.verify import FILE, REFUSED, root_key, say_refused, trust_options

EXAMPLES = """\b
Examples:
  dubgate certify-package verdict/certificate.json package/master.m3u8 --master dub.flac --registry consent.db \\
      --key gate.pem --ledger-key ledger.pem --as op-1 --trust trust.json --root root.hex --out verdict
  dubgate verify verdict/package-certificate.json package/audio/s0.m4s --territory DE --channel svod …
  dubgate verify verdict/package-certificate.json package --territory DE --channel svod …

\b
Exit codes: 0 certified, 1 refused (the reason is printed), 2 could not be judged.
Package before encryption and before ads are inserted; the folder may hold nothing that the manifest does not name."""


@click.command(epilog=EXAMPLES)
@click.argument("certificate", type=FILE)
@click.argument("manifest", type=FILE)
@click.option("--master", type=FILE, required=True, help="The file that CERTIFICATE is for.")
@click.option(
    "--stream", type=click.IntRange(0), default=0, show_default=True, help="Its audio stream that was judged."
)
@registry_option()
@trust_options
@gate_options
@click.option("--out", type=FILE, default=Path("."), show_default=True, help="Folder for package-certificate.json.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def certify_package(
    certificate: Path,
    manifest: Path,
    master: Path,
    stream: int,
    registry: str,
    trust: Path,
    root: str,
    seen: Path | None,
    key: Path,
    ledger_key: Path,
    party: str,
    verifier: str,
    out: Path,
    quiet: bool,
    form: str,
) -> int:
    """Certify the HLS or DASH package whose master playlist or presentation is MANIFEST.

    Decodes every rendition, lays it over the approved master window by window, reads the labels back, asks the consents
    again, and signs over every playlist, initialisation and media segment by its digest. The approval of the master
    carries over; nothing is approved anew.
    """
    from dubgate.certificate.refusals import Refused
    from dubgate.cli.progress import progress_bar
    from dubgate.packaging import PackageRequest
    from dubgate.packaging import certify_package as certify
    from dubgate.verifying import current_trust

    gate = signing_gate(key, ledger_key, party, verifier)
    request = PackageRequest(certificate, master, manifest, stream)
    try:
        store = current_trust(trust, root_key(root), seen)
        with progress_bar(quiet=quiet) as progress:
            made = certify(request, store, registry, gate, out, progress=progress)
    except Refused as refused:
        say_refused(refused, form)
        return REFUSED
    n_dub = sum(f.role == "dub" for f in made.claim.files)
    click.echo(f"certified: {made.claim.package_id}, {len(made.claim.files)} files, {n_dub} of the dub")
    for shown in made.claim.renditions:
        least = shown.least_correlation_ppm / 1e6
        click.echo(
            f"  {shown.where}: {shown.n_windows} windows, {shown.offset_ms} ms, correlation at least {least:.3f}"
        )
    click.echo(f"certificate: {made.certificate}")
    return 0
