"""`dubgate probe`: look at what is live, and hold its label and its bytes against the certificates that allow them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import plain
from dubgate.cli.verify import root_key

if TYPE_CHECKING:
    from dubgate.probing import Probed

FILE = click.Path(path_type=Path)
ALERT = 1
EXAMPLES = """\b
Examples:
  dubgate probe https://cdn.example.org/ep1/master.m3u8 --certificate ep1.package.json --language en \\
      --trust trust.json --root root.hex --notices outbox/
  dubgate probe https://cdn.example.org/trailer.mp4 --certificate trailer.json --trust trust.json --root root.hex

\b
Exit codes: 0 as certified, 1 alert (stripped label, unknown bytes, a certificate that no longer stands),
2 could not look. Run it by a timer: an alert that was told is not told twice."""


@click.command(epilog=EXAMPLES)
@click.argument("url")
@click.option(
    "--certificate",
    "certificates",
    type=FILE,
    multiple=True,
    required=True,
    help="A release's or a package's; may be repeated.",
)
@click.option(
    "--trust", type=FILE, envvar="DUBGATE_TRUST", required=True, help="The trust store.  [env: DUBGATE_TRUST]"
)
@click.option(
    "--root",
    envvar="DUBGATE_TRUST_ROOT",
    required=True,
    metavar="HEX|FILE",
    help="The root key that signs it.  [env: DUBGATE_TRUST_ROOT]",
)
@click.option("--language", metavar="TAG", help="Read only entries of this language (BCP-47). Default: every entry.")
@click.option(
    "--host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A further host that may be asked. Default: the URL's own alone.",
)
@click.option("--registry", metavar="PATH|URL", help="Ask this registry whether the consents still stand.")
@click.option(
    "--notices",
    type=FILE,
    metavar="FOLDER",
    help="Outbox in which an alert is written as a notice (dubgate consent notices).",
)
@click.option(
    "--seconds", type=click.FloatRange(1, 3600), default=300.0, show_default=True, help="Time limit of the whole look."
)
@click.option(
    "--max-gb",
    type=click.FloatRange(0.001, 1000),
    default=32.0,
    show_default=True,
    help="Byte limit of the whole look.",
)
@click.option(
    "--allow-loopback",
    is_flag=True,
    help="Let http and this machine's own addresses through: a local packager, a test.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def probe(
    url: str,
    certificates: tuple[Path, ...],
    trust: Path,
    root: str,
    language: str | None,
    hosts: tuple[str, ...],
    registry: str | None,
    notices: Path | None,
    seconds: float,
    max_gb: float,
    allow_loopback: bool,
    form: str,
) -> int:
    """Fetch what is live at URL (an HLS master playlist, a DASH manifest, a media file) and judge it against certificates.

    The sound's playlists and segments are fetched under the manifest's own folder, over https, from named hosts at public
    addresses, without redirects, within limits. Every file of the dub must be one that was certified, byte for byte, or play
    a certified master; every entry must carry its label. Pictures are not looked at.
    """
    import tempfile
    from datetime import UTC, datetime
    from urllib.parse import urlsplit

    from dubgate.certificate.opening import ed25519_key
    from dubgate.certificate.trust import read_trust
    from dubgate.cli.progress import progress_bar
    from dubgate.fetching import Bounds, Fetcher
    from dubgate.probing import known_from
    from dubgate.probing import probe as look
    from dubgate.verifying import read_small

    at = datetime.now(UTC)
    store = read_trust(read_small(trust), ed25519_key(root_key(root)), trust.name)
    store.require_current(at)
    known = known_from(certificates, store, at, registry)
    own = urlsplit(url).hostname or ""
    bounds = Bounds(seconds=seconds, total_bytes=round(max_gb * 1e9))
    fetcher = Fetcher(frozenset({own, *hosts}), allow_loopback, bounds)
    with tempfile.TemporaryDirectory(prefix="dubgate-probe-") as folder, progress_bar(quiet=False) as progress:
        probed = look(url, Path(folder), fetcher, known, language=language, at=at, progress=progress)
    told = _noticed(probed, notices)
    click.echo(_json(probed, told) if form == "json" else _text(probed, told))
    return ALERT if probed.alerts else 0


def _noticed(probed: Probed, folder: Path | None) -> str | None:
    """The notice's id, where there is something to tell and somewhere to put it."""
    from consent.notices import Outbox
    from dubgate.probing import event_id_of, notice_of

    if folder is None or not probed.alerts:
        return None
    return Outbox(folder).write(event_id_of(probed), notice_of(probed))


def _text(probed: Probed, notice: str | None) -> str:
    lines = [f"alert    {a.kind:<12} {plain(a.where)}: {plain(a.what)}" for a in probed.alerts]
    lines += [f"notice   {notice}"] if notice else []
    answer = "not as certified" if probed.alerts else "as certified"
    return "\n".join([*lines, f"{plain(probed.url.split('?')[0])}: {answer}, {probed.n_files} files looked at"])


def _json(probed: Probed, notice: str | None) -> str:
    data = {
        "schema": "live-probe/1.0",
        "url": probed.url.split("?")[0],
        "at": probed.at.isoformat(),
        "as_certified": not probed.alerts,
        "n_files": probed.n_files,
        "alerts": [{"kind": a.kind, "where": a.where, "what": a.what} for a in probed.alerts],
        "notice": notice,
    }
    return json.dumps(data, indent=1)
