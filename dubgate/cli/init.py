"""`dubgate init`: a delivery.yaml from media files, with what they say filled in."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="\b\nExample:\n  dubgate init --from original.mov dub.wav script.srt --out delivery.yaml")
@click.option(
    "--from", "first", type=click.Path(path_type=Path), required=True, help="The first file; more may follow."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=Path("delivery.yaml"), show_default=True)
@click.option("--schema", is_flag=True, help="Also write delivery.schema.json, for editors.")
def init(first: Path, files: tuple[Path, ...], out: Path, schema: bool) -> None:
    """Write a delivery.yaml that names FILES: original, dub, and a cue sheet, in this order.

    What the media say (streams, languages, lengths) is filled in; what only a person knows stands there as a comment.
    """
    import json

    from dubgate.delivery.cues import read_cues
    from dubgate.delivery.manifest import json_schema
    from dubgate.delivery.manifest_init import init_from
    from dubgate.delivery.media import probe_apart
    from dubgate.errors import InputError

    if out.exists():
        raise InputError("a file is already there", where=str(out), remedy="choose another name with --out")
    given = (first, *files)
    sheets = [
        p for p in given if p.suffix.lower() in {".srt", ".vtt", ".csv", ".tsv", ".json", ".ttml", ".xml", ".dapt"}
    ]
    media = [p for p in given if p not in sheets]
    characters = read_cues(sheets[0]).characters if sheets else ()
    cues = sheets[0].name if sheets else None
    text = init_from([(p.name, probe_apart(p)) for p in media], cues=cues, characters=characters)
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out}: fill in what is commented, then `dubgate check {out}`")
    if schema:
        beside = out.with_name("delivery.schema.json")
        beside.write_text(json.dumps(json_schema(), indent=1), encoding="utf-8")
        click.echo(beside)
