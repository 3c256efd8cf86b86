"""What `make mutants` breaks of what a stranger meets first: exit codes of what ends early, and what is never touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

SCREEN = ("tests/cli/test_first_screen.py",)
SAYING = ("tests/cli/test_errors_say.py",)
DRAFT = ("tests/test_consent_draft.py",)
INIT = ("tests/cli/test_init.py",)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a reader that has gone is a verdict", "dubgate/cli/main.py", "    return BY_SIGNAL + number\n", "    return 0\n", (*SCREEN, "-k", "signal or reader")),
    ("SIGTERM kills on the spot", "dubgate/cli/main.py", "    end_on_signals()\n", "", (*SCREEN, "-k", "signal")),
    ("no sample judged is as expected", "dubgate/demonstration.py", "if unknown := sorted(set(only) - {f.name for f in every}):", "if unknown := None:", (*SCREEN, "-k", "sample")),
    ("a stranger's database is made ours", "consent/database.py", "if create or (not read_only and _has_meta(connection)):", "if create or not read_only:", (*SAYING, "-k", "somebody_else")),
    ("the service's tables go into any database", "dubgate/service/database.py", "            require_version(connection, str(", "            str(str(", (*SAYING, "-k", "somebody_else")),
    ("any file is a token", "dubgate/client.py", "    if not token or len(token.split()) != 1:\n", "    if False:\n", (*SAYING, "-k", "token")),
    ("a draft names what the registry calls otherwise", "dubgate/consent_draft.py", "title = known.title_id or _title_id(delivery)", "title = _title_id(delivery)", DRAFT),
    ("a draft gives a voice another owner", "dubgate/consent_draft.py", "return self.owners.get(voice) or f", "return f", DRAFT),
    ("a dub that ends before its script breaks the hearing", "dubgate/hearing_words.py", "if c.span.padded(ALIGN_PAD_S).start_s < spool.duration_s]", "]", ("tests/test_hearing_words.py",)),
    ("reports are refused only after the hearing", "dubgate/cli/check.py", "    require_place(folder)\n", "", (*SAYING, "-k", "place_where")),
    ("anybody confirms an enrolment", "dubgate/cli/enrol.py", "if by not in owners:", "if False:", ("tests/cli/test_enrol_again.py",)),
    ("an enrolment of another voice is confirmed", "dubgate/cli/enrol.py", "    if not own:\n", "    if False:\n", ("tests/cli/test_enrol_again.py",)),
    ("a registry half made stays", "consent/founding.py", "                left.unlink(missing_ok=True)\n", "                pass\n", (*SAYING, "-k", "whole")),
    ("a signature that counts for nothing is not told", "dubgate/cli/approve.py", "if known is None or known.party.party_id != by or known.problem:", "if known is None:", (*SAYING, "-k", "signs")),
    ("a manifest names a file outside its folder", "dubgate/cli/init.py", "if path.exists() and not path.resolve().is_relative_to(folder):", "if False:", INIT),
)  # fmt: skip


def stranger_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of this list."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"stranger: {name}", file, tests, replaced(old, new))
