"""The facts that condition rules ask about, filled from what was read, heard and proved; what nobody showed is Unmeasured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consent.voices import Voice
from dubgate.clearing import Release
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.delivery.script import Style
from dubgate.label_facts import label_values
from dubgate.labels.tracks import Labels
from dubgate.languages import same_language
from dubgate.policy.facts import Facts, Value, facts_from
from dubgate.policy.speakers import Declared
from dubgate.record_facts import Looked, record_values
from dubgate.unmeasured import Unmeasured
from dubgate.voice_facts import CLONING, voice_rows

NOWHERE = Unmeasured(
    "the delivery does not say where, how and when it is to be released: distribution in delivery.yaml"
)


def synthetic(declared: Sequence[Declared]) -> bool | Unmeasured:
    """Whether a machine made any voice: declared so, or declared human and not proved; unknown in the latter case."""
    if any(not d.human for d in declared):
        return True
    unproved = [d.name for d in declared if d.human_statement is not None]
    if unproved:
        return Unmeasured(f"declared as human, and no signed statement proves it: {', '.join(unproved)}")
    return False


def facts_of(
    delivery: Delivery,
    release: Release | None,
    declared: Sequence[Declared],
    labels: Labels,
    style: Style,
    *,
    voices: Mapping[str, Voice] | None = None,
    partners_approved: Sequence[str] = (),
    looked: Looked | None = None,
) -> Facts:
    """Every fact of the catalogue that this delivery answers.

    Args:
        voices: the registry's voices that the cast names, by id.
        partners_approved: partners whose written approval of this sound stands.
        looked: what was hashed, verified and asked about its record; None where nobody looked.
    """
    return facts_from(
        {
            **_delivery_values(delivery, release, declared, style),
            **_release_values(delivery, release),
            **_registry_values(release, declared, voices or {}),
            **label_values(labels),
            **record_values(delivery, looked),
            "partner.approved": tuple(partners_approved),
        }
    )


def _delivery_values(
    delivery: Delivery, release: Release | None, declared: Sequence[Declared], style: Style
) -> dict[str, Value | Unmeasured]:
    techniques = {e.technique for e in delivery.cast if e.synthetic}
    return {
        "delivery.synthetic": synthetic(declared) if release else NOWHERE,
        "delivery.style": style.value,
        "delivery.stage": delivery.stage,
        "delivery.language": delivery.dub.language,
        "delivery.original_language": delivery.original.language,
        "delivery.translates": not same_language(delivery.dub.language, delivery.original.language),
        "delivery.techniques": tuple(sorted(str(t) for t in techniques)),
        "delivery.clones": bool(techniques & CLONING),
        "label.planned": delivery.label is not None,
        "label.token_planned": delivery.label is not None and delivery.label.machine_token is not None,
        "cast": tuple(_entry(e) for e in delivery.cast),
    }


def _release_values(delivery: Delivery, release: Release | None) -> dict[str, Value | Unmeasured]:
    where = delivery.distribution
    return {
        "distribution.territories": NOWHERE if release is None else release.territories,
        "distribution.channels": NOWHERE if release is None else tuple(str(c) for c in release.channels),
        "distribution.partners": NOWHERE if where is None else where.partners,
        "distribution.open_ended": NOWHERE if where is None else where.window.end is None,
    }


def _registry_values(
    release: Release | None, declared: Sequence[Declared], voices: Mapping[str, Voice]
) -> dict[str, Value | Unmeasured]:
    known = None if release is None or release.title is None else release.title.title
    return {
        "voices": NOWHERE if release is None else voice_rows(release, declared, voices),
        "title.level": Unmeasured("the registry does not know the title") if known is None else str(known.level),
    }


def _entry(entry: CastEntry) -> Mapping[str, Value | Unmeasured]:
    return {
        "name": entry.name,
        "technique": str(entry.technique),
        "synthetic": entry.synthetic,
        "vendor": entry.vendor or "",
        "model": entry.model or "",
        "group": entry.group is not None,
    }
