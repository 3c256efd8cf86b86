"""`dubgate consent standing`: a rights holder approves in advance, with a number of uses and a time to object to each."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from dubgate.cli.registry_options import open_registry, registry_options, say

# As consent.vocabulary.Channel has them: --help does not import the registry.
CHANNELS = (
    "theatrical", "svod", "avod", "tvod", "fast", "linear", "inflight", "social", "trailer_ad", "game", "podcast",
    "internal_test",
)  # fmt: skip


def moment(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """A time with its offset from UTC; None where none was given."""
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter("not a time, such as 2026-12-31T18:00:00+01:00") from None
    if found.tzinfo is None:
        raise click.BadParameter("give the offset from UTC, such as +01:00 or Z")
    return found.astimezone(UTC)


@click.command()
@click.argument("title")
@click.option("--as", "by", required=True, metavar="PARTY", help="Who signs: a party of the registry.")
@click.option("--for", "holder", metavar="PARTY", help="The rights holder that is spoken for. Default: who signs.")
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The signer's private key.")
@click.option("--language", "languages", multiple=True, required=True, metavar="TAG", help="May be repeated.")
@click.option("--territory", "territories", multiple=True, required=True, metavar="CODE", help="May be repeated.")
@click.option(
    "--channel", "channels", multiple=True, required=True, type=click.Choice(CHANNELS), help="May be repeated."
)
@click.option(
    "--partner",
    "partners",
    multiple=True,
    metavar="NAME",
    help="Published by this partner (netflix, x-ours); may be repeated. Default: none by name.",
)
@click.option("--pack", "packs", multiple=True, metavar="NAME|FILE", help="Only where judged by this rule pack.")
@click.option("--number", type=click.IntRange(1), required=True, help="At most so many releases.")
@click.option("--hours", type=click.IntRange(1, 8760), default=72, show_default=True, help="Time to object to a use.")
@click.option("--wait", is_flag=True, help="Hold each use until the time to object has passed.")
@click.option("--from", "start", callback=moment, help="The first moment of a release window. Default: now.")
@click.option("--until", callback=moment, required=True, help="The last moment of a release window.")
@click.option("--expires", callback=moment, help="When the approval ends. Default: with --until.")
@registry_options
def standing(
    title: str,
    by: str,
    holder: str | None,
    key: Path,
    languages: tuple[str, ...],
    territories: tuple[str, ...],
    channels: tuple[str, ...],
    partners: tuple[str, ...],
    packs: tuple[str, ...],
    number: int,
    hours: int,
    wait: bool,
    start: datetime | None,
    until: datetime,
    expires: datetime | None,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Approve releases of TITLE (a season, a series …) in advance, under your signature.

    You are told of every use and may object to it: dubgate request --object NOTICE.

    \b
    dubgate consent standing season-1 --as kestrel --key holder.pem --language de --territory 150 --channel svod
      --number 8 --hours 72 --wait --until 2027-12-31T00:00:00Z --registry consent.db
    """
    from pydantic import ValidationError

    from consent.approvals import Standing
    from consent.strict import Window, problems
    from consent.vocabulary import Channel
    from consent.writing import Addition
    from dubgate.approving_ahead import approve_ahead
    from dubgate.cli.keys import load
    from dubgate.policy.packs import CORE, load_packs

    private, at = load(key), datetime.now(UTC)
    digests = tuple(p.sha256 for p in load_packs(packs) if p.name != CORE) if packs else ()
    try:
        terms = Standing(
            languages=languages, pack_sha256s=digests, max_releases=number, objection_hours=hours, waits=wait or None
        )
        approval, envelope = approve_ahead(
            title,
            by=by,
            holder=holder or by,
            key=private,
            languages=languages,
            territories=territories,
            channels=[Channel(c) for c in channels],
            window=Window(start=start or at, end=until),
            partners=partners,
            terms=terms,
            at=at,
            expires_at=expires or until,
        )
    except ValidationError as error:
        raise problems(error, "standing approval") from None
    with open_registry(location, key_file) as registry:
        registry.add(Addition(approval, envelope=envelope))
    data = approval.model_dump(mode="json", exclude_none=True)
    say(form, data, f"Recorded the standing approval {approval.approval_id}: at most {number} releases.")
