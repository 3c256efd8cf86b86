"""The facts of the labels, filled from what was read back from the deliverable."""

from __future__ import annotations

from collections.abc import Mapping

from dubgate.labels.aigc import aigc_problem, is_aigc, says_generated
from dubgate.labels.tracks import LabelledTrack, Labels, Place
from dubgate.policy.facts import Value
from dubgate.unmeasured import Unmeasured

MANIFEST = "C2PA actions"  # how the place of a manifest is called whose signer is trusted; another is no place at all


def label_values(labels: Labels) -> dict[str, Value | Unmeasured]:
    """Every fact of the labels' rows."""
    unread = Unmeasured(labels.unreadable[0]) if labels.unreadable else None
    tracks = tuple(_track(t) for t in labels.tracks) if unread is None else unread
    return {
        "label.tracks": tracks,
        **_manifest(labels, unread),
        **_aigc(labels, unread),
        "label.audible": labels.audible.spoken,
        "label.rhythm": labels.audible.sounded,
    }


def _track(track: LabelledTrack) -> Mapping[str, Value | Unmeasured]:
    heard = track.is_what_was_heard
    return {
        "name": track.name or "",
        "language": track.language or "",
        "human_readable": track.human_readable,
        "machine_readable": track.machine_readable,
        "plays_what_was_heard": Unmeasured("the entry has no sound of its own") if heard is None else heard,
    }


def _manifest(labels: Labels, unread: Unmeasured | None) -> dict[str, Value | Unmeasured]:
    found = [p for p in labels.places if p.place.endswith(MANIFEST)]
    unverified = Unmeasured(labels.unmeasured[0]) if labels.unmeasured else None
    open_question = unverified if unread is None else unread
    if open_question is not None:
        names = ("label.c2pa_trusted", "label.c2pa_says_ai")
        return dict.fromkeys(names, open_question)
    return {
        "label.c2pa_trusted": _everywhere(found, labels),
        "label.c2pa_says_ai": _everywhere([p for p in found if p.token == "C2PA"], labels),
    }


def _everywhere(found: list[Place], labels: Labels) -> bool:
    """Whether there is one; in the media of a package, whether every entry of the dub has one."""
    if any(not p.in_media for p in found):
        return True
    return bool(found) and len({p.track for p in found}) == len(labels.tracks)


def _aigc(labels: Labels, unread: Unmeasured | None) -> dict[str, Value | Unmeasured]:
    if unread is not None:
        return dict.fromkeys(("label.aigc_count", "label.aigc_complete"), unread)
    places = [p for p in labels.places if is_aigc(p)]
    inside = {p.text for p in places if p.in_media}  # each entry of a package repeats the one label
    found = [*(p.text for p in places if not p.in_media), *sorted(inside)]
    whole = len(found) == 1 and aigc_problem(found[0]) is None and says_generated(found[0])
    return {"label.aigc_count": len(found), "label.aigc_complete": whole and _everywhere(places, labels)}
