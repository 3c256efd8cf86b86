"""What `make mutants` breaks in rule packs: every rule, its terms, what brings a pack in, and what counsel may rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, of_pack, replaced, without_equality, without_guards

SHIPPED = ("tests/policy/test_shipped_rules.py",)
LAWS = ("tests/policy/test_law_packs.py",)
TERMS = ("tests/policy/test_pack_terms.py",)
RULINGS = ("tests/policy/test_rulings.py",)
RELEASED = ("tests/test_packs_of_a_release.py",)

# (file, tests): every guard in the file is removed in turn.
GUARDED = (
    ("dubgate/policy/choosing.py", (*LAWS, *TERMS)),
    ("dubgate/policy/pack_sources.py", TERMS),
    ("dubgate/policy/pack_parts.py", ("tests/policy/test_packs.py",)),
    ("dubgate/policy/when.py", (*LAWS, *TERMS)),
    ("dubgate/policy/rulings.py", RULINGS),
    ("dubgate/policy/partner_approvals.py", RELEASED),
)
# (file, tests): every comparison of digests, parties or rules finds both sides equal.
COMPARING = (("dubgate/policy/rulings.py", RULINGS),)
ABOUT = r"sha256|party|\bby\b|house|severity"

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("packs: what is unverified may block", "dubgate/policy/packs.py", "    _refuse_unverified(file, document)\n", "", TERMS),
    ("packs: a fact that nobody fills may be asked", "dubgate/policy/expression_types.py", "    _refuse_unfilled(reads)\n", "", TERMS),
    ("packs: an exemption that cannot be told exempts", "dubgate/policy/judge.py", "if evaluator.holds(exemption.condition, facts) is True:", "if evaluator.holds(exemption.condition, facts) is not False:", LAWS),
    ("packs: dates are not asked", "dubgate/policy/judge.py", "    dates = out_of_force(rule, pack, when)\n", "    dates = None\n", LAWS),
    ("packs: reviews are never due", "dubgate/policy/judge.py", "        *review_findings(packs, when),\n", "", LAWS),
    ("packs: what is not known leaves a pack out", "dubgate/policy/choosing.py", "if kind.met == ()", "if not isinstance(kind.met, tuple) or kind.met == ()", LAWS),
    ("packs: one kind that is met suffices", "dubgate/policy/choosing.py", "    if unmet:\n", "    if len(unmet) == len(kinds):\n", TERMS),
    ("packs: a delivery brings in nothing", "dubgate/choosing_packs.py", "if c.applies and not c.asked_for]", "if False]", RELEASED),
    ("packs: what somebody names is all", "dubgate/choosing_packs.py", "return load_packs([*names, *(name for name in brought if name not in names)])", "return load_packs(names)", RELEASED),
    ("packs: agreements are not asked of the registry", "dubgate/voice_facts.py", "if g.cba_ref is not None)", "if False)", RELEASED),
    ("packs: the window is not asked", "dubgate/release.py", "window=None if release is None else (release.window.start, release.window.end),", "window=None,", RELEASED),
    ("rulings: the softer one counts", "dubgate/policy/rulings.py", "reverse=True):", "reverse=False):", RULINGS),
    ("rulings: nothing is told of them", "dubgate/release.py", "own = told_of_rulings(judged.verdict.findings, ruled)", "own = judged.verdict.findings", RELEASED),
    ("rulings: out of their time", "dubgate/policy/rulings.py", "if not record.signed_at <= at < record.expires_at:", "if False:", RULINGS),
    ("rulings: any role", "dubgate/policy/rulings.py", "if MAY_RULE not in signed.roles:", "if False:", RULINGS),
    ("partners: any role answers", "dubgate/policy/partner_approvals.py", "if not statement.roles & MAY_ANSWER:", "if False:", RELEASED),
    ("partners: every approval is of every partner", "dubgate/release.py", "partners_approved=approved,", 'partners_approved=(*approved, "netflix"),', RELEASED),
    ("clearance: any model of a voice will do", "dubgate/clearing.py", "        voice_asset=asset_of(release.submitter, entry, voice_id),\n", "", RELEASED),
)  # fmt: skip


def pack_mutants(root: Path) -> Iterator[Mutant]:
    """All of them; each has one text that stands in its file exactly once."""
    for path in sorted((root / "rules").glob("*.yaml")):
        yield from of_pack(root, f"rules/{path.name}", _tests_of(path))
    for file, tests in GUARDED:
        yield from without_guards(root, file, tests, "packs")
    for file, tests in COMPARING:
        yield from without_equality(root, file, tests, "packs", ABOUT)
    for name, file, old, new, tests in SINGLE:
        yield Mutant(name, file, tests, replaced(old, new))


def _tests_of(path: Path) -> tuple[str, ...]:
    if path.stem == "core":
        return (*SHIPPED, "-k", "core or european or synthetic")
    if path.stem == "production-record":
        return ("tests/policy/test_production_record_pack.py",)
    if "chosen_by:" in path.read_text(encoding="utf-8"):
        return (*LAWS, "-k", path.stem)
    return (*SHIPPED, "-k", path.stem)
