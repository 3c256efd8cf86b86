"""What `make mutants` breaks of statements that were taken home, and of what findings say in Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

OWN, REPORTS = "tests/web/test_desk_own_voice.py", "tests/web/test_desk_reports.py"
TAKEN, TOLD = "tests/web/test_desk_taken.py", "tests/policy/test_told_in_japanese.py"
CHECK, FILE = "consent/statement_check.py", "consent/taken_home.py"


def _of(file: str, *words: str) -> tuple[str, ...]:
    return (file, "-k", " or ".join(words))


BENT = _of(TAKEN, "whatever_is_changed")
FORGED = _of(TAKEN, "made_up", "agrees_only_with_itself")
OLD = _of(TAKEN, "older_checkpoint")
ANOTHER = _of(TAKEN, "another_size", "another_ledger", "made_up")

# (what, file, old text, new text, tests)
SINGLE = (
    ("a statement's signature is not asked", CHECK, '        return [Point("signature", Answer.FAILS, "not_signed", {"why": error.what})], None\n', '        return [Point("signature", Answer.HOLDS, "unsigned")], None\n', BENT),
    ("a statement needs no signature", CHECK, 'return [Point("signature", Answer.FAILS, "unsigned")], None', 'return [Point("signature", Answer.HOLDS, "unsigned")], None', _of(TAKEN, "nobody_signed")),
    ("a key may come after what it signed", CHECK, "if e.leaf_index < statement.leaf_index", "if True", _of(TAKEN, "registered_after")),
    ("proofs are not followed", CHECK, "if not p.is_under(head)]", "if False]", BENT),
    ("the key behind it needs no proof", CHECK, "for p in (taken.statement, *taken.behind) if", "for p in (taken.statement,) if", _of(TAKEN, "whatever_is_changed", "brought_along")),
    ("a file vouches for itself", CHECK, 'yield Point("checkpoint", Answer.OPEN, "no_anchor")', 'yield Point("checkpoint", Answer.HOLDS, "no_anchor")', FORGED),
    ("any root of this size will do", CHECK, "same = kept.root == head.root", "same = True", FORGED),
    ("any ledger's checkpoint will do", CHECK, "    if kept.origin != head.origin:", "    if False:", ANOTHER),
    ("an older checkpoint vouches", CHECK, 'return Point("checkpoint", Answer.OPEN, "older", said)', 'return Point("checkpoint", Answer.HOLDS, "older", said)', OLD),
    ("a newer checkpoint vouches", CHECK, 'return Point("checkpoint", Answer.OPEN, "other_size", said)', 'return Point("checkpoint", Answer.HOLDS, "other_size", said)', OLD),
    ("a checkpoint is not held against the registry", CHECK, "return ledger.root(told.size, view.store.read_node) == told.root", "return True", ANOTHER),
    ("a longer history than the registry's", CHECK, "        if told.size > view.store.size():\n            return False\n", "", ANOTHER),
    ("any registry will do", CHECK, "    if own.origin != head.origin:", "    if False:", _of(TAKEN, "another_registry")),
    ("another entry of the registry", CHECK, "if own is None or own.leaf_hash != entry.leaf_hash:", "if own is None:", _of(TAKEN, "another_entry")),
    ("a key that was revoked since", CHECK, "        if gone is not None:", "        if False:", _of(TAKEN, "revoked")),
    ("what was taken back stands", CHECK, "    if status is None or not status.alive:", "    if status is None:", _of(TAKEN, "taken_back")),
    ("the best answer decides", CHECK, "max((p.answer", "min((p.answer", BENT),
    ("nothing asked holds", CHECK, "default=Answer.OPEN", "default=Answer.HOLDS", _of(TAKEN, "nothing_was_asked")),
    ("a changed envelope is found", CHECK, "and json.loads(e.envelope) == wanted", "", _of(TAKEN, "bare_envelope")),
    ("a bare envelope proves itself", "dubgate/cli/consent_verify.py", 'Point("ledger", Answer.OPEN, "bare")', 'Point("ledger", Answer.HOLDS, "bare")', _of(TAKEN, "bare_envelope")),
    ("an envelope that no registry has", "dubgate/cli/consent_verify.py", 'Point("registry", Answer.FAILS, "not_there")', 'Point("registry", Answer.HOLDS, "not_there")', _of(TAKEN, "bare_envelope")),
    ("a checkpoint's signature is not asked", "dubgate/cli/consent_verify.py", "    if vkey is not None:\n        return open_note", "    if False:\n        return open_note", _of(TAKEN, "signed_checkpoint")),
    ("one of several checkpoints", FILE, "if len(found) != 1:", "if not found:", _of(TAKEN, "never_guessed")),
    ("a file of any version", FILE, '    if found["schema"] != SCHEMA:', "    if False:", _of(TAKEN, "cannot_be_read")),
    ("a proof over fewer entries than it needs", FILE, "not leaf_index < total <= head.size", "not total <= head.size", _of(TAKEN, "from_before")),
    ("anybody sees a statement's page", "consent/web/pages/taken.py", " or not scope.may_take(who, entry.record)", "", _of(TAKEN, "nobody_else")),
    ("the list shows others' statements", "consent/web/pages/taken.py", "if e.envelope is not None and scope.may_take(who, e.record))", "if e.envelope is not None)", _of(TAKEN, "nobody_else")),
    ("a hit is answered by whoever is cast there", "consent/web/answering.py", "    if found.voice_id is not None:\n        return found.voice_id in voices\n", "", _of(OWN, "nobody_else")),
    ("a hit lets its owner hear everything", "consent/web/answering.py", "return any(a <= start_s and end_s <= b + 0.05 for", "return any(True for", _of(OWN, "no_more_than_the_place")),
    ("the other kinds of consent are offered", "consent/web/pages/requests.py", "    if not any(w.what is RequestKind.GRANT for w in asked.wanted):\n        return []\n", "", _of(OWN, "what_is_offered")),
    ("an agent is offered the owner's consent", "consent/web/pages/requests.py", "for v in mine if v.owner_id == who.party_id]", "for v in mine]", _of(OWN, "an_agent")),
    ("the files of a report forget its last day", "consent/web/reporting.py", '"until": self.last, ', "", _of(REPORTS, "chosen_period")),
    ("a glance is never over", "consent/web/glancing.py", " or self.ends > now)", " or True)", _of(REPORTS, "counted_again")),
    ("an error leads to another site", "consent/web/app.py", "    inside = inside and not came.path.removeprefix(root).startswith(\"//\")\n", "", _of("tests/web/test_desk_pages.py", "leads_back")),
    ("an older pack says it in Japanese", "dubgate/policy/pack_schema.py", "if self.schema_name != SCHEMA and any(", "if False and any(", _of(TOLD, "older_pack")),
    ("a rule's Japanese is lost", "dubgate/policy/pack_parts.py", 'return Text(self.en, self.ja or "")', 'return Text(self.en, "")', _of(TOLD, "own_japanese")),
    ("a check's Japanese is lost", "dubgate/policy/checks.py", "remedy=check.to_do if", 'remedy=Text(check.remedy, "") if', _of(TOLD, "own_japanese")),
)  # fmt: skip


def desk3_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"taken home: {name}", file, tests, replaced(old, new))
