"""`dubgate label`: read the AI label back from a deliverable, or write it without touching the sound."""

from __future__ import annotations

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  dubgate label check package/master.m3u8 --language en
  dubgate label check dub.wav --format json
  dubgate label apply dub.mov --out dub-labelled.mov --text "English [AI]" --language en --dry-run
  dubgate label apply dub.mov --out dub-labelled.mov --text "English [AI]" --language en

\b
Exit codes: 0 labelled, 3 something was not verified, 1 not labelled or not readable, 2 could not look.
A label is not an authorisation: `dubgate check` judges a release."""

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
FILE = click.Path(path_type=Path)


@click.group(epilog=EXAMPLES)
def label() -> None:
    """The label that tells viewers and machines that AI made a dub: read it back, write it."""


@label.command(epilog="\b\nExample:\n  dubgate label check package/ --language en --anchors studio-ca.pem")
@click.argument("path", type=FILE)
@click.option("--language", metavar="TAG", help="Judge only entries of this language (BCP-47). Default: every entry.")
@click.option(
    "--anchors",
    type=FILE,
    metavar="FILE.pem",
    help="Certificate authorities that C2PA signers are trusted by. Also DUBGATE_C2PA_ANCHORS.",
)
@FORMAT
def check(path: Path, language: str | None, anchors: Path | None, form: str) -> int:
    """Read every label of PATH, taken as a dub that AI made: a media file, an HLS, DASH or IMF manifest, or a folder.

    Nothing is heard: whether an entry plays what was judged is for `dubgate check`.
    """
    from dubgate.labels.reading import inspect_labels
    from dubgate.policy.label_checks import wording_findings
    from dubgate.policy.verdict import decide
    from dubgate.report.label_table import labels_json, labels_text

    labels = inspect_labels(path, language=language, anchors=anchors)
    findings = wording_findings(labels)
    decision = decide(findings)
    render = labels_json if form == "json" else labels_text
    click.echo(render(path, labels, findings, decision))
    return decision.exit_code
