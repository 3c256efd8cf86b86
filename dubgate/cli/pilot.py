"""`dubgate pilot`: 15 to 60 seconds of a delivery through every stage, before anybody makes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from dubgate.cli.judging import company_option, judging_options, moment
from dubgate.cli.registry_options import registry_option
from dubgate.errors import InputError

EXAMPLES = """\b
Examples:
  dubgate pilot delivery.yaml --registry consent.db
  dubgate pilot delivery.yaml --registry consent.db --start 62 --length 45 --out pilot-2
  dubgate pilot delivery.yaml --registry consent.db --company company/ --pack quality-lipsync --pack production-record

\b
Exit codes: 1 something would block, 3 nothing would block, 2 could not judge; never 0: a pilot is never a release.
Its channel is internal_test, which `dubgate check` holds whatever else is right, so that its folder cannot be released
later either."""


@click.command(epilog=EXAMPLES)
@click.argument("manifest", type=click.Path(path_type=Path))
@registry_option()
@click.option(
    "--start", "start_s", type=click.FloatRange(0), help="Second at which to begin. Default: where most is said."
)
@click.option("--length", "length_s", type=float, default=30.0, show_default=True, help="Seconds, 15 to 60.")
@judging_options
@company_option
@click.option("--out", type=click.Path(path_type=Path), default=Path("pilot"), show_default=True, help="A new folder.")
def pilot(
    manifest: Path,
    registry: str,
    start_s: float | None,
    length_s: float,
    packs: tuple[str, ...],
    models: str,
    device: str,
    at: str | None,
    quiet: bool,
    company: Path | None,
    out: Path,
) -> int:
    """Take an excerpt of the delivery that MANIFEST describes through every stage: cut, label, hear, judge, disclose, report.

    Says what is missing, where people have to decide, how long each stage took, and which figures are too few to mean
    anything. Writes the excerpt's delivery, its reports and pilot.json into a new folder.
    """
    import json

    from dubgate.cli.progress import progress_bar
    from dubgate.cli.registry_options import write_text
    from dubgate.pilot.running import Clock, PilotRequest, run_pilot
    from dubgate.report.pilots import pilot_json, pilot_text
    from dubgate.report.write import write_reports

    request = PilotRequest(manifest, registry, out, start_s, length_s, packs, models, device, company)
    clock = Clock()
    with progress_bar(quiet=quiet) as progress, _new_folder(out):
        found = run_pilot(request, at=moment(at), progress=progress, clock=clock)
        with clock.stage("report"):
            write_reports(found.judgement, out / "report", ("html", "json"))
        write_text(out / "pilot.json", json.dumps(pilot_json(found), ensure_ascii=False, indent=1) + "\n")
    click.echo(pilot_text(found))
    return found.exit_code


@contextmanager
def _new_folder(out: Path) -> Iterator[None]:
    """A folder that this run made, and could not fill, is taken away again; one that was there is left alone."""
    import shutil

    was_there = out.exists()
    try:
        yield
    except BaseException as error:
        if not was_there:
            shutil.rmtree(out, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            raise InputError(
                f"cannot be written: {error.strerror}", where=str(out), remedy="Nothing was kept."
            ) from error
        raise
