"""What `make mutants` breaks of what people are told to do, of files that no command replaces, and of deadlines on the desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

REMEDIES = "dubgate/cli/remedies.py"
TOLD = ("tests/cli/test_remedies.py",)
COMPARE = ("tests/report/test_compare.py", "-k", "two_looks or two_checks")
DEMO = ("tests/service/test_demo_desk.py",)
WORDS = ("tests/web/test_desk_texts.py", "-k", "term or period or stand_apart")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a backup replaces whatever is there", "consent/backup.py", "    if not older:\n", "    if False:\n", TOLD),
    ("a backup replaces no older one", "consent/backup.py", "older = next(_lines(path), {}).get(\"schema\") == schema", "older = False", TOLD),
    ("a report replaces a registry", "dubgate/cli/registry_options.py", "head.startswith(b\"SQLite format 3\")", "False", TOLD),
    ("a report replaces the registry's key", "dubgate/cli/registry_options.py", "bool(_KEY_FILE.fullmatch(head))", "False", TOLD),
    ("a key file that is not there is no error", "dubgate/cli/registry_options.py", "not create and not key_file.exists()", "False", TOLD),
    ("what ending an unknown consent touches is nothing", "dubgate/cli/endings.py", "if not view.store.entries(named):", "if False:", TOLD),
    ("an id that is none is looked up", "dubgate/cli/endings.py", "if not AN_ID.fullmatch(target_id if colon else text):", "if False:", TOLD),
    ("no near id is told", REMEDIES, "n=_MOST_NAMED, cutoff=0.75", "n=_MOST_NAMED, cutoff=1.0", TOLD),
    ("a voice's grants are not told", REMEDIES, 'if other == "voice" and kind == "grant":', "if False:", TOLD),
    ("no near file is told", REMEDIES, "missing = error.where is not None and _MISSING", "missing = False and _MISSING", TOLD),
    ("a refusal says nothing to do", REMEDIES, 'return _OF_REFUSALS.get(reason or "")', "return None", TOLD),
    ("an own remedy is replaced", REMEDIES, "        return\n    if remedy", "    if remedy", TOLD),
    ("a port is taken after everything was made", "dubgate/cli/desk.py", "    listening = listen(host, port)\n    origin = origin or", "    origin = origin or", TOLD),
    ("the log leaves out which files are missing", "dubgate/service/logs.py", '    "missing",\n', "", TOLD),
    ("a last day is the midnight after it", "dubgate/cli/consent.py", " - timedelta(microseconds=1)", "", TOLD),
    ("a look at quality is a release", "dubgate/report/phrases.py", "(_QUALITY if quality_only else _RELEASE)[Decision[", "(_RELEASE)[Decision[", COMPARE),
    ("a check is a look at quality", "dubgate/report/phrases.py", "(_QUALITY if quality_only else _RELEASE)[Decision[", "(_QUALITY)[Decision[", COMPARE),
    ("every term is of whole days", "consent/web/wording.py", "return _time(value).time() == time()", "return True", WORDS),
    ("no term is of whole days", "consent/web/wording.py", "return _time(value).time() == time()", "return False", WORDS),
    ("what was shown and its members run together", "consent/web/statement_fields.py", '    if predicate.get("shown"):\n', "    if False:\n", WORDS),
    ("a mail names the midnight after a last day", "consent/web/watching.py", "iso(end - timedelta(microseconds=1))", "iso(end)", ("tests/web/test_desk_notices.py", "-k", "90_30")),
    ("deadlines are days", "consent/web/page.py", "    said = moment(value, language)\n", "    said = day(value, language)\n", ("tests/web/test_desk_own_voice.py", "-k", "to_the_minute")),
    ("two demonstrations share a folder", "dubgate/service/demo.py", "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass", DEMO),
    ("a demonstration keeps another's messages", "dubgate/service/demo.py", "        old.unlink()  # messages", "        pass  # messages", DEMO),
    ("kept hearing does not say where", "dubgate/kept.py", 'about if folder is None else f"{about} in {folder}"', "about", ("tests/test_kept.py", "-k", "told_apart")),
)  # fmt: skip


def stranger3_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of this list."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"stranger3: {name}", file, tests, replaced(old, new))
