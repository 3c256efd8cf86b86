"""The facts that condition rules ask about, filled from what was read, heard and proved; what nobody showed is Unmeasured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dubgate.clearing import Release
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import Style
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.policy.facts import Facts, Value, facts_from
from dubgate.policy.speakers import Declared
from dubgate.unmeasured import Unmeasured


def synthetic(declared: Sequence[Declared]) -> bool | Unmeasured:
    """Whether a machine made any voice: declared so, or declared human and not proved; unknown in the latter case."""
    if any(not d.human for d in declared):
        return True
    unproved = [d.name for d in declared if d.human_statement is not None]
    if unproved:
        return Unmeasured(f"declared as human, and no signed statement proves it: {', '.join(unproved)}")
    return False


def facts_of(
    delivery: Delivery, release: Release | None, declared: Sequence[Declared], labels: Labels, style: Style
) -> Facts:
    """Every fact of the catalogue that this delivery answers."""
    where = delivery.distribution
    record = delivery.production
    unread = Unmeasured(labels.unreadable[0]) if labels.unreadable else None
    nowhere = Unmeasured("the delivery does not say where, how and when it is to be released")
    values: dict[str, Value | Unmeasured] = {
        "delivery.synthetic": synthetic(declared) if release else nowhere,
        "delivery.style": style.value,
        "delivery.stage": delivery.stage,
        "delivery.language": delivery.dub.language,
        "delivery.original_language": delivery.original.language,
        "distribution.territories": nowhere if release is None else release.territories,
        "distribution.channels": nowhere if release is None else tuple(str(c) for c in release.channels),
        "distribution.open_ended": nowhere if where is None else where.window.end is None,
        "label.tracks": tuple(_track(t) for t in labels.tracks) if unread is None else unread,
        "label.planned": delivery.label is not None,
        "cast": tuple(_entry(e) for e in delivery.cast),
        "record.present": record is not None,
        "record.tools": () if record is None else tuple(_tool(t) for t in record.tools),
        "record.training_stated": record is not None and record.used_to_train is not None,
        "record.used_to_train": () if record is None else tuple(str(k) for k in record.used_to_train or ()),
        "record.reviewers": () if record is None else tuple(r.party for r in record.reviewers),
    }
    return facts_from(values)


def _track(track: LabelledTrack) -> Mapping[str, Value | Unmeasured]:
    heard = track.is_what_was_heard
    return {
        "name": track.name or "",
        "language": track.language or "",
        "human_readable": track.human_readable,
        "machine_readable": track.machine_readable,
        "plays_what_was_heard": Unmeasured("the entry has no sound of its own") if heard is None else heard,
    }


def _entry(entry: object) -> Mapping[str, Value | Unmeasured]:
    from dubgate.delivery.manifest_schema import CastEntry

    assert isinstance(entry, CastEntry)
    return {
        "name": entry.name,
        "technique": str(entry.technique),
        "synthetic": entry.synthetic,
        "vendor": entry.vendor or "",
        "model": entry.model or "",
        "group": entry.group is not None,
    }


def _tool(tool: object) -> Mapping[str, Value | Unmeasured]:
    from dubgate.delivery.manifest_record import Tool

    assert isinstance(tool, Tool)
    return {
        "name": tool.name,
        "version": tool.version,
        "vendor": tool.vendor or "",
        "training_data": tool.training_data or "",
    }
