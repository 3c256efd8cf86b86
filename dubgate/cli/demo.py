"""`dubgate demo`: judge the samples, each in a process of its own, and print what came out beside what should."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.command(
    epilog="\b\nExamples:\n  dubgate demo --out build/samples\n  dubgate demo --only clean --only late\n\n\b\nExit codes: 0 every decision and every decisive rule is as expected, 2 one is not, or a case could not be judged."
)
@click.option("--samples", type=click.Path(path_type=Path), help="The samples folder. Default: this checkout's.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("build/samples"),
    show_default=True,
    help="Where the cases and their reports go.",
)
@click.option("--only", multiple=True, metavar="CASE", help="Judge these cases only; may be repeated.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="Cases judged side by side.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where the models run; auto takes a GPU that is there.",
)
def demo(samples: Path | None, out: Path, only: tuple[str, ...], jobs: int, device: str) -> int:
    """Judge every sample with the embedded models at a fixed time, and print a table.

    Each sample is a fault of its own (or none): what is wrong with it, what comes out, and where its report lies. All of
    them take some minutes; --only takes one.
    """
    from dubgate.cli.progress import progress_bar
    from dubgate.demonstration import judge_samples, print_table

    with progress_bar(quiet=False) as progress:
        rows = judge_samples(samples, out, only=only, jobs=jobs, progress=progress, device=device)
    print_table(rows, out)
    return 0 if rows and all(row.as_expected for row in rows) else 2
