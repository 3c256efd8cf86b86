"""`dubgate init`: a delivery.yaml from media files, with what they say filled in."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from dubgate.errors import InputError

SHEETS = frozenset({".srt", ".vtt", ".csv", ".tsv", ".json", ".ttml", ".xml", ".dapt"})
EXAMPLES = """\b
Examples:
  dubgate init original.mov dub.wav script.srt
  dubgate init original.mov dub_mix.wav dub_stem.wav dub_me.wav script.csv
  dubgate init media/film.mkv cues/de.srt --out delivery.yaml --schema     # original and dub in one file

\b
Which file is which is told by names (original, dub, stem, me …), else by order. The files lie in or below the folder of
delivery.yaml: a delivery is one folder. Afterwards: write what is marked FILL IN, and `dubgate check`.
Exit codes: 0 written, 2 not written."""


@click.command(epilog=EXAMPLES)
@click.option("--from", "first", type=click.Path(path_type=Path), help="The first file; the same as naming it without.")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("delivery.yaml"),
    show_default=True,
    help="Never over a file.",
)
@click.option("--schema", is_flag=True, help="Also write delivery.schema.json, for editors.")
def init(first: Path | None, files: tuple[Path, ...], out: Path, schema: bool) -> None:
    """Write a delivery.yaml that names FILES: original, dub, and a cue sheet, in this order.

    What the media say (streams, languages, lengths) is filled in; what only a person knows stands there as a comment.
    """
    import json

    from dubgate.cli.registry_options import write_text
    from dubgate.delivery.cues import read_cues
    from dubgate.delivery.manifest import json_schema
    from dubgate.delivery.manifest_init import init_from
    from dubgate.delivery.media import probe_apart

    given = (*([first] if first else []), *files)
    if not given:
        raise click.UsageError(
            "name the original, the dub and its script: dubgate init original.mov dub.wav script.srt"
        )
    _require_free(out)
    sheets = [p for p in given if p.suffix.lower() in SHEETS]
    media = [p for p in given if p not in sheets]
    if len(sheets) > 1:
        names = ", ".join(p.name for p in sheets)
        raise InputError(f"several cue sheets: {names}", remedy="A delivery has one: that of the dub. Name it alone.")
    inside = {path: _inside(path, out) for path in given}
    characters = read_cues(sheets[0]).characters if sheets else ()
    cues = inside[sheets[0]] if sheets else None
    text = init_from([(inside[p], probe_apart(p)) for p in media], cues=cues, characters=characters)
    write_text(out, text)
    in_order = sorted(media, key=lambda p: text.find(Path(inside[p]).name))  # names may have told more than the order
    click.echo(_next(out, text, in_order, sheets))
    if schema:
        beside = out.with_name("delivery.schema.json")
        write_text(beside, json.dumps(json_schema(), indent=1))
        click.echo(f"{beside}: for editors that complete YAML by a schema")


def _require_free(out: Path) -> None:
    if out.exists():
        raise InputError("a file is already there", where=str(out), remedy="Choose another name with --out.")
    if not out.parent.is_dir():
        raise InputError(
            "no such folder", where=str(out.parent), remedy="Make it, with the media in it, or change --out."
        )


def _inside(path: Path, out: Path) -> str:
    """The path as the manifest writes it: from its own folder.

    Raises:
        InputError: it lies outside, where no check would open it, or its name is one that a manifest cannot hold.
    """
    from dubgate.delivery.inside import stays_inside

    folder = out.parent.resolve()
    if path.exists() and not path.resolve().is_relative_to(folder):
        remedy = "A delivery is one folder: copy the file there, or write the manifest above both with --out."
        raise InputError(f"lies outside the folder of {out.name} ({folder})", where=str(path), remedy=remedy)
    relative = Path(os.path.relpath(path.absolute(), out.parent.absolute())).as_posix()
    try:
        return stays_inside(relative)
    except ValueError as error:
        raise InputError(str(error), where=repr(str(path)), remedy="Rename the file.") from None


def _next(out: Path, text: str, media: Sequence[Path], sheets: Sequence[Path]) -> str:
    """What to do with the draft: the commands as they can be pasted."""
    heard = shlex.join(["dubgate", "qc", *map(str, [*media[:2], *sheets])])
    return "\n".join(
        [
            f"{out}: written; {text.count('# FILL IN')} places say FILL IN, and what a release needs beside them stands in comments",
            *([f"  hear it first, without any registry:  {heard}"] if len(media) == 2 else []),
            "  once, for all titles and voices:      dubgate consent init --registry consent.db",
            f"  what it has to know for this one:     {shlex.join(['dubgate', 'consent', 'draft', str(out)])} --out seed.yaml",
            f"  then, as often as you like:           {shlex.join(['dubgate', 'check', str(out)])} --registry consent.db",
        ]
    )
