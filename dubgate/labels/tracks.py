"""A label as it was read: one value per audio track that a viewer can choose."""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.labels.wording import is_ai_label, unreadable_reason
from dubgate.unmeasured import Unmeasured

NO_DISCLAIMER_HEARD = Unmeasured("nobody listened for a spoken disclaimer at the start")
NO_RHYTHM_HEARD = Unmeasured("nobody listened for the rhythm that stands for AI")


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a deliverable in which a text for people or a token for machines was read.

    `track` counts the container's streams from 0, None is the whole file. `names_track`: players list a track by it.
    `token` names the standard that a machine reads there ("AIGC", "C2PA", "HLS", "DASH"), None where it is only text.
    """

    place: str  # "MP4 hdlr", "WAV bext Description"
    text: str
    track: int | None = None
    language: str | None = None
    names_track: bool = False
    token: str | None = None

    @property
    def human_readable(self) -> bool:
        return is_ai_label(self.text, self.language)


@dataclass(frozen=True, slots=True)
class LabelledTrack:
    """One audio track entry of the deliverable.

    `machine_readable` is a standard token (HLS `public.machine-generated`, …), never a name. `is_what_was_heard` is
    true where the entry's bytes are the dub that was heard, None where the entry carries no sound of its own to compare.
    """

    where: str  # file and place, for people
    name: str | None
    language: str | None
    machine_readable: bool
    is_what_was_heard: bool | None
    of_the_dub: bool = True

    @property
    def human_readable(self) -> bool:
        return self.name is not None and is_ai_label(self.name, self.language)

    @property
    def problem(self) -> str | None:
        """Why the label cannot be read for what it seems, or None."""
        return None if self.name is None else unreadable_reason(self.name)


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label read; `unreadable` lists what could not be read, each of which blocks.

    `unmeasured` is what could have been read with more at hand (each holds). `language` is what was asked for.
    `says_ai` are signed manifests that tell of a machine. `audible` and `rhythm` were heard, not read.
    """

    tracks: tuple[LabelledTrack, ...]
    unreadable: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    language: str | None = None
    audible: bool | Unmeasured = NO_DISCLAIMER_HEARD
    rhythm: bool | Unmeasured = NO_RHYTHM_HEARD

    @property
    def says_ai(self) -> tuple[Place, ...]:
        return tuple(p for p in self.places if p.token == "C2PA")
