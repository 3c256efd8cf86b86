"""What `make mutants` breaks in disclosures, production records, registers, policies, intakes and pilots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced, with_checks_passed, without_equality, without_guards

DISCLOSED = ("tests/disclosure/test_disclosing.py",)
RECORD = ("tests/test_record_judging.py",)
INTAKE = ("tests/intake/test_intake.py",)
PILOT = ("tests/pilot/test_pilot.py",)
COMMANDS = ("tests/test_record_commands.py",)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/disclosure/words.py", DISCLOSED),
    ("dubgate/record_confirming.py", RECORD),
    ("dubgate/record_checks.py", RECORD),
    ("dubgate/company/folder.py", RECORD),
    ("dubgate/company/never_ai.py", RECORD),
    ("dubgate/company/register.py", RECORD),
    ("dubgate/intake/differing.py", RECORD),
    ("dubgate/pilot/excerpt.py", PILOT),
    ("dubgate/policy/audience_checks.py", RECORD),
)
# (file, tests): every finding that a check fails or leaves open says, in turn, that it passed.
CHECKING = (
    ("dubgate/record_checks.py", RECORD),
    ("dubgate/record_judging.py", RECORD),
    ("dubgate/company/never_ai.py", RECORD),
    ("dubgate/policy/audience_checks.py", RECORD),
)
# (file, tests): every comparison of digests finds both sides equal.
COMPARING = (
    ("dubgate/record_confirming.py", RECORD),
    ("dubgate/record_checks.py", RECORD),
    ("dubgate/company/never_ai.py", RECORD),
    ("dubgate/company/register.py", RECORD),
)

SINGLE = (
    ("purpose is confirmed by anybody's house", "dubgate/record_confirming.py", "if signed.house in now.vendor_houses:", "if False:", RECORD),
    ("a confirmation in any role", "dubgate/record_confirming.py", "if signed.record.role not in CONFIRMING & signed.roles:", "if False:", RECORD),
    ("an overdue review is none", "dubgate/company/register.py", "return at.astimezone(UTC).date() >= tool.review_due", "return False", RECORD),
    ("any version is one that was read", "dubgate/company/register.py", "and any(_is_version(tool.version, pattern) for pattern in self.versions)", "", RECORD),
    ("any entry that fits will do", "dubgate/company/register.py", " and tool.registered_as in (None, t.id)", "", RECORD),
    ("terms are not hashed again", "dubgate/company/register.py", "return hashlib.sha256(read_pinned(found)).hexdigest() == terms.sha256", "return True", RECORD),
    ("a policy of any title", "dubgate/company/never_ai.py", "if s.record.title_id in ids\n", "if s.record.title_id\n", RECORD),
    ("a policy of any house", "dubgate/company/never_ai.py", "        and holders & {s.by, view.house_of(s.by)}\n", "", RECORD),
    ("a policy out of its term", "dubgate/company/never_ai.py", "        and s.record.signed_at <= at < s.record.expires_at\n", "", RECORD),
    ("scenes are not asked", "dubgate/company/never_ai.py", "if cue.span.start_s < scene.end_s and scene.start_s < cue.span.end_s:", "if False:", RECORD),
    ("revisions need no order in time", "dubgate/record_checks.py", " and before.at <= after.at", "", RECORD),
    ("the last revision is any sound", "dubgate/record_checks.py", " and revisions[-1].sha256 == last", "", RECORD),
    ("an intake's word is believed", "dubgate/intake/differing.py", "return intake.favourable and advise(intake.answers).favourable", "return intake.favourable", RECORD),
    ("one person signs in every role", "dubgate/policy/signoffs.py", "    if pack.small_team:\n", "    if True:\n", RECORD),
    ("the vendor's house signs off", "dubgate/policy/signoffs.py", "sign_off.house not in now.submitters | now.vendor_houses", "True", RECORD),
    ("nobody looks at the record", "dubgate/release.py", "        findings += found\n    facts", "    facts", RECORD),
    ("the company's folder is not asked", "dubgate/release.py", "declared, heard.sheet, company, evidence", "declared, heard.sheet, NO_COMPANY, evidence", RECORD),
    ("a label authorises", "dubgate/policy/authorisation.py", 'return finding.rule == "RH-001" and finding.outcome is Outcome.BLOCK', "return False", RECORD),
    ("cost alone is a purpose", "dubgate/intake/advising.py", "if set(answers.purposes) <= SAVING_ONLY:", "if False:", INTAKE),
    ("what is unknown is favourable", "dubgate/intake/advising.py", 'if answers.tolerant_of_variation.answer != "yes":', 'if answers.tolerant_of_variation.answer == "no":', INTAKE),
    ("central is not asked", "dubgate/intake/advising.py", 'if answers.central_to_identity.answer != "no":', "if False:", INTAKE),
    ("disclosable is not asked", "dubgate/intake/advising.py", 'if answers.disclosable.answer != "yes":', "if False:", INTAKE),
    ("time is not asked", "dubgate/intake/advising.py", "if not time.in_time:", "if False:", INTAKE),
    ("a pilot may be released", "dubgate/pilot/running.py", "if judgement.verdict.decision is Decision.RELEASE:", "if False:", PILOT),
    ("a pilot keeps its channels", "dubgate/pilot/excerpt.py", 'plain["distribution"]["channels"] = [str(Channel.INTERNAL_TEST)]', "pass", PILOT),
    ("a pilot that is fine ends as a release", "dubgate/pilot/running.py", "return 1 if self.blocking else 3", "return 1 if self.blocking else 0", PILOT),
    ("a refused approval is told as one", "dubgate/disclosure/gathering.py", "    if reasons:\n        return (), reasons\n", "", DISCLOSED),
    ("a review of the vendor's house is told", "dubgate/disclosure/gathering.py", " and s.house not in now.vendor_houses", "", DISCLOSED),
    ("a claimed performance is told as human", "dubgate/disclosure/gathering.py", "lacks=() if why is None else (why,))", "lacks=())", DISCLOSED),
    ("a refusal is not told", "dubgate/disclosure/gathering.py", "    lacks += [f\"{r.by} has refused: {_words(r.words)}\" for r in declared.refusals]\n", "", DISCLOSED),
    ("own wording may leave things out", "dubgate/disclosure/words.py", "if sorted(set(found)) != sorted(HOLES[key]) or", "if", DISCLOSED),
    ("half reviewed is reviewed", "dubgate/disclosure/words.py", 'read = all(f.status == "reviewed" for f, _ in used)', 'read = any(f.status == "reviewed" for f, _ in used)', DISCLOSED),
    ("gaps end well", "dubgate/cli/disclose.py", "return 3 if told.gaps else 0", "return 0", COMMANDS),
)  # fmt: skip


def record_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    about = r"sha256|party|id\b|version|language|style|technique"
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "record")
    for file, tests in CHECKING:
        yield from with_checks_passed(root, file, tests, "record")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "record", about)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"record: {name}", file, tests, replaced(old, new))
