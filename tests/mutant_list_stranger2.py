"""What `make mutants` breaks of what strangers met further out: slips, open questions, the API's page, the terminal's tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

ARGUMENTS = ("tests/cli/test_qc_arguments.py",)
SLIPS = ("tests/measure/test_slips.py",)
KNOWN = ("tests/policy/test_to_be_known.py",)
VALUES = ("tests/report/test_plain_values.py",)
TABLE = ("tests/cli/test_demo_table.py",)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a sound is measured against itself", "dubgate/cli/qc_arguments.py", "original.samefile(dub)", "False", ARGUMENTS),
    ("two streams of one file are one sound", "dubgate/cli/qc_arguments.py", "if original_stream == dub_stream and", "if", ARGUMENTS),
    ("a cue sheet stands as a film", "dubgate/cli/qc_arguments.py", "if path.suffix.lower() in CUES:", "if False:", ARGUMENTS),
    ("a film stands as a script", "dubgate/cli/qc_arguments.py", "script is not None and script.suffix.lower() in MEDIA", "False", ARGUMENTS),
    ("qc hears before it looks at its files", "dubgate/cli/qc.py", "    require_arguments(original, dub, script)\n", "", ARGUMENTS),
    ("the original as the dub is no slip", "dubgate/slips.py", "original.file_sha256 == dub.file_sha256", "False", SLIPS),
    ("digests that nobody made are equal", "dubgate/slips.py", 'original.packet_sha256 != "" and ', "", SLIPS),
    ("another stream is the same sound", "dubgate/slips.py", " and streams[0] == streams[1]", "", SLIPS),
    ("one missing line is another script", "dubgate/slips.py", "heard[len(heard) // 2]", "heard[0]", SLIPS),
    ("any difference of length is a conversion", "dubgate/slips.py", "<= _ROOM:", "<= 1.0:", SLIPS),
    ("every question is answered by ear", "dubgate/policy/to_be_known.py", " if by_ear else found", "", KNOWN),
    ("what is wrong is only unmeasured", "dubgate/report/phrases.py", "== {Outcome.UNKNOWN}", ">= {Outcome.UNKNOWN}", VALUES),
    ("a release says that nothing is wrong", "dubgate/report/phrases.py", "if verdict.quality_only and {f", "if {f", VALUES),
    ("levels are counted in frames", "dubgate/report/plain_values.py", "not finding.rule.startswith(_IN_FRAMES)", "False", VALUES),
    ("a case that came out wrong looks right", "dubgate/demonstration.py", "if row.as_expected else Text(f\"NOT", "if True else Text(f\"NOT", TABLE),
    ("what a description says is markup", "dubgate/service/docs_page.py", "escape(\" \".join(text.split()))", "\" \".join(text.split())", ("tests/service/test_docs_page.py", "-k", "markup")),
    ("a batch that is stopped keeps nothing", "dubgate/cli/batch.py", "            if judged:\n", "            if False:\n", ("tests/cli/test_first_screen.py", "-k", "batch")),
)  # fmt: skip


def stranger2_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of this list."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"stranger2: {name}", file, tests, replaced(old, new))
