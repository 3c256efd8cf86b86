"""Which rule packs a delivery brings in by itself, and why: by territories, channels, partners, and agreements. Pure.

What is not known counts as if it matched: a pack is left out only where it is sure that it does not apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dubgate.policy.findings import Text
from dubgate.policy.pack_sources import EVERYWHERE, ChosenBy
from dubgate.policy.packs import Pack
from dubgate.regions import expand
from dubgate.unmeasured import Unmeasured

Names = tuple[str, ...] | Unmeasured


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a dub goes: countries, channels, partners; and the agreements that the grants of its voices name."""

    territories: Names
    channels: Names
    partners: Names
    agreements: Names


@dataclass(frozen=True, slots=True)
class Choice:
    """A pack, whether it judges the delivery, and why or why not; `asked_for` where somebody named it."""

    pack: Pack
    applies: bool
    why: Text
    asked_for: bool = False
    missing: tuple[str, ...] = ()  # what is not known of the delivery, and was taken as matching


@dataclass(frozen=True, slots=True)
class _Kind:
    name: Text
    wanted: tuple[str, ...]
    met: tuple[str, ...] | Unmeasured


def choose(packs: Iterable[Pack], destination: Destination, asked_for: Sequence[str] = ()) -> tuple[Choice, ...]:
    """Every pack with whether it applies; what was asked for always does. Core is not chosen: it is always there."""
    return tuple(_choice(pack, destination, asked_for) for pack in packs)


def _choice(pack: Pack, destination: Destination, asked_for: Sequence[str]) -> Choice:
    if pack.name in asked_for:
        return Choice(pack, True, Text("somebody asked for it", "指定されました"), asked_for=True)
    if pack.chosen_by is None:
        return Choice(pack, False, Text("judges only where it is asked for", "指定した場合だけ適用されます"))
    if pack.chosen_by == EVERYWHERE:
        return Choice(pack, True, Text("judges every delivery", "すべての納品に適用されます"))
    return _matched(pack, tuple(_kinds(pack.chosen_by, destination)))


def _matched(pack: Pack, kinds: Sequence[_Kind]) -> Choice:
    unmet = [kind for kind in kinds if kind.met == ()]
    if unmet:
        named = "; ".join(f"none of its {kind.name.en} is ({_some(kind.wanted)})" for kind in unmet)
        in_ja = "、".join(kind.name.ja for kind in unmet)
        return Choice(pack, False, Text(named, f"{in_ja}が該当しません"))
    told = [(kind, "not known" if isinstance(kind.met, Unmeasured) else _some(kind.met)) for kind in kinds]
    en = "; ".join(f"{kind.name.en}: {met}" for kind, met in told)
    ja = "、".join(f"{kind.name.ja}: {met}" for kind, met in told)
    missing = tuple(f"{k.name.en}: {k.met.reason}" for k in kinds if isinstance(k.met, Unmeasured))
    return Choice(pack, True, Text(en, ja), missing=missing)


def _kinds(by: ChosenBy, to: Destination) -> Iterator[_Kind]:
    if by.territories is not None:
        yield _kind(Text("territories", "地域"), expand(by.territories), to.territories, by.territories)
    if by.channels is not None:
        yield _kind(Text("channels", "媒体"), tuple(str(c) for c in by.channels), to.channels)
    if by.partners is not None:
        yield _kind(Text("partners", "配信先"), by.partners, to.partners)
    if by.agreements is not None:
        met = to.agreements
        if not isinstance(met, Unmeasured):
            met = tuple(a for a in met if any(word.casefold() in a.casefold() for word in by.agreements))
        yield _Kind(Text("agreements", "労使協約"), by.agreements, met)


def _kind(name: Text, wanted: tuple[str, ...], have: Names, shown: tuple[str, ...] | None = None) -> _Kind:
    met = have if isinstance(have, Unmeasured) else tuple(sorted(set(wanted) & set(have)))
    return _Kind(name, shown or wanted, met)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
