"""Whether a release is for a use: place, channel, partner and moment. One rule for who verifies a file and for the API. Pure."""

from __future__ import annotations

from collections.abc import Collection, Set
from datetime import datetime

from dubgate.certificate.refusals import OtherChannel, OtherPartner, OtherTerritory, OutsideWindow


def require_places(released: Set[str], wanted: Set[str], where: str | None = None) -> None:
    """Every country that is wanted is one of the release's.

    Raises:
        OtherTerritory
    """
    if missing := sorted(wanted - released):
        raise OtherTerritory(f"the release is not for {', '.join(missing[:8])}", where=where)


def require_channel(released: Collection[str], wanted: str, where: str | None = None) -> None:
    """The channel is one of the release's.

    Raises:
        OtherChannel
    """
    if wanted not in released:
        raise OtherChannel(f"the release is for {', '.join(released)}, not {wanted}", where=where)


def require_partner(
    released: Collection[str], who: str | None, where: str | None = None, *, remedy: str | None = None
) -> None:
    """Who publishes was approved by name; and is said, where the release is for some by name.

    Raises:
        OtherPartner
    """
    if who is None and released:
        what = f"the release is for publication by {', '.join(released)} alone, and it is not said who publishes"
        raise OtherPartner(what, where=where, remedy=remedy)
    if who is not None and who not in released:
        by = ", ".join(released) or "nobody by name"
        raise OtherPartner(f"the release is for publication by {by}, not {who}", where=where)


def require_window(start: datetime | None, end: datetime | None, at: datetime, where: str | None = None) -> None:
    """The moment lies in the release window, `[start, end)`; one without a start is never open.

    Raises:
        OutsideWindow
    """
    if start is None or at < start or (end is not None and at >= end):
        until = "" if end is None else f" until {end.isoformat()}"
        raise OutsideWindow(f"the release window is from {start.isoformat() if start else '?'}{until}", where=where)
