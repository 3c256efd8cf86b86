"""`dubgate batch`: judge many deliveries, on this machine or a Ray cluster; goes on where it was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.certify_options import certify_options, gate_of
from dubgate.cli.judging import FORMATS, company_option, judging_options, moment
from dubgate.cli.registry_options import registry_option

if TYPE_CHECKING:
    from dubgate.engine.batch import Engine
    from dubgate.engine.jobs import Settings

EXAMPLES = """\b
Examples:
  dubgate batch season1/*/delivery.yaml --registry consent.db --out out
  dubgate batch season1/*/delivery.yaml --registry consent.db --out out --workers 4
  dubgate batch s3://dubs/ep01/delivery.yaml s3://dubs/ep02/delivery.yaml --out out \\
      --registry postgresql://gate@db/consent --engine ray --address auto --gpus-per-worker 1

\b
Every delivery has its folder of reports in --out; summary.csv, summary.parquet and summary.html say what came of all.
Interrupted, the same command goes on where it stood; nothing is judged twice, for 24 hours. A delivery whose files changed, or whose
rule packs or company folder did, is judged again, as another round.

\b
Exit codes: the worst of all: 2 one could not be judged, else 1 block, 3 hold, 0 every delivery is a release."""


@click.command(epilog=EXAMPLES)
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFESTS...")
@registry_option()
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for reports, journal and summary.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True, help="Who hears.")
@click.option("--workers", type=click.IntRange(1, 10_000), help="How many at once. Default: 1; with ray, what fits.")
@click.option(
    "--address", default="local", show_default=True, help="ray: the cluster, such as auto or ray://head:10001."
)
@click.option("--cpus-per-worker", type=click.FloatRange(0.1), default=1.0, show_default=True, help="ray: placement.")
@click.option("--gpus-per-worker", type=click.FloatRange(0.0), default=0.0, show_default=True, help="ray: placement.")
@judging_options
@company_option
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    default=("html", "json"),
    show_default=True,
    help="Reports of each delivery; may be repeated.",
)
@click.option(
    "--media",
    type=click.Choice(["all", "flagged", "none"]),
    default="flagged",
    show_default=True,
    help="Sound in the HTML reports.",
)
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language the reports open in."
)
@certify_options
def batch(
    manifests: tuple[str, ...],
    registry: str,
    out: Path,
    engine: str,
    workers: int | None,
    address: str,
    cpus_per_worker: float,
    gpus_per_worker: float,
    packs: tuple[str, ...],
    models: str,
    device: str,
    at: str | None,
    quiet: bool,
    company: Path | None,
    formats: tuple[str, ...],
    media: str,
    lang: str,
    certify: bool,
    key: Path | None,
    ledger_key: Path | None,
    party: str | None,
    verifier: str,
) -> int:
    """Judge the deliveries that MANIFESTS (delivery.yaml files, by path or URL) describe, and compare episodes of a series.

    A delivery that cannot be judged never stops the others. Episodes of one series are compared: another voice, register, level or
    declared model than in the earlier episodes is a warning in the episode's report; voices are compared only where the registry permits it.
    """
    from dubgate.engine.batch import run_batch
    from dubgate.engine.jobs import Settings
    from dubgate.engine.printing import print_batch
    from dubgate.engine.summary import write_summary
    from dubgate.release import open_registry

    gate = gate_of(certify=certify, key=key, ledger_key=ledger_key, party=party, verifier=verifier, at=at)
    with open_registry(registry):
        pass  # fail before minutes of hearing, not after
    place = registry if "://" in registry else str(Path(registry).absolute())
    settings = Settings(
        registry=place,
        at=moment(at),
        packs=packs,
        models=models,
        device=device,
        formats=formats,
        media=media,
        lang=lang,
        fixed_at=at is not None,
        signed=gate is not None,
        elsewhere=engine == "ray",
        company=None if company is None else str(company.absolute()),
    )

    def make(chosen: Settings) -> Engine:
        if engine == "ray":
            from dubgate.engine.ray import RayEngine

            return RayEngine(chosen, address=address, workers=workers, cpus=cpus_per_worker, gpus=gpus_per_worker)
        from dubgate.engine.local import LocalEngine

        return LocalEngine(chosen, workers or 1)

    with _bar(out, quiet=quiet) as told:
        finished = run_batch(manifests, out, settings, make, gate=gate, told=told)
    files, missing = write_summary(finished, out)
    print_batch(finished, files, missing)
    return finished.exit_code


@contextmanager
def _bar(out: Path, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Deliveries done of all, with the time left; stopped, it says how many of them stay done."""
    from dubgate.cli.progress import progress_bar

    judged = of = 0
    with progress_bar(quiet=quiet) as progress:

        def told(what: str, done: int, total: int) -> None:
            nonlocal judged, of
            judged, of = done, total
            progress(f"{done} of {total}  {what}"[:60], done / max(1, total))

        try:
            yield told
        except BaseException as error:
            if judged:
                error.add_note(
                    f"stopped; {judged} of {of} are judged and kept in {out}: the same command goes on with the rest"
                )
            raise
