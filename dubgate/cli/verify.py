"""`dubgate verify`: may this file be published here, now, on this certificate?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dubgate.cli.registry_options import plain
from dubgate.cli.remedies import add_remedy

if TYPE_CHECKING:
    from dubgate.certificate.refusals import Refused
    from dubgate.verifying import Verified

REFUSED = 1
FILE = click.Path(path_type=Path)
F = TypeVar("F", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  dubgate verify certificate.json dub.mov --territory DE --channel svod --trust trust.json --root root.hex
  dubgate verify package-certificate.json package/ --territory DE --channel svod --language en --trust trust.json --root root.hex
  dubgate verify certificate.json dub.mov --territory EU --channel avod --trust trust.json --root root.hex \\
      --registry consent.db --policy publish.yaml --format json

\b
Exit codes: 0 publish, 1 refused (the reason is printed), 2 could not be verified.
Publish only on 0: no certificate, or one that cannot be read, is a no."""


def trust_options(command: F) -> F:
    """--trust, --root, --seen."""
    for option in reversed(
        (
            click.option("--trust", type=FILE, envvar="DUBGATE_TRUST", required=True, help="The trust store.  [env: DUBGATE_TRUST]"),
            click.option("--root", envvar="DUBGATE_TRUST_ROOT", required=True, metavar="HEX|FILE", help="The public root key that signs the trust store (dubgate keys export).  [env: DUBGATE_TRUST_ROOT]"),
            click.option("--seen", type=FILE, help="Where the newest trust store seen is remembered. Default: your state folder."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(epilog=EXAMPLES)
@click.argument("certificate", type=FILE)
@click.argument("file", type=FILE)
@click.option("--territory", required=True, metavar="CODE", help="Where: a country (DE), or a group (EU, 419, 001).")
@click.option("--channel", required=True, metavar="CHANNEL", help="How: svod, avod, theatrical, linear…")
@click.option(
    "--language",
    metavar="TAG",
    help="What you publish (de, es-MX): the release must be of it. Needed for a folder that holds other languages too.",
)
@click.option(
    "--partner",
    metavar="NAME",
    help="By whom: a partner (netflix). Needed where the holder approved the release for partners by name.",
)
@trust_options
@click.option("--annex", type=FILE, help="The private annex: verify every signature in it too.")
@click.option("--registry", metavar="PATH|URL", help="Ask this registry whether the consents still stand.")
@click.option("--policy", type=FILE, help="A publish-policy/1.0 file: packs and levels that you demand.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    certificate: Path,
    file: Path,
    territory: str,
    channel: str,
    language: str | None,
    partner: str | None,
    trust: Path,
    root: str,
    annex: Path | None,
    registry: str | None,
    policy: Path | None,
    seen: Path | None,
    form: str,
) -> int:
    """Verify CERTIFICATE for FILE and a use, offline, as of now. With a package's certificate FILE is one of its files, or its folder.

    Every signature, digest and ledger proof must hold, the file must be the one that was judged, byte for byte, and the
    release must cover the territory and channel now.
    """
    from dubgate.certificate.refusals import Refused
    from dubgate.certificate.trust_seen import default_place
    from dubgate.verifying import verify as ask

    try:
        verified = ask(
            certificate,
            file,
            territory=territory,
            channel=channel,
            language=language,
            partner=partner,
            trust=trust,
            root=root_key(root),
            annex=annex,
            registry=registry,
            policy=policy,
            seen=seen or default_place(),
        )
    except Refused as refused:
        say_refused(refused, form)
        return REFUSED
    click.echo(json.dumps(_data(verified), indent=1) if form == "json" else _text(verified))
    return 0


def root_key(text: str) -> str:
    """The root key in hex, given as such or as a file that holds it.

    Raises:
        click.BadParameter: neither.
    """
    import re

    given = text
    if not re.fullmatch(r"[0-9a-f]{64}", given):
        try:
            given = Path(text).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError, ValueError):
            raise click.BadParameter(f"{text[:80]!r} is neither a key in hex nor a file", param_hint="--root") from None
    if not re.fullmatch(r"[0-9a-f]{64}", given):
        raise click.BadParameter(
            "not an Ed25519 key: 64 hex digits, as `dubgate keys export root.pem` prints them", param_hint="--root"
        )
    return given


def say_refused(refused: Refused, form: str) -> None:
    """The reason, for people or for a pipeline."""
    from dubgate.certificate.refusals import Malformed, TrustMalformed

    add_remedy(refused, None)
    what = plain(refused.what)
    if form == "json":
        click.echo(json.dumps({"publish": False, "reason": refused.reason, "detail": what, "where": refused.where}))
        return
    of = f"{plain(refused.where)}: " if refused.where and isinstance(refused, (Malformed, TrustMalformed)) else ""
    click.echo(f"refused ({refused.reason}): {of}{what}", err=True)
    if refused.remedy:
        click.echo(f"  {refused.remedy}", err=True)


def _data(verified: Verified) -> dict[str, Any]:
    scope = verified.scope
    return {
        "publish": True,
        "certificate_id": verified.certificate_id,
        "release_id": verified.release_id,
        "verifier": verified.verifier,
        "level": verified.level,
        "title_id": verified.title_id,
        "language": scope.language,
        "territories": list(scope.territories),
        "channels": list(scope.channels),
        "partners": list(scope.partners),
        "file_sha256": verified.file_sha256,
        "verified_at": verified.verified_at.isoformat(),
        "expires_at": verified.expires_at.isoformat(),
        "fallback_models": list(verified.fallback_models),
        "trust_version": verified.trust_version,
        "consents_asked": verified.consents_asked,
        "package_id": verified.package_id,
        "not_judged": list(verified.not_judged),
    }


def _text(verified: Verified) -> str:
    asked = "asked now, all stand" if verified.consents_asked else "as certified (--registry asks again)"
    scope = verified.scope
    lines = [
        f"publish: {verified.title_id}, {scope.language}, until {verified.expires_at.isoformat()}",
        f"  level        {verified.level} by {verified.verifier}",
        f"  channels     {', '.join(scope.channels)}",
        f"  partners     {', '.join(scope.partners) or 'none by name'}",
        f"  territories  {len(scope.territories)}: {', '.join(scope.territories[:20])}",
        f"  consents     {asked}",
        f"  certificate  {verified.certificate_id}",
    ]
    if verified.not_judged:
        lines.append(f"  not judged   {', '.join(verified.not_judged[:20])}")
    return "\n".join(plain(line) for line in lines)
