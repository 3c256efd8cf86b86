"""One running desk: the registry's door, the desk's own tables, what a gate supplies, the clock, and the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from consent.registry import Registry
from consent.web.glancing import Glances
from consent.web.outbox import MailBox
from consent.web.protocols import Judge, Listening
from consent.web.rows import Tables
from consent.web.settings import DeskSettings
from consent.web.title_tree import TitleTree


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page works with; `path` is where the desk is mounted, without a slash at its end."""

    registry: Registry
    settings: DeskSettings
    tables: Tables
    outbox: MailBox
    clock: Callable[[], datetime]
    judge: Judge | None = None
    listening: Listening | None = None
    path: str = ""
    titles: TitleTree = field(default_factory=TitleTree)
    glances: Glances = field(default_factory=Glances)

    def link(self, path: str) -> str:
        """The full address of one of the desk's pages, for messages."""
        return f"{self.settings.origin}{self.path}{path}"
