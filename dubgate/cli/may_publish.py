"""`dubgate may-publish`: a pipeline's step that asks the API and goes on at exit code 0 alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import plain
from dubgate.cli.remedies import of_refusal

if TYPE_CHECKING:
    from dubgate.client import Answer

REFUSED = 1
EXAMPLES = """\b
Examples:
  dubgate may-publish dub.mov --territory DE --channel svod --language de --url https://gate.example.org --token-file token
  dubgate may-publish dub.mov --territory EU --channel avod --language de --certificate certificate.json && publish dub.mov

\b
Exit codes: 0 publish, 1 refused (the reason is printed), 2 could not be asked.
Publish on 0 and nothing else. Without dubgate installed: samples/pipeline/may-publish.sh asks with curl alone."""


@click.command(name="may-publish", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--territory", required=True, metavar="CODE", help="Where: a country (DE), or a group (EU, 419, 001).")
@click.option("--channel", required=True, metavar="CHANNEL", help="How: svod, avod, theatrical, linear…")
@click.option("--language", required=True, metavar="TAG", help="In which language (BCP 47).")
@click.option(
    "--partner",
    metavar="NAME",
    help="By whom: a partner (netflix). Needed where the holder approved the release for partners by name.",
)
@click.option("--at", default="now", show_default=True, metavar="TIME", help="When: now, or within 24 hours.")
@click.option("--url", envvar="DUBGATE_URL", required=True, help="The API.  [env: DUBGATE_URL]")
@click.option(
    "--token-file", type=click.Path(path_type=Path), envvar="DUBGATE_TOKEN_FILE", required=True,
    help="A file with a token of the scope read.  [env: DUBGATE_TOKEN_FILE]",
)  # fmt: skip
@click.option("--certificate", type=click.Path(path_type=Path), help="Keep the certificate here, to verify it offline.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def may_publish(
    file: Path,
    territory: str,
    channel: str,
    language: str,
    partner: str | None,
    at: str,
    url: str,
    token_file: Path,
    certificate: Path | None,
    form: str,
) -> int:
    """Ask the API whether FILE may be published for a use, and end with 0 only where it may."""
    from dubgate.client import Client, token_of

    client = Client(url, token_of(token_file))
    use = {"territory": territory, "channel": channel, "language": language, "at": at}
    answer = client.may_publish(file, **use, partner=partner)
    if answer.publish and certificate is not None:
        certificate.write_bytes(client.certificate(str(answer.body["certificate_id"])))
    click.echo(json.dumps(dict(answer.body), indent=1) if form == "json" else _text(answer), err=not answer.publish)
    return 0 if answer.publish else REFUSED


def _text(answer: Answer) -> str:
    body = answer.body
    if answer.publish:
        return plain(f"publish: {body.get('title_id')}, {body.get('language')}, until {body.get('expires_at')}")
    lines = [f"refused ({answer.reason}): {body.get('detail')}"]
    if isinstance(largest := body.get("largest_scope"), dict):
        places, channels = ", ".join(largest["territories"]), ", ".join(largest["channels"])
        window = " to ".join(_minute(largest.get(end)) for end in ("window_start", "window_end"))
        lines.append(f"  would be released: {largest['language']}, {channels}, from {window}, in {places}")
    if remedy := body.get("remedy") or of_refusal(answer.reason):
        lines.append(f"  {remedy}")
    return "\n".join(plain(line) for line in lines)


def _minute(moment: object) -> str:
    return f"{moment[:16]}Z" if isinstance(moment, str) else "no end"
