"""`dubgate rules`: list, show, lint and test rule packs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli import rules_adopt
from dubgate.cli.tasks import Commands

if TYPE_CHECKING:
    from dubgate.policy.packs import Pack

NAMES = click.argument("packs", nargs=-1, metavar="[NAME|FILE.yaml]...")
FORMAT = click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text")

EXAMPLES = """\b
Examples:
  dubgate rules list
  dubgate rules show TIM-ONSET
  dubgate rules explain LAB-EU
  dubgate rules explain delivery.yaml --registry consent.db
  dubgate rules lint my-channel.yaml
  dubgate rules test
  dubgate rules adopt core --as qc-lead --key lead.pem --reason "first rules" --registry consent.db

\b
Exit codes: 0 fine, 1 a rule fails its own test, 2 a pack does not load.

\b
Rules are no legal advice: each names its source, the day on which somebody looked, and whether the primary text was read."""


@click.group(cls=Commands, epilog=EXAMPLES)
def rules() -> None:
    """List, show, lint and test rule packs."""


@rules.command(
    "list",
    epilog="\b\nExamples:\n  dubgate rules list\n  dubgate rules list quality-lipsync netflix\n  dubgate rules list my-channel.yaml --format json",
)
@NAMES
@FORMAT
def list_rules(packs: tuple[str, ...], form: str) -> None:
    """The rules of the packs (default: all that came with dubgate), with the checks that are built in."""
    from dubgate.policy.checks import CHECKS
    from dubgate.policy.pack_report import (
        as_data,
        check_table,
        fails,
        metric_table,
        pack_table,
        rule_evidence,
        rule_table,
    )
    from dubgate.policy.pack_terms import brought_in_by

    chosen, evidence = _packs(packs), rule_evidence()
    if form == "json":
        click.echo(json.dumps([as_data(pack, evidence) for pack in chosen], ensure_ascii=False, indent=2))
    elif form == "markdown":
        tables = (metric_table(), pack_table(chosen), rule_table(chosen, evidence), check_table())
        click.echo("\n".join(tables), nl=False)
    else:
        for pack in chosen:
            click.echo(f"{pack.name} {pack.version}  {pack.about}")
            click.echo(f"  as of {pack.as_of}; brought in by {brought_in_by(pack)}")
            for rule in pack.rules:
                unread = "" if pack.status_of(rule) == "verified" else " (source unverified)"
                click.echo(f"  {rule.id:<22} {rule.asks.en}: {fails(rule)}{unread}")
        click.echo(
            f"built in, in every check of a delivery: {len(CHECKS)} checks of consent, rights, labels, integrity"
        )
        for check in CHECKS.values():
            click.echo(f"  {check.id:<22} {check.asks}: {check.failed.name.lower()}")


@rules.command(epilog="\b\nExamples:\n  dubgate rules show TIM-ONSET\n  dubgate rules show MY-1 --pack my-channel.yaml")
@click.argument("rule_id", metavar="RULE")
@click.option("--pack", "packs", multiple=True, metavar="NAME|FILE.yaml", help="Look in this pack; may be repeated.")
def show(rule_id: str, packs: tuple[str, ...]) -> None:
    """All of one rule: bounds, sentences, source, and its false alarms on clean programmes."""
    click.echo(_described(rule_id, packs))


@rules.command(
    epilog="\b\nExamples:\n  dubgate rules explain TXT-WORDS\n  dubgate rules explain delivery.yaml --registry consent.db"
)
@click.argument("what", metavar="RULE|DELIVERY.yaml")
@click.option(
    "--pack", "packs", multiple=True, metavar="NAME|FILE.yaml", help="Look in (or add) this pack; may be repeated."
)
@click.option(
    "--registry", envvar="DUBGATE_REGISTRY", metavar="PATH|URL", help="For a delivery: whose voices it is about."
)
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="For a delivery.")
def explain(what: str, packs: tuple[str, ...], registry: str | None, lang: str, form: str) -> None:
    """What one rule means for the people who made the dub; or which packs judge a delivery, and why.

    For a delivery: the packs that apply and those that do not, each with the reason, the rules in force, and the facts
    that are not known yet. It hears nothing; a check does."""
    if Path(what).suffix in (".yaml", ".yml"):
        click.echo(_delivery_explained(Path(what), packs, registry, lang, form))
        return
    click.echo(_rule_explained(what, packs, lang))


def _rule_explained(what: str, packs: tuple[str, ...], lang: str) -> str:
    from dubgate.policy.checks import CHECKS
    from dubgate.report.explained_rule import check_explained, rule_explained

    named = what.upper()
    found = [(rule, pack) for pack in _packs(packs) for rule in pack.rules if rule.id == named]
    if found:
        return rule_explained(found[0][0], [pack for _, pack in found], lang)
    if named not in CHECKS:
        raise _unknown(what, packs)
    return check_explained(CHECKS[named], lang)


def _delivery_explained(path: Path, packs: tuple[str, ...], registry: str | None, lang: str, form: str) -> str:
    from datetime import UTC, datetime

    from dubgate.delivery.manifest import load_delivery
    from dubgate.explaining import explain as explained
    from dubgate.release import open_registry
    from dubgate.report.explained import explained_data, explained_text

    delivery, at = load_delivery(path), datetime.now(UTC)
    if registry is None:
        found = explained(delivery, None, at, packs)
    else:
        with open_registry(registry) as opened, opened.view() as view:
            found = explained(delivery, view, at, packs)
    if form == "json":
        return json.dumps(explained_data(found), ensure_ascii=False, indent=2)
    return explained_text(found, lang)


@rules.command(
    epilog="\b\nExample:\n  dubgate rules lint my-channel.yaml\n\n\b\nExit codes: 0 every pack loads, 2 one does not (file, line and column are printed)."
)
@NAMES
def lint(packs: tuple[str, ...]) -> None:
    """Load packs, and say what is wrong with them at file, line and column."""
    for pack in _packs(packs):
        click.echo(f"{pack.name} {pack.version}: {len(pack.rules)} rules, sha256 {pack.sha256}")


@rules.command(
    epilog="\b\nExamples:\n  dubgate rules test\n  dubgate rules test my-channel.yaml\n\n\b\nExit codes: 0 every case comes out as it should, 1 one does not, 2 a pack does not load."
)
@NAMES
def test(packs: tuple[str, ...]) -> None:
    """Run each rule's own tests."""
    from dubgate.policy.pack_cases import run_cases

    failed = 0
    for pack in _packs(packs):
        results = run_cases(pack)
        bad = [result for result in results if not result.passed]
        failed += len(bad)
        for result in bad:
            click.echo(f"{pack.name} {result.rule}: case {result.case} gives {result.got}, not {result.expected}")
        kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(result.kind for result in results).items())
        click.echo(f"{pack.name}: {len(results) - len(bad)} of {len(results)} cases as they should be ({kinds})")
    if failed:
        raise click.exceptions.Exit(1)


def _packs(names: tuple[str, ...]) -> tuple[Pack, ...]:
    """The packs named, each loaded for itself (they may exclude one another); by default all that are here."""
    from dubgate.policy.packs import CORE, available, load_packs

    chosen = names or tuple(sorted(available(), key=lambda name: (name != CORE, name)))
    return tuple(load_packs([] if name == CORE else [name])[0 if name == CORE else -1] for name in chosen)


def _described(rule_id: str, packs: tuple[str, ...]) -> str:
    from dubgate.policy.checks import CHECKS
    from dubgate.policy.pack_report import described, rule_evidence

    rule_id, typed, evidence = rule_id.upper(), rule_id, rule_evidence()
    found = [described(rule, pack, evidence) for pack in _packs(packs) for rule in pack.rules if rule.id == rule_id]
    if found:
        return "\n\n".join(found)
    check = CHECKS.get(rule_id)
    if check is None:
        raise _unknown(typed, packs)
    rows = (
        ("built in", "in every check of a delivery; no pack can switch it off, no waiver touches it"),
        ("group", str(check.group)),
        ("asks", check.asks),
        ("else", check.failed.name.lower()),
        ("attestable by", ", ".join(check.attestable_by) or "nobody"),
        ("remedy", check.remedy),
        ("source", check.source),
    )
    return check.id + "\n" + "\n".join(f"  {name:<13}  {text}" for name, text in rows)


def _unknown(typed: str, packs: tuple[str, ...]) -> Exception:
    from difflib import get_close_matches

    from dubgate.errors import PackError
    from dubgate.policy.checks import CHECKS

    known = [*CHECKS, *(rule.id for pack in _packs(packs) for rule in pack.rules)]
    near = get_close_matches(typed.upper(), known, n=3)
    meant = f"Did you mean {', '.join(dict.fromkeys(near))}? " if near else ""
    return PackError(f"no rule is called {typed!r}", remedy=f"{meant}All of them: dubgate rules list")


rules.add_command(rules_adopt.adopt)
rules.add_command(rules_adopt.retire)
rules.add_command(rules_adopt.adopted)
