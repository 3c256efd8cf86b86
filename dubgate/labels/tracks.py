"""A label as it was read: one value per audio track that a viewer can choose."""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.labels.audible import NOT_HEARD, Audible
from dubgate.labels.wording import is_ai_label, unreadable_reason


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a deliverable in which a text for people or a token for machines was read.

    `track` counts the container's streams from 0, None is the whole file. `names_track`: players list a track by it.
    `token` names the standard that a machine reads there ("AIGC", "C2PA", "HLS", "DASH"), None where it is only text.
    `in_media`: it stands in the media that a package plays; `track` is then the number of the package's entry, and
    `entry_language` what the manifest marks that entry with.
    """

    place: str  # "MP4 hdlr", "WAV bext Description"
    text: str
    track: int | None = None
    language: str | None = None
    names_track: bool = False
    token: str | None = None
    in_media: bool = False
    entry_language: str | None = None

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


# Digital source types (IPTC) that tell of a machine.
AI_SOURCES = frozenset(
    {"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic", "algorithmicMedia"}
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a C2PA manifest tells, whose signer our own anchors trust; one that they do not is no Manifest.

    `sources` are digital source types without their address; `tracks` the MP4 track ids that it is about, none: all.
    `entry` is the number of the package's entry whose media carry it, None: the file itself.
    """

    file: str
    signer: str
    actions: tuple[str, ...]
    sources: tuple[str, ...]
    source_language: str | None = None
    target_language: str | None = None
    tracks: tuple[str, ...] = ()
    entry: int | None = None

    @property
    def says_ai(self) -> bool:
        return bool(AI_SOURCES.intersection(self.sources))


@dataclass(frozen=True, slots=True)
class Labels:
    """Every label read; `unreadable` lists what could not be read, each of which blocks.

    `unmeasured` is what could have been read with more at hand (each holds). `language` is what was asked for.
    `says_ai` are signed manifests that tell of a machine; `manifests` all that are trusted. `aigc` are the values of
    China's labels. `master` are those of the file that a package was made of. `sidecar` is the id of the signed label that stands in for one that the container cannot hold.
    """

    tracks: tuple[LabelledTrack, ...]
    unreadable: tuple[str, ...] = ()
    unmeasured: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    language: str | None = None
    manifests: tuple[Manifest, ...] = ()
    audible: Audible = NOT_HEARD
    sidecar: str | None = None
    master: Labels | None = None

    @property
    def aigc(self) -> tuple[str, ...]:
        from dubgate.labels.aigc import is_aigc, label_value

        return tuple(label_value(p.text) for p in self.places if is_aigc(p))

    @property
    def says_ai(self) -> tuple[Place, ...]:
        return tuple(p for p in self.places if p.token == "C2PA")
