"""`dubgate check`: judge a delivery as a whole."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from pathlib import Path

import click

from dubgate.cli.certify_options import certify_options, gate_of, say_certified
from dubgate.cli.judging import company_option, judging_options, moment, report_options
from dubgate.cli.registry_options import registry_option

EXAMPLES = """\b
Examples:
  dubgate check delivery.yaml --registry consent.db
  dubgate check delivery.yaml --registry consent.db --pack quality-lipsync --pack loudness-netflix
  DUBGATE_REGISTRY=consent.db dubgate check season1/ep03/delivery.yaml --out reports/ep03
  dubgate check delivery.yaml --registry consent.db --company company/ --pack quality-lipsync --pack production-record
  dubgate check delivery.yaml --registry consent.db --certify --key gate.pem --ledger-key ledger.pem --as op-1 --out out

\b
Exit codes: 0 release, 3 hold, 1 block, 2 could not judge.
Only 0 means that every check was made and passed."""


@click.command(epilog=EXAMPLES)
@click.argument("manifest", type=click.Path(path_type=Path))
@registry_option()
@judging_options
@company_option
@report_options
@certify_options
def check(
    manifest: Path,
    registry: str,
    packs: tuple[str, ...],
    models: str,
    device: str,
    company: Path | None,
    out: Path | None,
    formats: tuple[str, ...],
    media: str,
    lang: str,
    at: str | None,
    quiet: bool,
    certify: bool,
    key: Path | None,
    ledger_key: Path | None,
    party: str | None,
    verifier: str,
) -> int:
    """Judge the delivery that MANIFEST (a delivery.yaml) describes: release, hold or block, with every reason.

    Hears the dub, measures it against the original, clears each voice heard against the consent registry, reads the AI
    label back from the deliverable, and asks for the rights holder's approval of exactly these bytes.
    """
    from dubgate.cli.progress import progress_bar
    from dubgate.judging_again import judge_again
    from dubgate.release import CheckRequest
    from dubgate.report.write import print_judgement, require_place, write_reports

    request = CheckRequest(manifest, registry, packs, models, device, company)
    folder = out or manifest.parent / "report"
    require_place(folder)
    gate = gate_of(certify=certify, key=key, ledger_key=ledger_key, party=party, verifier=verifier, at=at)
    if gate is not None:
        from dubgate.certifying import certify as sign
        from dubgate.certifying import clear_place
        from dubgate.watching import watch

        clear_place(folder)
        watched = watch(manifest, company=company, aside=folder)
    with progress_bar(quiet=quiet) as progress, nullcontext() if gate is None else watched.pinned():
        judged = judge_again(request, at=moment(at), progress=progress, clock=None if at else partial(moment, None))
    judgement = judged.judgement
    if gate is not None:
        watched.require_judged(judged.delivery)
    written = write_reports(judgement, folder, formats, media=media, lang=lang)
    certified = None if gate is None else sign(judgement, watched, registry, gate, folder)
    print_judgement(judgement, written, lang=lang)
    if certified is not None:
        say_certified(certified)
    return judgement.verdict.decision.exit_code
