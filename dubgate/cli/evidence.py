"""`dubgate evidence` and `dubgate replay`: what an auditor is given, and judging again from what was kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import plain
from dubgate.cli.verify import FILE, REFUSED, root_key, say_refused, trust_options

if TYPE_CHECKING:
    from dubgate.policy.packs import Pack

CHANGED = 3
EVIDENCE = """\b
Examples:
  dubgate evidence verdict/certificate.json --out evidence --trust trust.json --root root.hex
  dubgate evidence verdict/certificate.json --out evidence --with-annex --trust trust.json --root root.hex
  cd evidence && python verify.py ../dub.flac         # on any machine with dubgate, without a registry

\b
Of a delivery that was judged by a service (the annex needs a token with the scopes read and admin):
  curl -H "Authorization: Bearer $TOKEN" "$URL/v1/jobs/$JOB/verdict?private=true" -o verdict.zip
  unzip verdict.zip -d verdict

Exit codes: 0 written and judged again to the same, 1 refused (the reason is printed), 2 could not be written."""
REPLAY = """\b
Examples:
  dubgate replay verdict/certificate.json --trust trust.json --root root.hex
  dubgate replay verdict/certificate.json --today --trust trust.json --root root.hex

\b
Exit codes: 0 the same verdict, 3 something changed (it is listed), 1 refused, 2 could not be judged."""


@click.command(epilog=EVIDENCE)
@click.argument("certificate", type=FILE)
@click.option("--out", type=FILE, required=True, help="The folder to write; it may not be there yet.")
@click.option("--with-annex", is_flag=True, help="Also what is private: what people signed, findings, measurements.")
@trust_options
def evidence(certificate: Path, out: Path, with_annex: bool, trust: Path, root: str, seen: Path | None) -> int:
    """Write one folder that verifies CERTIFICATE offline: trust store, ledger proofs, packs by digest, and a script.

    Everything lies where `dubgate check --certify` wrote it: `annex.json`, `judged.json` and `packs/` beside it.
    """
    from dubgate.certificate.refusals import Refused
    from dubgate.evidence_folder import EvidenceRequest, check_evidence, write_evidence
    from dubgate.verifying import current_trust

    key = root_key(root)
    try:
        current_trust(trust, key, seen)
        write_evidence(EvidenceRequest(certificate, trust, key, with_annex), out, now=datetime.now(UTC))
        held = list(check_evidence(out))
    except Refused as refused:
        say_refused(refused, "text")
        return REFUSED
    for line in held:
        click.echo(plain(line))
    click.echo(f"evidence: {out}")
    return 0


@click.command(epilog=REPLAY)
@click.argument("certificate", type=FILE)
@trust_options
@click.option(
    "--today", is_flag=True, help="By the packs of these names as they are here today, not those of that day."
)
@click.option(
    "--pack", "packs", multiple=True, metavar="NAME|FILE.yaml", help="By these packs instead; may be repeated."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(
    certificate: Path, trust: Path, root: str, seen: Path | None, today: bool, packs: tuple[str, ...], form: str
) -> int:
    """Judge CERTIFICATE again from the measurements kept beside it, and say whether it comes to the same verdict."""
    from dubgate.certificate.file import open_certificate
    from dubgate.certificate.refusals import Refused
    from dubgate.replaying import replay as again
    from dubgate.verifying import current_trust, read_small

    try:
        store = current_trust(trust, root_key(root), seen)
        opened = open_certificate(read_small(certificate), store, datetime.now(UTC), certificate.name)
        names = packs or (tuple(p.name for p in opened.verdict.claim.packs) if today else ())
        found = again(opened, certificate.parent, packs=_loaded(names) if names else None)
    except Refused as refused:
        say_refused(refused, form)
        return REFUSED
    if form == "json":
        said = {"same": found.same, "decision": found.decision, "certified": found.certified_decision}
        click.echo(json.dumps(said | {"n_judged": found.n_judged, "changes": list(found.changes)}, indent=1))
    else:
        click.echo(f"certified: {found.certified_decision}; judged again: {found.decision}, {found.n_judged} findings")
        for change in found.changes:
            click.echo(f"  {plain(change)}")
    return 0 if found.same else CHANGED


def _loaded(names: tuple[str, ...]) -> tuple[Pack, ...]:
    from dubgate.policy.packs import load_packs

    return load_packs(names)
