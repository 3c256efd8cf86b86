"""`dubgate label`: read the AI label back from a deliverable, or write it without touching the sound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.tasks import Commands

if TYPE_CHECKING:
    from dubgate.labels.signing import Signing
    from dubgate.labels.tracks import Labels
    from dubgate.policy.findings import Finding

EXAMPLES = """\b
Examples:
  dubgate label check package/master.m3u8 --language en
  dubgate label check dub.wav --format json
  dubgate label check published.mp4 --was master.mp4
  dubgate label check dub.ac3 --language en --sidecar evidence/label-vendor.json --registry consent.db
  dubgate label apply dub.mov --out dub-labelled.mov --text "English [AI]" --language en --dry-run
  dubgate label apply dub.mov --out dub-labelled.mov --text "English [AI]" --language en

\b
Exit codes: 0 labelled, 3 something was not verified, 1 not labelled or not readable, 2 could not look.
A label is not an authorisation: `dubgate check` judges a release."""

FORMAT = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
FILE = click.Path(path_type=Path)


@click.group(cls=Commands, epilog=EXAMPLES)
def label() -> None:
    """The label that tells viewers and machines that AI made a dub: read it back, write it."""


@label.command(
    epilog="\b\nExamples:\n  dubgate label check dub.mov\n  dubgate label check package/ --language en --anchors studio-ca.pem\n  dubgate label check published.mp4 --was master.mp4\n\n\b\nExit codes: 0 labelled, 3 something was not verified, 1 not labelled or not readable, 2 could not look."
)
@click.argument("path", type=FILE)
@click.option("--language", metavar="TAG", help="Judge only entries of this language (BCP-47). Default: every entry.")
@click.option(
    "--anchors",
    type=FILE,
    metavar="FILE.pem",
    help="Certificate authorities that C2PA signers are trusted by. Also DUBGATE_C2PA_ANCHORS.",
)
@click.option(
    "--revoked",
    type=FILE,
    metavar="FILE.pem",
    help="Their revocation lists (CRL); a signer on one is refused. Also DUBGATE_C2PA_REVOKED.",
)
@click.option("--was", type=FILE, metavar="IN", help="What PATH was made of: no label that IN carries may be missing.")
@click.option(
    "--sidecar", "beside", type=FILE, metavar="FILE.json", help="A signed label beside a master that holds none."
)
@click.option("--registry", metavar="PATH|URL", help="The registry that knows who signed the sidecar.")
@FORMAT
def check(
    path: Path,
    language: str | None,
    anchors: Path | None,
    revoked: Path | None,
    was: Path | None,
    beside: Path | None,
    registry: str | None,
    form: str,
) -> int:
    """Read every label of PATH, taken as a dub that AI made: a media file, an HLS, DASH or IMF manifest, or a folder.

    Nothing is heard: whether an entry plays what was judged is for `dubgate check`.
    """
    from dubgate.labels.anchors import read_anchors
    from dubgate.labels.reading import inspect_labels
    from dubgate.policy.label_checks import since_findings, wording_findings
    from dubgate.policy.verdict import decide
    from dubgate.report.label_table import labels_json, labels_text

    trusted = read_anchors(anchors, revoked)
    labels = inspect_labels(path, language=language, anchors=trusted)
    told: tuple[Finding, ...] = ()
    if beside is not None:
        labels, told = _with_sidecar(labels, path, beside, registry)
    findings = (*wording_findings(labels), *told)
    if was is not None:
        before = inspect_labels(was, language=language, anchors=trusted)
        findings += since_findings(before, labels, package=not _is_media(path))
    decision = decide(findings)
    render = labels_json if form == "json" else labels_text
    click.echo(render(path, labels, findings, decision))
    return decision.exit_code


def _with_sidecar(labels: Labels, path: Path, beside: Path, registry: str | None) -> tuple[Labels, tuple[Finding, ...]]:
    from datetime import UTC, datetime

    from dubgate.labelling import beside_file

    if registry is None:
        raise click.UsageError("--sidecar needs --registry: who signed it is known there")
    if not _is_media(path):
        raise click.UsageError("a sidecar is of one media file; a package needs labels of its own")
    return beside_file(labels, path, beside, registry, datetime.now(UTC))


def _is_media(path: Path) -> bool:
    from dubgate.labels.packages import kind_of

    return path.is_file() and kind_of(path) == "media"


@label.command(
    epilog="""\b
Examples:
  dubgate label apply ep1.mov --out ep1-labelled.mov --text "English [AI]" --language en --dry-run
  dubgate label apply master.m3u8 --in-place --text "English [AI]" --language en
  dubgate label apply ep1.wav --out ep1-cn.wav --text "中文 [AI]" --language zh --aigc-producer Studio --aigc-id 7
  dubgate label apply ep1.mp4 --out ep1-signed.mp4 --text "English [AI]" --language en --source-language ja \\
      --c2pa-key signer.pem --c2pa-chain chain.pem --anchors studio-ca.pem

\b
Exit codes: 0 labelled and proved (with --dry-run: could be), 2 not labelled; nothing was written."""
)
@click.argument("source", metavar="IN", type=FILE)
@click.option("--out", type=FILE, help="Where the labelled file goes; never over a file that is there.")
@click.option("--in-place", is_flag=True, help="Replace IN itself, by one rename once the proof holds.")
@click.option("--text", required=True, metavar="TEXT", help='What viewers read, such as "English [AI]".')
@click.option("--language", required=True, metavar="TAG", help="Language of the dub (BCP-47).")
@click.option(
    "--stream", type=int, metavar="N", help="Container index of the dub, where several tracks speak LANGUAGE."
)
@click.option("--aigc-producer", metavar="NAME", help="Write China's AIGC label too: who produced it (GB 45438-2025).")
@click.option("--aigc-id", metavar="ID", help="… and under which number.")
@click.option("--c2pa-key", type=FILE, metavar="KEY.pem", help="Sign a C2PA manifest last, with this private key.")
@click.option("--c2pa-chain", type=FILE, metavar="CHAIN.pem", help="… and its certificates, the signer's own first.")
@click.option("--anchors", type=FILE, metavar="FILE.pem", help="… read back as trusted by these authorities.")
@click.option("--source-language", metavar="TAG", help="Language of the original, which the manifest names.")
@click.option(
    "--source-type",
    metavar="TYPE",
    help="Digital source type (IPTC). Default: trainedAlgorithmicMedia, or compositeSynthetic beside other streams.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing; show what would change, and the proof.")
@FORMAT
def apply(
    source: Path,
    out: Path | None,
    in_place: bool,
    text: str,
    language: str,
    stream: int | None,
    aigc_producer: str | None,
    aigc_id: str | None,
    c2pa_key: Path | None,
    c2pa_chain: Path | None,
    anchors: Path | None,
    source_language: str | None,
    source_type: str | None,
    dry_run: bool,
    form: str,
) -> int:
    """Write the label into IN by re-wrapping alone, and prove that no packet of sound or picture changed.

    MP4, MOV, M4A, Matroska, WebM, MP3, FLAC, WAV (RF64, BW64), HLS master playlists and DASH manifests. A file with a C2PA
    manifest is refused: label first, sign last.

    With --c2pa-key the labelled file is signed (WAV, MP4, MOV, M4A, MP3, FLAC up to 2 GiB; signing takes about three times
    the file in memory, in a process of its own) and appears only once it reads back as trusted. The key stays here.
    """
    from dubgate.cli.progress import progress_bar
    from dubgate.labels.applying import apply_label
    from dubgate.labels.plan import planned
    from dubgate.report.label_table import applied_json, applied_text

    plan = planned(text, language, stream, aigc_producer, aigc_id)
    signing = _signing(c2pa_key, c2pa_chain, anchors, source_language, source_type)
    target = _target(source, out, in_place=in_place, dry_run=dry_run)
    with progress_bar(quiet=form == "json") as progress, _told_where(target):
        applied = apply_label(source, target, plan, signing=signing, dry_run=dry_run, progress=progress)
    click.echo((applied_json if form == "json" else applied_text)(applied))
    return 0


@label.command(
    epilog="""\b
Example:
  dubgate label sidecar delivery.yaml --text "English [AI]" --as vendor --key vendor.pem

\b
It counts where the registry knows the signer's key, for this very file, until it expires (180 days), at stage master only."""
)
@click.argument("manifest", type=FILE)
@click.option("--text", required=True, metavar="TEXT", help='What viewers are to read, such as "English [AI]".')
@click.option("--as", "by", required=True, metavar="PARTY", help="Who signs: a party of the registry.")
@click.option("--key", type=FILE, required=True, help="The signer's private key (dubgate keys new).")
@click.option("--name", help="Name of the file in evidence/. Default: label-PARTY.")
def sidecar(manifest: Path, text: str, by: str, key: Path, name: str | None) -> int:
    """Sign the label of a master that cannot hold one: AC-3, E-AC-3, ADTS AAC, MPEG-TS, W64.

    It is bound to the published file of the delivery by digest and written into the folder evidence/ beside MANIFEST. The
    package that is made of it needs a label of its own: an HLS or DASH entry, or a container that holds one.
    """
    from datetime import UTC, datetime

    from dubgate.approving import save, sounds_of
    from dubgate.cli.keys import load
    from dubgate.delivery.manifest import load_delivery
    from dubgate.labelling import sidecar as signed_label
    from dubgate.labels.plan import planned

    delivery = load_delivery(manifest)
    plan = planned(text, delivery.dub.language, None, None, None)
    private, at = load(key), datetime.now(UTC)
    envelope = signed_label(delivery.dub.published.path, sounds_of(delivery).dub, plan, by=by, key=private, at=at)
    click.echo(save(envelope, delivery, name or f"label-{by}"))
    return 0


@contextmanager
def _told_where(target: Path) -> Iterator[None]:
    """A disk that is full or gone, by the name of what could not be written."""
    from dubgate.errors import InputError

    try:
        yield
    except OSError as error:
        remedy = "Nothing was written. Make room, or name another place with --out."
        raise InputError(f"cannot be written: {error.strerror}", where=str(target), remedy=remedy) from error


def _target(source: Path, out: Path | None, *, in_place: bool, dry_run: bool) -> Path:
    """Where to write; over a file only where that is asked for."""
    from dubgate.errors import InputError

    if in_place == (out is not None) and not (dry_run and out is None):
        raise click.UsageError("say where to write: --out FILE, or --in-place")
    target = out or source
    if not in_place and not dry_run and target.exists():
        raise InputError("a file is there already", where=str(target), remedy="choose another name, or use --in-place")
    return target


def _signing(
    key: Path | None, chain: Path | None, anchors: Path | None, source_language: str | None, source_type: str | None
) -> Signing | None:
    """Who signs, where it is asked for; a passphrase is asked only where the key has one."""
    if key is None and chain is None and source_language is None and source_type is None:
        return None
    if key is None or chain is None or source_language is None:
        raise click.UsageError("a C2PA manifest needs --c2pa-key, --c2pa-chain and --source-language together")
    from dubgate.cli.keys import passphrase
    from dubgate.labels.anchors import read_anchors
    from dubgate.labels.signing import signing_of

    locked = key.is_file() and b"ENCRYPTED" in key.read_bytes()[:200]
    secret = passphrase(purpose="c2pa") if locked else None
    trusted = read_anchors(anchors)
    return signing_of(key, chain, trusted, source_language=source_language, source_type=source_type, passphrase=secret)
