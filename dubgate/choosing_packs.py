"""Which packs judge a delivery: those of quality, those that its release brings in, and those that somebody asks for."""

from __future__ import annotations

from collections.abc import Sequence

from dubgate.clearing import Release
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import Style
from dubgate.gate import QualityRequest, pack_names
from dubgate.policy.choosing import Choice, Destination, choose
from dubgate.policy.packs import Pack, choosable, load_packs
from dubgate.policy.speakers import Declared
from dubgate.unmeasured import Unmeasured
from dubgate.voice_facts import agreements

_NOWHERE = Unmeasured("the delivery does not say where it is to be released")


def destination_of(delivery: Delivery, release: Release | None, declared: Sequence[Declared]) -> Destination:
    """Where the dub goes, as the delivery says and the registry knows."""
    where = delivery.distribution
    if release is None or where is None:
        return Destination(_NOWHERE, _NOWHERE, _NOWHERE, agreements(declared))
    channels = tuple(str(c) for c in release.channels)
    return Destination(release.territories, channels, where.partners, agreements(declared))


def choices_of(destination: Destination, asked_for: Sequence[str] = ()) -> tuple[Choice, ...]:
    """Every pack that a delivery can bring in, whether it does, and why."""
    return choose(choosable(), destination, asked_for)


def packs_for(request: QualityRequest, style: Style | None, destination: Destination) -> tuple[Pack, ...]:
    """The packs that judge: never fewer than those that apply.

    Raises:
        PackError: one of them is unknown or cannot be used.
    """
    names = pack_names(request, style)
    brought = [c.pack.name for c in choices_of(destination, names) if c.applies and not c.asked_for]
    return load_packs([*names, *(name for name in brought if name not in names)])
