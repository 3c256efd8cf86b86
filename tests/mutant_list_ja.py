"""What `make mutants` breaks of sentences that are kept in English and told in Japanese."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutate import Mutant, replaced

SENTENCES, PAGES = "consent/sentences.py", "consent/web"
REASONS, DESK = "tests/test_reasons_in_japanese.py", "tests/web/test_desk_in_japanese.py"
TEXTS, REPORT = "tests/web/test_desk_texts.py", "tests/report/test_html.py"


def _of(file: str, *words: str) -> tuple[str, ...]:
    return (file, "-k", " or ".join(words))


# (what, file, old text, new text, tests)
SINGLE = (
    ("a hole takes in what stands beside it", SENTENCES, "if len(parts) > 1 and None not in parts:", "if False:", _of(REASONS, "beside_each_other")),
    ("a part that nobody knows is left out", SENTENCES, "len(parts) > 1 and None not in parts", "len(parts) > 1", _of(REASONS, "has_no_japanese")),
    ("any sentence with holes will do", SENTENCES, "key=lambda s: -len(_HOLE.sub(\"\", s))", "key=lambda s: len(_HOLE.sub(\"\", s))", _of(REASONS, "no_reason_is_taken")),
    ("a sentence inside another stays in English", SENTENCES, "return self._tell(str(self)) if spec == \"told\" else str(self)", "return str(self)", _of(REASONS, "stands_in_a_hole")),
    ("a part of a sentence will do", SENTENCES, "pattern.fullmatch(said)", "pattern.match(said)", _of(REASONS, "beside_each_other", "has_no_japanese", "no_reason_is_taken")),
    ("a reason without Japanese", "dubgate/japanese/reasons.py", '    "no speech was heard": "発話が聞こえません",\n', "", _of(REASONS, "every_reason")),
    ("an error without Japanese", f"{PAGES}/errors_ja.py", '    "only a refusal can be lifted": "取り下げられるのは拒否だけです",\n', "", _of(DESK, "every_error")),
    ("an error page in English", f"{PAGES}/app.py", "told = error_in_japanese(words)", "told = words", _of(DESK, "error_page")),
    ("any finding tells a question", f"{PAGES}/pages/requests.py", 'f"{f.why}: {f.en}": f"', 'f.why: f"', _of(DESK, "by_the_finding")),
    ("a member without a name", f"{PAGES}/texts/members.json", '"member.exclusive": ["Exclusive", "独占"],\n', "", _of(TEXTS, "every_member")),
    ("a report keeps its reasons in English", "dubgate/report/html.py", 'return Text(reason, "" if japanese == reason else japanese)', 'return Text(reason, "")', _of(REPORT, "reasons_and_notes")),
    ("an open question keeps its reason in English", "dubgate/policy/rule_findings.py", "（{in_japanese(why.reason)}）", "（{why.reason}）", _of("tests/policy/test_told_in_japanese.py", "its_reason")),
)  # fmt: skip


def ja_mutants(root: Path) -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"japanese: {name}", file, tests, replaced(old, new))
