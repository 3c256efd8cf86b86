"""`dubgate approve`: sign an approval, a statement of human performance, or an answer by ear over a delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  dubgate approve delivery.yaml --as kestrel --key holder.pem --registry consent.db
  dubgate approve delivery.yaml --as kestrel --key holder.pem --registry consent.db --reject
  dubgate approve delivery.yaml --as director --key director.pem --registry consent.db --human
  dubgate approve delivery.yaml --as reviewer-a --key a.pem --registry consent.db --attest CON-030 --about JONAS --answer yes

\b
The signature covers the delivered sound itself: one changed sample and it does not count.
It is written into the folder evidence/ beside the manifest, where `dubgate check` finds it."""


@click.command(epilog=EXAMPLES)
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--as", "by", required=True, metavar="PARTY", help="Who signs: a party of the registry.")
@click.option("--for", "holder", metavar="PARTY", help="The rights holder that is spoken for. Default: who signs.")
@click.option(
    "--key", type=click.Path(path_type=Path), required=True, help="The signer's private key (dubgate keys new)."
)
@click.option(
    "--registry", envvar="DUBGATE_REGISTRY", required=True, metavar="PATH|URL", help="Where the title is known."
)
@click.option("--reject", is_flag=True, help="Refuse instead of approving.")
@click.option("--human", is_flag=True, help="State that people performed the voices that the cast declares as human.")
@click.option("--attest", "rule", metavar="CHECK", help="Answer an unknown check by ear, for example CON-030.")
@click.option("--about", default="", metavar="NAME", help="With --attest: the character, or nothing for the programme.")
@click.option("--answer", type=click.Choice(["yes", "no"]), help="With --attest: what you heard.")
@click.option("--name", help="Name of the file in evidence/. Default: by kind and signer.")
def approve(
    manifest: Path,
    by: str,
    holder: str | None,
    key: Path,
    registry: str,
    reject: bool,
    human: bool,
    rule: str | None,
    about: str,
    answer: str | None,
    name: str | None,
) -> None:
    """Sign over the sound of the delivery that MANIFEST describes."""
    from consent.vocabulary import ApprovalDecision
    from dubgate.approving import approve as approve_sound
    from dubgate.approving import attest, save, sounds_of, state_human
    from dubgate.cli.keys import load
    from dubgate.delivery.manifest import load_delivery
    from dubgate.release import title_id_of

    if sum((reject, human, rule is not None)) > 1 or (rule is None) != (answer is None):
        raise click.UsageError("choose one of --reject, --human, and --attest with --answer")
    delivery = load_delivery(manifest)
    title_id = title_id_of(delivery, registry)
    private, at = load(key), datetime.now(UTC)
    sounds = sounds_of(delivery)
    if human:
        kind, envelope = "human", state_human(delivery, sounds, title_id=title_id, by=by, key=private, at=at)
    elif rule is not None:
        kind = f"attest-{rule}-{about or 'programme'}"
        envelope = attest(sounds, rule=rule, subject=about, answer=answer == "yes", by=by, key=private, at=at)
    else:
        kind = "refusal" if reject else "approval"
        decision = ApprovalDecision.REJECT if reject else ApprovalDecision.APPROVE
        envelope = approve_sound(
            delivery, sounds, title_id=title_id, by=by, holder=holder or by, key=private, at=at, decision=decision
        )
    click.echo(save(envelope, delivery, name or f"{kind}-{by}"))
