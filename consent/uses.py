"""Uses of a standing approval: the notice that its holder gets of each one, and the objection that takes a use out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from consent.events import RecordedEvent
from consent.regions import expand
from consent.strict import Excluded, Id, Language, Record, Sha256, Territories, Time, Window
from consent.vocabulary import Channel, EventKind

if TYPE_CHECKING:
    from consent.approvals import Candidate


class UseNotice(Record):
    """The holder is told that its standing approval is used for one sound; `object_until` is the last moment to object.

    One notice is one of the uses that the approval allows: the number is spent when the notice is recorded.
    """

    schema_name: ClassVar[str] = "consent-use-notice/1.0"

    notice_id: Id
    approval_id: Id
    to: Id
    by: Id
    title_id: Id
    language: Language
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    window: Window
    packets_sha256: Sha256
    object_until: Time

    @property
    def record_id(self) -> str:
        """The notice's id."""
        return self.notice_id

    def found_under(self) -> tuple[str, ...]:
        """By notice, approval, holder, title and sound."""
        own = (f"use_notice:{self.notice_id}", f"approval:{self.approval_id}", f"party:{self.to}")
        return (*own, f"title:{self.title_id}", f"sound:{self.packets_sha256}")

    def tells_of(self, use: UseNotice | Candidate) -> bool:
        """Whether the holder was told of all of a use: of this very sound, and everywhere, however and whenever it is to be."""
        title_id = use.title_id if isinstance(use, UseNotice) else use.title_ids[0]
        same = (use.packets_sha256, title_id, use.language) == (self.packets_sha256, self.title_id, self.language)
        wider = expand(use.territories, use.territories_excluded) - expand(self.territories, self.territories_excluded)
        return same and not wider and set(use.channels) <= set(self.channels) and self.window.contains(use.window)


@dataclass(frozen=True, slots=True)
class UseHistory:
    """A notice, when it was recorded, and what its holder said to it."""

    notice: UseNotice
    recorded_at: datetime
    events: tuple[RecordedEvent, ...] = ()

    def objection(self, at: datetime) -> RecordedEvent | None:
        """The objection that stands at a moment; one that was lifted does not."""
        said = (EventKind.OBJECTED, EventKind.LIFTED)
        known = [e for e in self.events if e.recorded_at <= at and e.event.kind in said]
        last = max(known, key=lambda e: e.leaf_index, default=None)
        return last if last is not None and last.event.kind is EventKind.OBJECTED else None
