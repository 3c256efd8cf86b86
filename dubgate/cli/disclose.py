"""`dubgate disclose`: what the audience, the credits, the press and partners are told of an AI dub."""

from __future__ import annotations

from pathlib import Path

import click

from dubgate.cli.judging import moment

EXAMPLES = """\b
Examples:
  dubgate disclose delivery.yaml --registry consent.db --tier press --lang en --lang ja
  dubgate disclose delivery.yaml --registry consent.db --tier credits --lang de
  dubgate disclose delivery.yaml --registry consent.db --tier technical --format json --out disclosure.json
  dubgate disclose delivery.yaml --registry consent.db --tier press --lang fr --wording our-french.yaml
  dubgate disclose --write-wording de > our-german.yaml      # sentences to review and to mend

\b
Exit codes: 0 complete, 3 something that a truthful text must say is not on record (listed; not for publication),
2 could not look. Every text says whether a person has reviewed its wording; those that come with dubgate are
machine-written. A disclosure is not an authorisation: `dubgate check` judges a release."""

LANGUAGES = "en, ja, es, fr, de, pt, ko, zh"


@click.command(epilog=EXAMPLES)
@click.argument("manifest", type=click.Path(path_type=Path), required=False)
@click.option("--registry", envvar="DUBGATE_REGISTRY", metavar="PATH|URL", help="Who consented and who approved.")
@click.option(
    "--tier",
    "tiers",
    multiple=True,
    type=click.Choice(["social", "credits", "press", "technical"]),
    default=("press",),
    show_default=True,
    help="For whom; may be repeated.",
)
@click.option(
    "--lang",
    "languages",
    multiple=True,
    default=("en",),
    show_default=True,
    metavar="TAG",
    help=f"{LANGUAGES}; may be repeated.",
)
@click.option(
    "--wording", type=click.Path(path_type=Path), help="Your own sentences (disclosure-text/1.0) for the one --lang."
)
@click.option("--pack", "packs", multiple=True, metavar="NAME|FILE", help="Packs that a standing approval is bound to.")
@click.option("--at", metavar="TIME", help="As on record at this time (ISO 8601 with zone). Default: now.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write to this new file. Default: print.")
@click.option("--write-wording", "template", metavar="TAG", help="Print the sentences of a language, to be reviewed.")
def disclose(
    manifest: Path | None,
    registry: str | None,
    tiers: tuple[str, ...],
    languages: tuple[str, ...],
    wording: Path | None,
    packs: tuple[str, ...],
    at: str | None,
    form: str,
    out: Path | None,
    template: str | None,
) -> int:
    """Say of the delivery that MANIFEST describes which parts were AI, with which tools, with whose consent, who
    reviewed it, who approved it and when.

    Everything is taken from the record, the cast, the grants, the label as read back, and what people signed; free
    words of the delivery are never printed. The credits tier names people in the wording that their grants demand.
    """
    from dubgate.disclosing import told_of
    from dubgate.disclosure.words import shipped
    from dubgate.report.disclosures import disclosures_json, disclosures_text, written_in

    if template is not None:
        if template not in shipped():
            raise click.BadParameter(f"known are {', '.join(shipped())}", param_hint="--write-wording")
        click.echo(shipped()[template].read_text(encoding="utf-8"), nl=False)
        return 0
    if manifest is None or registry is None:
        raise click.UsageError("MANIFEST and --registry are needed")
    if wording is not None and len(languages) != 1:
        raise click.UsageError("--wording goes with one --lang")
    told = told_of(manifest, registry, packs=packs, at=moment(at))
    written = written_in(told, tiers, languages, wording)
    text = disclosures_json(told, written) if form == "json" else disclosures_text(written)
    _hand_out(text, out)
    for gap in told.gaps:
        click.echo(f"not on record: {gap}", err=True)
    if told.gaps:
        click.echo("this disclosure has gaps and is not for publication", err=True)
    return 3 if told.gaps else 0


def _hand_out(text: str, out: Path | None) -> None:
    from dubgate.cli.registry_options import write_text

    if out is None:
        click.echo(text)
    else:
        write_text(out, text + "\n")
        click.echo(out)
