"""Nothing stripped: what labels an input carried, and its output does not. Pure.

Threat 7: a re-wrap, a packager or a network takes a label off. Between files every standard that was there must be there
again; a package of HLS or DASH may say it by its own token, and is warned of what it did not carry over.
"""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.labels.riff import C2PA_PLACE
from dubgate.labels.tracks import Labels


@dataclass(frozen=True, slots=True)
class Lost:
    """A label that the input carried and the output does not; `replaced` where a token of the package says the same."""

    what: str
    replaced: bool = False


def lost_labels(before: Labels, after: Labels, *, package: bool) -> tuple[Lost, ...]:
    """What was lost on the way; a `package` has tokens of its own in place of those in its media."""
    said = all(t.machine_readable for t in after.tracks) and bool(after.tracks)
    found = [
        Lost(what, replaced=package and said)
        for what, had, has in (
            ("the AIGC label", bool(before.aigc), bool(after.aigc)),
            ("the C2PA manifest", _has_manifest(before), _has_manifest(after)),
        )
        if had and not has
    ]
    if any(t.machine_readable for t in before.tracks) and not said:
        found.append(Lost("the machine-readable token"))
    if any(t.human_readable for t in before.tracks) and not all(t.human_readable for t in after.tracks):
        found.append(Lost("the label that viewers read"))
    return tuple(found)


def _has_manifest(labels: Labels) -> bool:
    return bool(labels.manifests) or any(p.place.endswith(C2PA_PLACE) for p in labels.places)
