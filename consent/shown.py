"""What somebody was shown before they signed, kept in what they signed; it decides nothing."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from consent.strict import Line, Strict, Text


class Shown(Strict):
    """One thing that its signer was shown, as it was said to them: signed with the record, decides nothing."""

    what: Line
    said: Text


AllShown = Annotated[tuple[Shown, ...], Field(min_length=1, max_length=200)]
