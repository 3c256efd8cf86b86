"""A reason that is kept in English, told in Japanese.

Only what is shown passes through here: kept measurements, certificates and reports in JSON have the English alone.
"""

from __future__ import annotations

from consent.sentences import Sentences
from dubgate.japanese.facts import FACTS
from dubgate.japanese.notes import NOTES
from dubgate.japanese.reasons import REASONS

in_japanese = Sentences(REASONS | FACTS | NOTES)

__all__ = ["in_japanese"]
