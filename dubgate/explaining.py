"""Which packs would judge a delivery, and why; which would not; and what their rules ask that is not known yet.

Nothing is heard and no label is read: what only a check can know is told as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consent.strict import Window
from consent.views import View
from dubgate.choosing_packs import choices_of, destination_of
from dubgate.clearing import Release, clearances_of, registered_voices, release_of
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_script import script_of
from dubgate.delivery.script import Style
from dubgate.delivery_facts import facts_of
from dubgate.errors import InputError
from dubgate.gate import DEFAULT_PACKS, style_of
from dubgate.labels.tracks import Labels
from dubgate.policy.choosing import Choice
from dubgate.policy.facts import Facts, Value
from dubgate.policy.findings import Text
from dubgate.policy.pack_schema import ConditionRule, Rule
from dubgate.policy.packs import CORE, Pack, load_packs
from dubgate.policy.speakers import Declared
from dubgate.policy.when import When, out_of_force
from dubgate.unmeasured import Unmeasured

UNREAD = Labels((), ("labels are read back when the delivery is checked",))
NO_REGISTRY = Unmeasured("no registry was asked: --registry")


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule of a pack that applies: whether it is in force for the release, and what it asks that is not known."""

    rule: Rule
    pack: Pack
    out_of_force: str | None
    missing: tuple[tuple[str, str], ...]  # the fact, and why it is not known


@dataclass(frozen=True, slots=True)
class Explained:
    """Every pack with whether it applies, and the rules of those that do."""

    choices: tuple[Choice, ...]
    asked: tuple[Asked, ...]


def explain(delivery: Delivery, view: View | None, at: datetime, asked_for: Sequence[str] = ()) -> Explained:
    """What would judge this delivery at a moment.

    Args:
        view: the registry; None leaves what it knows open.
        asked_for: packs that somebody names besides, by name or path.

    Raises:
        PackError: a pack is unknown or cannot be read.
    """
    release = _as_declared(delivery) if view is None else release_of(delivery, view)[0]
    declared = () if release is None else _declared(delivery, release, view, at)
    destination = destination_of(delivery, release, declared)
    if view is None:
        destination = replace(destination, agreements=NO_REGISTRY)
    style = _style(delivery)
    extra = load_packs(asked_for or DEFAULT_PACKS[style])
    names = [pack.name for pack in extra[1:]]
    known = {pack.name for pack in extra}
    brought = tuple(c for c in choices_of(destination, names) if c.pack.name not in known)
    choices = (*(_given(pack, bool(asked_for), style) for pack in extra), *brought)
    voices = {} if view is None else registered_voices(delivery, view, at)
    facts = facts_of(delivery, release, declared, UNREAD, style, voices=voices)
    facts = Facts({**facts.values, **_only_signed(), **({"voices": NO_REGISTRY} if view is None else {})})
    when = _when(delivery, at)
    judging = [c.pack for c in choices if c.applies]
    return Explained(choices, tuple(_rule(rule, pack, facts, when) for pack in judging for rule in pack.rules))


def _style(delivery: Delivery) -> Style:
    """The style that a check takes; a script that cannot be read, which a check refuses, says none."""
    try:
        return style_of(delivery, script_of(delivery))
    except InputError:
        return style_of(delivery, None)


def _only_signed() -> dict[str, Value | Unmeasured]:
    return {"partner.approved": Unmeasured("what people signed is opened when the delivery is checked")}


def _when(delivery: Delivery, at: datetime) -> When | None:
    where = delivery.distribution
    return None if where is None else When(at, (where.window.start, where.window.end))


def _given(pack: Pack, asked_for: bool, style: Style) -> Choice:
    """Core, and the packs that were asked for; by default those of the dub's style."""
    if pack.name == CORE:
        return Choice(pack, True, Text("judges every delivery", "すべての納品に適用されます"))
    if asked_for:
        return Choice(pack, True, Text("somebody asked for it", "指定されました"), asked_for=True)
    return Choice(pack, True, Text(f"judges every {style} dub", f"{style}の吹替に適用されます"))


def _as_declared(delivery: Delivery) -> Release | None:
    """The release as the manifest alone has it; whose title it is, only a registry says."""
    where = delivery.distribution
    if where is None:
        return None
    window = Window(start=where.window.start, end=where.window.end)
    return Release(None, delivery.dub.language, where.countries, where.channels, window, delivery.submitter)


def _declared(delivery: Delivery, release: Release, view: View | None, at: datetime) -> tuple[Declared, ...]:
    """The cast with the grants that cover it; minutes are not measured yet, and no human performance is proved."""
    return tuple(
        Declared(
            name=entry.name,
            technique=str(entry.technique),
            voice_ids=entry.voice_ids,
            clearances=() if view is None else clearances_of(release, entry, view, at, 0.0),
        )
        for entry in delivery.cast
    )


def _rule(rule: Rule, pack: Pack, facts: Facts, when: When | None) -> Asked:
    return Asked(rule, pack, out_of_force(rule, pack, when), _missing(rule, facts))


def _missing(rule: Rule, facts: Facts) -> tuple[tuple[str, str], ...]:
    """The facts that a condition reads and that are not known, each with its reason."""
    if not isinstance(rule, ConditionRule):
        return ()
    reads = sorted({path for condition in rule.conditions if condition is not None for path in condition.reads})
    told = ((path.partition("[]")[0], facts.reason(path)) for path in reads)
    return tuple(dict.fromkeys((path, reason) for path, reason in told if reason is not None))
