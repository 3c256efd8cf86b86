"""A label as it was read: one value per audio track that a viewer can choose."""

from __future__ import annotations

from dataclasses import dataclass

from dubgate.labels.wording import is_ai_label, unreadable_reason


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
    """Every label read; `unreadable` lists what could not be read, each of which blocks."""

    tracks: tuple[LabelledTrack, ...]
    unreadable: tuple[str, ...] = ()
