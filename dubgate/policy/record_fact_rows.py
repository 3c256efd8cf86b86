"""The facts of the production record, as rows of the catalogue."""

from __future__ import annotations

from dubgate.policy.fact_types import BOOL, TEXT, TEXTS, Fact, ListType, RecordType, Stage

TOOL = RecordType((("name", TEXT), ("version", TEXT), ("vendor", TEXT), ("training_data", TEXT)))

_R = Stage.RECORD

RECORD_ROWS = (
    Fact("record.present", BOOL, "the delivery brings a production record", filled_by=_R),
    Fact(
        "record.tools",
        ListType(TOOL),
        "programs and models that made the dub; empty texts where not told",
        filled_by=_R,
    ),
    Fact("record.training_stated", BOOL, "the record says what the recordings were used to train", filled_by=_R),
    Fact("record.used_to_train", TEXTS, "what the recordings were used to train", filled_by=_R),
    Fact("record.reviewers", TEXTS, "who reviewed, by registered party", filled_by=_R),
)
