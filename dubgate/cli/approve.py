"""`dubgate approve`: sign an approval, a statement of human performance, an answer or a ruling over a delivery."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import ID, registry_option
from dubgate.cli.remedies import of_unknown

if TYPE_CHECKING:
    from dubgate.policy.packs import Pack

EXAMPLES = """\b
Examples:
  dubgate approve delivery.yaml --as kestrel --key holder.pem --registry consent.db
  dubgate approve delivery.yaml --as kestrel --key holder.pem --registry consent.db --reject
  dubgate approve delivery.yaml --as director --key director.pem --registry consent.db --human
  dubgate approve delivery.yaml --as counsel --key c.pem --registry consent.db --written netflix --document reply.eml
  dubgate approve delivery.yaml --as counsel --key c.pem --registry consent.db --ruling EUA-WORD --severity hold --words "our standard"
  dubgate approve delivery.yaml --as reviewer-a --key a.pem --registry consent.db --attest CON-030 --about character:JONAS --answer yes

\b
The signature covers the delivered sound itself: one changed sample and it does not count.
It is written into the folder evidence/ beside the manifest, where `dubgate check` finds it."""


@click.command(epilog=EXAMPLES)
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--as", "by", required=True, type=ID, metavar="PARTY", help="Who signs: a party of the registry.")
@click.option(
    "--for", "holder", type=ID, metavar="PARTY", help="The rights holder that is spoken for. Default: who signs."
)
@click.option(
    "--key", type=click.Path(path_type=Path), required=True, help="The signer's private key (dubgate keys new)."
)
@registry_option("Where the title is known.")
@click.option("--reject", is_flag=True, help="Refuse instead of approving.")
@click.option("--human", is_flag=True, help="State that people performed the voices that the cast declares as human.")
@click.option("--attest", "rule", metavar="CHECK", help="Answer an unknown check by ear, for example CON-030.")
@click.option("--waive", "waived", metavar="RULE", help="Forgive a failed quality rule, for example TIM-ONSET.")
@click.option(
    "--sign-off", "role", metavar="ROLE", help="Agree in a role that a pack demands, for example creative_lead."
)
@click.option(
    "--confirm-record",
    "confirming",
    metavar="ROLE",
    help="Say in a role that the production record is true, for example production.",
)
@click.option(
    "--written", "partner", metavar="PARTNER", help="Answer for a partner's written approval that you have seen."
)
@click.option(
    "--document",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="With --written: the approval itself; its digest is signed.",
)
@click.option(
    "--ruling", "ruled", metavar="RULE", help="As counsel, say what a rule of a law, partner or channel pack does."
)
@click.option(
    "--severity", type=click.Choice(["warn", "hold", "block"]), help="With --ruling: what it does when it fails."
)
@click.option(
    "--pack", metavar="NAME|FILE.yaml", help="With --ruling: where the rule is. Default: what came with dubgate."
)
@click.option(
    "--about",
    "subjects",
    multiple=True,
    metavar="line:ID|character:NAME|programme",
    help="With --attest and --waive: what it is about.",
)
@click.option(
    "--answer", type=click.Choice(["yes", "no"]), help="With --attest: what you heard. Says that you heard all of it."
)
@click.option("--reason", type=click.Choice(["creative intent", "best possible", "false alarm"]), help="With --waive.")
@click.option("--words", help="With --waive and --ruling: why, in your words.")
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
    waived: str | None,
    role: str | None,
    confirming: str | None,
    partner: str | None,
    document: Path | None,
    ruled: str | None,
    severity: str | None,
    pack: str | None,
    subjects: tuple[str, ...],
    answer: str | None,
    reason: str | None,
    words: str | None,
    name: str | None,
) -> None:
    """Sign over the sound of the delivery that MANIFEST describes.

    By default the rights holder's approval; else one of --reject, --human, --attest, --waive, --sign-off, --written,
    --ruling, --confirm-record."""
    from consent.vocabulary import ApprovalDecision
    from dubgate.approving import (
        answer_for,
        attest,
        rule_on,
        save,
        sign_off,
        sounds_of,
        state_human,
        waive,
    )
    from dubgate.approving import approve as approve_sound
    from dubgate.cli.keys import load
    from dubgate.delivery.manifest import load_delivery
    from dubgate.policy.findings import Severity
    from dubgate.policy.signed_objects import WaiverReason
    from dubgate.record_confirming import confirm_record
    from dubgate.release import title_id_of

    if sum((reject, human, *(given is not None for given in (rule, waived, role, confirming, partner, ruled)))) > 1:
        raise click.UsageError(
            "choose one of --reject, --human, --attest, --waive, --sign-off, --confirm-record, --written and --ruling"
        )
    if (partner is None) != (document is None) or (ruled is None) != (severity is None):
        raise click.UsageError("--written goes with --document, --ruling with --severity and --words")
    if (rule is None) != (answer is None) or (waived is None) != (reason is None):
        raise click.UsageError("--attest goes with --answer, --waive with --reason and --words")
    if (waived is not None or ruled is not None) and words is None:
        raise click.UsageError("say why in --words")
    about = [subject_of(text) for text in subjects or ("programme",)]
    delivery = load_delivery(manifest)
    title_id = title_id_of(delivery, registry)
    private, at = load(key), datetime.now(UTC)
    if ruled is not None and severity is not None:
        which, what = pack_with(ruled, pack), Severity(severity)
        envelope = rule_on(which, ruled, severity=what, reason=words or "", by=by, key=private, at=at)
        click.echo(save(envelope, delivery, name or f"ruling-{ruled}-{by}"))
        return
    sounds = sounds_of(delivery)
    if human:
        kind, envelope = "human", state_human(delivery, sounds, title_id=title_id, by=by, key=private, at=at)
    elif rule is not None:
        kind, reply = f"attest-{rule}-{about[0].name or 'programme'}", "pass" if answer == "yes" else "fail"
        envelope = attest(sounds, rule=rule, about=about[0], answer=reply, by=by, key=private, at=at)  # type: ignore[arg-type]
    elif waived is not None:
        kind, why = f"waive-{waived}", WaiverReason(reason or "")
        envelope = waive(sounds, rule=waived, about=about, reason=why, words=words or "", by=by, key=private, at=at)
    elif role is not None:
        kind = f"sign-off-{role}"
        envelope = sign_off(sounds, role=role_of(role), agreed=True, by=by, key=private, at=at)
    elif confirming is not None:
        kind = f"confirm-record-{confirming}"
        envelope = confirm_record(delivery, sounds, role=role_of(confirming), by=by, key=private, at=at)
    elif partner is not None and document is not None:
        kind, shown = f"written-{partner}", document.read_bytes()
        envelope = answer_for(sounds, partner=partner, document=shown, by=by, key=private, at=at, words=words)
    else:
        kind = "refusal" if reject else "approval"
        decision = ApprovalDecision.REJECT if reject else ApprovalDecision.APPROVE
        envelope = approve_sound(
            delivery, sounds, title_id=title_id, by=by, holder=holder or by, key=private, at=at, decision=decision
        )
    click.echo(save(envelope, delivery, name or f"{kind}-{by}"))
    say_whether_it_counts(registry, by, private)


def say_whether_it_counts(registry: str, by: str, private: Any) -> None:
    """A signature by a key that the registry does not know as this party's counts for nothing, and would hold the delivery."""
    from dubgate.certificate.dsse import public_of
    from dubgate.release import open_registry

    public = public_of(private)
    with open_registry(registry) as opened, opened.view() as view:
        known, party = view.key(public.keyid, view.now), view.party(by)
    if party is None:
        click.echo(
            f"  it does not count yet: no party {by!r} is registered. {of_unknown('party', by, registry)}", err=True
        )
        return
    if known is None or known.party.party_id != by or known.problem:
        click.echo(
            f"  it does not count yet: the registry knows no living key {public.public_hex[:16]}… of {by} (keys: in a seed)",
            err=True,
        )


def role_of(text: str):  # type: ignore[no-untyped-def]
    """A role of the registry.

    Raises:
        click.BadParameter: it knows none of this name.
    """
    from consent.vocabulary import Role

    try:
        return Role(text.replace(" ", "_"))
    except ValueError:
        raise click.BadParameter(f"{text!r} is no role; known are {', '.join(Role)}") from None


def pack_with(rule_id: str, named: str | None) -> Pack:
    """The pack that a rule is in: the one named, else the one that came with dubgate.

    Raises:
        PackError: no such pack has the rule, or the rule is the program's own.
    """
    from dubgate.errors import PackError
    from dubgate.policy.packs import available, load_packs

    packs = [load_packs([name])[-1] for name in ([named] if named is not None else sorted(available()))]
    found = [p for p in packs if p.name != "core" and any(rule.id == rule_id for rule in p.rules)]
    if not found:
        raise PackError(
            f"no pack on which counsel may rule has a rule {rule_id!r}",
            remedy="see: dubgate rules list; what core and the program itself check, no ruling touches",
        )
    return found[0]


def subject_of(text: str):  # type: ignore[no-untyped-def]
    """`line:L08`, `character:JONAS` or `programme`.

    Raises:
        click.BadParameter: none of these.
    """
    from dubgate.policy.signed_objects import About

    scope, _, name = text.partition(":")
    if scope not in ("line", "character", "programme") or (scope == "programme") != (not name):
        raise click.BadParameter(f"{text!r} is not line:ID, character:NAME or programme")
    return About(scope=scope, name=name)  # type: ignore[arg-type]
