"""The facts of the production record, the credits, the studio's policy and the intake, as rows of the catalogue."""

from __future__ import annotations

from dubgate.policy.fact_types import BOOL, INT, TEXT, TEXTS, Fact, ListType, RecordType, Stage, Type

TOOL = RecordType(
    (
        ("name", TEXT),
        ("version", TEXT),
        ("vendor", TEXT),
        ("training_data", TEXT),
        ("registered", BOOL),
        ("review_overdue", BOOL),
        ("terms_read", BOOL),
        ("stores_inputs", BOOL),
        ("trains_on_inputs", BOOL),
        ("outputs_owned", BOOL),
        ("places", TEXTS),
        ("disputed", BOOL),
    )
)
FILE = RecordType((("kind", TEXT), ("path", TEXT), ("matches", BOOL)))


def _row(path: str, kind: Type, means: str, stage: Stage = Stage.RECORD) -> Fact:
    return Fact(path, kind, means, filled_by=stage)


_TOOLS = (
    "programs and models that made the dub, with what the company's register says of them; empty texts where not told"
)

RECORD_ROWS = (
    _row("record.present", BOOL, "the delivery brings a production record"),
    _row("record.tools", ListType(TOOL), _TOOLS),
    _row("record.training_stated", BOOL, "the record says what the recordings were used to train"),
    _row("record.used_to_train", TEXTS, "what the recordings were used to train"),
    _row("record.reviewers", TEXTS, "who reviewed, by registered party"),
    _row("record.purposes", TEXTS, "why the dub was made by machine, from the vocabulary"),
    _row("record.purpose_confirmed", BOOL, "somebody outside the vendor's house signed this very record", Stage.SIGNED),
    _row("record.unanswered", TEXTS, "fields and files of the record that are empty, n/a or template text"),
    _row(
        "record.files",
        ListType(FILE),
        "prompts, references, settings, logs and watermark reports (kind `watermarks`), hashed again",
    ),
    _row("record.revisions", INT, "changes after the first version"),
    _row("record.revisions_chained", BOOL, "each revision names the digest before it, the last one the dub"),
    _row("record.approved_by_roles", TEXTS, "roles that signed off outside the vendor's house", Stage.SIGNED),
    _row("credits.card_present", BOOL, "the delivery brings a dub card"),
    _row("credits.missing", TEXTS, "names, and wording that grants demand, that the dub card lacks"),
    _row("credits.unnamed", TEXTS, "roles of a dub card in which nobody is named"),
    _row("policy.given", BOOL, "the studio has signed what must never be AI, or that nothing is", Stage.SIGNED),
    _row("policy.violations", TEXTS, "what the studio keeps for people and a machine made", Stage.SIGNED),
    _row("intake.given", BOOL, "the delivery names the intake that was taken before production"),
    _row("intake.favourable", BOOL, "the producer's answers spoke for an AI dub"),
    _row("intake.differences", TEXTS, "where the delivery goes beyond what was said before production"),
)
